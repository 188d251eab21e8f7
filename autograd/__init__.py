"""A scalar reverse-mode autograd engine: write it with scalars, see every node, check every derivative.

>>> from autograd import Value
>>> a, b = Value(2.0), Value(-3.0)
>>> c = (a * b + 10).tanh()
>>> c.backward()
>>> round(a.grad, 9)
-0.004022852
"""

import os as _os
from importlib import import_module as _import_module
from math import e, inf, nan, pi
from typing import Any as _Any

# The PyPI package `autograd` has the same import name; pip installs one over the other without a word.
if _os.path.exists(_os.path.join(__path__[0], "tracer.py")):
    raise ImportError(
        f"two packages named autograd are mixed in {__path__[0]}: this one (scalar-autograd) and the PyPI package autograd; "
        "run `pip uninstall autograd scalar-autograd`, then install the one you want"
    )

from autograd import closures as _closures  # noqa: F401 - gives Value operations of a program's own
from autograd import copying as _copying  # noqa: F401 - and its copies
from autograd.calculus import derivative, grad, hessian, hvp, jacobian, jvp, pattern, value_and_grad, vjp
from autograd.composites import clip, log_softmax, mean, softmax, take, var
from autograd.controls import GradientWarning, detect_anomaly, enable_grad, lint, no_grad, scope
from autograd.functions import FUNCTIONS as _FUNCTIONS
from autograd import showing as _showing  # noqa: F401 - and its picture in notebooks
from autograd.primitives import primitive
from autograd.value import Value, topological

__version__ = "0.1.0"

# Rooms that are opened when somebody asks for what is in them: the engine stays light.
_ROOMS = {
    "Array": "autograd.arrays.protocols", "array": "autograd.arrays.protocols",
    "CompileMismatch": "autograd.compiler.audit", "TraceError": "autograd.compiler.trace",
    "NativeError": "autograd.compiler.native.building", "cache_dir": "autograd.compiler.native.cache",
    "compile": "autograd.compiler.decorator",
    "Graph": "autograd.graphs", "GradcheckError": "autograd.check", "draw_dot": "autograd.draw",
    "explain": "autograd.explanation", "explore": "autograd.explorer", "gradcheck": "autograd.check",
}  # fmt: skip

__all__ = [
    "GradientWarning", "Value", "clip", "derivative", "detect_anomaly", "e", "enable_grad", "grad", "hessian", "hvp", "inf",
    "jacobian", "jvp", "lint", "log_softmax", "mean", "nan", "no_grad", "pattern", "pi", "primitive", "scope", "softmax", "take",
    "topological", "value_and_grad", "var", "vjp",
]  # fmt: skip
__all__ += [*sorted(_FUNCTIONS), *_ROOMS]


def __getattr__(name: str) -> _Any:
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    if name in _ROOMS:
        return getattr(_import_module(_ROOMS[name]), name)
    raise AttributeError(f"module 'autograd' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
