import math


def gradient(w, x, b):
    s = b
    for i in range(len(w)):
        s += w[i] * x[i]
    dw, dx = [0.0] * len(w), [0.0] * len(x)
    for i in range(len(w)):
        dw[i] += x[i] / math.cosh(s) ** 2
        dx[i] += w[i] / math.cosh(s) ** 2
    return [dw, dx, 1 / math.cosh(s) ** 2]
