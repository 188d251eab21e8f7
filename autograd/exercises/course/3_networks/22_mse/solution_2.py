def gradient(p, t):
    n = len(p)
    result = []
    for i in range(n):
        error = p[i] - t[i]
        result.append((error + error) / n)
    return result
