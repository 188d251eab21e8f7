"""Log-sum-exp."""

import autograd

ENTRY = "gradient"


def function(xs):
    return autograd.logsumexp(xs)


def cases(draw):
    return [([draw.uniform(-2.0, 2.0) for _ in range(3)],), ([0.5, 0.5],), ([1000.0, 1001.0],)]


MISTAKES = [
    ("overflow", "x - max(xs)", "x", "Right on paper, but exp(1000) is too large for a float. Subtract the largest number first."),
    ("not divided by the sum", "e / sum(es)", "e", "Divide by the sum of all the exps; the derivatives must sum to 1."),
    ("the largest takes all", "e / sum(es)", "1.0 if e == max(es) else 0.0", "That is the gradient of the maximum. Here every number takes part, by its exp."),
    ("divided by the number", "e / sum(es)", "e / len(es)", "Divide by the sum of the exps, not by how many there are."),
    ("x for exp(x)", "math.exp(x - max(xs))", "x", "The fractions are of exp(x), not of x."),
]
