"""Softplus."""

import autograd

ENTRY = "derivative"


def function(x):
    return autograd.softplus(x)


def cases(draw):
    return [(draw.uniform(0.5, 2.0),), (draw.uniform(-2.0, -0.5),), (-1000.0,), (1000.0,)]


RIGHT = """    z = math.exp(-abs(x))
    return (1 if x > 0 else z) / (1 + z)"""
MISTAKES = [
    ("overflow", RIGHT, "    return math.exp(x) / (1 + math.exp(x))", "Right on paper, but exp(1000) is too large for a float. For x > 0 use 1 / (1 + exp(-x))."),
    ("overflow on the other side", RIGHT, "    return 1 / (1 + math.exp(-x))", "Right on paper, but exp(-x) is too large for x = -1000. For x < 0 use exp(x) / (1 + exp(x))."),
    ("inner derivative forgotten", RIGHT, "    return (z := math.exp(-abs(x))) / (1 + z) if x > 0 else 1 / (1 + math.exp(x))", "1 / (1 + exp(x)) is the slope of the log alone; multiply by the slope of 1 + exp(x), which is exp(x)."),
    ("softplus itself", RIGHT, "    return max(x, 0) + math.log1p(math.exp(-abs(x)))", "That is softplus. Its slope goes from 0 to 1."),
]
