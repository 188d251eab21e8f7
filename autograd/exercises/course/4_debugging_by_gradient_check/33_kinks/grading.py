"""At the kink."""

import autograd
from autograd.exercises.catalogue import named


def cases(draw):
    return [(2.0, 2.0, draw.uniform(1.0, 2.0)), (draw.uniform(1.0, 2.0), draw.uniform(-2.0, -1.0), 1.5), (0.0, 3.0, 1.0)]


def attempt(theirs, x, y, g):
    passes = {"relu_backward": theirs.relu_backward(max(x, 0.0), g), "max_backward": theirs.max_backward(x, y, g)}
    return {**passes, "WRONG": named(theirs, "max")}


def expected(x, y, g):
    relu = autograd.grad(lambda x: g * autograd.relu(x))(x)
    larger = autograd.grad(lambda x, y: g * autograd.maximum(x, y), (0, 1))(x, y)
    return {"relu_backward": relu, "max_backward": larger, "WRONG": "right"}


MISTAKES = [
    ("not mended", "g * share, g * (1 - share)", "(g if x >= y else 0.0), (g if y >= x else 0.0)", "You named it; now mend max_backward: at a tie, x and y get all of g each, twice too much together."),
    ("first wins", "0.5 if x == y else float(x > y)", "float(x >= y)", "A subgradient, but another than the library's: at a tie each gets one half."),
    ("nobody wins", "g * share, g * (1 - share)", "(g if x > y else 0.0), (g if y > x else 0.0)", "At a tie nobody gets anything, though the result grows when both grow. One half each."),
    ("the other one blamed", 'WRONG = "max"', 'WRONG = "relu"', "The passes are right now, but WRONG names one that was right from the start."),
    ("not named", 'WRONG = "max"', "WRONG = ...", "The passes are right now. Say in WRONG which was wrong."),
    ("the right one changed", "g if out > 0", "g if out >= 0", "relu_backward was right: out is 0 exactly where x <= 0, and at 0 relu gives 0."),
]
