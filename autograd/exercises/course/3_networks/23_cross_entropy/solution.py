import math


def gradient(s, target):
    e = [math.exp(x - max(s)) for x in s]  # hole
    q = [x / sum(e) for x in e]  # hole
    return [qi - (i == target) for i, qi in enumerate(q)]  # hole
