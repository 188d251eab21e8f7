"""A missing term."""

import autograd
from autograd.exercises.catalogue import named


def cases(draw):
    return [([draw.uniform(0.5, 2.0) for _ in range(3)], [draw.uniform(-2.0, 2.0) for _ in range(3)]) for _ in range(2)]


def attempt(theirs, s, gs):
    passes = {"softmax_backward": theirs.softmax_backward(s, gs), "share_backward": theirs.share_backward(s, gs)}
    return {**passes, "WRONG": named(theirs, "softmax")}


def expected(s, gs):
    softmax = autograd.grad(lambda s: autograd.dot(gs, list(autograd.softmax(s))))(s)
    share = autograd.grad(lambda x: autograd.dot(gs, [xi / sum(x) for xi in x]))(s)
    return {"softmax_backward": softmax, "share_backward": share, "WRONG": "right"}


RIGHT = "qi * (g - sum(a * b for a, b in zip(q, gs)))"
MISTAKES = [
    ("not mended", RIGHT, "qi * (1 - qi) * g", "You named it; now mend softmax_backward: each score is in the denominator of every q."),
    ("the other one blamed", 'WRONG = "softmax"', 'WRONG = "share"', "The passes are right now, but WRONG names one that was right from the start."),
    ("not named", 'WRONG = "softmax"', "WRONG = ...", "The passes are right now. Say in WRONG which was wrong."),
    ("sum not weighted", "sum(a * b for a, b in zip(q, gs))", "sum(gs)", "What is subtracted is the mean of gs with the weights q, not their sum."),
    ("the sign of the mix", "(g - sum(a", "(g + sum(a", "A score makes the denominator larger and the others smaller: minus."),
    ("q forgotten", RIGHT, "(g - sum(a * b for a, b in zip(q, gs)))", "All of it is multiplied by q[i]."),
]
