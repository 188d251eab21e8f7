WRONG = "div"


def sub_backward(x, y, g):
    """out = x - y"""
    return g, -g


def div_backward(x, y, g):
    """out = x / y"""
    return g / y, -g * x / y**2
