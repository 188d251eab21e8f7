import math


def derivative(x):
    return math.exp(-x) / (1 + math.exp(-x)) ** 2
