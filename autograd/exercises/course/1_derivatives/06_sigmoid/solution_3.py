import math


def derivative(x):
    # sigmoid(x) = (1 + tanh(x / 2)) / 2
    return (1 - math.tanh(x / 2) ** 2) / 4
