"""A path."""

import autograd

ENTRY, BY = "gradient", 1


def function(a, b):
    return autograd.tanh(a * b + 1)


def graph(a, b):
    a, b = autograd.Value(a, label="a"), autograd.Value(b, label="b")
    c = a * b
    d = c + 1
    e = d.tanh()
    c.label, d.label, e.label = "c", "d", "e"
    return e


def cases(draw):
    return [(draw.uniform(-1.5, -0.5), draw.uniform(0.5, 1.5)), (draw.uniform(0.1, 0.5), draw.uniform(-2.0, -1.0))]


MISTAKES = [
    ("added along the path", "(1 - e**2) * 1 * b", "(1 - e**2) + 1 + b", "Along a path the local derivatives multiply. They add where paths meet."),
    ("an edge forgotten", "(1 - e**2) * 1 * b", "1 - e**2", "The edge a -> c is missing: c moves b times as fast as a.", "a -> c"),
    ("derivative at the wrong point", "(1 - e**2)", "(1 - d**2)", "The slope of tanh is 1 - e**2, with the result e; d is what goes in.", "d -> e"),
    ("factor of the wrong operand", "1 * b", "1 * a", "c = a * b grows b times as fast as a: the local derivative by a is the other factor, b.", "a -> c"),
    ("the last edge forgotten", "(1 - e**2) * 1 * b", "b", "The edge d -> e is missing: multiply by the slope of tanh.", "d -> e"),
]
