"""A number used twice."""

import autograd
from autograd.exercises.catalogue import named


def cases(draw):
    return [tuple(draw.uniform(1.2, 2.0) for _ in range(3)), (draw.uniform(-3.0, -1.5), draw.uniform(2.0, 3.0), -1.5)]


def attempt(theirs, w, x, g):
    passes = {"cube_backward": theirs.cube_backward(x, g), "share_backward": theirs.share_backward(w, x, g)}
    return {**passes, "WRONG": named(theirs, "share")}


def expected(w, x, g):
    share = autograd.grad(lambda w, x: g * (w * x + w), (0, 1))(w, x)
    return {"cube_backward": autograd.grad(lambda x: g * x**3)(x), "share_backward": share, "WRONG": "right"}


MISTAKES = [
    ("not mended", 'grads["w"] += g\n', 'grads["w"] = g\n', "You named it; now mend share_backward: the last line wipes out what w had gathered."),
    ("the other one blamed", 'WRONG = "share"', 'WRONG = "cube"', "The passes are right now, but WRONG names one that was right from the start."),
    ("not named", 'WRONG = "share"', "WRONG = ...", "The passes are right now. Say in WRONG which was wrong."),
    ("a use removed", "    dx += d_square * x\n    dx += d_square * x\n", "    dx += d_square * x\n", "cube_backward was right: x * x uses x twice, so the line stands twice."),
    ("last use removed", '    grads["w"] += g\n', "", "w is also added: its gradient needs that g, on top of g * x."),
]
