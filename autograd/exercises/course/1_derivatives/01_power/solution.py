def derivative(x, n):
    return n * x ** (n - 1)  # hole
