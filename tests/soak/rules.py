"""What every row of the table is on jets, written from mathematics; a row without a rule falls back on `tests/oracle.py`.

Where mathematics leaves a choice (kinks, ties, flat pieces), the rule is the decided convention, listed in CONVENTIONS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp

from tests.oracle import CONSTANT, FLAT, ORACLE
from tests.soak.jets import NOISE, Jet, UndefinedError, add, constant, crossed, mul, power, through, times

__all__ = ["COARSE", "CONVENTIONS", "JUMPS", "RULES", "rule"]

CONVENTIONS = {
    "abs": "abs'(0) = 0, as sign(0) says",
    "relu": "relu'(0) = 0",
    "leaky_relu": "at 0 the slope of the negative side",
    "elu": "at 0 the slope of the negative side",
    "maximum, minimum": "a tie is split in halves",
    "max, min": "a tie is split in equal parts among those that attain it",
    "hypot, norm": "at the origin 0, the mean over all directions",
    "floor, ceil, round, trunc, sign, floor_divide, heaviside, stop_gradient": "flat everywhere, also at a jump",
    "mod, fmod": "the quotient is flat, also at a jump",
    "where": "the operand that is not chosen passes nothing on; the condition never does",
    "pow": "at x = 0 the derivative with respect to y is that of 0 ** y: 0",
}
FARTHEST = -1e4  # from where polygamma is still reached in a moment
MOST = 2**53  # quotients beyond are no whole numbers any more, but rounded


# Rows whose rounding is one of the argument, or of 1, not of the result: in perturbed runs they move by that much.
COARSE = {"sinc": "pi x is rounded before the sine is taken, so that the zeros at whole numbers are met to a rounding"}


def number(x: Any) -> Jet:
    return Jet(mp.mpf(x))


MINUS_ONE, HALF, ONE, TWO = number(-1), number(0.5), number(1), number(2)


def curve(value: Callable[..., Any], slope: Callable[..., Any], curvature: Callable[..., Any]) -> Callable[[Jet], Jet]:
    """The rule of a function of one number, from its value f(x) and its derivatives as functions of x and f(x)."""

    def applied(x: Jet) -> Jet:
        out = value(x.value)
        if isinstance(out, mp.mpc):
            return through(x, mp.nan, mp.nan, mp.nan)
        if not x.first:
            return Jet(out)
        return through(x, out, slope(x.value, out), curvature(x.value, out))

    return applied


def flat(value: Callable[..., Any]) -> Callable[..., Jet]:
    """The rule of a function whose derivatives are 0 by convention."""
    return lambda *xs: Jet(value(*[x.value for x in xs]))


def inverse(x: Jet) -> Jet:
    """The reciprocal."""
    if x.value == 0:
        raise UndefinedError("a division by 0, whose sign is unknown here")
    return power(x, mp.mpf(-1))


def sub(x: Jet, y: Jet) -> Jet:
    return add(x, mul(MINUS_ONE, y))


def div(x: Jet, y: Jet) -> Jet:
    return mul(x, inverse(y))


def pow(x: Jet, y: Jet) -> Jet:
    """The power: of a positive number by the logarithm; of any number to a constant integer."""
    if not y.first:
        if x.value == 0 and not (y.value >= 2 or y.value in (0, 1)):
            raise UndefinedError("0 to a power below 2")
        if x.value < 0 and y.value != mp.floor(y.value):
            return through(x, mp.nan, mp.nan, mp.nan)
        return power(x, y.value)
    if x.value > 0:
        return RULES["exp"](mul(y, RULES["log"](x)))
    raise UndefinedError("a power of no positive number with an exponent that depends on the inputs")


def quotient(x: Any, y: Any) -> Any:
    """The floor of x / y; also where y is infinite, and nan where x is: there Python has no remainder."""
    if mp.isinf(x):
        return mp.nan
    return mp.mpf(-(x * mp.sign(y) < 0)) if mp.isinf(y) else mp.floor(x / y)


def mod(x: Jet, y: Jet) -> Jet:
    return remainder(x, y, quotient(x.value, y.value))


def fmod(x: Jet, y: Jet) -> Jet:
    return remainder(x, y, mp.nan if mp.isinf(x.value) else truncated(x.value / y.value))


def remainder(x: Jet, y: Jet, count: Any) -> Jet:
    """x less so many y, without a product where there are none: y may be infinite."""
    if abs(count) > MOST:
        raise UndefinedError("a remainder of a quotient with more digits than there are here")
    return x if count == 0 else sub(x, mul(y, Jet(count)))


def truncated(x: Any) -> Any:
    return mp.sign(x) * mp.floor(abs(x))


def nearest(x: Any) -> Any:
    """The nearest integer, ties to the even one."""
    below = mp.floor(x)
    if x - below == 0.5:
        return below if below % 2 == 0 else below + 1
    return mp.floor(x + 0.5)


def sinc(x: Jet) -> Jet:
    """sin(pi x) / (pi x), with its limits at 0."""
    t = mp.pi * x.value
    if mp.isinf(t):
        return through(x, mp.mpf(0), mp.mpf(0), mp.mpf(0))
    if abs(t) < mp.mpf("0.1"):
        value, slope, curvature = (mp.fsum(term(t, k, m) for k in range(15)) for m in range(3))
    else:
        value = mp.sinpi(x.value) / t
        slope = (mp.cospi(x.value) - value) / t
        curvature = -value - 2 * slope / t
    return through(x, value, mp.pi * slope, mp.pi**2 * curvature)


def term(t: Any, k: int, m: int) -> Any:
    """The k-th term of the m-th derivative of the series sin(t)/t."""
    n = 2 * k
    if n < m:
        return mp.mpf(0)
    return (-1) ** k * mp.ff(n, m) * (t ** (n - m)) / mp.factorial(n + 1)


def atan2(y: Jet, x: Jet) -> Jet:
    """The angle of the point (x, y): on either half plane the arc tangent of a quotient, and a constant."""
    u, v = x.value, y.value
    if v == 0 and u <= 0:
        raise UndefinedError("atan2 on its cut, where the sign of 0 decides")
    if abs(u) >= abs(v):
        return add(RULES["atan"](div(y, x)), Jet(mp.mpf(0) if u > 0 else mp.pi * mp.sign(v)))
    return sub(Jet(mp.sign(v) * mp.pi / 2), RULES["atan"](div(x, y)))


def norm(*xs: Jet) -> Jet:
    """The root of the sum of squares; flat at the origin."""
    squares = total(*[mul(x, x) for x in xs])
    if squares.value == 0:
        return Jet(mp.mpf(0))
    return power(squares, mp.mpf(0.5))


def total(*xs: Jet) -> Jet:
    out = number(0)
    for x in xs:
        out = add(out, x)
    return out


def product(*xs: Jet) -> Jet:
    out = number(1)
    for x in xs:
        out = mul(out, x)
    return out


def dot(*xs: Jet) -> Jet:
    half = len(xs) // 2
    return total(*[mul(x, y) for x, y in zip(xs[:half], xs[half:])])


def logsumexp(*xs: Jet) -> Jet:
    """The largest, and the logarithm of 1 and what the others are beside it: 1 + exp(-200) has more digits than there are."""
    k = max(range(len(xs)), key=lambda j: xs[j].value)
    if NOISE.get() is not None and mp.isfinite(xs[k].value):  # how far roundings move p - p * p, where shares meet again
        top = Jet(xs[k].value)
        return add(top, RULES["log"](total(*[RULES["exp"](sub(x, top)) for x in xs])))
    others = [RULES["exp"](sub(x, xs[k])) for j, x in enumerate(xs) if j != k]
    return add(xs[k], RULES["log1p"](total(*others))) if mp.isfinite(xs[k].value) else RULES["log"](total(*map(RULES["exp"], xs)))


def logaddexp2(x: Jet, y: Jet) -> Jet:
    return RULES["log2"](add(RULES["exp2"](x), RULES["exp2"](y)))


def copysign(x: Jet, y: Jet) -> Jet:
    """The size of x with the sign of y; at 0 the slope depends on the sign of that 0, which jets do not have."""
    if y.value == 0:
        raise UndefinedError("the sign of a 0")
    if x.value == 0:
        return through(x, mp.mpf(0), mp.nan, mp.nan)
    return mul(Jet(mp.sign(x.value) * mp.sign(y.value)), x)


def heaviside(x: Jet, y: Jet) -> Jet:
    """0 below 0, 1 above, y at 0."""
    return y if x.value == 0 else Jet((1 + mp.sign(x.value)) / 2)


def extreme(sign: int) -> Callable[..., Jet]:
    """The largest (sign 1) or smallest (-1) of some jets, the mean of those that attain it."""

    def chosen(*xs: Jet) -> Jet:
        top = max(sign * x.value for x in xs)
        hits = [x for x in xs if sign * x.value == top]
        if any(mp.isnan(x.value) for x in xs):
            raise UndefinedError("an extreme value of nan")
        return hits[0] if len(hits) == 1 else replaced(mul(number(mp.mpf(1) / len(hits)), total(*hits)), hits[0].value)

    return chosen


def replaced(x: Jet, value: Any) -> Jet:
    """The derivatives of a jet with another value: without the rounding of a mean of equal numbers."""
    return Jet(value, x.first, x.along, x.second)


def sigmoid(x: Jet) -> Jet:
    return inverse(add(ONE, RULES["exp"](mul(MINUS_ONE, x))))


def softplus(x: Jet) -> Jet:
    return RULES["log1p"](RULES["exp"](x))


def gelu(x: Jet) -> Jet:
    return mul(mul(HALF, x), RULES["erfc"](mul(Jet(-1 / mp.sqrt(2)), x)))


def psi(n: int, x: Any) -> Any:
    """The n-th derivative of digamma; mpmath goes up to the positive numbers step by step, so not from far below."""
    if n and x < FARTHEST:
        raise UndefinedError("polygamma far below 0")
    return mp.psi(n, x)


def polygamma(n: Jet, x: Jet) -> Jet:
    m = int(n.value)
    return through(x, psi(m, x.value), psi(m + 1, x.value), psi(m + 2, x.value))


def elu(x: Jet, alpha: Jet = ONE) -> Jet:
    return x if x.value > 0 else mul(alpha, RULES["expm1"](x))


def leaky_relu(x: Jet, slope: Jet | None = None) -> Jet:
    return x if x.value > 0 else mul(number(0.01) if slope is None else slope, x)


def root(x: Any) -> Any:
    """The real cube root."""
    return mp.sign(x) * mp.cbrt(abs(x))


def zero(x: Any, out: Any) -> Any:
    return None


def bell(x: Any) -> Any:
    """The derivative of erf."""
    return 2 / mp.sqrt(mp.pi) * mp.exp(-(x**2))


RULES: dict[str, Callable[..., Jet]] = {
    "add": add, "sub": sub, "mul": mul, "div": div, "pow": pow, "mod": mod, "fmod": fmod,
    "floor_divide": flat(quotient),
    "neg": lambda x: mul(MINUS_ONE, x), "pos": lambda x: x, "square": lambda x: mul(x, x),
    "abs": lambda x: x if x.value > 0 else mul(MINUS_ONE, x) if x.value < 0 else Jet(abs(x.value)),
    "sqrt": curve(mp.sqrt, lambda x, y: 1 / (2 * y), lambda x, y: -1 / (4 * y**3)),
    "cbrt": curve(root, lambda x, y: 1 / (3 * y**2), lambda x, y: -2 / (9 * y**5)),
    "exp": curve(mp.exp, lambda x, y: y, lambda x, y: y),
    "exp2": curve(lambda x: mp.mpf(2) ** x, lambda x, y: mp.ln2 * y, lambda x, y: mp.ln2 ** 2 * y),
    "expm1": curve(mp.expm1, lambda x, y: mp.exp(x), lambda x, y: mp.exp(x)),
    "log": curve(mp.log, lambda x, y: 1 / x, lambda x, y: -1 / x**2),
    "log2": curve(lambda x: mp.log(x) / mp.ln2, lambda x, y: 1 / (x * mp.ln2), lambda x, y: -1 / (x**2 * mp.ln2)),
    "log10": curve(mp.log10, lambda x, y: 1 / (x * mp.log(10)), lambda x, y: -1 / (x**2 * mp.log(10))),
    "log1p": curve(mp.log1p, lambda x, y: 1 / (1 + x), lambda x, y: -1 / (1 + x) ** 2),
    "sin": curve(mp.sin, lambda x, y: mp.cos(x), lambda x, y: -y),
    "cos": curve(mp.cos, lambda x, y: -mp.sin(x), lambda x, y: -y),
    "tan": curve(mp.tan, lambda x, y: mp.sec(x) ** 2, lambda x, y: 2 * y * mp.sec(x) ** 2),
    "asin": curve(mp.asin, lambda x, y: (1 - x**2) ** -0.5, lambda x, y: x * (1 - x**2) ** -1.5),
    "acos": curve(mp.acos, lambda x, y: -((1 - x**2) ** -0.5), lambda x, y: -x * (1 - x**2) ** -1.5),
    "atan": curve(mp.atan, lambda x, y: 1 / (1 + x**2), lambda x, y: -2 * x / (1 + x**2) ** 2),
    "atan2": atan2, "hypot": norm, "norm": norm,
    "sinh": curve(mp.sinh, lambda x, y: mp.cosh(x), lambda x, y: y),
    "cosh": curve(mp.cosh, lambda x, y: mp.sinh(x), lambda x, y: y),
    "tanh": curve(mp.tanh, lambda x, y: mp.sech(x) ** 2, lambda x, y: -2 * y * mp.sech(x) ** 2),
    "asinh": curve(mp.asinh, lambda x, y: (1 + x**2) ** -0.5, lambda x, y: -x * (1 + x**2) ** -1.5),
    "acosh": curve(mp.acosh, lambda x, y: (x**2 - 1) ** -0.5, lambda x, y: -x * (x**2 - 1) ** -1.5),
    "atanh": curve(mp.atanh, lambda x, y: 1 / (1 - x**2), lambda x, y: 2 * x / (1 - x**2) ** 2),
    "sinc": sinc,
    "erf": curve(mp.erf, lambda x, y: bell(x), lambda x, y: -2 * x * bell(x)),
    "erfc": curve(mp.erfc, lambda x, y: -bell(x), lambda x, y: 2 * x * bell(x)),
    "lgamma": curve(lambda x: mp.log(abs(mp.gamma(x))), lambda x, y: psi(0, x), lambda x, y: psi(1, x)),
    "digamma": curve(mp.digamma, lambda x, y: psi(1, x), lambda x, y: psi(2, x)),
    "polygamma": polygamma,
    "where": lambda c, x, y: x if c.value != 0 else y,
    "maximum": extreme(1), "minimum": extreme(-1), "max": extreme(1), "min": extreme(-1),
    "stop_gradient": flat(lambda x: x), "sign": flat(mp.sign), "floor": flat(mp.floor), "ceil": flat(mp.ceil),
    "round": flat(nearest), "trunc": flat(truncated),
    "copysign": copysign, "heaviside": heaviside, "logaddexp": logsumexp, "logaddexp2": logaddexp2,
    "degrees": lambda x: mul(Jet(180 / mp.pi), x), "radians": lambda x: mul(Jet(mp.pi / 180), x),
    "sigmoid": sigmoid, "softplus": softplus, "silu": lambda x: mul(x, sigmoid(x)), "gelu": gelu,
    "relu": lambda x: x if x.value > 0 else Jet(mp.mpf(0)), "leaky_relu": leaky_relu, "elu": elu,
    "sum": total, "dot": dot, "prod": product, "logsumexp": logsumexp,
}  # fmt: skip


# On which of its pieces a row is that jumps: roundings must not decide that.
JUMPS: dict[str, Callable[..., Any]] = {
    "floor": mp.floor, "ceil": mp.ceil, "round": nearest, "trunc": truncated, "sign": mp.sign,
    "heaviside": lambda x, y: mp.sign(x), "where": lambda condition, x, y: mp.nstr(condition, 3),
    "floor_divide": quotient, "mod": quotient, "fmod": lambda x, y: truncated(x / y),
}  # fmt: skip


def rule(name: str) -> Callable[..., Jet]:
    """The rule of a row. Raises LookupError for a row that neither this table nor `tests/oracle.py` knows."""
    if name in RULES:
        return RULES[name]
    if name in ORACLE:
        return lambda *xs: differentiated(name, *map(constant, xs))
    raise LookupError(f"the soak has no rule for the row {name!r}: write one in tests/soak/rules.py, or in tests/oracle.py")


def differentiated(name: str, *xs: Jet) -> Jet:
    """A row by mpmath's own differentiation of its formula in `tests/oracle.py`: slow, and right for any formula."""
    formula, point = ORACLE[name], tuple(x.value for x in xs)
    value = formula(*point)
    if name in FLAT:
        return Jet(value)
    free = [k for k, x in enumerate(xs) if x.first and (name, k) not in CONSTANT]

    def partial(*places: int) -> Any:
        orders = tuple(places.count(k) for k in range(len(xs)))
        return mp.diff(formula, point, orders) if len(xs) > 1 else mp.diff(formula, point[0], orders[0])

    out = Jet(value)
    for k in free:
        out = replaced(add(out, through(xs[k], value, partial(k), partial(k, k))), value)
        for m in free[: free.index(k)]:
            mixed = partial(m, k)
            crossing = Jet(value, [None] * len(out.first), None, [times(mixed, c) for c in crossed(xs[k], xs[m])])
            out = replaced(add(out, crossing), value)
    return out
