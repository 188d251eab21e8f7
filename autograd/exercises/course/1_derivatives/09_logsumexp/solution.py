import math


def gradient(xs):
    es = [math.exp(x - max(xs)) for x in xs]  # hole
    return [e / sum(es) for e in es]  # hole
