"""The room of reductions: what the methods of NumPy's universal functions mean, `numpy.add.reduce` and its relatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import accumulate, compress
from math import prod
from typing import Any

import numpy as np

from autograd.arrays.elements import Plain, filled, objects, plain
from autograd.arrays.words import loop_of, word_of
from autograd.functions import apply
from autograd.ops import TABLE

__all__ = ["METHODS", "axes_of", "lines", "reduction"]

# Universal functions that the table has on any number of operands, and two that Python has.
FOLDS: dict[Any, Callable[[list[Any]], Any]] = {
    np.logical_and: lambda line: all(map(bool, line)),
    np.logical_or: lambda line: any(map(bool, line)),
}


def of_many(name: str) -> Callable[[list[Any]], Any]:
    return lambda line: apply(TABLE[name], *line)


FOLDS |= {ufunc: of_many(name) for ufunc, name in {
    np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min", np.logaddexp: "logsumexp", np.hypot: "norm",
}.items()}  # fmt: skip


def axes_of(axis: Any, dimensions: int) -> tuple[int, ...]:
    """The axes that a reduction goes along."""
    if axis is None:
        return tuple(range(dimensions))
    return tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)


def lines(a: Plain, axis: Any) -> tuple[Plain, tuple[int, ...]]:
    """An array as a matrix with a row for every result of a reduction, and the shape of the results."""
    if axis is None or (a.ndim == 1 and axis in (0, -1)):
        return a.reshape(1, a.size), ()
    axes = axes_of(axis, a.ndim)
    a = np.moveaxis(a, axes, range(-len(axes), 0))
    kept = a.shape[: a.ndim - len(axes)]
    return a.reshape(prod(kept), prod(a.shape[len(kept) :])), kept


def reduction(
    ufunc: Any, a: Any, axis: Any = 0, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:  # fmt: skip
    """One element for every line of an array along some axes, folded by a universal function."""
    a = plain(a)
    rows, shape = lines(a, axis)
    found = rows.tolist()
    if where is not True:
        found = [list(compress(line, mask)) for line, mask in zip(found, lines(np.broadcast_to(where, a.shape), axis)[0])]
    if initial is not None and initial is not np._NoValue:
        found = [[initial, *line] for line in found]
    result = filled([folded(ufunc, line) for line in found], shape)
    if ufunc in (np.logical_and, np.logical_or):
        result = result.astype(bool)
    return np.expand_dims(result, axes_of(axis, a.ndim)) if keepdims else result


def folded(ufunc: Any, line: Sequence[Any]) -> Any:
    """The elements of a line in one."""
    if not line:
        if ufunc.identity is None:
            raise ValueError(f"zero-size array to reduction operation {ufunc.__name__} which has no identity")
        return bool(ufunc.identity) if ufunc in (np.logical_and, np.logical_or) else float(ufunc.identity)
    return FOLDS[ufunc](list(line)) if ufunc in FOLDS else reduce(word_of(ufunc), line)


def accumulation(ufunc: Any, a: Any, axis: int = 0) -> Any:
    """The results so far, at every element of a line."""
    if loop_of(ufunc) is ufunc:
        return ufunc.accumulate(objects(a), axis)
    a = np.moveaxis(plain(a), axis, -1)
    found = [x for line in a.reshape(-1, a.shape[-1]).tolist() for x in accumulate(line, word_of(ufunc))] if a.size else []
    return np.moveaxis(filled(found, a.shape), -1, axis)


def reduction_of_parts(ufunc: Any, a: Any, indices: Sequence[int], axis: int = 0) -> Any:
    """The reductions of the parts that begin at some indices; of one element where the next part begins earlier."""
    a, ends = np.moveaxis(plain(a), axis, 0), [*indices[1:], None]
    parts = [reduction(ufunc, a[i : j if j is None or j > i else i + 1]) for i, j in zip(indices, ends)]
    return np.moveaxis(np.stack(parts), 0, axis)


def outer(ufunc: Any, a: Any, b: Any) -> Any:
    """Every element of the one with every element of the other."""
    a, b = plain(a), plain(b)
    return loop_of(ufunc)(a.reshape(a.shape + (1,) * b.ndim), b)


def at(ufunc: Any, a: Any, indices: Any, b: Any = None) -> None:
    """In place, element by element: an index that stands twice counts twice."""
    if a.dtype != object:
        raise TypeError(f"an array of {a.dtype} cannot hold Values; make it an autograd.array")
    places, function = np.arange(a.size).reshape(a.shape)[indices], word_of(ufunc)
    others = () if b is None else (np.broadcast_to(objects(b), np.shape(places)).ravel().tolist(),)
    for place, *operand in zip(np.ravel(places).tolist(), *others):
        a.flat[place] = function(a.flat[place], *operand)


METHODS: dict[str, Callable[..., Any]] = {
    "reduce": reduction, "accumulate": accumulation, "reduceat": reduction_of_parts, "outer": outer, "at": at,
}  # fmt: skip
