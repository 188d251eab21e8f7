import math


def derivative(x):
    return 1 / math.cosh(x) ** 2
