import math


def gradient(a, b):
    t = a * b
    u, v = math.sin(t), t * t
    du, dv = v, u  # hole
    dt = du * math.cos(t) + dv * 2 * t  # hole
    return dt * b, dt * a  # hole
