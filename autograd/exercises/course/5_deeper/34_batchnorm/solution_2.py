def backward(x, gamma, beta, dy, eps):
    """Step by step, every intermediate with its gradient."""
    n = len(x)
    mean = sum(x) / n
    c = [xk - mean for xk in x]
    var = sum(ck * ck for ck in c) / n
    scale = (var + eps) ** -0.5
    dz = [g * gamma for g in dy]
    dscale = sum(d * ck for d, ck in zip(dz, c))
    dvar = dscale * -0.5 * (var + eps) ** -1.5
    dc = [d * scale + dvar * 2 * ck / n for d, ck in zip(dz, c)]
    dmean = -sum(dc)
    return [d + dmean / n for d in dc], sum(g * ck * scale for g, ck in zip(dy, c)), sum(dy)
