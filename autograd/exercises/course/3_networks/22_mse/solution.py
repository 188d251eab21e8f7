def gradient(p, t):
    return [2 * (pi - ti) / len(p) for pi, ti in zip(p, t)]  # hole
