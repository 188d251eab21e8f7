"""The room of oracles: what every operation of the table is, said by mpmath, independently of the table's own texts."""

from __future__ import annotations

import mpmath as mp


def _sigmoid(x):
    return 1 / (1 + mp.exp(-x))


ORACLE = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": mp.power,
    "mod": lambda x, y: x - y * mp.floor(x / y),
    "floor_divide": lambda x, y: mp.floor(x / y),
    "fmod": lambda x, y: x - y * mp.sign(x) * mp.floor(abs(x) / y),
    "neg": lambda x: -x,
    "pos": lambda x: x,
    "abs": abs,
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
    "dsinc": lambda n, x: mp.diff(mp.sincpi, x, int(n)),
    "erf": mp.erf,
    "erfc": mp.erfc,
    "lgamma": mp.loggamma,
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
    "sigmoid": _sigmoid,
    "relu": lambda x: max(x, mp.mpf(0)),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "elu": lambda x, alpha: x if x > 0 else alpha * mp.expm1(x),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "silu": lambda x: x * _sigmoid(x),
    "gelu": lambda x: x * mp.ncdf(x),
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
CONSTANT = {("dsinc", 0), ("polygamma", 0), ("where", 0)}
