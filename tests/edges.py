"""The room of edges: points where a derivative is a matter of decision or of care, with what the library answers.

Each row: the expression as a reader writes it, a function of Values, the point, the value, and the gradient there.
"""

from __future__ import annotations

from math import inf, nan

import autograd as ag

EDGES = [
    ("relu(x)", ag.relu, (0.0,), 0.0, (0.0,)),
    ("relu(x)", ag.relu, (nan,), nan, (0.0,)),
    ("abs(x)", abs, (0.0,), 0.0, (0.0,)),
    ("sign(x)", ag.sign, (0.0,), 0.0, (0.0,)),
    ("maximum(x, y)", ag.maximum, (2.0, 2.0), 2.0, (0.5, 0.5)),
    ("minimum(x, y)", ag.minimum, (2.0, 2.0), 2.0, (0.5, 0.5)),
    ("max([x, y, z])", lambda x, y, z: ag.max([x, y, z]), (2.0, 1.0, 2.0), 2.0, (0.5, 0.0, 0.5)),
    ("maximum(x, y)", ag.maximum, (nan, 1.0), nan, (0.5, 0.5)),
    ("clip(x, 0, 1)", lambda x: ag.clip(x, 0.0, 1.0), (0.0,), 0.0, (0.5,)),
    ("leaky_relu(x)", lambda x: ag.leaky_relu(x), (0.0,), 0.0, (0.01,)),
    ("elu(x)", lambda x: ag.elu(x), (0.0,), 0.0, (1.0,)),
    ("hypot(x, y)", ag.hypot, (0.0, 0.0), 0.0, (0.0, 0.0)),
    ("norm([x, y])", lambda x, y: ag.norm([x, y]), (0.0, 0.0), 0.0, (0.0, 0.0)),
    ("atan2(x, y)", ag.atan2, (1.0, 0.0), 1.5707963267948966, (0.0, -1.0)),
    ("sqrt(x)", ag.sqrt, (0.0,), 0.0, (inf,)),
    ("sqrt(x)", ag.sqrt, (-1.0,), nan, (nan,)),
    ("cbrt(x)", ag.cbrt, (0.0,), 0.0, (inf,)),
    ("log(x)", ag.log, (0.0,), -inf, (inf,)),
    ("1 / x", lambda x: 1 / x, (0.0,), inf, (-inf,)),
    ("x / y", lambda x, y: x / y, (0.0, 0.0), nan, (inf, nan)),
    ("x ** 0", lambda x: x**0, (0.0,), 1.0, (0.0,)),
    ("x ** 2", lambda x: x**2, (0.0,), 0.0, (0.0,)),
    ("x ** 2", lambda x: x**2, (-3.0,), 9.0, (-6.0,)),
    ("x ** 0.5", lambda x: x**0.5, (-1.0,), nan, (nan,)),
    ("0 ** y", lambda y: 0**y, (2.0,), 0.0, (0.0,)),
    ("x ** y", lambda x, y: x**y, (0.0, 0.0), 1.0, (0.0, 0.0)),
    ("exp(x)", ag.exp, (1000.0,), inf, (inf,)),
    ("sigmoid(x)", ag.sigmoid, (1000.0,), 1.0, (0.0,)),
    ("sigmoid(x)", ag.sigmoid, (-1000.0,), 0.0, (0.0,)),
    ("softplus(x)", ag.softplus, (1000.0,), 1000.0, (1.0,)),
    ("softplus(x)", ag.softplus, (-1000.0,), 0.0, (0.0,)),
    ("tanh(x)", ag.tanh, (1000.0,), 1.0, (0.0,)),
    ("gelu(x)", ag.gelu, (-40.0,), 0.0, (0.0,)),
    ("silu(x)", ag.silu, (-1000.0,), 0.0, (0.0,)),
    ("logsumexp([x, y])", lambda x, y: ag.logsumexp([x, y]), (1000.0, 1000.0), 1000.6931471805599, (0.5, 0.5)),
    ("logsumexp([x, y])", lambda x, y: ag.logsumexp([x, y]), (-inf, 0.0), 0.0, (0.0, 1.0)),
    ("prod([x, y, z])", lambda x, y, z: ag.prod([x, y, z]), (0.0, 2.0, 3.0), 0.0, (6.0, 0.0, 0.0)),
    ("sinc(x)", ag.sinc, (0.0,), 1.0, (0.0,)),
    ("where(x > 0, log(x), 0)", lambda x: ag.where(x > 0, ag.log(x), 0.0), (0.0,), 0.0, (0.0,)),
    ("maximum(log(x), -10)", lambda x: ag.maximum(ag.log(x), -10.0), (0.0,), -10.0, (0.0,)),
    ("floor(x)", ag.floor, (1.0,), 1.0, (0.0,)),
    ("round(x)", ag.round, (0.5,), 0.0, (0.0,)),
    ("x % y", lambda x, y: x % y, (-1.0, 3.0), 2.0, (1.0, 1.0)),
    ("x // y", lambda x, y: x // y, (7.0, 2.0), 3.0, (0.0, 0.0)),
]
