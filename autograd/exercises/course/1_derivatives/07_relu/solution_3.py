def derivative(x):
    return x > 0
