import math


def gradient(a, b):
    da = b + math.cos(a)  # hole
    db = a  # hole
    return da, db  # hole
