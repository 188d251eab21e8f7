"""A neuron."""

import autograd

ENTRY = "gradient"


def function(w, x, b):
    return autograd.tanh(autograd.dot(w, x) + b)


def cases(draw):
    def numbers():
        return [draw.choice((-1, 1)) * draw.uniform(0.3, 1.0) for _ in range(3)]

    return [(numbers(), numbers(), draw.uniform(0.1, 0.5)), (numbers(), [0.0, 1.0, 2.0], draw.uniform(-0.5, -0.1))]


MISTAKES = [
    ("w and x swapped", "[ds * xi for xi in x], [ds * wi for wi in w]", "[ds * wi for wi in w], [ds * xi for xi in x]", "A weight gets the input it multiplies, and an input its weight."),
    ("slope of tanh forgotten", "ds = 1 - y**2", "ds = 1.0", "Before the sum comes tanh: multiply by its slope, 1 - y**2."),
    ("slope at the wrong point", "1 - y**2", "1 - (sum(wi * xi for wi, xi in zip(w, x)) + b) ** 2", "The slope of tanh is 1 - y**2 with the result y, not with what goes in."),
    ("bias without tanh", "in w], ds", "in w], 1.0", "b goes through tanh too: its derivative is 1 times the slope of tanh."),
    ("bias as a weight", "in w], ds", "in w], ds * b", "b is added, not multiplied: its local derivative is 1."),
]
