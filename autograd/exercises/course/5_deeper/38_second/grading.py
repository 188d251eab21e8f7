"""A second derivative."""

import autograd

ENTRY = "second"


def function(x):
    return autograd.grad(lambda t: autograd.sin(t**2))(x)


def cases(draw):
    return [(draw.uniform(0.5, 1.0),), (draw.uniform(-1.4, -0.6),), (2.0,)]


RIGHT = "2 * math.cos(x**2) - 4 * x**2 * math.sin(x**2)"
MISTAKES = [
    ("second term forgotten", " - 4 * x**2 * math.sin(x**2)", "", "cos(x**2) depends on x too: the product rule has a second term."),
    ("first term forgotten", "2 * math.cos(x**2) - ", "-", "2*x depends on x too: the product rule has a first term, 2 * cos(x**2)."),
    ("sign", " - 4", " + 4", "The derivative of cos is -sin."),
    ("inner derivative forgotten", "4 * x**2", "2 * x", "In cos(x**2), the inner function gives another 2*x: 2*x times 2*x."),
    ("slope squared", RIGHT, "(2 * x * math.cos(x**2)) ** 2", "The second derivative is the derivative of f', not its square."),
    ("first derivative", RIGHT, "2 * x * math.cos(x**2)", "That is f'. Differentiate once more."),
]
