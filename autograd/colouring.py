"""The room of colouring: which columns or rows of a sparse matrix of derivatives can share one pass.

Columns of one colour have no row in common, so one pass forward finds them all: it carries 1 from each of these inputs, and every
output hears from one of them at most. Rows of one colour share a pass back. A symmetric matrix needs fewer: in a star colouring
every entry stands alone of its colour in its row or in that of its mirror image. Entries are read where they stand, never solved
for, so numbers do not mix: an inf or nan reaches the entries it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

__all__ = ["Colouring", "by_columns_or_rows", "by_stars", "members", "transposed"]

Lists = Sequence[Sequence[int]]  # the entries of every row in order, by their columns


class Colouring(NamedTuple):
    """The passes in which the entries of a matrix are found, and where each of them is read."""

    mode: str  # "forward": columns share a pass; "reverse": rows do; "star": columns of a symmetric matrix
    colors: list[int]  # the pass of every column (or row); -1 for those that need none
    sources: list[tuple[int, int]]  # for every entry the pass, and its place in what the pass finds

    @property
    def passes(self) -> int:
        """How many passes there are."""
        return max(self.colors, default=-1) + 1

    @property
    def groups(self) -> list[list[int]]:
        """The columns (or rows) of every pass."""
        found: list[list[int]] = [[] for _ in range(self.passes)]
        for place, color in enumerate(self.colors):
            if color >= 0:
                found[color].append(place)
        return found


def by_columns_or_rows(rows: Lists, width: int) -> Colouring:
    """A colouring of the columns or of the rows, whichever needs fewer passes; rows where both need as many.

    >>> by_columns_or_rows([[0], [0, 1], [0, 2]], 3).mode, by_columns_or_rows([[0, 1, 2], [1], [2]], 3).mode
    ('forward', 'reverse')
    """
    columns = transposed(rows, width)
    forward, reverse = best(greedy, columns, rows), best(greedy, rows, columns)
    if max(forward, default=-1) < max(reverse, default=-1):
        return Colouring("forward", forward, [(forward[j], i) for i, j in entries(rows)])
    return Colouring("reverse", reverse, [(reverse[i], j) for i, j in entries(rows)])


def by_stars(rows: Lists) -> Colouring:
    """A star colouring of a symmetric matrix; a pass that no entry needs is left out.

    Entry (i, j), and with it (j, i), is read in row i, in the pass of column j, if j is alone of its colour there; else in row j,
    in the pass of column i, which is alone there then.

    >>> by_stars([[0, 1, 2, 3], [0, 1], [0, 2], [0, 3]]).colors  # an arrow: two passes, of any size
    [0, 1, 1, 1]
    """
    colors = best(star, rows)
    twice = [repeated(colors[j] for j in row) for row in rows]
    sources = [(colors[i], j) if twice[i] >> colors[j] & 1 else (colors[j], i) for i, j in map(sorted, entries(rows))]
    needed = {color: k for k, color in enumerate(sorted({color for color, _ in sources}))}
    return Colouring("star", [needed.get(color, -1) for color in colors], [(needed[color], k) for color, k in sources])


def best(colour: Callable[..., list[int]], rows: Lists, *others: Lists) -> list[int]:
    """The better of two greedy colourings: in the order of the rows, right for bands, and fullest first, right for arrows."""
    orders = range(len(rows)), sorted(range(len(rows)), key=lambda i: -len(rows[i]))
    return min((colour(rows, *others, order) for order in orders), key=lambda colors: max(colors, default=-1))


def greedy(rows: Lists, columns: Lists, order: Iterable[int]) -> list[int]:
    """Colours of the rows: those of two rows with an entry in one column differ. Rows without entries have none, -1."""
    colors = [-1] * len(rows)
    taken = [0] * len(columns)  # the colours of the rows in each column, as bits
    for i in order:
        if rows[i]:
            forbidden = 0
            for j in rows[i]:
                forbidden |= taken[j]
            colors[i] = free = lowest_free(forbidden)
            for j in rows[i]:
                taken[j] |= 1 << free
    return colors


def star(rows: Lists, order: Iterable[int]) -> list[int]:
    """Colours of the rows of a symmetric matrix: neighbours differ, and no path of four rows has two colours only.

    Each such path would be closed by the row that is coloured last: in the middle of it, between two neighbours of one colour, of
    which one has a neighbour of the row's own; or at its end, next to a row that has a twin beyond the next one.
    """
    colors = [-1] * len(rows)
    once, twice = [0] * len(rows), [0] * len(rows)  # the colours of each row's neighbours, as bits; those that several have
    beyond = [0] * len(rows)  # the colours of those neighbours on whose other sides the row's own colour stands again
    for v in order:
        if not rows[v]:
            continue
        neighbours = [w for w in rows[v] if w != v]
        forbidden = once[v]
        for w in neighbours:
            if colors[w] >= 0:
                forbidden |= beyond[w] | (once[w] if twice[v] >> colors[w] & 1 else 0)
        colors[v] = color = lowest_free(forbidden)
        bit = 1 << color
        for w in neighbours:
            if colors[w] >= 0 and twice[v] >> colors[w] & 1:
                beyond[w] |= bit
            if not once[w] & bit:
                once[w] |= bit
                continue
            twins = [v] if twice[w] & bit else [u for u in rows[w] if colors[u] == color]
            twice[w] |= bit
            if colors[w] >= 0:
                for u in twins:
                    beyond[u] |= 1 << colors[w]
    return colors


def lowest_free(bits: int) -> int:
    """The lowest bit that is not set."""
    return (~bits & bits + 1).bit_length() - 1


def repeated(numbers: Iterable[int]) -> int:
    """The numbers that come more than once, as bits."""
    once = twice = 0
    for number in numbers:
        twice |= once & 1 << number
        once |= 1 << number
    return twice


def entries(rows: Lists) -> Iterator[tuple[int, int]]:
    """Row and column of every entry, row by row."""
    return chain.from_iterable([(i, j) for j in row] for i, row in enumerate(rows))


def transposed(rows: Lists, width: int) -> list[list[int]]:
    """The rows in which each column has an entry."""
    columns: list[list[int]] = [[] for _ in range(width)]
    for i, j in entries(rows):
        columns[j].append(i)
    return columns


def members(bits: int) -> list[int]:
    """The places of the bits that are set, in order.

    >>> members(0b1101)
    [0, 2, 3]
    """
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found
