"""The room of elements: Values and numbers in NumPy's own arrays of objects, and their numbers out again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.value import Value

__all__ = ["box", "elementwise", "filled", "objects", "plain", "primal_of", "primals"]

Plain = np.ndarray[Any, Any]


# An operand as an array of NumPy's own class, whose loops ask nobody what a function means.
plain: Callable[[Any], Plain] = np.asarray


def objects(x: Any) -> Plain:
    """The same, of objects: Values and Python's numbers."""
    return np.asarray(x).astype(object, copy=False)


def box(x: Any) -> Plain:
    """One element as an array without dimensions."""
    found = np.empty((), dtype=object)
    found[()] = x
    return found


def filled(elements: Iterable[Any], shape: Sequence[int]) -> Plain:
    """An array of these elements, in their order."""
    elements = list(elements)
    found = np.empty(len(elements), dtype=object)
    found[:] = elements
    return found.reshape(shape)


def elementwise(function: Any, *operands: Any) -> Any:
    """A function of elements on arrays, which are broadcast."""
    return np.frompyfunc(function, len(operands), 1)(*map(plain, operands))


def primals(x: Any) -> Plain:
    """The numbers, without a word to whoever listens: for choices that are recorded as comparisons, and for pictures."""
    x = plain(x)
    return np.array([primal_of(element) for element in x.ravel().tolist()], dtype=float).reshape(x.shape)


def primal_of(x: Any) -> float:
    """The number of an element; the real part of the complex numbers with which derivatives are checked."""
    return x._data if isinstance(x, Value) else float(x.real)
