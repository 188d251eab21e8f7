"""The room of oracles: what every operation of the table is, said by mpmath, independently of the table's own texts."""

from __future__ import annotations

import mpmath as mp


def _sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def _normal(x):
    """The normal distribution; mpmath's own raises far out."""
    return mp.mpf(x > 0) if abs(x) > 1e6 else mp.erfc(-x / mp.sqrt(2)) / 2


ORACLE = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": mp.power,
    "mod": lambda x, y: x - y * mp.floor(x / y),
    "floor_divide": lambda x, y: mp.floor(x / y),
    "fmod": lambda x, y: x - abs(y) * mp.sign(x) * mp.floor(abs(x / y)),
    "neg": lambda x: -x,
    "pos": lambda x: x,
    "abs": abs,
    "copysign": lambda x, y: abs(x) if y >= 0 else -abs(x),
    "square": lambda x: x**2,
    "sqrt": mp.sqrt,
    "cbrt": mp.cbrt,
    "exp": mp.exp,
    "exp2": lambda x: mp.mpf(2) ** x,
    "expm1": mp.expm1,
    "log": mp.log,
    "log2": lambda x: mp.log(x) / mp.log(2),
    "log10": mp.log10,
    "log1p": mp.log1p,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "atan2": mp.atan2,
    "hypot": mp.hypot,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "sinc": mp.sincpi,
    "degrees": mp.degrees,
    "radians": mp.radians,
    "dsinc": lambda n, x: mp.diff(mp.sincpi, x, int(n)),
    "dpow": lambda n, x, y: x**y * mp.log(x) ** n,
    "one_minus_square": lambda x: 1 - x**2,
    "sech2": lambda x: mp.sech(x) ** 2,
    "cosine": lambda x, y: x / mp.hypot(x, y),
    "share": lambda x, y: _sigmoid(x - y),
    "erf": mp.erf,
    "erfc": lambda x: 2 * _normal(-x * mp.sqrt(2)),
    "lgamma": lambda x: mp.re(mp.loggamma(x)),
    "digamma": mp.digamma,
    "polygamma": lambda n, x: mp.psi(int(n), x),
    "greater": lambda x, y: mp.mpf(x > y),
    "where": lambda c, x, y: x if c else y,
    "maximum": lambda x, y: max(x, y),
    "minimum": lambda x, y: min(x, y),
    "stop_gradient": lambda x: x,
    "sign": mp.sign,
    "floor": mp.floor,
    "ceil": mp.ceil,
    "round": mp.nint,
    "trunc": lambda x: mp.sign(x) * mp.floor(abs(x)),
    "heaviside": lambda x, y: mp.mpf(x > 0) if x else y,
    "sigmoid": _sigmoid,
    "relu": lambda x: max(x, mp.mpf(0)),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "elu": lambda x, alpha: x if x > 0 else alpha * mp.expm1(x),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "logaddexp": lambda x, y: x + mp.log1p(mp.exp(y - x)),
    "logaddexp2": lambda x, y: x + mp.log1p(mp.mpf(2) ** (y - x)) / mp.log(2),
    "silu": lambda x: x * _sigmoid(x),
    "gelu": lambda x: x * _normal(x),
    "sum": lambda *xs: mp.fsum(xs),
    "dot": lambda *xs: mp.fdot(xs[: len(xs) // 2], xs[len(xs) // 2 :]),
    "prod": lambda *xs: mp.fprod(xs),
    "max": lambda *xs: max(xs),
    "min": lambda *xs: min(xs),
    "norm": lambda *xs: mp.norm(xs),
    "logsumexp": lambda *xs: mp.log(mp.fsum(map(mp.exp, xs))),
}

# Operations whose derivative is 0 by decree, not by calculus.
FLAT = {"stop_gradient", "greater"}
# Operands that are not differentiated: an order, or a condition.
CONSTANT = {("dsinc", 0), ("dpow", 0), ("polygamma", 0), ("where", 0)}
