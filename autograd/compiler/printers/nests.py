"""The room of nests: an instruction with its loops as fine as the arrays that it reads, and its operands as views of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from autograd.compiler.printers.expressions import Name, Tree, call, literal
from autograd.compiler.printers.views import EACH, STEP, Gathered, Loop, Stored, View, expanded, stored, view, widths
from autograd.compiler.tensors.instructions import Affine, Gather, Instruction, Number, Taken
from autograd.compiler.totals import TOTAL, TOTAL_DOT
from autograd.ops import TABLE

__all__ = ["Arrays", "Axis", "Nest"]

Part = Affine | Gather | Number
KINDS = {"C": float, "I": int, "M": bool}  # of constant arrays, by the first letter of their names


@dataclass
class Axis:
    """A loop: by how much the places of the operands and of the result grow (None: it is folded)."""

    size: int
    strides: list[int]
    out: int | None
    parts: tuple[int, ...] = ()  # the loops that it stands for, where it is several of them, one in the other

    def split(self, sizes: Sequence[int]) -> list[Axis]:
        """The same as loops of these sizes."""
        found, step = [], 1
        for size in reversed(sizes):
            out = None if self.out is None else self.out * step
            found.append(Axis(size, [stride * step for stride in self.strides], out))
            step *= size
        return found[::-1]


@dataclass
class Arrays:
    """What instructions read: arrays by their buffers, and constant arrays by their names."""

    stored: dict[str, Stored] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)
    gathers: dict[tuple[str, int], None] = field(default_factory=dict)  # buffers, and how many numbers were gathered
    known: dict[Any, Name] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, Sequence[float]] = field(default_factory=dict)  # of buffers of constants

    def table(self, letter: str, array: Any) -> Name:
        """A constant array."""
        import numpy as np

        array = np.array(array, dtype=KINDS[letter], order="C")
        key = letter, array.shape, array.tobytes()
        if key not in self.known:
            self.counts[letter] += 1
            self.known[key] = Name(f"{letter}{self.counts[letter]}")
            self.tables[self.known[key].name] = array
        return self.known[key]

    def places(self, array: Any) -> Name:
        """An array of places."""
        return self.table("I", array)

    def constants(self, buffer: str, numbers: Sequence[float]) -> None:
        """A buffer of constants is an array."""
        self.stored[buffer], self.numbers[buffer] = stored(self.table("C", numbers).name, (len(numbers),)), numbers


class Nest:
    """An instruction: its operands, its loops (one more where it is done for each example), and how operands are read."""

    def __init__(self, ins: Instruction, arrays: Arrays, shape: Sequence[int] = (), terms: Any = None) -> None:
        self.ins, self.arrays, self.terms = ins, arrays, terms
        self.row = {TOTAL: TABLE["sum"], TOTAL_DOT: TABLE["dot"]}.get(ins.row, ins.row)
        self.parts: list[Part] = []
        for x in ins.operands:
            self.parts += [x.table, x.index] if isinstance(x, Taken) else [x]
        self.axes = self.opened()
        finer = self.split(shape)
        if self.row.name != "dot" or not self.kept or self.sliced(finer) > self.sliced(self.axes):
            self.axes = finer

    @property
    def kept(self) -> list[int]:
        """The loops that are not folded."""
        return [j for j, axis in enumerate(self.axes) if axis.out is not None and not axis.parts]

    @property
    def folded(self) -> list[int]:
        """Those that are."""
        return [j for j, axis in enumerate(self.axes) if axis.out is None]

    @property
    def inner(self) -> list[int]:
        """The loops but for that of the examples."""
        return [j for j, axis in enumerate(self.axes) if axis.size != EACH]

    def is_each(self, j: int) -> bool:
        """Whether a loop is that of the examples."""
        return self.axes[j].size == EACH

    def runs(self, k: int, j: int) -> bool:
        """Whether operand k varies along a loop."""
        return self.axes[j].strides[k] != 0

    def opened(self) -> list[Axis]:
        """The loops of the instruction, that of the examples last."""
        ins, found = self.ins, []
        for j, size in enumerate(ins.sizes):
            strides = [x.strides[j] if isinstance(x, Affine) else int(isinstance(x, Gather)) for x in self.parts]
            found.append(Axis(size, strides, ins.out.strides[j] if j < len(ins.outer) else None))
        batched = [not isinstance(x, Number) and self.arrays.stored[x.buffer].is_batched for x in self.parts]
        if any(batched):
            out = None if ins.row in (TOTAL, TOTAL_DOT) else STEP
            found.append(Axis(EACH, [STEP * is_batched for is_batched in batched], out))
        return found

    def split(self, shape: Sequence[int]) -> list[Axis]:
        """The loops as fine as the axes of the arrays that they run through; and as those of a result of this shape."""
        ends = {prod(shape[d:]) for d in range(1, len(shape))}
        found = []
        for axis in self.axes:
            if axis.size == EACH:
                found.append(axis)
                continue
            inner = {end for end in ends if axis.out == 1 and 1 < end < axis.size}
            for x, stride in zip(self.parts, axis.strides):
                if isinstance(x, Affine) and stride > 0:
                    inner.update(widths(self.arrays.stored[x.buffer], x.start, Loop(axis.size, stride)))
            sizes, last = [], 1
            for width in sorted(inner):
                if width % last == 0 and axis.size % width == 0:
                    sizes.append(width // last)
                    last = width
            found += axis.split([axis.size // last, *sizes[::-1]])
        return found

    def sliced(self, axes: Sequence[Axis]) -> bool:
        """Whether all operands are slices of arrays in these loops."""
        return all(self.slice_of(x, k, axes) is not None for k, x in enumerate(self.parts) if isinstance(x, Affine))

    def slice_of(self, x: Affine, k: int, axes: Sequence[Axis]) -> View | None:
        """An operand as a slice of its array, if it is one."""
        mine = [j for j, axis in enumerate(axes) if axis.strides[k] != 0]
        found = view(self.arrays.stored[x.buffer], x.start, [Loop(axes[j].size, axes[j].strides[k]) for j in mine])
        return found and View(found.tree, [mine[j] for j in found.order])

    def read(self, k: int) -> View:
        """Operand k, with an axis for each loop along which it varies."""
        import numpy as np

        x = self.parts[k]
        if isinstance(x, Number):
            return View(literal(x.value), [])
        if isinstance(x, Affine) and (found := self.slice_of(x, k, self.axes)) is not None:
            return found
        loops, places = self.inner, self.all_places(k)
        for d, j in reversed(list(enumerate(loops))):
            if (places == places.take([0], d)).all():
                places = places.take(0, d)
                loops.remove(j)
        for j in self.inner:
            self.axes[j].strides[k] = self.axes[j].strides[k] or 1 if j in loops else 0
        array = self.arrays.stored[x.buffer]
        each = [j for j, axis in enumerate(self.axes) if axis.size == EACH and axis.strides[k]]
        return Gathered(array.flat(), [*loops, *each], np.clip(places, 0, array.size - 1), self.arrays.places)

    def all_places(self, k: int) -> Any:
        """The places of an operand in its array, an axis for each loop but that of the examples."""
        import numpy as np

        x, axes = self.parts[k], [self.axes[j] for j in self.inner]
        if isinstance(x, Gather):
            self.arrays.gathers[x.buffer, len(set(x.table))] = None
            return np.array(x.table).reshape([axis.size for axis in axes])
        grids = np.indices([axis.size for axis in axes], sparse=True)
        places: Any = getattr(x, "start", 0)
        for axis, grid in zip(axes, grids):
            places = places + axis.strides[k] * grid
        return np.broadcast_to(places, [axis.size for axis in axes])

    def spread(self, tree: Tree, has: Sequence[int], order: Sequence[int]) -> Tree:
        """An expression with axes along which it is the same everywhere."""
        sizes = [str(self.axes[j].size) if self.axes[j].size != EACH else "batch_size" for j in order]
        return call("np.broadcast_to", expanded(tree, has, order), tail=f", ({', '.join(sizes)}{',' * (len(sizes) == 1)})")

    def size(self, loops: Sequence[int]) -> int:
        """How many numbers loops visit; EACH if that depends on the number of examples."""
        sizes = [self.axes[j].size for j in loops]
        return EACH if EACH in sizes else prod(sizes)

    def mask(self, order: Sequence[int]) -> tuple[Tree, list[int]]:
        """Which terms of sums of several lengths there are, by an expression that broadcasts to these loops and further ones."""
        loops, mask = self.inner, self.terms.reshape([self.axes[j].size for j in self.inner])
        for d, j in reversed(list(enumerate(loops))):
            if (mask == mask.take([0], d)).all():
                mask = mask.take(0, d)
                loops.remove(j)
        order = [*order, *[j for j in loops if j not in order]]
        mine = [j for j in order if j in loops]
        return expanded(self.arrays.table("M", mask.transpose([loops.index(j) for j in mine])), mine, order), order
