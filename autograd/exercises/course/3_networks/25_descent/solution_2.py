from autograd import Value, sigmoid


def step(w, b, x, t, rate):
    w = [Value(wi) for wi in w]
    h1 = sigmoid(w[0] * x[0] + w[1] * x[1] + b[0])
    h2 = sigmoid(w[2] * x[0] + w[3] * x[1] + b[0])
    o1 = sigmoid(w[4] * h1 + w[5] * h2 + b[1])
    o2 = sigmoid(w[6] * h1 + w[7] * h2 + b[1])
    (((o1 - t[0]) ** 2 + (o2 - t[1]) ** 2) / 2).backward()
    return [wi.data - rate * wi.grad for wi in w]
