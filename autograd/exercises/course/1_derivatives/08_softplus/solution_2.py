import math


def derivative(x):
    return 0.5 * (1 + math.tanh(x / 2))
