def backward(x, w, dy):
    m, n = len(w), len(dy)
    padded = [0.0] * (m - 1) + list(dy) + [0.0] * (m - 1)
    flipped = w[::-1]
    dx = [sum(flipped[k] * padded[j + k] for k in range(m)) for j in range(len(x))]
    dw = [sum(dy[i] * x[i + k] for i in range(n)) for k in range(m)]
    return dx, dw
