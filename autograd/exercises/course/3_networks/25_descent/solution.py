import math


def sigmoid(s):
    return 1 / (1 + math.exp(-s))


def step(w, b, x, t, rate):
    h1 = sigmoid(w[0] * x[0] + w[1] * x[1] + b[0])
    h2 = sigmoid(w[2] * x[0] + w[3] * x[1] + b[0])
    o1 = sigmoid(w[4] * h1 + w[5] * h2 + b[1])
    o2 = sigmoid(w[6] * h1 + w[7] * h2 + b[1])
    d1 = (o1 - t[0]) * o1 * (1 - o1)  # hole
    d2 = (o2 - t[1]) * o2 * (1 - o2)  # hole
    e1 = (d1 * w[4] + d2 * w[6]) * h1 * (1 - h1)  # hole
    e2 = (d1 * w[5] + d2 * w[7]) * h2 * (1 - h2)  # hole
    gradient = [e1 * x[0], e1 * x[1], e2 * x[0], e2 * x[1], d1 * h1, d1 * h2, d2 * h1, d2 * h2]  # hole
    return [wi - rate * g for wi, g in zip(w, gradient)]  # hole
