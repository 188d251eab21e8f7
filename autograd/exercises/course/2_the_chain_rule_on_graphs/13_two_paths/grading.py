"""Two paths."""

import autograd

ENTRY = "gradient"


def function(a, b):
    return a * b + autograd.sin(a)


def graph(a, b):
    a, b = autograd.Value(a, label="a"), autograd.Value(b, label="b")
    c, d = a * b, autograd.sin(a)
    e = c + d
    c.label, d.label, e.label = "c", "d", "e"
    return e


def cases(draw):
    return [(draw.uniform(0.5, 1.2), draw.uniform(1.5, 3.0)), (draw.uniform(-1.2, -0.5), draw.uniform(-3.0, -1.5))]


MISTAKES = [
    ("only through c", "b + math.cos(a)", "b", "a reaches e through d too: add the path a -> d -> e.", "a -> d"),
    ("only through d", "b + math.cos(a)", "math.cos(a)", "a reaches e through c too: add the path a -> c -> e.", "a -> c"),
    ("paths multiplied", "b + math.cos(a)", "b * math.cos(a)", "Different paths add; only the edges of one path multiply."),
    ("a and b swapped", "return da, db", "return db, da", "First the derivative by a, then the one by b."),
    ("factor of the wrong operand", "db = a", "db = b", "The derivative of a * b by b is the other factor, a.", "b -> c"),
]
