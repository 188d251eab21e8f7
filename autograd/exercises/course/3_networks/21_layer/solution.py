def backward(W, x, b, dy):
    s = [sum(wij * xj for wij, xj in zip(row, x)) + bi for row, bi in zip(W, b)]
    ds = [g if si > 0 else 0.0 for g, si in zip(dy, s)]  # hole
    dW = [[g * xj for xj in x] for g in ds]  # hole
    dx = [sum(g * row[j] for g, row in zip(ds, W)) for j in range(len(x))]  # hole
    return dW, dx, ds  # hole
