import math


def derivative(x):
    u, v = math.sin(x), x**2 + 1
    du, dv = math.cos(x), 2 * x  # hole
    return (du * v - u * dv) / v**2  # hole
