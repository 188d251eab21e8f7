"""The room of access: lists of places as loops with strides.

The places of a matrix read by columns are 0, 3, 6, 1, 4, 7, ...: two loops, with strides 1 and 3. Operands of one instruction
share their loops, so the loops are found for all lists of places at once: they are the rows of one array here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["UNKNOWN", "Fit", "Loops", "axes", "common_loops", "separated"]

UNKNOWN = -1  # the place of a hole: nobody reads what is computed from it, so that any place will do
Array = Any  # of whole numbers
Axis = tuple[int, tuple[int, ...]]  # the size of a loop, and a stride for each list


class Fit(NamedTuple):
    """A list of places as loops reach it."""

    start: int
    strides: tuple[int, ...]


class Loops(NamedTuple):
    """Loops that visit several lists of places at once; a list that has no strides there is None."""

    sizes: tuple[int, ...]
    reduced: int
    fits: list[Fit | None]


def axes(rows: Array) -> list[Axis] | None:
    """The loops that visit the places of all rows of a matrix at once, outermost first; None if there are none.

    >>> axes(np.array([[0, 3, 6, 1, 4, 7], [0, 1, 2, 3, 4, 5]]))
    [(2, (1, 3)), (3, (3, 1))]
    """
    n = rows.shape[1]
    if n == 1:
        return []
    steps = np.diff(rows, axis=1)
    others = np.flatnonzero((steps != steps[:, :1]).any(axis=0))
    run = int(others[0]) + 1 if len(others) else n  # so many places are equally far apart
    inside = (steps[:, :1] * np.arange(run))[:, None]
    if n % run or (rows.reshape(len(rows), -1, run) - rows[:, ::run, None] != inside).any():
        return None
    outer = axes(rows[:, ::run])
    return None if outer is None else [*outer, (run, tuple(steps[:, 0].tolist()))]


def separated(places: Array) -> tuple[int, list[Array]] | None:
    """A start, and for each dimension an offset for each index, whose sums are the places; None if there are none.

    Only places that are known count, and they must be enough to tell all offsets.
    """
    if (places != UNKNOWN).all():
        start = int(places.flat[0])
        lines = [places[(0,) * d + (slice(None),) + (0,) * (places.ndim - d - 1)] for d in range(places.ndim)]
        offsets = [line - start for line in lines]
    else:
        told = told_by_known(places)
        if told is None:
            return None
        start, offsets = told
    total: Array = start
    for d, offset in enumerate(offsets):
        total = total + offset.reshape([-1 if e == d else 1 for e in range(places.ndim)])
    return (start, offsets) if bool(((places == UNKNOWN) | (places == total)).all()) else None


def told_by_known(places: Array) -> tuple[int, list[Array]] | None:
    """The start and the offsets of places of which some are unknown: a known place with one unknown offset tells that."""
    known = {tuple(index): int(places[tuple(index)]) for index in np.argwhere(places != UNKNOWN).tolist()}
    if not known:
        return None
    origin = next(iter(known))
    found = [{i: 0} for i in origin]
    before = 0
    while sum(map(len, found)) != before:
        before = sum(map(len, found))
        for index, place in known.items():
            missing = [d for d, i in enumerate(index) if i not in found[d]]
            if len(missing) == 1:
                d = missing[0]
                found[d][index[d]] = place - known[origin] - sum([found[e][i] for e, i in enumerate(index) if e != d])
    if any(len(offsets) != size for offsets, size in zip(found, places.shape)):
        return None
    firsts = [offsets[0] for offsets in found]
    return known[origin] + sum(firsts), [
        np.array([offsets[i] - first for i in range(len(offsets))]) for offsets, first in zip(found, firsts)
    ]


def common_loops(dims: Sequence[int], reduced: int, lists: Sequence[Array], *, is_whole: bool = False) -> Loops:
    """The coarsest loops that visit all lists, which are arrays that broadcast to `dims`; the last `reduced` dims are folded.

    A list has no strides if it shares no loops with those before it, or, where folded dims stay whole, if it would split one.
    """
    if len(dims) == 1 and not is_whole and (found := linear(dims[0], reduced, lists)) is not None:
        return found
    fits = [separated(np.broadcast_to(places, tuple(dims))) for places in lists]
    chosen: list[int] = []
    loops: list[list[Axis]] = [[] for _ in dims]
    for k, fit in enumerate(fits):
        if fit is None:
            continue
        known = [fits[j] for j in (*chosen, k)]
        trial = [axes(np.array([part[1][d] for part in known if part is not None])) for d in range(len(dims))]
        if is_whole and any(part is not None and len(part) > 1 for part in trial[len(dims) - reduced :]):
            continue
        if None not in trial:
            chosen.append(k)
            loops = [part for part in trial if part is not None]
    sizes = tuple([size for part in loops for size, _ in part])
    strides = {k: tuple([steps[j] for part in loops for _, steps in part]) for j, k in enumerate(chosen)}
    folded = sum(len(part) for part in loops[len(dims) - reduced :])
    return Loops(sizes, folded, [Fit(fit[0], strides[k]) if fit and k in strides else None for k, fit in enumerate(fits)])


def linear(size: int, reduced: int, lists: Sequence[Array]) -> Loops | None:
    """The same for lists of one dimension, if all of them are known and share their loops, as most do."""
    rows = np.array([places if places.shape == (size,) else np.broadcast_to(places, (size,)) for places in lists])
    found = axes(rows) if rows.min() > UNKNOWN else None
    if found is None:
        return None
    strides = zip(*[steps for _, steps in found]) if found else [()] * len(rows)
    fits = [Fit(start, tuple(steps)) for start, steps in zip(rows[:, 0].tolist(), strides)]
    return Loops(tuple([size for size, _ in found]), len(found) if reduced else 0, list(fits))
