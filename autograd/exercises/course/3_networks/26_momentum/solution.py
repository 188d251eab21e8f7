def step(w, v, g, rate, beta):
    v = beta * v + g  # hole
    w = w - rate * v  # hole
    return w, v
