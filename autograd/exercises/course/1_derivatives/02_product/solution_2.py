from math import cos, sin


def derivative(x):
    u, v = x * x, sin(x)
    du, dv = 2 * x, cos(x)
    return du * v + u * dv
