def best_step(f, exact, x):
    errors = [(abs((f(x + 10**-k) - f(x - 10**-k)) * 10**k / 2 - exact), 10**-k) for k in range(1, 16)]
    return sorted(errors)[0][1]
