import math


def gradient(xs):
    return [1 / sum(math.exp(min(other - x, 700)) for other in xs) for x in xs]
