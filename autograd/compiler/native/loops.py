"""The room of nests in C: vectors along the loop that suits them, sums in registers, and what is made of both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple

from autograd.compiler.native.folds import FOLDS, SCALED, Part
from autograd.compiler.native.functions import PADDED, At, Function, further, stride_of
from autograd.compiler.native.nests import Nest
from autograd.compiler.native.spelling import Spelling, halves, number
from autograd.compiler.tensors.instructions import COUNT, Affine, Gather, Instruction, Number, Operand, without
from autograd.compiler.texts import offset

__all__ = ["Writer"]

REGISTERS = 24  # so many accumulators are kept at most
UNROLLED = 4  # instructions after a reduction that are written out for every accumulator at most
FAR = 8.0  # what it costs to read or write lanes that lie apart, in vectors
SINGLE = 2.0  # what it costs to read or write a single number
SHORTEST, LONGEST = 4, 1024  # results of a loop that are kept on the stack, until vectors are made of them


class Piece(NamedTuple):
    """A part of a loop: so many lanes, so many vectors at once; the lanes before the first have been there already."""

    start: int | str
    end: int | str
    w: int
    ways: int = 1
    first: int = 0


class Writer(Function):
    """Writes a nest as a function."""

    def __init__(self, nest: Nest, spelling: Spelling) -> None:
        self.nest = nest
        super().__init__(*self.accesses(nest.members), spelling)
        self.batched = any(ins.examples is not None for ins in nest.members)
        if nest.main:
            Reduction(self, nest.main).write()
        else:
            self.elementwise()

    def elementwise(self) -> None:
        """A nest without a reduction."""
        sizes = self.nest.sizes
        reads, writes = self.accesses(self.nest.steps)
        costs = [cost([*reads, *writes], axis) / self.width(size) for axis, size in enumerate(sizes)]
        axis = min(reversed(range(len(sizes))), key=costs.__getitem__, default=0)
        w = self.width(sizes[axis]) if sizes else 1
        index = [""] * len(sizes)
        order = [a for a in range(len(sizes)) if a != axis]
        if any(stride_of(x, axis) not in (0, 1) for x in reads if sizes):  # along the vectors last, to use up lines of cache
            order = [axis, *order]
        elif sizes:
            order.append(axis)
        for a in order:
            index[a] = self.loop(f"i{a}", self.end(a), w if a == axis else 1)
        self.chain(self.nest.steps, At(tuple(index), w, axis), {})
        self.close(1)

    def accesses(self, instructions: Sequence[Instruction]) -> tuple[list[Operand], list[Affine]]:
        """What instructions in the same loops read from memory, and what they write there."""
        made = {ins.out for ins in instructions}
        reads: list[Operand] = [x for ins in instructions for x in ins.operands if x not in made and not isinstance(x, Number)]
        return reads, [ins.out for ins in instructions if self.nest.is_stored(ins)]

    def end(self, a: int) -> int | str:
        """Where a loop ends."""
        return PADDED if a == 0 and self.nest.batched else self.nest.sizes[a]

    def width(self, n: int) -> int:
        """How many lanes for a loop: as many as there are, if it is long enough; 12 are 3 times 4, not 8 and 4 of them again."""
        lanes = self.spelling.lanes
        while lanes > n or (lanes, n) == (8, 12):
            lanes //= 2
        return lanes

    def chain(self, instructions: Sequence[Instruction], at: At, names: dict[Operand, str]) -> None:
        """Elementwise instructions at these indices, which add to the names of results that are in registers."""
        for ins in instructions:
            words = [names[x] if x in names else number(x.value) if isinstance(x, Number) else
                     self.named(self.load(x, ins.sizes, at), at.w) for x in ins.operands]  # fmt: skip
            name = f"x{next(self.fresh)}"
            text = self.together(ins, words, at.w, name) if ins.row.arity is None else self.spelling.applied(ins, words, at.w)
            self.line(f"const {self.spelling.type(at.w)} {name} = {text};")
            names[ins.out] = name
            if self.nest.is_stored(ins):
                self.store(ins.out, at, name)

    def together(self, ins: Instruction, words: Sequence[str], w: int, name: str) -> str:
        """The fold of some operands, which are at hand."""
        fold = FOLDS[ins.row.name]
        words = [self.spelling.spelled(f"set({x})", w) if isinstance(y, Number) else x for x, y in zip(words, ins.operands)]
        names = {part.name: f"{name}{part.name}" for parts in fold.passes for part in parts}
        for part in [part for parts in fold.passes for part in parts]:
            self.declare([names[part.name]], part, w)
            self.update(part, paired(ins, words), names, w)
        return self.spelling.spelled(fold.result, w).format(**names)

    def declare(self, names: Iterable[str], part: Part, w: int) -> None:
        """Accumulators, where they start."""
        start = part.start if w == 1 else self.spelling.spelled(f"set({part.start})", w)
        self.line(f"{self.spelling.type(w)} {', '.join(f'{name} = {start}' for name in names)};")

    def update(self, part: Part, elements: Iterable[tuple[str, str]], names: dict[str, str], w: int, first: int = 0) -> None:
        """What elements do to an accumulator, in its lanes from the first on."""
        text = part.update
        if first:
            mask = ", ".join(["0"] * first + ["1"] * (w - first))
            text = f"where(({self.spelling.type(w)}){{{{{mask}}}}}, {text}, {{{part.name}}})"
        text = self.spelling.spelled(text, w)
        for x, y in elements:
            self.line(f"{names[part.name]} = {text.format(**names, x=x, y=y)};")


def paired(ins: Instruction, words: Sequence[str]) -> list[tuple[str, str]]:
    """The elements of a fold, which are pairs for `dot`: the first half of its operands and the second."""
    half = len(words) // 2 if ins.row.name == "dot" else len(words)
    return list(zip(words[:half], words[-half:]))


def cost(accesses: Sequence[Operand], axis: int) -> float:
    """What it costs, roughly, to read or write vectors along a loop."""
    return sum([1.0 if stride_of(x, axis) in (0, 1) else FAR for x in accesses])


class Reduction:
    """Writes a nest with a reduction: its accumulators are in registers, as vectors along one loop."""

    def __init__(self, writer: Writer, main: Instruction) -> None:
        self.writer, self.nest, self.main = writer, writer.nest, main
        self.outer, self.last = len(self.nest.sizes), len(main.sizes) - 1
        self.passes, self.result = FOLDS[main.row.name]

    def write(self) -> None:
        """Chooses the loop along which the vectors are, and writes the loops."""
        costs = {axis: self.cost(axis) for axis in (*range(self.outer), self.last)}
        best = min(costs, key=costs.__getitem__)
        reads, writes = self.accesses()
        if costs[best] > SINGLE * len([*reads, *writes]):
            self.along(1)
        elif best == self.last:
            self.along(self.writer.width(self.main.sizes[-1]))
        else:
            self.tiles(best)

    def accesses(self) -> tuple[list[Operand], list[Affine]]:
        """What the innermost loop reads from memory, and what it writes there."""
        reads, writes = self.writer.accesses([*self.nest.before, self.main])
        return reads, [x for x in writes if x != self.main.out]

    def cost(self, axis: int) -> float:
        """What an element of the reduction costs, roughly, if the vectors are along a loop."""
        n, limit = self.main.sizes[axis], self.main.limit
        if n < 2 or (axis < self.outer and limit is not None and (isinstance(limit, Gather) or limit.strides[axis])):
            return 1e9
        reads, writes = self.accesses()
        words = cost([*reads, *writes], axis) / self.writer.width(n)
        if axis >= self.outer:
            return words + 10.0 / prod(self.main.sizes[self.outer :])
        stored = [ins.out.strides[axis] for ins in [self.main, *self.nest.steps] if self.nest.is_stored(ins)]
        return words + 0.1 * sum(stride != 1 for stride in stored)

    def limit(self, index: Sequence[str]) -> int | str:
        """Where the last loop ends."""
        main = self.main
        if main.limit is None:
            return main.sizes[-1]
        if main.limit.buffer == COUNT:
            return COUNT
        if isinstance(main.limit, Gather):
            axis = main.limit.axis
            return self.writer.entry(main.limit.table, without(main.sizes, axis), without(index, axis))
        return offset(main.limit.strides, index, main.limit.start)

    def inner(self, index: Sequence[str], count: int) -> list[str]:
        """Opens the loops that are folded, but for the last `count`; returns their indices."""
        ends = [*self.main.sizes[self.outer : -1], self.limit(index)]
        return [self.writer.loop(f"k{a}", end) for a, end in enumerate(ends[: len(ends) - count])]

    def fold(self, parts: Sequence[Part], names: dict[str, str], at: At, *, held: bool = False, first: int = 0) -> None:
        """What one step of all loops does to accumulators, in the lanes from the first on."""
        made: dict[Operand, str] = {}
        self.writer.chain(self.nest.before, at, made)
        words = []
        for x in self.main.operands:
            scalar = self.main.row.name in SCALED and stride_of(x, at.axis) == 0
            text = made.get(x) or self.writer.load(x, self.main.sizes, at, scalar=scalar)
            is_name = x in made or isinstance(x, Number)
            words.append(text if is_name else self.writer.named(text, 1 if scalar else at.w, held=held))
        for part in parts:
            self.writer.update(part, paired(self.main, words), names, at.w, first)

    def end(self, at: At, names: dict[str, str]) -> None:
        """The result of the reduction, and what is made of it."""
        text = self.writer.spelling.spelled(self.result, at.w).format(**names)
        if text not in names.values():
            text = self.writer.named(text, at.w)
        if self.nest.is_stored(self.main):
            self.writer.store(self.main.out, at, text)
        self.writer.chain(self.nest.steps, at, {self.main.out: text})

    # Vectors along an outer loop

    def shared(self, j: int) -> int | None:
        """A loop whose steps read the same vectors along loop j: the longest."""
        main = self.main

        def is_shared(a: int) -> bool:
            if main.limit is not None and (isinstance(main.limit, Gather) or main.limit.strides[a]):
                return False
            both = [x for x in main.operands if isinstance(x, Affine) and x.strides[a] and x.strides[j]]
            return len(main.operands) == 1 or not both

        others = [a for a in range(self.outer) if a != j and is_shared(a)]
        return max(others, key=lambda a: (main.sizes[a], a), default=None)

    def tiles(self, j: int) -> None:
        """Accumulators in registers: some vectors along loop j, times some steps of a loop i that shares them."""
        n, i = self.main.sizes[j], self.shared(j)
        w = self.writer.width(n)
        registers = max(1, REGISTERS // (1 + 2 * len(self.nest.before) + 4 * (len(self.passes) - 1)))
        if j or not self.nest.batched:
            self.tile(i, At((), w, j), registers, min(-(-n // w), 16 if i is None else 4, registers))
            return
        # As many examples at a time as registers hold, then vectors of those that are left.
        columns = min(8 if i is None else 3, registers)
        middle = f"{PADDED} / {columns * w} * {columns * w}"
        self.tile(i, At((), w, j), registers, columns, end=middle)
        self.tile(i, At((), w, j), registers, 1, start=middle)

    def tile(
        self, i: int | None, at: At, registers: int, columns: int, start: int | str = 0, end: int | str | None = None
    ) -> None:  # fmt: skip
        """The loops over the tiles of so many columns, between two ends of the loop that the vectors are along."""
        writer, main, w, j = self.writer, self.main, at.w, at.axis
        n = main.sizes[j]
        rows = 1 if i is None else rows_of(main.sizes[i], registers // columns)
        index = [""] * self.outer
        for a in [*[a for a in range(self.outer) if a not in (i, j)], j, *([] if i is None else [i])]:
            steps = {j: columns * w, i: rows}.get(a, 1)
            index[a] = writer.loop(f"i{a}", end if a == j and end else writer.end(a), steps, start if a == j else 0)
        starts = [min(q * w, n - w) if columns * w >= n else q * w for q in range(columns)]
        spots = [(r, q) for r in range(rows) for q in range(columns)]
        places = [[further(text, {i: r, j: starts[q]}.get(a, 0)) for a, text in enumerate(index)] for r, q in spots]
        names = [{part.name: f"{part.name}{r}_{q}" for parts in self.passes for part in parts} for r, q in spots]
        depth = writer.depth
        for parts in self.passes:
            for part in parts:
                writer.declare([found[part.name] for found in names], part, w)
            inside = self.inner(index, 0)
            for place, found in zip(places, names):
                self.fold(parts, found, At((*place, *inside), w, j), held=rows > 1)
            writer.close(depth)
        if len(spots) * len(self.nest.steps) <= UNROLLED:
            for place, found in zip(places, names):
                self.end(At(tuple(place), w, j), found)
        else:
            self.each(At(tuple(index), w, j), i, rows, starts, names)
        writer.close(1)

    def each(self, at: At, i: int | None, rows: int, starts: Sequence[int], names: Sequence[dict[str, str]]) -> None:
        """What is made of the accumulators of a tile, in loops over its rows and columns."""
        columns, w = len(starts), at.w
        for name in names[0]:
            self.writer.line(f"const {self.writer.spelling.type(w)} {name}[] = {{{', '.join(found[name] for found in names)}}};")
        self.writer.open(f"for (long r = 0; r < {rows}; r++) for (long q = 0; q < {columns}; q++)")
        column = f"{w} * q" if starts[-1] == (columns - 1) * w else f"(q < {columns - 1} ? {w} * q : {starts[-1]})"
        steps = {i: "r" if rows > 1 else "0", at.axis: column if columns > 1 else "0"}
        pairs = [(text, steps.get(a, "0")) for a, text in enumerate(at.indices)]
        place = tuple([" + ".join([part for part in pair if part != "0"]) or "0" for pair in pairs])
        self.end(at._replace(indices=place), {name: f"{name}[r * {columns} + q]" for name in names[0]})

    # Vectors along the last loop that is folded

    def along(self, w: int) -> None:
        """Vectors along the last loop, whose lanes are folded in the end; what follows is in vectors of results again."""
        writer, sizes = self.writer, self.nest.sizes
        names = {part.name: part.name for parts in self.passes for part in parts}
        is_kept = len(sizes) > (1 if self.nest.batched else 0)  # the last loop is not that of the examples
        again = is_kept and SHORTEST <= sizes[-1] <= LONGEST and (self.nest.steps or len(self.passes) > 1)
        index = [writer.loop(f"i{a}", writer.end(a)) for a in range(len(sizes[:-1] if again else sizes))]
        depth = writer.depth
        if again:
            writer.line(f"double {', '.join(f'{name}_[{sizes[-1]}]' for name in names)};")
            index.append(writer.loop(f"i{len(sizes) - 1}", sizes[-1]))
        for k, parts in enumerate(self.passes):
            self.along_pass(parts, [part.name for before in self.passes[:k] for part in before], index, w)
        at = At(tuple(index))
        if again:
            writer.line(" ".join(f"{name}_[{index[-1]}] = {name};" for name in names))
            writer.close(depth)
            w = writer.width(sizes[-1])
            at = At((*index[:-1], writer.loop(f"i{len(sizes) - 1}", sizes[-1], w)), w, len(sizes) - 1)
            names = {name: writer.named(f"*(const {writer.spelling.type(w)} *)&{name}_[{at.indices[-1]}]", w) for name in names}
        self.end(at, names)
        writer.close(1)

    def along_pass(self, parts: Sequence[Part], before: Sequence[str], index: list[str], w: int) -> None:
        """One pass over what is folded, which leaves each accumulator as one number."""
        writer, spelling, depth = self.writer, self.writer.spelling, self.writer.depth
        pieces = self.pieces(index, w)
        for part in parts:
            if w > 1:
                writer.declare([f"{part.name}{way}" for way in range(pieces[0].ways)], part, w)
            writer.declare([part.name], part, 1)
        inside, inner = self.inner(index, 1), writer.depth
        for start, end, width, ways, first in pieces:
            wide = {name: spelling.spelled(f"set({name})", width) for name in before}
            k = writer.loop("k", end, width * ways, start)
            for way in range(ways):
                own = {part.name: f"{part.name}{way}" if width == w > 1 else part.name for part in parts}
                self.fold(parts, wide | own, At((*index, *inside, further(k, way * w)), width, self.last), first=first)
            writer.close(inner)
        writer.close(depth)
        for part in parts if w > 1 else ():
            if pieces[0].ways > 1:
                together = halves(part.join, [f"{part.name}{way}" for way in range(pieces[0].ways)])
                writer.line(f"{part.name}0 = {spelling.spelled(together, w)};")
            join = spelling.word(part.join, 1)
            writer.line(f"{part.name} = {join}({part.name}, {spelling.prefix(w)}_fold({join}, {part.name}0));")

    def pieces(self, index: list[str], w: int) -> list[Piece]:
        """How the last loop is run through: in vectors, then what is left."""
        n = self.limit(index)
        if not isinstance(n, int):
            middle = f"({n}) / {w} * {w}"
            return [*([Piece(0, middle, w)] if w > 1 else []), Piece(middle if w > 1 else 0, n, 1)]
        ways = 4 if n >= 4 * w and w > 1 and not self.nest.before else 1
        ends = [0, n // (ways * w) * ways * w, n // w * w]
        pieces = [Piece(start, end, w, count) for start, end, count in zip(ends, ends[1:], (ways, 1)) if start < end]
        return [*pieces, *([Piece(n - w, n, w, 1, w - n % w)] if n % w else [])]


def rows_of(size: int, most: int) -> int:
    """How many rows a tile has: as many as the registers hold, but few that are computed twice."""
    top = max(1, min(size, most, 8))
    return min(range(max(1, top - 3), top + 1), key=lambda rows: (-(-size // rows) * rows - size + 0.4 * size / rows, -rows))
