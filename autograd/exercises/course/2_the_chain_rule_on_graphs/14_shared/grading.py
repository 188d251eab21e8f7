"""A node that is used again."""

import autograd

ENTRY = "gradient"


def function(a, b):
    c = a * b
    return c * c + c


def graph(a, b):
    a, b = autograd.Value(a, label="a"), autograd.Value(b, label="b")
    c = a * b
    square = c * c
    y = square + c
    c.label, square.label, y.label = "c", "c*c", "y"
    return y


def cases(draw):
    return [(draw.uniform(0.6, 1.4), draw.uniform(1.6, 2.5)), (draw.uniform(-1.5, -0.6), draw.uniform(1.6, 2.5))]


MISTAKES = [
    ("= for +=", "dc += 1.0", "dc = 1.0", "The last arrival wiped out what was there: gather with +=, not with =.", "c -> c*c"),
    ("c * c counted once", "    dc += c\n    dc += c\n", "    dc += c\n", "c * c uses c twice: two edges lead from c to the product.", "c -> c*c"),
    ("last use forgotten", "    dc += 1.0\n", "", "c is also added: the edge from c to y is missing.", "c -> y"),
    ("stopped at c", "return dc * b, dc * a", "return dc, dc", "That is the derivative by c. Pass it on: multiply by the local derivatives of a * b."),
    ("factor of the wrong operand", "return dc * b, dc * a", "return dc * a, dc * b", "The local derivative of a * b by a is b, and by b it is a."),
]
