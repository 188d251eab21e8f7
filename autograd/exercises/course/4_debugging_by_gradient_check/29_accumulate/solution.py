WRONG = "share"


def cube_backward(x, g):
    """square = x * x; out = square * x"""
    square = x * x
    dx = g * square
    d_square = g * x
    dx += d_square * x
    dx += d_square * x
    return dx


def share_backward(w, x, g):
    """out = w * x + w"""
    grads = {"w": 0.0, "x": 0.0}
    grads["w"] += g * x
    grads["x"] += g * w
    grads["w"] += g
    return grads["w"], grads["x"]
