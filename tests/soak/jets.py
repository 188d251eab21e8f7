"""Numbers of many digits that carry their derivatives along: the arithmetic of the soak's oracle.

A jet is a value, its first derivatives with respect to every input, and their derivatives in one direction: a row of the
Hessian. It is forward mode, where the engine runs backward, and its rules are written here from mathematics, with mpmath's
functions, not from the texts of the table. A derivative is None where no path leads: zero whatever it is multiplied by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import mpmath as mp

__all__ = [
    "HEARD", "NOISE", "SMALLEST", "Jet", "UndefinedError", "add", "constant", "crossed", "mul", "plus", "power",
    "through", "times",
]  # fmt: skip

SMALLEST = mp.mpf(2) ** -1022  # normal doubles
Number = Any  # mpmath's mpf
Partial = Any  # the same, or None where no path leads


# What a perturbed run adds to every factor: a small random number.
NOISE: ContextVar[Callable[[], Number] | None] = ContextVar("noise", default=None)
# Who hears of every factor, also of one on a path that leads nowhere: other systems have 0 there, and 0 times an infinity is nan.
HEARD: ContextVar[Callable[[Number], None] | None] = ContextVar("heard", default=None)


class UndefinedError(ArithmeticError):
    """The oracle has no answer at this point."""


class Jet:
    """A value, its derivatives `first`, their sum `along` the direction, and the derivatives `second` of that sum."""

    __slots__ = ("along", "first", "second", "value")

    def __init__(
        self, value: Number, first: Sequence[Partial] = (), along: Partial = None, second: Sequence[Partial] = ()
    ) -> None:
        self.value, self.first, self.along, self.second = value, first, along, second

    def __repr__(self) -> str:
        return f"Jet({mp.nstr(self.value, 17)})"

    def __float__(self) -> float:
        return float(self.value)

    # The number decides, as it does for floats.
    def __bool__(self) -> bool:
        return bool(self.value != 0)

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < constant(other).value)

    def __le__(self, other: Any) -> bool:
        return bool(self.value <= constant(other).value)

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > constant(other).value)

    def __ge__(self, other: Any) -> bool:
        return bool(self.value >= constant(other).value)

    def __eq__(self, other: Any) -> bool:
        return bool(self.value == constant(other).value)

    def __ne__(self, other: Any) -> bool:
        return bool(self.value != constant(other).value)

    __hash__ = None  # type: ignore[assignment]


def constant(x: Any) -> Jet:
    """A jet as it is, a number as a jet that depends on no input."""
    return x if isinstance(x, Jet) else Jet(mp.mpf(float(x)))


def plus(a: Partial, b: Partial) -> Partial:
    """The sum of two paths, of which either may be missing."""
    return b if a is None else a if b is None else a + b


def times(a: Partial, b: Partial) -> Partial:
    """Two steps of one path, which is missing if either is; a perturbed run rounds every one of these products."""
    if a is None or b is None:
        heard = HEARD.get()
        if heard is not None and (a is not None or b is not None):
            heard(b if a is None else a)
        return None
    noise = NOISE.get()
    return a * b if noise is None else shaken(a, noise()) * shaken(b, noise())


def shaken(a: Number, noise: Number) -> Number:
    """A factor that is off by a part of itself; what is subnormal as a double is off by a part of the smallest normal one."""
    return a * (1 + noise) if a == 0 or abs(a) >= SMALLEST else a + SMALLEST * noise


def each(function: Callable[[Partial, Partial], Partial], left: Sequence[Partial], right: Sequence[Partial]) -> Sequence[Partial]:
    """A function of the derivatives of two jets, input by input; those of a constant are all missing."""
    if not left or not right:
        known = left or right
        return [function(a, None) if left else function(None, a) for a in known]
    return [function(a, b) for a, b in zip(left, right)]


def add(x: Jet, y: Jet) -> Jet:
    """The sum."""
    return Jet(x.value + y.value, each(plus, x.first, y.first), plus(x.along, y.along), each(plus, x.second, y.second))


def mul(x: Jet, y: Jet) -> Jet:
    """The product: (xy)' = x'y + xy' and (xy)'' = x''y + x'y' + y'x' + xy''."""
    u, v = x.value, y.value
    first = each(lambda a, b: plus(times(a, v), times(b, u)), x.first, y.first)
    along = plus(times(x.along, v), times(y.along, u))
    second = each(lambda a, b: plus(times(a, v), times(b, u)), x.second, y.second)
    return Jet(u * v, first, along, each(plus, second, crossed(x, y)))


def crossed(x: Jet, y: Jet) -> Sequence[Partial]:
    """The part x'y' + y'x' of the second derivatives of a product."""
    return each(lambda a, b: plus(times(a, y.along), times(b, x.along)), x.first, y.first)


def through(x: Jet, value: Number, slope: Partial, curvature: Partial) -> Jet:
    """A function of one jet, of which the value and two derivatives at that jet are known."""
    bent = times(curvature, x.along)
    second = [plus(times(slope, b), times(bent, a)) for a, b in zip(x.first, x.second)]
    return Jet(value, [times(slope, a) for a in x.first], times(slope, x.along), second)


def power(x: Jet, n: Number) -> Jet:
    """A jet to the power of a number."""
    slope = n * x.value ** (n - 1) if n != 0 else None
    curvature = n * (n - 1) * x.value ** (n - 2) if n not in (0, 1) else None
    return through(x, x.value**n, slope, curvature)
