import math


def derivative(x):
    z = math.exp(-abs(x))  # hole
    return (1 if x > 0 else z) / (1 + z)  # hole
