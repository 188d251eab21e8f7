"""At which point?"""

import autograd
from autograd.exercises.catalogue import named


def cases(draw):
    return [(draw.uniform(0.5, 0.9), draw.uniform(1.5, 2.0)), (draw.uniform(-0.9, -0.5), draw.uniform(-2.0, -1.5))]


def attempt(theirs, x, g):
    passes = {"square_backward": theirs.square_backward(x, g), "exp_backward": theirs.exp_backward(x, g)}
    return {**passes, "WRONG": named(theirs, "both")}


def expected(x, g):
    square = autograd.grad(lambda x: g * autograd.exp(x) ** 2)(x)
    exp = autograd.grad(lambda x: g * autograd.exp(x**2))(x)
    return {"square_backward": square, "exp_backward": exp, "WRONG": "right"}


SQUARE, EXP = "2 * math.exp(x) * math.exp(x)", "math.exp(x**2) * 2 * x"
MISTAKES = [
    ("square not mended", SQUARE, "2 * x * math.exp(x)", "In square_backward, what is squared is exp(x), so the slope of the square is 2 * exp(x), not 2 * x."),
    ("exp not mended", EXP, "math.exp(x) * 2 * x", "In exp_backward, exp is differentiated where it was evaluated: at x**2."),
    ("only one named", 'WRONG = "both"', 'WRONG = "exp"', "The passes are right now, but there was more wrong than WRONG says."),
    ("not named", 'WRONG = "both"', "WRONG = ...", "The passes are right now. Say in WRONG which was wrong."),
    ("inner slope lost", SQUARE, "2 * math.exp(x)", "In square_backward, the slope of exp(x), which is exp(x) again, is missing."),
]
