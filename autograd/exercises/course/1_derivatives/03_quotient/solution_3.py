import math


def derivative(x):
    # the product rule for sin(x) * v**-1
    v = 1 + x**2
    inverse, d_inverse = v**-1, -(v**-2) * 2 * x
    return math.cos(x) * inverse + math.sin(x) * d_inverse
