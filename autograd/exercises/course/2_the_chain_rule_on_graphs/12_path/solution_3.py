from autograd import Value


def gradient(a, b):
    a = Value(a)
    (a * b + 1).tanh().backward()
    return a.grad
