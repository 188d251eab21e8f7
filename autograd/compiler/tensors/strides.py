"""The room of strides: lists of places as loops, by plain Python, for programs that are printed where NumPy may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

__all__ = ["Loop", "common", "loops_of", "separated", "split"]

Loop = tuple[int, int]  # a size, and a stride


def loops_of(places: Sequence[int]) -> list[Loop] | None:
    """The coarsest loops that visit places one after the other, outermost first; None if there are none.

    >>> loops_of([0, 3, 6, 1, 4, 7]), loops_of([5, 5, 5]), loops_of([0, 1, 3])
    ([(2, 1), (3, 3)], [(3, 0)], None)
    """
    n = len(places)
    if n < 2:
        return []
    first, step = places[0], places[1] - places[0]
    run = next((k for k in range(2, n) if places[k] != first + k * step), n)
    if n % run:
        return None
    firsts = places[::run]
    if run < n and any(places[k * run + j] != start + j * step for k, start in enumerate(firsts) for j in range(1, run)):
        return None
    outer = loops_of(firsts)
    return None if outer is None else [*outer, (run, step)]


def separated(places: Sequence[int], dims: Sequence[int]) -> list[list[Loop]] | None:
    """The loops of each dimension of an array of places; None if there are none.

    >>> separated([0, 1, 10, 11, 0, 1, 10, 11], (2, 4))
    [[(2, 0)], [(2, 10), (2, 1)]]
    """
    found, reached, inside = [], [places[0]], len(places)
    for size in dims:
        inside //= size
        line = places[: size * inside : inside]
        loops = loops_of(line)
        if loops is None:
            return None
        found.append(loops)
        reached = [place + other - places[0] for place in reached for other in line]
    return found if reached == list(places) else None


def common(lists: Sequence[Sequence[Loop]]) -> tuple[int, ...] | None:
    """The coarsest sizes into which all these loops, of as many steps, can be split; None if there are none.

    >>> common([[(12, 1)], [(3, 0), (4, 1)], [(6, 5), (2, 0)]])
    (3, 2, 2)
    """
    ends = sorted({prod([size for size, _ in loops[k:]]) for loops in lists for k in range(len(loops) + 1)})
    if any(large % small for small, large in pairwise(ends)):
        return None
    return tuple([large // small for small, large in pairwise(ends)][::-1])


def split(loops: Sequence[Loop], sizes: Sequence[int]) -> tuple[int, ...]:
    """The strides of loops after they are split into these sizes; of none, the same place everywhere."""
    if not loops:
        return (0,) * len(sizes)
    found, k = [], len(sizes) - 1
    for size, stride in reversed(loops):
        inside = 1
        while inside < size:
            found.append(stride * inside)
            inside *= sizes[k]
            k -= 1
    return tuple(reversed(found))
