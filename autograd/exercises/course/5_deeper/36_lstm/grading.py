"""An LSTM cell."""

from autograd import sigmoid, tanh

ENTRY, BY = "backward", 5


def function(i, f, o, g, c, dh, dc2):
    new = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return dh * sigmoid(o) * tanh(new) + dc2 * new


def cases(draw):
    return [tuple(draw.uniform(0.3, 1.5) for _ in range(7)), tuple(draw.uniform(-1.5, -0.3) for _ in range(7))]


MISTAKES = [
    ("the next step forgotten", "dc2 + dh * so", "dh * so", "c2 goes into the next time step too: add dc2 to what comes from h."),
    ("h forgotten", "dc2 + dh * so * (1 - tanh(c2) ** 2)", "dc2", "c2 goes into h too: add what comes back from there."),
    ("slope of tanh forgotten", "dh * so * (1 - tanh(c2) ** 2)", "dh * so", "Between c2 and h stands tanh: multiply by 1 - tanh(c2)**2."),
    ("slope at the wrong point", "(1 - tanh(c2) ** 2)", "(1 - tanh(c) ** 2)", "tanh was evaluated at c2, the new memory, not at c."),
    ("memory past the gate", "total * sf", "total", "c is multiplied by the forget gate: what goes back to it, too."),
    ("gate without its slope", "di = total * tanh(g) * si * (1 - si)", "di = total * tanh(g)", "i goes through a sigmoid: multiply by its slope."),
    ("output gate from the memory", "do = dh * tanh(c2)", "do = total * tanh(c2)", "The output gate sees h alone: its gradient comes from dh."),
]
