from math import cos, sin


def gradient(a, b):
    t = a * b
    dt = t**2 * cos(t) + 2 * t * sin(t)
    return b * dt, a * dt
