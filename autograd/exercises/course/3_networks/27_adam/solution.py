import math


def step(w, m, v, g, t, rate, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g  # hole
    v = beta2 * v + (1 - beta2) * g**2  # hole
    m_hat = m / (1 - beta1**t)  # hole
    v_hat = v / (1 - beta2**t)  # hole
    return w - rate * m_hat / (math.sqrt(v_hat) + eps), m, v  # hole
