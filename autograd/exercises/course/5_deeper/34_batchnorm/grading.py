"""Batch normalisation."""

import autograd

ENTRY, BY = "backward", 3


def function(x, gamma, beta, dy, eps):
    mean = autograd.mean(x)
    root = autograd.sqrt(autograd.mean([(xk - mean) ** 2 for xk in x]) + eps)
    return autograd.dot(dy, [gamma * (xk - mean) / root + beta for xk in x])


def cases(draw):
    def numbers():
        return [draw.uniform(-2.0, 2.0) for _ in range(4)]

    return [(numbers(), draw.uniform(1.5, 2.0), draw.uniform(-1.0, 1.0), numbers(), eps) for eps in (0.1, 1e-5)]


MISTAKES = [
    ("mean and variance constant", "(g - dbeta / n - zk * dgamma / n)", "g", "Every x moves the mean and the variance too, and they move all the others: two terms are missing."),
    ("mean constant", "(g - dbeta / n - zk", "(g - zk", "Every x moves the mean: subtract the mean of dy."),
    ("variance constant", " - zk * dgamma / n)", ")", "Every x moves the variance: subtract z[k] times the mean of dy*z."),
    ("x for z", "sum(g * zk for g, zk in zip(dy, z))", "sum(g * xk for g, xk in zip(dy, x))", "gamma multiplies z, the normalised x: dgamma is the sum of dy * z."),
    ("gamma forgotten", "gamma / root", "1 / root", "y has gamma in front: multiply by it."),
    ("root forgotten", "gamma / root", "gamma", "z is divided by sqrt(var + eps), and so is the derivative."),
    ("sum for mean", "dbeta / n - zk * dgamma / n", "dbeta - zk * dgamma", "Subtract means, not sums: mean and var have a 1/n in them."),
]
