"""An operation of your own."""

import autograd
from autograd.functions import apply
from autograd.ops import Primitive


def function(x):
    return x / (1 + autograd.abs(x))


def cases(draw):
    return [(draw.uniform(0.5, 2.0),), (draw.uniform(-2.0, -0.5),)]


def three(f, x):
    return {"value": float(f(x)), "derivative": autograd.grad(f)(x), "second derivative": autograd.derivative(f, order=2)(x)}


def attempt(theirs, x):
    if not isinstance(theirs.PARTIAL, str):
        return theirs.PARTIAL
    row = Primitive("softsign", theirs.FORWARD, theirs.PARTIAL)
    return three(lambda x: apply(row, x), x)


def expected(x):
    return three(function, x)


RIGHT = '"1.0 / (1.0 + abs(x)) ** 2"'
MISTAKES = [
    ("abs forgotten", RIGHT, '"1.0 / (1.0 + x) ** 2"', "Right for x > 0 only: left of 0 the denominator has abs(x)."),
    ("not squared", RIGHT, '"1.0 / (1.0 + abs(x))"', "The quotient rule leaves the square of the denominator."),
    ("sign", RIGHT, '"-1.0 / (1.0 + abs(x)) ** 2"', "Softsign always rises."),
    ("the derivative of the number", RIGHT, '"1.0 / (1.0 + stop_gradient(abs(x))) ** 2"', "The first derivative is right, but the path for the second is cut: no stop_gradient here."),
    ("sign as a factor", RIGHT, '"sign(x) / (1.0 + abs(x)) ** 2"', "The two signs, of x and of the derivative of abs, cancel: the slope is positive on both sides."),
]
