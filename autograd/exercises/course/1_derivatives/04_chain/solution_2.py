import math


def derivative(x):
    u = x * x
    dy_du = math.cos(u)
    du_dx = x + x
    return dy_du * du_dx
