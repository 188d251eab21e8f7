def gradient(a, b):
    return 2 * a * b * b + b, 2 * a * a * b + a
