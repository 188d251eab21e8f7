WRONG = "max"


def relu_backward(out, g):
    """out = max(x, 0); only the result is kept"""
    return g if out > 0 else 0.0


def max_backward(x, y, g):
    """out = max(x, y)"""
    share = 0.5 if x == y else float(x > y)
    return g * share, g * (1 - share)
