import math

WRONG = ...  # "square", "exp", "both" or "neither"


def square_backward(x, g):
    """out = exp(x)**2"""
    return g * 2 * x * math.exp(x)


def exp_backward(x, g):
    """out = exp(x**2)"""
    return g * math.exp(x) * 2 * x
