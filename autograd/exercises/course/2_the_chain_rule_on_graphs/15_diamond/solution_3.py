import math


def gradient(a, b):
    paths = [  # the products along all paths from a: two of them pass twice through t * t
        (a * b) ** 2 * math.cos(a * b) * b,
        math.sin(a * b) * (a * b) * b,
        math.sin(a * b) * (a * b) * b,
    ]
    return sum(paths), sum(paths) * a / b
