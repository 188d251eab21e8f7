import math

WRONG = "both"


def square_backward(x, g):
    """out = exp(x)**2"""
    return g * 2 * math.exp(x) * math.exp(x)


def exp_backward(x, g):
    """out = exp(x**2)"""
    return g * math.exp(x**2) * 2 * x
