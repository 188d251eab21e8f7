def gradient(a, b):
    local = [a * b, a * b, 1]
    return tuple(sum(local) * other for other in (b, a))
