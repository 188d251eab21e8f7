def backward(W, x, b, dy):
    dW = [[0.0] * len(x) for _ in W]
    dx, db = [0.0] * len(x), [0.0] * len(b)
    for i in range(len(W)):
        s = b[i]
        for j in range(len(x)):
            s += W[i][j] * x[j]
        if s > 0:
            db[i] += dy[i]
            for j in range(len(x)):
                dW[i][j] += dy[i] * x[j]
                dx[j] += dy[i] * W[i][j]
    return dW, dx, db
