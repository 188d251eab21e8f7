"""Softmax with cross-entropy."""

import autograd

ENTRY, BY = "gradient", 1


def function(s, target):
    return autograd.logsumexp(s) - s[target]


def cases(draw):
    return [([draw.uniform(-1.0, 1.0) for _ in range(3)], target) for target in (0, 2)] + [([1000.0, 999.0, 998.0], 1)]


RIGHT = "[qi - (i == target) for i, qi in enumerate(q)]"
MISTAKES = [
    ("sign", "qi - (i == target)", "(i == target) - qi", "q minus one at the right class. With your sign, descent makes the right class less likely."),
    ("overflow", "x - max(s)", "x", "Right on paper, but exp(1000) is too large for a float. Subtract the largest score first."),
    ("only the right class", RIGHT, "[(qi - 1) * (i == target) for i, qi in enumerate(q)]", "The other scores are in the sum of softmax: each gets its q, and is pushed down."),
    ("softmax alone", RIGHT, "q", "At the right class, 1 goes off: q[target] - 1."),
    ("by the probability", RIGHT, "[-(i == target) / qi for i, qi in enumerate(q)]", "That is the derivative by the probabilities. Go on through softmax, to the scores."),
]
