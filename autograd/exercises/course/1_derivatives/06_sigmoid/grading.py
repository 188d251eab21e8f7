"""Sigmoid."""

import autograd

ENTRY = "derivative"


def function(x):
    return autograd.sigmoid(x)


def cases(draw):
    return [(draw.uniform(0.4, 2.0),), (draw.uniform(-2.0, -0.4),), (0.0,)]


MISTAKES = [
    ("x for the result", "y * (1 - y)", "x * (1 - x)", "The formula is in the result y, not in x: y * (1 - y)."),
    ("the rule of tanh", "y * (1 - y)", "1 - y**2", "1 - y**2 is the slope of tanh. That of sigmoid is y * (1 - y)."),
    ("plus for minus", "(1 - y)", "(1 + y)", "The other factor is what is missing to 1: 1 - y."),
    ("sign of the exponent", "y * (1 - y)", "-y * (1 - y)", "Two minus signs meet here, that of -x and that of 1/u, and they cancel. Sigmoid always rises."),
]
