"""A quotient."""

import autograd

ENTRY = "derivative"


def function(x):
    return autograd.sin(x) / (x**2 + 1)


def cases(draw):
    return [(draw.uniform(0.5, 1.5),), (draw.uniform(-2.0, -0.5),), (2.5,)]


RIGHT = "(du * v - u * dv) / v**2"
MISTAKES = [
    ("plus for minus", " - ", " + ", "A growing denominator makes the quotient smaller: u'*v minus u*v'."),
    ("terms swapped", "du * v - u * dv", "u * dv - du * v", "The terms are the other way round: u'*v comes first. Your answer has the wrong sign."),
    ("denominator not squared", "v**2\n", "v\n", "All of it is divided by v**2, not by v."),
    ("derivatives divided", RIGHT, "du / dv", "(u/v)' is not u'/v': numerator and denominator change each on its own."),
]
