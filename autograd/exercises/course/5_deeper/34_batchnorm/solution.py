import math


def backward(x, gamma, beta, dy, eps):
    n = len(x)
    mean = sum(x) / n
    root = math.sqrt(sum((xk - mean) ** 2 for xk in x) / n + eps)
    z = [(xk - mean) / root for xk in x]
    dbeta = sum(dy)  # hole
    dgamma = sum(g * zk for g, zk in zip(dy, z))  # hole
    dx = [gamma / root * (g - dbeta / n - zk * dgamma / n) for g, zk in zip(dy, z)]  # hole
    return dx, dgamma, dbeta  # hole
