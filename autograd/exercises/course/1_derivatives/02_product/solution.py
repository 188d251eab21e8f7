import math


def derivative(x):
    return 2 * x * math.sin(x) + x**2 * math.cos(x)  # hole
