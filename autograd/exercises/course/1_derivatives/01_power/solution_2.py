def derivative(x, n):
    total = 0.0
    for _ in range(n):
        term = 1.0
        for _ in range(n - 1):
            term *= x
        total += term
    return total
