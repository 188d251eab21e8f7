def step(w, v, g, rate, beta):
    return w - rate * beta * v - rate * g, beta * v + g
