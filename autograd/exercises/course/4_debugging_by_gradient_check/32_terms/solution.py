import math

WRONG = "softmax"


def softmax_backward(s, gs):
    """q[i] = exp(s[i]) / sum(exp(s)): the derivatives by s"""
    e = [math.exp(x) for x in s]
    q = [x / sum(e) for x in e]
    return [qi * (g - sum(a * b for a, b in zip(q, gs))) for qi, g in zip(q, gs)]


def share_backward(x, gs):
    """y[i] = x[i] / sum(x): the derivatives by x"""
    y = [xi / sum(x) for xi in x]
    mixed = sum(yi * g for yi, g in zip(y, gs))
    return [(g - mixed) / sum(x) for g in gs]
