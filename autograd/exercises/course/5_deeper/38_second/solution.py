import math


def second(x):
    return 2 * math.cos(x**2) - 4 * x**2 * math.sin(x**2)  # hole
