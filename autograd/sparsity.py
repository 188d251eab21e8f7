"""The room of sparsity: which entries of a Jacobian or Hessian may be nonzero, coloured, and drawn as text and as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from autograd.colouring import Colouring, by_columns_or_rows, by_stars, members, transposed

__all__ = ["Pattern"]

FEW = 20  # entries that are listed
SMALL = 40  # rows and columns that are drawn one by one
DOTS = 160  # across, and down, into which more of them are drawn
PIXELS = 240  # of a picture
# By pass; further passes repeat them. They stand out on white and on black, and for colour-blind eyes.
PAINTS = ("#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#76b7b2", "#edc948")


class Pattern:
    """Which entries of a matrix of derivatives may be nonzero, and the passes in which they are found.

    A row for every number in the output, a column for every number in the input, in the order in which they stand; of a Hessian,
    inputs both ways. Where: `shape`, `count` (how many entries), `rows` and `columns` (of every entry), a loop over the pairs
    (i, j), `(i, j) in pattern`, and `numpy.asarray(pattern)`, an array of booleans. How: `mode`, `passes` and `colors`. Printed,
    and in notebooks, it is a picture.

    >>> from autograd import pattern
    >>> found = pattern(lambda x: [x[0] * x[1], x[1] + x[2], x[2]])([1.0, 2.0, 3.0])
    >>> print(found)
    3 x 3, 5 entries, 2 passes (row colouring)
    ■ ■ ·
    · ■ ■
    · · ■
    >>> found.rows, found.columns
    ((0, 0, 1, 1, 2), (0, 1, 1, 2, 2))
    >>> found.mode, found.colors
    ('reverse', (0, 1, 0))
    """

    def __init__(self, rows: Sequence[int], width: int, *, is_hessian: bool = False) -> None:
        self.shape = (len(rows), width)
        self.lists = [members(bits) for bits in rows]  # the columns of every row
        self.symmetric = is_hessian and transposed(self.lists, width) == self.lists  # own operations may break it

    @property
    def count(self) -> int:
        """How many entries there are."""
        return sum(map(len, self.lists))

    @property
    def rows(self) -> tuple[int, ...]:
        """The row of every entry, row by row."""
        return tuple([i for i, _ in self])

    @property
    def columns(self) -> tuple[int, ...]:
        """The column of every entry, row by row."""
        return tuple([j for _, j in self])

    @cached_property
    def colouring(self) -> Colouring:
        """The passes, and where each entry is read."""
        return by_stars(self.lists) if self.symmetric else by_columns_or_rows(self.lists, self.shape[1])

    @property
    def mode(self) -> str:
        """What is coloured: "forward": columns; "reverse": rows; "star": the inputs of a Hessian."""
        return self.colouring.mode

    @property
    def colors(self) -> tuple[int, ...]:
        """The pass of every column or row; -1 for those that need none."""
        return tuple(self.colouring.colors)

    @property
    def passes(self) -> int:
        """How many passes find all entries."""
        return self.colouring.passes

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for i, columns in enumerate(self.lists):
            for j in columns:
                yield i, j

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What two patterns are compared by."""
        return self.shape, self.symmetric, tuple(map(tuple, self.lists))

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, Pattern) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)

    @cached_property
    def indices(self) -> tuple[Any, Any]:
        """The columns of all entries, and where each row starts among them, as SciPy's arrays hold them."""
        import numpy as np

        return np.array(self.columns, np.int32), np.cumsum([0, *map(len, self.lists)], dtype=np.int32)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        if copy is False:
            raise ValueError("a Pattern is no array that could be shared: numpy.asarray(pattern) makes a new one")
        dense = np.zeros(self.shape, dtype=bool)
        for i, columns in enumerate(self.lists):
            dense[i, columns] = True
        return dense if dtype is None else dense.astype(dtype)

    def __repr__(self) -> str:
        """Equal patterns have one text, and others another: audits of compiled functions compare it."""
        if self.count <= FEW:
            return f"Pattern(shape={self.shape}, entries={list(self)})"
        first, *_, last = self
        return f"Pattern(shape={self.shape}, entries=[{first}, ..., {last}], count={self.count}, hash={hash(self)})"

    def __str__(self) -> str:
        height, width = self.shape
        how = {"forward": "column", "reverse": "row", "star": "star"}[self.mode]
        title = f"{height} x {width}, {self.count} {'entry' if self.count == 1 else 'entries'}"
        title += f", {self.passes} {'pass' if self.passes == 1 else 'passes'} ({how} colouring)"
        if not height or not width:
            return title
        lines = signs(self.lists, width) if max(self.shape) <= SMALL else braille(*self.scaled(DOTS))
        return "\n".join([title, *lines])

    def scaled(self, most: int) -> tuple[list[list[int]], int]:
        """The rows of a pattern with at most so many rows and columns, of which each stands for several; and its width."""
        step = -(-max(self.shape) // most)
        rows: list[set[int]] = [set() for _ in range(-(-self.shape[0] // step))]
        for i, j in self:
            rows[i // step].add(j // step)
        return list(map(sorted, rows)), -(-self.shape[1] // step)

    def _repr_svg_(self) -> str:
        """The picture in a notebook. Of a small matrix, every entry is a square in the colour of its pass."""
        if max(self.shape) <= SMALL:
            bars = [(i, j, 1, color) for (i, j), (color, _) in zip(self, self.colouring.sources)]
            (height, width), thick = self.shape, 0.85
        else:
            lists, width = self.scaled(DOTS)
            bars = [(i, j, length, 0) for i, row in enumerate(lists) for j, length in runs(row)]
            height, thick = len(lists), 1.0
        size = PIXELS / max(height, width, 1)
        paths = [""] * len(PAINTS)
        for i, j, length, color in bars:
            across, down = size * (length - 1 + thick), size * thick
            paths[color % len(PAINTS)] += f"M{j * size:.5g} {i * size:.5g}h{across:.4g}v{down:.4g}h-{across:.4g}z"
        shapes = "".join([f'<path fill="{paint}" d="{path}"/>' for paint, path in zip(PAINTS, paths) if path])
        x, y = width * size, height * size
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 {x + 4:.5g} {y + 4:.5g}" width="{x + 4:.5g}" '
            f'height="{y + 4:.5g}"><title>{str(self).splitlines()[0]}</title>'
            f'<rect x="-1" y="-1" width="{x + 2:.5g}" height="{y + 2:.5g}" fill="none" stroke="#858b93"/>{shapes}</svg>'
        )


def signs(rows: Sequence[Sequence[int]], width: int) -> list[str]:
    """A small pattern as text: a sign for every place."""
    return [" ".join("■" if j in columns else "·" for j in range(width)) for columns in map(set, rows)]


def braille(rows: Sequence[Sequence[int]], width: int) -> list[str]:
    """A large pattern as text: in every sign of braille, four rows and two columns of dots."""
    lines = []
    for top in range(0, len(rows), 4):
        line = [0x2800] * -(-width // 2)
        for row, bits in zip(rows[top : top + 4], ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))):
            for j in row:
                line[j // 2] |= bits[j % 2]
        lines.append("".join(map(chr, line)))
    return lines


def runs(columns: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The start and length of every run of neighbouring columns."""
    start = 0
    for k, j in enumerate(columns):
        if k + 1 == len(columns) or columns[k + 1] != j + 1:
            yield columns[start], k + 1 - start
            start = k + 1
