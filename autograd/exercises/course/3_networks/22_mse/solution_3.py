from autograd import grad


def gradient(p, t):
    return grad(lambda p: sum((a - b) ** 2 for a, b in zip(p, t)) / len(t))(p)
