"""The room of other numbers: what the words of the table mean on complex and on mpmath's numbers, for checks by other means.

A complex number here is a real one with a small imaginary disturbance, as the complex-step method uses it: choices look at the
real part, so that abs, maximum and where follow the branch that the real number takes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from math import copysign
from operator import add, mul
from typing import Any

__all__ = ["words_for"]


def words_for(kinds: set[type]) -> dict[str, Any] | None:
    """The words for these types of operands: None if they are the ordinary floats and Values."""
    if complex in kinds:
        return complex_words()
    if any(kind.__module__.startswith("mpmath") for kind in kinds):
        return mpmath_words()
    for kind in kinds:
        if hasattr(kind, "words"):  # terms of a program that is being compiled
            return dict(kind.words)
    return None


def chosen(best: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    """Maximum or minimum, by the real part."""
    return lambda x, y: x if best(real(x), real(y)) or real(x) != real(x) else y


def real(x: Any) -> Any:
    return x.real


def shared(exp: Callable[[Any], Any], log: Callable[[Any], Any]) -> dict[str, Any]:
    """What every system of numbers shares: choices by the real part, operations on many operands, and what exp and log make."""
    maximum, minimum = chosen(lambda x, y: x > y), chosen(lambda x, y: x < y)
    return {
        "div": lambda x, y: x / y,
        "abs": lambda x: x if real(x) >= 0 else -x,
        "sign": lambda x: (real(x) > 0) - (real(x) < 0),
        "greater": lambda x, y: float(real(x) > real(y)),
        "where": lambda condition, x, y: x if condition else y,
        "copysign": lambda x, y: x if (copysign(1.0, real(x)) > 0) == (copysign(1.0, real(y)) > 0) else -x,
        "maximum": maximum,
        "minimum": minimum,
        "sum": lambda xs: reduce(add, xs, 0.0),
        "prod": lambda xs: reduce(mul, xs, 1.0),
        "dot": lambda xs: reduce(add, map(mul, xs[: len(xs) // 2], xs[len(xs) // 2 :]), 0.0),
        "sech2": lambda x: 4.0 / (exp(x) + exp(-x)) ** 2,
        "share": lambda x, y: 1.0 / (1.0 + exp(y - x)),
        "logaddexp": lambda x, y: maximum(x, y) + log(1.0 + exp(minimum(x, y) - maximum(x, y))),
        "logaddexp2": lambda x, y: maximum(x, y) + log(1 + 2 ** (minimum(x, y) - maximum(x, y))) / log(2),
        "max": lambda xs: reduce(maximum, xs),
        "min": lambda xs: reduce(minimum, xs),
    }


@cache
def complex_words() -> dict[str, Any]:
    """cmath, and what it lacks in its terms. Special functions are missing: a text that needs them raises TypeError."""
    import cmath

    def missing(name: str) -> Callable[..., Any]:
        def refuse(*_: Any) -> Any:
            raise TypeError(f"autograd.{name} has no complex continuation here; use real numbers")

        return refuse

    names = ("erf", "erfc", "lgamma", "polygamma", "dsinc", "floor", "ceil", "round", "trunc", "mod", "fmod", "floor_divide")
    words: dict[str, Any] = {name: missing(name) for name in names}
    words |= {name: function for name, function in vars(cmath).items() if callable(function)}
    words |= shared(cmath.exp, cmath.log)
    words |= {
        "pow": lambda x, y: x**y,
        "expm1": lambda z: 2.0 * cmath.sinh(z / 2.0) * cmath.exp(z / 2.0),
        "log1p": lambda z: 2.0 * cmath.atanh(z / (2.0 + z)),
        "log2": lambda z: cmath.log(z) * 1.4426950408889634,
        "exp2": lambda z: cmath.exp(z * 0.6931471805599453),
        "cbrt": lambda z: z ** (1.0 / 3.0) if z.real >= 0.0 else -((-z) ** (1.0 / 3.0)),
        "hypot": lambda x, y: cmath.sqrt(x * x + y * y),
        # From the sides of the triangle: the half angle has no cut but the negative axis itself.
        "atan2": lambda y, x: 2.0 * cmath.atan(y / (cmath.sqrt(x * x + y * y) + x)),
        "norm": lambda xs: cmath.sqrt(reduce(add, map(mul, xs, xs), 0.0)),
        "logsumexp": lambda xs: words["max"](xs) + cmath.log(reduce(add, [cmath.exp(x - words["max"](xs)) for x in xs])),
    }
    return words


@cache
def mpmath_words() -> dict[str, Any]:
    """The functions of mpmath under the names of the table."""
    import mpmath

    words: dict[str, Any] = {name: getattr(mpmath, name) for name in dir(mpmath) if not name.startswith("_")}
    words |= shared(mpmath.exp, mpmath.log)
    words |= {
        "pow": mpmath.power,
        "log2": lambda x: mpmath.log(x, 2),
        "exp2": lambda x: mpmath.power(2, x),
        "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
        "lgamma": lambda x: mpmath.re(mpmath.loggamma(x)),
        "polygamma": lambda n, x: mpmath.psi(int(n), x),
        "dsinc": lambda n, x: mpmath.diff(mpmath.sincpi, x, int(n)) if n else mpmath.sincpi(x),
        "round": mpmath.nint,
        "trunc": lambda x: mpmath.sign(x) * mpmath.floor(abs(x)),
        "mod": lambda x, y: x - y * mpmath.floor(x / y),
        "fmod": lambda x, y: x - y * words["trunc"](x / y),  # the sign of x, unlike mpmath.fmod
        "floor_divide": lambda x, y: mpmath.floor(x / y),
        "norm": lambda xs: mpmath.norm(list(xs)),
        "logsumexp": lambda xs: mpmath.log(mpmath.fsum([mpmath.exp(x) for x in xs])),
    }
    return words
