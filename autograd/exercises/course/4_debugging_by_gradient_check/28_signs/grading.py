"""Two rules, and signs."""

import autograd
from autograd.exercises.catalogue import named


def cases(draw):
    return [tuple(draw.uniform(1.5, 3.0) for _ in range(3)), (draw.uniform(-3.0, -1.5), draw.uniform(2.0, 3.0), -1.5)]


def attempt(theirs, x, y, g):
    rules = {"sub_backward": theirs.sub_backward(x, y, g), "div_backward": theirs.div_backward(x, y, g)}
    return {**rules, "WRONG": named(theirs, "div")}


def expected(x, y, g):
    sub = autograd.grad(lambda x, y: g * (x - y), (0, 1))(x, y)
    div = autograd.grad(lambda x, y: g * (x / y), (0, 1))(x, y)
    return {"sub_backward": sub, "div_backward": div, "WRONG": "right"}


MISTAKES = [
    ("not mended", "-g * x / y**2", "g * x / y**2", "You named it; now mend div_backward: when y grows, what does x / y do?"),
    ("the other one blamed", 'WRONG = "div"', 'WRONG = "sub"', "The rules are right now, but WRONG names one that was right from the start."),
    ("not named", 'WRONG = "div"', "WRONG = ...", "The rules are right now. Say in WRONG which was wrong."),
    ("the right one changed", "return g, -g", "return g, g", "sub_backward was right: when y grows, x - y falls."),
    ("the other sign", "g / y, -g * x / y**2", "-g / y, g * x / y**2", "In x / y it is the derivative by y that is negative; the one by x is g / y."),
]
