from math import exp, tanh


def sigmoid(x):
    return 1 / (1 + exp(-x))


def backward(i, f, o, g, c, dh, dc2):
    si, sf, so = sigmoid(i), sigmoid(f), sigmoid(o)
    c2 = sf * c + si * tanh(g)
    total = dc2 + dh * so * (1 - tanh(c2) ** 2)  # hole
    di = total * tanh(g) * si * (1 - si)  # hole
    df = total * c * sf * (1 - sf)  # hole
    do = dh * tanh(c2) * so * (1 - so)  # hole
    dg = total * si * (1 - tanh(g) ** 2)  # hole
    return di, df, do, dg, total * sf  # hole
