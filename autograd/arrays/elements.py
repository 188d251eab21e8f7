"""The room of elements: Values and numbers in NumPy's own arrays of objects, and their numbers out again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from math import prod
from typing import Any

import numpy as np

from autograd.value import Value

__all__ = ["box", "elementwise", "filled", "fitting", "objects", "plain", "primal_of", "primals", "written"]

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
    return np.fromiter(elements, object).reshape(shape)


def elementwise(function: Callable[..., Any], *operands: Any, kind: Any = object) -> Plain:
    """A function of elements on arrays, which are broadcast. NumPy's own loops would warn where a nan is compared."""
    arrays = [objects(x) for x in operands]
    shape = np.broadcast(*arrays).shape if len(arrays) > 1 else arrays[0].shape
    lists: list[Iterable[Any]] = []
    for x in arrays:
        if x.shape != shape and x.ndim:
            x = np.broadcast_to(x, shape)
        lists.append(x.ravel().tolist() if x.shape == shape else repeat(x.item()))
    return np.fromiter(map(function, *lists), kind, prod(shape)).reshape(shape)


def fitting(x: Any, out: Any) -> Any:
    """What is to be written into an array, in its type.

    Raises TypeError where an array of floats would lose the Values.
    """
    x = plain(x)
    if out.dtype.kind in "Ob" or x.dtype.kind != "O":
        return x
    if any(isinstance(element, Value) for element in x.flat):
        raise TypeError(f"an array of {out.dtype} cannot hold Values; make it an autograd.array, or write a = a + b")
    return x.astype(out.dtype)


def written(result: Any, out: Any) -> Any:
    """A result, in the array that the caller gave, if any."""
    if out is None:
        return result
    out[...] = fitting(result, out)
    return out


def primals(x: Any) -> Plain:
    """The numbers, without notifying a listener: for choices that are recorded as comparisons, and for pictures."""
    x = plain(x)
    return np.array([primal_of(element) for element in x.ravel().tolist()], dtype=float).reshape(x.shape)


def primal_of(x: Any) -> float:
    """The number of an element; the real part of the complex numbers with which derivatives are checked."""
    return x._data if isinstance(x, Value) else float(x.real)
