"""A product."""

import autograd

ENTRY = "derivative"


def function(x):
    return x**2 * autograd.sin(x)


def cases(draw):
    return [(draw.uniform(0.5, 1.5),), (draw.uniform(-2.0, -0.5),), (3.0,)]


RIGHT = "2 * x * math.sin(x) + x**2 * math.cos(x)"
MISTAKES = [
    ("derivatives multiplied", RIGHT, "2 * x * math.cos(x)", "(u*v)' is not u'*v': each factor changes while the other stands, so there are two terms."),
    ("minus for plus", " + ", " - ", "Both changes add to the product: u'*v + u*v'. The minus belongs to the quotient."),
    ("second term missing", " + x**2 * math.cos(x)", "", "v changes too: the term u*v' is missing."),
    ("first term missing", "2 * x * math.sin(x) + ", "", "u changes too: the term u'*v is missing."),
    ("sin not differentiated", "math.cos(x)", "math.sin(x)", "The derivative of sin(x) is cos(x)."),
]
