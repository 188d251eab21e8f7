import math


def gradient(w, x, b):
    y = math.tanh(sum(wi * xi for wi, xi in zip(w, x)) + b)
    ds = 1 - y**2  # hole
    return [ds * xi for xi in x], [ds * wi for wi in w], ds  # hole
