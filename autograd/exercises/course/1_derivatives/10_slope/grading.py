"""A derivative by measuring."""

import math

from autograd import jvp

ENTRY = "slope"


def cube(x):
    return x * x * x


def expected(f, x, h):
    """The mean of f' from x - h to x + h, which is f' itself and f''' times h**2 / 6, and so on (f''' of a cube is 6)."""
    return 3 * x * x + h * h if f is cube else math.sin(x) * -math.sin(h) / h if f is math.cos else math.exp(x) * math.sinh(h) / h


def cases(draw):
    return [(cube, draw.uniform(0.5, 2.0), 0.1), (math.cos, draw.uniform(0.5, 1.0), 0.2), (math.exp, draw.uniform(-1.0, 1.0), 0.01)]


RIGHT = "(f(x + h) - f(x - h)) / (2 * h)"
MISTAKES = [
    ("one side only", RIGHT, "(f(x + h) - f(x)) / h", "That is the forward difference. Its error shrinks like h; from both sides it shrinks like h**2."),
    ("half the way", "(2 * h)", "h", "The two points are 2*h apart: divide by 2*h."),
    ("not divided", " / (2 * h)", "", "That is the rise. The slope is the rise divided by the way, 2*h."),
    ("wrong way round", "f(x + h) - f(x - h)", "f(x - h) - f(x + h)", "Right minus left: f(x + h) - f(x - h). Your answer has the wrong sign."),
    ("precedence", "(2 * h)", "2 * h", "a / 2 * h is (a / 2) * h in Python. Put the 2 * h in parentheses."),
]
