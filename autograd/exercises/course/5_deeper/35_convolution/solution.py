def backward(x, w, dy):
    dx, dw = [0.0] * len(x), [0.0] * len(w)
    for i in range(len(dy)):
        for k in range(len(w)):
            dx[i + k] += dy[i] * w[k]  # hole
            dw[k] += dy[i] * x[i + k]  # hole
    return dx, dw
