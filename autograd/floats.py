"""The room of floats: C's math.h for Python floats, IEEE 754 at the edges and never an exception."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import accumulate
from math import copysign, fabs, inf, nan
from numbers import Complex, Real
from operator import add
from operator import mul as times
from typing import Any, TypeVar

__all__ = [  # noqa: RUF022 - in lines
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign", "cos", "cosh", "div", "dot",
    "dsinc", "erf", "erfc", "exp", "exp2", "expm1", "floor", "floor_divide", "fmod", "greater", "hypot", "lgamma",
    "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "logsumexp", "max", "maximum", "min", "minimum", "mod", "norm",
    "number", "others", "polygamma", "pow", "prod", "round", "sech2", "share", "shares", "sign", "sin", "sinh", "sqrt", "sum",
    "tan", "tanh", "ties", "trunc", "unboxed", "where",
]  # fmt: skip

T = TypeVar("T")
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
MANTISSA = 2**53
HIGHEST = 170.0  # the highest order of a derivative of psi or sinc: 171! is no double


def number(x: Any, where: str, foreign: Any = None) -> float:
    """`x` as a float. What is no number is refused; `foreign`, if given, answers for types that may know how to meet a Value."""
    if x.__class__ is float:
        return x
    if x.__class__ is int and -MANTISSA < x < MANTISSA:  # the common case, and exact
        return float(x)
    if isinstance(x, float):  # NumPy's float64
        return float(x)
    if isinstance(x, (str, bytes)):
        hint = f"; write Value(float({x!r}))" if is_number(x) else f" {x!r}"
        raise TypeError(f"{where} needs a number, not {type(x).__name__}{hint}")
    # NumPy's complex numbers have a __float__; integers, which are common, skip the slow question
    if x.__class__ is not int and isinstance(x, Complex) and not isinstance(x, Real):
        raise TypeError(f"{where} needs a real number, not {x!r}; write its parts as two Values")
    if hasattr(x, "__float__") and not getattr(x, "ndim", 0):
        try:
            return float(x)
        except OverflowError:
            raise OverflowError(f"{where} got {_size(x)}, too large for a float (at most 1.8e308)") from None
    if foreign is not None:
        return foreign  # type: ignore[no-any-return]
    hint = "; make a Value of each element" if hasattr(x, "__len__") else ""
    raise TypeError(f"{where} needs a number, not {type(x).__name__}{hint}")


def unboxed(x: Any) -> Any:
    """What is in an array of objects without dimensions: that of a Value counts as the Value."""
    return x.item() if getattr(x, "ndim", None) == 0 and x.dtype == object else x


def is_number(text: str | bytes) -> bool:
    """Whether a text says a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _size(x: Any) -> str:
    if isinstance(x, int):  # str() refuses integers of many digits
        return f"an integer of about {math.ceil(x.bit_length() * math.log10(2))} digits"
    return f"a {type(x).__name__}"


def ieee(function: Callable[[float], float], domain_error: float = nan, *, odd: bool = False) -> Callable[[float], float]:
    """`function` of the math module, with C's result where Python raises.

    Python raises OverflowError where C returns an infinity (with the sign of x, if the function is odd),
    and ValueError at a pole or outside the domain, where C returns `domain_error` at a pole and nan elsewhere.
    """

    def total(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return copysign(inf, x) if odd else inf
        except ValueError:
            pole = domain_error == domain_error and _is_pole(function, x)
            return (copysign(domain_error, x) if odd else domain_error) if pole else nan

    total.__name__ = total.__qualname__ = function.__name__
    return total


def _is_pole(function: Callable[[float], float], x: float) -> bool:
    if function is math.log1p:
        return x == -1.0
    if function is math.atanh:
        return fabs(x) == 1.0
    if function is math.lgamma:
        return x == x  # every integer up to 0
    return x == 0.0  # the logarithms


abs = fabs
acos, asin, atan = ieee(math.acos), ieee(math.asin), math.atan
acosh, asinh, atanh = ieee(math.acosh), math.asinh, ieee(math.atanh, inf, odd=True)
cos, sin, tan = ieee(math.cos), ieee(math.sin), ieee(math.tan)
cosh, sinh, tanh = ieee(math.cosh), ieee(math.sinh, odd=True), math.tanh
exp, expm1 = ieee(math.exp), ieee(math.expm1)
log, log2, log10 = ieee(math.log, -inf), ieee(math.log2, -inf), ieee(math.log10, -inf)
log1p = ieee(math.log1p, -inf)
sqrt = ieee(math.sqrt)
erf, erfc = math.erf, math.erfc
atan2, hypot = math.atan2, math.hypot


def div(x: float, y: float) -> float:
    """The quotient x / y; a number over zero is an infinity, zero over zero is nan."""
    try:
        return x / y
    except ZeroDivisionError:
        return nan if x == 0.0 or x != x else copysign(inf, x) * copysign(1.0, y)


def pow(x: float, y: float) -> float:
    """The power x ** y; a negative base with a fractional exponent is nan, as in C."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -inf if x < 0.0 and fabs(math.fmod(y, 2.0)) == 1.0 else inf
    except ValueError:
        if x == 0.0:  # a negative exponent, also -inf before Python 3.11; an odd integer keeps the sign of zero
            return copysign(inf, x) if fabs(fmod(y, 2.0)) == 1.0 else inf
        return nan


def exp2(x: float) -> float:
    """2 to the x."""
    return pow(2.0, x)


def cbrt(x: float) -> float:
    """The real cube root."""
    if x == 0.0 or x - x != 0.0:  # zero, inf and nan are their own roots
        return x
    root = copysign(fabs(x) ** (1 / 3), x)
    return root - (root - x / root / root) / 3  # one Newton step corrects the rounding of 1/3


far_lgamma = ieee(math.lgamma, inf)
# log(gamma(2 + x)) as a power series: 1 - Euler's constant, then (-1)^k (zeta(k) - 1) / k, from the highest power down.
NEAR_2 = (
    0.42278433509846713, 0.3224670334241132, -0.0673523010531981, 0.020580808427784546, -0.007385551028673986,
    0.0028905103307415234, -0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939, 9.945751278180853e-05,
    -4.492623673813314e-05, 2.050721277567069e-05, -9.439488275268397e-06, 4.374866789907488e-06, -2.039215753801366e-06,
    9.55141213040742e-07, -4.492469198764566e-07, 2.1207184805554665e-07, -1.0043224823968099e-07, 4.7698101693639804e-08,
    -2.2711094608943164e-08, 1.0838659214896955e-08, -5.183475041970047e-09, 2.4836745438024785e-09, -1.1921401405860912e-09,
    5.731367241678862e-10, -2.7595228851242334e-10, 1.330476437424449e-10, -6.4229645638381e-11, 3.1044247747322276e-11,
)[::-1]


def lgamma(x: float) -> float:
    """log(|gamma(x)|): near its zeros 1 and 2, where Python's own loses digits, by its series."""
    if not 0.5 <= x <= 2.5:
        return far_lgamma(x)
    if x >= 1.5:
        return (x - 2.0) * reduce(lambda total, c: total * (x - 2.0) + c, NEAR_2, 0.0)
    return (x - 1.0) * reduce(lambda total, c: total * (x - 1.0) + c, NEAR_2, 0.0) - math.log1p(x - 1.0)


def greater(x: float, y: float) -> float:
    """1 where x > y, else 0 (also for nan)."""
    return 1.0 if x > y else 0.0


def where(condition: float, x: float, y: float) -> float:
    """Either x where the condition is not zero, or y."""
    return x if condition else y


def maximum(x: float, y: float) -> float:
    """The larger of two; nan if either is nan (C's fmax and Python's max hide it)."""
    return x if x > y or x != x else y


def minimum(x: float, y: float) -> float:
    """The smaller of two; nan if either is nan."""
    return x if x < y or x != x else y


def sign(x: float) -> float:
    """-1, 0 or 1; nan for nan."""
    return x if x != x or x == 0.0 else copysign(1.0, x)


def sech2(x: float) -> float:
    """1 / cosh(x)^2, the slope of tanh, to the last digit also where tanh(x) is nearly 1."""
    power = math.exp(-2.0 * fabs(x))
    size = 1.0 + power
    return 4.0 * power / (size * size)


def logaddexp(x: float, y: float) -> float:
    """log(exp(x) + exp(y)), without overflow on the way."""
    if x == y:  # equal infinities too
        return x + math.log(2.0)
    return maximum(x, y) + math.log1p(math.exp(-fabs(x - y)))


def logaddexp2(x: float, y: float) -> float:
    """log2(2^x + 2^y), without overflow on the way."""
    if x == y:
        return x + 1.0
    return maximum(x, y) + 1.4426950408889634 * math.log1p(exp2(-fabs(x - y)))


def share(x: float, y: float) -> float:
    """exp(x) / (exp(x) + exp(y)); equal infinities have equal shares."""
    if x == y:
        return 0.5
    power = math.exp(-fabs(x - y))
    return (power if x < y else 1.0) / (1.0 + power)


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    def total(x: float) -> float:
        # inf and nan stay; the sign of zero is kept: ceil(-0.5) is -0.0
        return x if x - x != 0.0 else copysign(function(x), x)

    total.__name__ = total.__qualname__ = function.__name__
    return total


ceil, floor, trunc = _whole(math.ceil), _whole(math.floor), _whole(math.trunc)
round = _whole(round)  # ties to even, as C's rint


def fmod(x: float, y: float) -> float:
    """The remainder of x / y with the sign of x, as C's fmod."""
    try:
        return math.fmod(x, y)
    except ValueError:
        return nan


def mod(x: float, y: float) -> float:
    """The remainder of x / y with the sign of y, as Python's %."""
    try:
        return x % y
    except ZeroDivisionError:
        return nan


def floor_divide(x: float, y: float) -> float:
    """The floor of x / y, as Python's //."""
    try:
        return x // y
    except ZeroDivisionError:
        return div(x, y)


def _turned(x: float) -> tuple[float, float]:
    """The sine and the cosine of pi x, whose digits large x and zeros do not lose: x less whole quarter turns is exact."""
    rest = math.remainder(x, 0.5)
    quarter = 2.0 * math.fmod(x - rest, 2.0) % 4.0
    s, c = math.sin(math.pi * rest), math.cos(math.pi * rest)
    return ((s, c), (c, -s), (-s, -c), (-c, s))[int(quarter)]


def _inverse_power(n: int, x: float) -> float:
    """N! / x^(n+1), also where n! or the power alone would overflow."""
    return math.prod([k / x for k in range(1, n + 1)]) / x


def polygamma(n: float, x: float) -> float:
    """The n-th derivative of digamma, the logarithmic derivative of the gamma function; nan for orders above 170.

    Reflection below 0, recurrence up to 20, then the asymptotic series: Abramowitz and Stegun 6.4.6, 6.4.7, 6.4.11.
    """
    if not 0.0 <= n <= HIGHEST or n != floor(n) or x != x or x == -inf:
        return nan
    order = int(n)
    if x == inf:
        return inf if order == 0 else 0.0
    if x <= 0.0 and x == math.floor(x):
        return nan if order % 2 == 0 else inf
    if x < -20.0:  # psi_n(1 - x) + (-1)^(n+1) psi_n(x) = (-1)^n pi d^n/dx^n cot(pi x)
        s, c = _turned(x)
        cot, powers = c / s, [0.0, 1.0]
        for _ in range(order):  # d/dx p(cot pi x) = -pi (1 + c^2) p'(c)
            slope = [i * p for i, p in enumerate(powers)][1:]
            powers = [-math.pi * (a + b) for a, b in zip(slope + [0.0, 0.0], [0.0, 0.0] + slope)]
        cotangent = math.pi * reduce(lambda total, p: total * cot + p, reversed(powers), 0.0)
        return (-1.0) ** order * polygamma(n, 1.0 - x) - cotangent
    sign = (-1.0) ** (order + 1)
    terms = []
    while x < 20.0 + order:
        terms.append(_inverse_power(order, x))
        x += 1.0
    lead = _inverse_power(order - 1, x) if order else -log(x)
    terms += [lead, 0.5 * _inverse_power(order, x)]
    for k, b in enumerate(BERNOULLI, 1):
        rising = math.prod(range(order, order + 2 * k)) / math.factorial(2 * k) if order else 1.0 / (2 * k)
        terms.append((lead if order else 1.0) * b * rising / pow(x, 2 * k))
    try:
        return sign * math.fsum(terms)
    except OverflowError:
        return sign * inf
    except ValueError:  # inf - inf: two terms that nearly cancel, both too large
        return nan


def dsinc(n: float, x: float) -> float:
    """The n-th derivative of sinc(x) = sin(pi x) / (pi x); nan for orders above 170.

    pi^n times the integral of t^n cos(pi x t + n pi / 2) over t in [0, 1]: near 0 by parts, which makes it the real part of
    (i pi)^n e^(iz) (1/(n+1) - iz/((n+1)(n+2)) + ...), z = pi x; elsewhere by the recurrence
    x s_n + n s_(n-1) = sin^(n)(pi x) / pi.
    """
    z = math.pi * x
    if not 0.0 <= n <= HIGHEST or n != floor(n) or z != z:
        return nan
    if x - x != 0.0:
        return 0.0
    order, (sine, cosine) = int(n), _turned(x)
    if fabs(z) < 1.0 + order:
        total, term = 0j, complex(1.0 / (order + 1))
        for k in range(2, 42 + order):  # the terms shrink from the first one on
            total += term
            term *= complex(0.0, -z) / (order + k)
        total *= complex(cosine, sine)
        return math.pi**order * (total.real, -total.imag, -total.real, total.imag)[order % 4]
    s = sine / z
    for k in range(1, order + 1):
        s = ((sine, cosine, -sine, -cosine)[k % 4] * math.pi ** (k - 1) - k * s) / x
    return s


def sum(xs: Sequence[float]) -> float:
    """Left to right, without compensation: the order of additions is the order of the operands."""
    return reduce(add, xs, 0.0)


def dot(xs: Sequence[float]) -> float:
    """The first half of xs times the second half, summed left to right."""
    half = len(xs) // 2
    return reduce(add, map(times, xs[:half], xs[half:]), 0.0)


def prod(xs: Sequence[float]) -> float:
    """The product, left to right."""
    return reduce(times, xs, 1.0)


def max(xs: Sequence[float]) -> float:
    """The largest; nan if any is nan. Raises ValueError if there is none."""
    return reduce(maximum, xs) if xs else _none("max")


def min(xs: Sequence[float]) -> float:
    """The smallest; nan if any is nan. Raises ValueError if there is none."""
    return reduce(minimum, xs) if xs else _none("min")


def _none(name: str) -> float:
    raise ValueError(f"autograd.{name} needs at least one number")


def norm(xs: Sequence[float]) -> float:
    """The Euclidean length, without overflow on the way."""
    return math.hypot(*xs)


def logsumexp(xs: Sequence[float]) -> float:
    """log(sum(exp(x))), without overflow on the way, and with the digits of the small terms beside the largest."""
    top = max(xs) if xs else -inf
    if top - top != 0.0:
        return top
    below = [x for x in xs if x != top]
    return top + math.log1p(sum([math.exp(x - top) for x in below]) + (len(xs) - len(below) - 1.0))


def others(xs: Sequence[T]) -> list[T]:
    """For each operand the product of all others, without a division (one of them may be 0)."""
    before = [1.0, *accumulate(xs, times)]
    after = [1.0, *accumulate(reversed(xs), times)]
    return list(map(times, before[: len(xs)], reversed(after[: len(xs)])))


def shares(xs: Sequence[float], out: float) -> list[float]:
    """For each operand its share of a logsumexp `out`: exp(x) over the sum of all; infinities that attain it have equal ones."""
    if fabs(out) != inf:
        top = max(xs)
        powers = [math.exp(x - top) for x in xs]
        size = sum(powers)
        return [power / size for power in powers]
    attained = [x == out for x in xs]
    return [hit / attained.count(True) for hit in attained]


def ties(xs: Sequence[float], out: float) -> list[float | None]:
    """For each operand its share of an extreme value `out`: equal parts for those that attain it, no path for the others."""
    attained = [not (x < out or x > out) for x in xs]
    share = 1.0 / attained.count(True)
    return [share if hit else None for hit in attained]
