import autograd


def derivative(x):
    return autograd.grad(lambda t: t * t * autograd.sin(t))(x)
