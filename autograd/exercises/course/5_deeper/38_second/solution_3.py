import math


def second(x):
    u, v = 2 * x, math.cos(x * x)
    du, dv = 2, -math.sin(x * x) * 2 * x
    return du * v + u * dv
