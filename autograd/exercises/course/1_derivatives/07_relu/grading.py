"""A kink."""

import autograd

ENTRY = "derivative"


def function(x):
    return autograd.relu(x)


def cases(draw):
    return [(draw.uniform(0.5, 3.0),), (draw.uniform(-3.0, -0.5),), (0.0,)]


MISTAKES = [
    ("one at the kink", "x > 0", "x >= 0", "At 0 we take 0, as most libraries do. 1 is a subgradient too, but then two programs disagree."),
    ("half at the kink", "else 0.0", "else 0.0 if x < 0 else 0.5", "One half is a subgradient at 0 too, but here, as in most libraries, relu takes 0."),
    ("relu itself", "1.0 if", "x if", "That is relu(x). Its slope is 1 where x > 0, however large x is."),
    ("minus one on the left", "else 0.0", "else -1.0", "That is the slope of abs. Left of 0, relu is flat."),
]
