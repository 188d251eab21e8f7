STEPS = [10.0**-k for k in range(1, 16)]


def best_step(f, exact, x):
    def error(h):
        return abs((f(x + h) - f(x - h)) / (2 * h) - exact)  # hole

    return min(STEPS, key=error)  # hole
