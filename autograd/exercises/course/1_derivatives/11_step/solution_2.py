def best_step(f, exact, x):
    best, least = None, float("inf")
    for k in range(1, 16):
        h = 10.0**-k
        error = abs((f(x + h) - f(x - h)) / (2 * h) - exact)
        if error < least:
            best, least = h, error
    return best
