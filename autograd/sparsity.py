"""The room of sparsity: which entries of a Jacobian or Hessian may be nonzero, drawn, coloured, and filled with numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

from autograd.colouring import Colouring, by_columns_or_rows, by_stars, members

__all__ = ["Pattern", "matrices"]

WIDE = 60  # columns, and rows, that are drawn one sign each
BRAILLE = 160  # dots across, and down, into which more of them are drawn
CELLS = 200  # squares of an SVG, across and down
PIXELS = 240  # its size
# By pass, in an SVG; further passes repeat them. They stand out on white and on black, and for colour-blind eyes.
PAINTS = ("#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#76b7b2", "#edc948")


class Pattern:
    """Which entries of a matrix of derivatives may be nonzero, and the passes in which they are found.

    A row for every number in the output, a column for every number in the input, in the order in which they stand; of a Hessian,
    inputs both ways. `shape`, `count` (how many entries), `rows` and `columns` (of every entry), `(i, j) in pattern`, a loop over
    the pairs (i, j), and `numpy.asarray(pattern)`, an array of booleans, say where; `mode`, `passes` and `colors` say how. Printed,
    and in notebooks, it is a picture.

    >>> from autograd import pattern
    >>> found = pattern(lambda x: [x[0] * x[1], x[1] + x[2], x[2]])([1.0, 2.0, 3.0])
    >>> print(found)
    3 x 3, 5 entries, 2 passes in reverse
    ■ ■ ·
    · ■ ■
    · · ■
    >>> found.rows, found.columns
    ((0, 0, 1, 1, 2), (0, 1, 1, 2, 2))
    >>> found.mode, found.colors
    ('reverse', (0, 1, 0))
    """

    def __init__(self, rows: Sequence[int], width: int, *, symmetric: bool = False) -> None:
        self.shape, self.symmetric = (len(rows), width), symmetric
        self.lists = [members(bits) for bits in rows]  # the columns of every row

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

    def __len__(self) -> int:
        return self.count

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pattern):
            return NotImplemented
        return (self.shape, self.symmetric, self.lists) == (other.shape, other.symmetric, other.lists)

    def __hash__(self) -> int:
        return hash((self.shape, self.symmetric, tuple(map(tuple, self.lists))))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        if copy is False:
            raise ValueError("a Pattern is no array that could be shared: numpy.asarray(pattern) makes a new one")
        dense = np.zeros(self.shape, dtype=bool)
        for i, columns in enumerate(self.lists):
            dense[i, columns] = True
        return dense if dtype is None else dense.astype(dtype)

    def __repr__(self) -> str:
        return f"Pattern(shape={self.shape}, entries={list(self)})"

    def __str__(self) -> str:
        height, width = self.shape
        how = {"forward": "forward", "reverse": "in reverse", "star": "by stars"}[self.mode]
        title = f"{height} x {width}, {self.count} {'entry' if self.count == 1 else 'entries'}"
        title += f", {self.passes} {'pass' if self.passes == 1 else 'passes'} {how}"
        if not height or not width:
            return title
        lines = signs(self.lists, width) if max(self.shape) <= WIDE else dots(*self.scaled(BRAILLE))
        return "\n".join([title, *lines])

    def scaled(self, most: int) -> tuple[dict[tuple[int, int], int], int, int]:
        """The places of entries in a grid of at most so many rows and columns, each with the pass of one of them; and its size."""
        step = -(-max(self.shape) // most) or 1
        found: dict[tuple[int, int], int] = {}
        for (i, j), (color, _) in zip(self, self.colouring.sources):
            found.setdefault((i // step, j // step), color)
        return found, -(-self.shape[0] // step), -(-self.shape[1] // step)

    def _repr_svg_(self) -> str:
        """The picture in a notebook: a square for every entry, in the colour of its pass; of large matrices, for many of them."""
        found, height, width = self.scaled(CELLS)
        size = PIXELS / max(height, width, 1)
        side = size * (0.9 if size > 4.0 else 1.0)
        squares: dict[str, list[str]] = {}
        for (i, j), color in found.items():
            path = f"M{j * size:.4g} {i * size:.4g}h{side:.3g}v{side:.3g}h-{side:.3g}z"
            squares.setdefault(PAINTS[color % len(PAINTS)], []).append(path)
        paths = "".join(f'<path fill="{paint}" d="{"".join(parts)}"/>' for paint, parts in squares.items())
        x, y = width * size, height * size
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {x + 2:.5g} {y + 2:.5g}" width="{x + 2:.5g}" '
            f'height="{y + 2:.5g}"><title>{str(self).splitlines()[0]}</title>'
            f'<rect width="{x:.5g}" height="{y:.5g}" fill="none" stroke="#858b93"/>{paths}</svg>'
        )


def signs(lists: Sequence[Sequence[int]], width: int) -> list[str]:
    """A small pattern as text: a sign for every place."""
    return [" ".join("■" if j in columns else "·" for j in range(width)) for columns in map(set, lists)]


def dots(places: dict[tuple[int, int], int], height: int, width: int) -> list[str]:
    """A large pattern as text: in every sign of braille, four rows and two columns of dots."""
    cells: dict[tuple[int, int], int] = {}
    for i, j in places:
        cell = i // 4, j // 2
        cells[cell] = cells.get(cell, 0) | ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))[i % 4][j % 2]
    rows, columns = -(-height // 4), -(-width // 2)
    return ["".join(chr(0x2800 + cells.get((i, j), 0)) for j in range(columns)) for i in range(rows)]


def matrices(name: str) -> Callable[[Pattern, Sequence[float]], Any]:
    """What makes a SciPy matrix of a pattern and the numbers of its entries. Raises ImportError without SciPy.

    It is a `csr_array`, SciPy's sparse array: `*` and `**` go element by element and `@` is the product of matrices, as in NumPy;
    `csr_matrix`, where `*` is the product, is kept by SciPy for old code, and made by `scipy.sparse.csr_matrix(found)`. Every entry
    of the pattern is stored, also where its number is 0: the structure does not change from point to point.
    """
    try:
        import numpy as np
        from scipy.sparse import csr_array
    except ImportError:
        raise ImportError(
            f"{name}(f, sparse=True) returns SciPy's sparse arrays: pip install 'scipy>=1.8', or leave sparse=True out; "
            "autograd.pattern(f) shows where the entries are without it"
        ) from None

    def matrix(pattern: Pattern, numbers: Sequence[float]) -> Any:
        starts = np.cumsum([0, *map(len, pattern.lists)], dtype=np.int32)
        return csr_array((np.array(numbers, float), np.array(pattern.columns, np.int32), starts), shape=pattern.shape)

    return matrix
