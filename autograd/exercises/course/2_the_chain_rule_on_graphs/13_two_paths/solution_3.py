import math


def gradient(a, b):
    de = 1.0
    dc, dd = de, de
    da = 0.0
    da += dc * b
    da += dd * math.cos(a)
    return da, dc * a
