"""The room of order: what sorts elements, or finds a place among them.

Places are found by the numbers, and then the comparisons that make them right are carried out: in a function that is being
compiled they are its guards, so that another order is another program.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from autograd.arrays.elements import Plain, elementwise, filled, objects, plain, primal_of, primals, written
from autograd.arrays.reductions import axes_of, lines
from autograd.arrays.words import LOOPS
from autograd.value import Value, current

__all__ = ["argmax", "argmin", "argsort", "interp", "median", "nanmedian", "percentile", "quantile", "sort"]


less, less_equal = LOOPS[np.less], LOOPS[np.less_equal]
greater, greater_equal = LOOPS[np.greater], LOOPS[np.greater_equal]


def argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Plain:  # noqa: ARG001
    """The places of the elements in their order, which is stable; nan comes last."""
    a = objects(a)
    a, axis = (a.ravel(), 0) if axis is None else (a, axis)
    places = np.argsort(primals(a), axis=axis, kind="stable")
    if current().read is not None:
        line, place = (np.moveaxis(x, axis, 0) for x in (np.take_along_axis(a, places, axis), places))
        rising = place[:-1] < place[1:]  # of equal elements the first comes first, so only they may be equal
        less_equal(line[:-1][rising], line[1:][rising])
        less(line[:-1][~rising], line[1:][~rising])
    return places


def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Plain:  # noqa: ARG001
    """The elements in their order."""
    a, axis = (objects(a).ravel(), 0) if axis is None else (objects(a), axis)
    return np.take_along_axis(a, argsort(a, axis), axis)


def place_of(extreme: Callable[..., Any], beyond: Any, beyond_or_equal: Any) -> Callable[..., Any]:
    """The function that finds the place of an extreme element in every line: the first of equal ones, or the first nan."""

    def f(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        a = objects(a)
        rows, shape = lines(a, axis)
        places = extreme(primals(rows), axis=1)
        if current().read is not None:
            best = np.take_along_axis(rows, places[:, None], 1)
            before = np.arange(rows.shape[1]) < places[:, None]
            best = np.broadcast_to(best, rows.shape)
            beyond(rows[before], best[before])
            beyond_or_equal(rows[~before], best[~before])
        places = places.reshape(shape)
        places = np.expand_dims(places, axes_of(axis, a.ndim)) if keepdims is True else places[()]
        return written(places, out)

    return f


argmax = place_of(np.argmax, less, less_equal)
argmin = place_of(np.argmin, greater, greater_equal)


def quantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",  # noqa: ARG001
    keepdims: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """The elements below which these parts of each line lie, by linear interpolation between two; nan where there is a nan."""
    if method != "linear" or any(x is not None for x in options.values()):
        raise TypeError("quantiles of Values are by linear interpolation, without weights; give NumPy the numbers, a.numbers")
    a, parts = objects(a), objects(q)
    if not a.size or not np.all(less_equal(0.0, parts) & less_equal(parts, 1.0)):
        raise ValueError(f"quantiles need elements, and q from 0 to 1, not {a.size} elements and q = {q}")
    return at_parts(a, parts, axis, out, keepdims, lambda line: line)


def at_parts(
    a: Any, parts: Any, axis: Any, out: Any, keepdims: bool, chosen: Callable[[list[Any]], list[Any]]
) -> Any:  # fmt: skip
    """What stands at these parts of the way through each line in its order, of which `chosen` takes what counts."""
    rows, shape = lines(a, axis)
    ordered = [chosen(line) for line in sort(rows).tolist()]
    found = filled([at_part(line, part) for part in parts.ravel().tolist() for line in ordered], parts.shape + shape)
    if keepdims:
        found = np.expand_dims(found, tuple([i if i < 0 else i + parts.ndim for i in axes_of(axis, a.ndim)]))
    return written(found, out)


def at_part(line: list[Any], part: Any) -> Any:
    """What stands at this part of the way through a line in its order, between two elements a mixture of them."""
    if not line:
        return np.nan
    if line[-1] != line[-1]:  # nan comes last, and then nothing is known
        return line[-1]
    place = part * (len(line) - 1)
    low = int(primal_of(place))
    moves = isinstance(place, Value) and low + 1 < len(line) and abs(line[low + 1]) < inf
    if place == low and not moves:  # at an element, a place that moves has the slope of the piece on its right
        return line[low]
    place > low, place < low + 1
    return line[low] * (low + 1 - place) + line[low + 1] * (place - low)


def percentile(a: Any, q: Any, *arguments: Any, **options: Any) -> Any:
    """The same in hundredths."""
    return quantile(a, objects(q) / 100.0, *arguments, **options)


def median(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False  # noqa: ARG001
) -> Any:  # fmt: skip
    """The middle element, or the mean of the middle two."""
    return quantile(a, 0.5, axis, out, keepdims=keepdims is True)


def nanmedian(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False  # noqa: ARG001
) -> Any:  # fmt: skip
    """The same of the elements that are no nan; nan where there is none."""
    numbers: Callable[[list[Any]], list[Any]] = lambda line: [x for x in line if x == x]  # noqa: E731
    return at_parts(objects(a), plain(0.5), axis, out, keepdims is True, numbers)


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """The height at x of the line through the points (xp, fp), whose xp rise; outside `left` and `right`, or the last heights.

    At a point the slope is that of the piece on its right.
    """
    if period is not None:
        raise TypeError("numpy.interp of Values knows no period; take the remainder of x, and give one period and its ends")
    knots, heights = plain(xp).tolist(), plain(fp).tolist()
    if not knots or len(knots) != len(heights):
        raise ValueError(f"numpy.interp needs as many heights as points, and one at least, not {len(heights)} for {len(knots)}")
    rising, last = primals(xp), len(knots) - 1

    def height(x: Any) -> Any:
        if x < knots[0]:
            return heights[0] if left is None else left
        if x > knots[last]:
            return heights[last] if right is None else right
        if last == 0:
            return heights[0]
        i = min(int(np.searchsorted(rising, primal_of(x), side="right")) - 1, last - 1)
        x >= knots[i], x < knots[i + 1]
        if knots[i] == knots[i + 1]:  # a jump at the last point
            return heights[i + 1]
        return heights[i] + (heights[i + 1] - heights[i]) / (knots[i + 1] - knots[i]) * (x - knots[i])

    return elementwise(height, x)
