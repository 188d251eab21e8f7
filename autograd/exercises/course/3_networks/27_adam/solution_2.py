def step(w, m, v, g, t, rate, beta1, beta2, eps):
    m += (1 - beta1) * (g - m)
    v += (1 - beta2) * (g * g - v)
    size = (v / (1 - beta2**t)) ** 0.5 + eps
    w -= rate / (1 - beta1**t) * m / size
    return [w, m, v]
