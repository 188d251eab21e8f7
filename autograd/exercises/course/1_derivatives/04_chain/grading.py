"""A function of a function."""

import autograd

ENTRY = "derivative"


def function(x):
    return autograd.sin(x**2)


def cases(draw):
    return [(draw.uniform(0.6, 1.4),), (draw.uniform(-2.0, -0.6),), (2.5,)]


MISTAKES = [
    ("inner derivative forgotten", " * 2 * x", "", "The inner function moves too: multiply by the derivative of x**2."),
    ("outer derivative at the wrong point", "math.cos(x**2)", "math.cos(x)", "cos is taken where sin was: at x**2, not at x."),
    ("derivative put inside", "math.cos(x**2) * 2 * x", "math.cos(2 * x)", "The derivative of the inner function multiplies from outside: cos(x**2) * 2*x."),
    ("added", "math.cos(x**2) * 2 * x", "math.cos(x**2) + 2 * x", "Along a path the rates multiply; they add only where paths meet."),
]
