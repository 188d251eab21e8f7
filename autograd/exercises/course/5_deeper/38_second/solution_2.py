import autograd

second = autograd.derivative(lambda x: autograd.sin(x * x), order=2)
