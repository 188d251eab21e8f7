def derivative(x):
    if x <= 0:
        return 0
    return 1
