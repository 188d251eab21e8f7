import math


def gradient(a, b):
    c = a * b
    d = c + 1
    e = math.tanh(d)
    return (1 - e**2) * 1 * b  # hole
