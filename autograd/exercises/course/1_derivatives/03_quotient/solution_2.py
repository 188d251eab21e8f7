import math


def derivative(x):
    v = x * x + 1
    return math.cos(x) / v - 2 * x * math.sin(x) / (v * v)
