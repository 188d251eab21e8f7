"""The room of instructions: a program as loops over strided memory, which every printer reads and no printer analyses.

An instruction is a loop nest. What it reads and where it writes is data: a matrix product, an attention head, a convolution and
the sum of all weights differ in sizes and strides alone. Memory is four buffers of numbers, each flat: "in" holds the inputs in
their order, "out" the results in theirs, "constants" what the program has written down, and "scratch" everything in between.

Where a program is printed for readers, every block is a buffer of its own, by its name, and of a batch one example is done after
the other: the instructions `inside` are, which read the numbers of one example, and totals add up what they are given.

A batch is one loop more. What varies with the example has other buffers: "examples0", "examples1", ... are matrices of inputs
with a row for each example; "each" holds results, and "lanes" what is in between, the numbers of all examples side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import NamedTuple, TypeVar

from autograd.compiler.totals import TOTAL, TOTAL_DOT
from autograd.ops import Primitive

__all__ = [
    "AFTER", "BEFORE", "COUNT", "INSIDE", "LANES", "Affine", "Batch", "Code", "Gather", "Instruction", "IrregularError",
    "Number", "Operand", "Taken", "indices", "is_given", "span", "without",
]  # fmt: skip

LANES = ("lanes", "each")  # buffers with a number for each example, side by side
COUNT = "count"  # the "buffer" of a limit that is the number of examples
BEFORE, INSIDE, AFTER = 0, 1, 2  # the parts of a program that runs one example after the other


class IrregularError(ValueError):
    """What a program does has no loops: NumPy runs it."""


class Affine(NamedTuple):
    """The element at loop indices i, j, ... is buffer[start + i * strides[0] + j * strides[1] + ...]; a stride of 0 repeats."""

    buffer: str
    start: int
    strides: tuple[int, ...]


class Gather(NamedTuple):
    """The places of all elements in a buffer, in the order of the loops; but the loop `axis`, if any, moves by `stride`."""

    buffer: str
    table: tuple[int, ...]
    axis: int | None = None
    stride: int = 0


class Number(NamedTuple):
    """The same number everywhere."""

    value: float


class Taken(NamedTuple):
    """An element of a table, further on by `step` for each unit of an index, which is itself read from memory.

    `limit` is how many the index chooses among: it is a whole number from 0 to limit - 1, or the program is not run.
    """

    table: Affine
    index: Affine  # type: ignore[assignment]
    step: int
    limit: int


Operand = Affine | Gather | Number | Taken


@dataclass(frozen=True)
class Instruction:
    """A loop nest: out = row(operands) for all indices; the last `reduced` loops are folded by the row.

    A row that folds (sum, prod, max, min, norm, dot) has `reduced` loops and no place for them in `out`; dot multiplies its two
    operands first. Where it is ragged, the last loop ends at `limit` (which depends on the outer loops), not at its size.
    `writes` and `reads` are numbers of blocks: an instruction comes after all that write what it reads.
    Where it is `batched`, its first loop is that of the examples: its size is how many there can be, and it may end earlier.
    """

    row: Primitive
    sizes: tuple[int, ...]
    reduced: int
    operands: tuple[Operand, ...]
    out: Affine
    writes: int
    reads: frozenset[int] = frozenset()
    limit: Affine | Gather | None = None
    batched: bool = False

    @property
    def examples(self) -> int | None:
        """Which loop is that of the examples: the first, or, for a sum over them, the last."""
        if self.limit is not None and self.limit.buffer == COUNT:
            return len(self.sizes) - 1
        return 0 if self.batched else None

    @property
    def outer(self) -> tuple[int, ...]:
        """The sizes of the loops that are not folded."""
        return self.sizes[: len(self.sizes) - self.reduced]


class Batch(NamedTuple):
    """Examples, at most `size` of them, whose numbers are in the columns of matrices of these widths."""

    size: int
    widths: tuple[int, ...]
    columns: Mapping[int, tuple[int, int]]  # of an input that varies: a matrix, and its column in there


@dataclass
class Code:
    """A program of instructions: the constants, how many numbers the other buffers hold, and the instructions in order.

    "lanes" and "each" hold so many numbers for each example. `blocks` are buffers with names of their own, and `tables` such of
    constants; `results` are the buffers that are returned, and `sides` what is compared, the left and the right of each guard.
    """

    inputs: int
    outputs: int
    constants: list[float] = field(default_factory=list)
    scratch: int = 0
    instructions: list[Instruction] = field(default_factory=list)
    batch: Batch | None = None
    lanes: int = 0
    each: int = 0
    blocks: dict[str, int] = field(default_factory=dict)
    tables: dict[str, list[float]] = field(default_factory=dict)
    results: tuple[str, ...] = ("out", "each")
    sides: list[Operand] = field(default_factory=list)
    inside: slice = field(default_factory=lambda: slice(0, 0))

    def size(self, buffer: str) -> int:
        """How many numbers a buffer holds."""
        if (found := self.blocks.get(buffer)) is not None:
            return found
        sizes = {"in": self.inputs, "out": self.outputs, "constants": len(self.constants), "scratch": self.scratch}
        sizes |= {name: len(table) for name, table in self.tables.items()}
        if self.batch is not None:
            sizes |= {"lanes": self.lanes * self.batch.size, "each": self.each * self.batch.size}
            sizes |= {f"examples{k}": width * self.batch.size for k, width in enumerate(self.batch.widths)}
        return sizes[buffer]

    def check(self) -> None:
        """Raise ValueError if an instruction is no loop nest, leaves its buffers, reads too early, or writes what is written."""
        written: set[int] = set()
        filled: dict[str, set[int]] = {buffer: set() for buffer in self.written()}
        for k, ins in enumerate(self.instructions):
            if not 0 <= ins.reduced <= len(ins.sizes) or min(ins.sizes, default=1) < 1:
                raise ValueError(f"instruction {k} has the sizes {ins.sizes}, of which it folds {ins.reduced}")
            if len(ins.out.strides) != len(ins.outer):
                raise ValueError(f"instruction {k} writes with {len(ins.out.strides)} strides in {len(ins.outer)} loops")
            if ins.out.buffer not in filled:
                raise ValueError(f"instruction {k} writes into {ins.out.buffer!r}")
            self.check_place(k, ins.out, ins.outer)
            for x in ins.operands:
                for part in (x.table, x.index) if isinstance(x, Taken) else (x,):
                    self.check_place(k, part, ins.sizes, ins.limit)
                if isinstance(x, Taken):
                    end = x.table.start + x.step * (x.limit - 1)
                    self.check_place(k, x.table._replace(start=end), ins.sizes)
            if not ins.reads <= written | {-1}:
                raise ValueError(f"instruction {k} reads the blocks {sorted(ins.reads - written)}, which are written later")
            written.add(ins.writes)
            here = list(places(ins.out, ins.outer))
            if len(set(here)) < len(here) or not filled[ins.out.buffer].isdisjoint(here):
                raise ValueError(f"instruction {k} writes into {ins.out.buffer!r} where something is written already")
            filled[ins.out.buffer].update(here)
        for buffer in [*self.results, *self.blocks]:
            if missing := set(range(self.size(buffer) if buffer in filled else 0)) - filled.get(buffer, set()):
                raise ValueError(f"no instruction writes the results {sorted(missing)[:9]} of {buffer}")

    def written(self) -> list[str]:
        """The buffers that instructions write."""
        return ["out", "scratch", *self.blocks, *(LANES if self.batch else ())]

    def check_place(
        self, k: int, x: Affine | Gather | Number, sizes: Sequence[int], limit: Affine | Gather | None = None
    ) -> None:  # fmt: skip
        """Raise ValueError if an operand of instruction k is outside its buffer."""
        if isinstance(x, Number):
            return
        if isinstance(x, Gather) and len(x.table) != prod(without(sizes, x.axis)):
            raise ValueError(f"instruction {k} gathers {len(x.table)} numbers in loops of {prod(sizes)}")
        if isinstance(x, Affine) and len(x.strides) != len(sizes):
            raise ValueError(f"instruction {k} has {len(sizes)} loops and reads with {len(x.strides)} strides")
        low, high = span(x, sizes, limit)
        if low < 0 or high >= self.size(x.buffer):
            raise ValueError(f"instruction {k}: {x} reaches from {low} to {high}")

    def run(self, inputs: Sequence[float], *matrices: Sequence[float], count: int = 0) -> list[float]:
        """The results, one element after the other: what every printer must agree with, but for the order of sums.

        The rows of the matrices are `count` examples. A row for each of their own results follows, of which so many are known.
        """
        memory = {buffer: [0.0] * self.size(buffer) for buffer in self.written()}
        memory |= {"in": list(inputs), "constants": self.constants, **self.tables}
        memory |= {f"examples{k}": list(matrix) for k, matrix in enumerate(matrices)}
        each: list[float] = []
        self.execute(self.instructions[: self.inside.start], memory, count)
        for j in range(count if self.inside.stop else 0):
            for k, (matrix, width) in enumerate(zip(matrices, self.batch.widths if self.batch else ())):
                memory[f"examples{k}"] = list(matrix[j * width : (j + 1) * width])
            self.execute(self.instructions[self.inside], memory, count)
            each += memory.get("each", [])
        self.execute(self.instructions[self.inside.stop :], memory, count)
        memory["each"] = each if self.inside.stop else memory.get("each", [])
        return [number for buffer in self.results for number in memory[buffer]]

    def execute(self, instructions: Iterable[Instruction], memory: dict[str, list[float]], count: int) -> None:
        """Run instructions; those on all examples, on so many."""
        for ins in instructions:
            inner = list(indices(ins.sizes[len(ins.outer) :]))
            for outer in indices((count, *ins.outer[1:]) if ins.batched else ins.outer):
                kept = inner
                if ins.limit is not None:
                    first = (*outer, *[0] * ins.reduced)
                    limit = count if ins.limit.buffer == COUNT else place_of(ins.limit, first, ins.sizes)
                    kept = [index for index in inner if index[-1] < limit]
                found = [[read(memory, x, (*outer, *index), ins.sizes) for index in kept] for x in ins.operands]
                if ins.row.arity is None:
                    many = [number for column in found for number in column] if ins.reduced else [column[0] for column in found]
                    result = ins.row.function(many)
                else:
                    result = ins.row.function(*[column[0] for column in found])
                target, place = memory[ins.out.buffer], at(ins.out, outer)
                target[place] = target[place] + result if ins.row in (TOTAL, TOTAL_DOT) else result


def indices(sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """All indices of loops, the last running fastest."""
    return product(*map(range, sizes))


def at(x: Affine, index: Sequence[int]) -> int:
    """The place of an element."""
    return x.start + sum(stride * i for stride, i in zip(x.strides, index))


def read(memory: dict[str, list[float]], x: Operand, index: tuple[int, ...], sizes: Sequence[int]) -> float:
    """The number of an operand at loop indices."""
    if isinstance(x, Number):
        return x.value
    if isinstance(x, Taken):
        chosen = int(memory[x.index.buffer][at(x.index, index)])
        return memory[x.table.buffer][at(x.table, index) + x.step * chosen]
    return memory[x.buffer][place_of(x, index, sizes)]


def place_of(x: Affine | Gather, index: tuple[int, ...], sizes: Sequence[int]) -> int:
    """The place of an element, by strides or by a table."""
    if isinstance(x, Affine):
        return at(x, index)
    place = 0
    for size, i in zip(without(sizes, x.axis), without(index, x.axis)):
        place = place * size + i
    return x.table[place] + (0 if x.axis is None else x.stride * index[x.axis])


T = TypeVar("T")


def without(items: Sequence[T], axis: int | None) -> tuple[T, ...]:
    """Sizes or indices of loops, but for one of them."""
    return tuple([item for k, item in enumerate(items) if k != axis])


def is_given(buffer: str) -> bool:
    """Whether a buffer is there from the start."""
    return buffer in ("in", "constants") or buffer.startswith("examples")


def places(x: Affine, sizes: Sequence[int]) -> Iterable[int]:
    """The places of all elements, in the order of the loops."""
    return (at(x, index) for index in indices(sizes))


def span(x: Affine | Gather, sizes: Sequence[int], limit: Affine | Gather | None = None) -> tuple[int, int]:
    """The lowest and the highest place that loops of these sizes reach, or that rows reach which end at a limit."""
    if limit is not None and limit.buffer != COUNT:
        rows = [((*outer, 0), place_of(limit, (*outer, 0), sizes)) for outer in indices(sizes[:-1])]
        ends = [place_of(x, (*index[:-1], i), sizes) for index, end in rows if end > 0 for i in (0, end - 1)]
        return min(ends, default=0), max(ends, default=0)
    if isinstance(x, Gather):
        end = 0 if x.axis is None else x.stride * (sizes[x.axis] - 1)
        return min(x.table) + min(end, 0), max(x.table) + max(end, 0)
    ends = [(size - 1) * stride for size, stride in zip(sizes, x.strides)]
    return x.start + sum(min(end, 0) for end in ends), x.start + sum(max(end, 0) for end in ends)
