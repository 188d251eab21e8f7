"""The room of facts: what a program does to a Value beside computing with it, which a trace must notice.

`Value.grad` is a slot, as fast as can be, until the first function is traced; from then on whoever listens is notified of what a
program reads and writes there, and of numbers that it writes into `data`. The library itself uses the slots.
"""

from __future__ import annotations

from typing import Any

from autograd.floats import number
from autograd.value import Value, current

__all__ = ["listen"]


def grad_of(value: Value) -> Any:
    """The gradient of a Value."""
    if (read := current().read) is not None:
        read(".grad", value)
    return value._grad


def set_grad(value: Value, grad: Any) -> None:
    """Set the gradient of a Value."""
    if (read := current().read) is not None:
        read(".grad =", value)
    value._grad = grad


def set_data(value: Value, data: Any) -> None:
    """Set the number of a Value."""
    if (read := current().read) is not None:
        read(".data =", value)
    value._data = data if data.__class__ is float else number(data, "Value.data")


LISTENING = {"grad": property(grad_of, set_grad), "data": Value.__dict__["data"].setter(set_data)}


def listen() -> None:
    """Notify listeners from now on. A class is changed once only: Python would stop caching its attributes if it were often."""
    for name, attribute in LISTENING.items():
        if Value.__dict__[name] is not attribute:
            setattr(Value, name, attribute)
