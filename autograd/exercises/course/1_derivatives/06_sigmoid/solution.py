import math


def derivative(x):
    y = 1 / (1 + math.exp(-x))
    return y * (1 - y)  # hole
