import math


def dot(u, v):
    return sum(x * y for x, y in zip(u, v))


def backward(q, keys, values, dout):
    root = math.sqrt(len(q))
    s = [dot(q, key) / root for key in keys]
    e = [math.exp(x - max(s)) for x in s]
    a = [x / sum(e) for x in e]
    da = [dot(dout, value) for value in values]  # hole
    ds = [aj * (g - dot(a, da)) / root for aj, g in zip(a, da)]  # hole
    dq = [sum(g * key[i] for g, key in zip(ds, keys)) for i in range(len(q))]  # hole
    dkeys = [[g * qi for qi in q] for g in ds]  # hole
    dvalues = [[aj * g for g in dout] for aj in a]  # hole
    return dq, dkeys, dvalues  # hole
