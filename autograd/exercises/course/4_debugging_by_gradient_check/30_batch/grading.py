"""A batch."""

import autograd
from autograd.exercises.catalogue import named


def cases(draw):
    def numbers():
        return [draw.uniform(0.5, 2.0) for _ in range(4)]

    return [(draw.uniform(0.5, 1.0), draw.uniform(-1.0, 1.0), numbers(), numbers()) for _ in range(2)]


def attempt(theirs, w, b, xs, gs):
    passes = {"linear_backward": theirs.linear_backward(w, b, xs, gs), "centre_backward": theirs.centre_backward(xs, gs)}
    return {**passes, "WRONG": named(theirs, "linear")}


def expected(w, b, xs, gs):
    linear = autograd.grad(lambda w, b: autograd.dot(gs, [w * x + b for x in xs]), (0, 1))(w, b)
    centre = autograd.grad(lambda xs: autograd.dot(gs, [x - autograd.mean(xs) for x in xs]))(xs)
    return {"linear_backward": linear, "centre_backward": centre, "WRONG": "right"}


MISTAKES = [
    ("not mended", "db = sum(gs)", "db = gs[-1]", "You named it; now mend linear_backward: b serves every sample, not only the last."),
    ("the other one blamed", 'WRONG = "linear"', 'WRONG = "centre"', "The passes are right now, but WRONG names one that was right from the start."),
    ("not named", 'WRONG = "linear"', "WRONG = ...", "The passes are right now. Say in WRONG which was wrong."),
    ("mean for sum", "db = sum(gs)", "db = sum(gs) / len(gs)", "What arrives from the samples adds up. A mean is taken only if the loss has one, and then it is in gs already."),
    ("the right one changed", "g - sum(gs) / len(gs)", "g", "centre_backward was right: x moves the mean too, and the mean moves every result."),
]
