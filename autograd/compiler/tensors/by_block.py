"""The room of lowering by blocks: groups as instructions over buffers that are the blocks themselves, for what people read.

Blocks, results and terms stay in the order in which they were recovered, so that sums are taken in the order of the engine where
recovery keeps it. Every program has such instructions: what lies in several blocks is joined, what has no strides has a table. It
needs nothing but Python, as its programs are run where NumPy is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from math import prod

from autograd.compiler.emit import stem
from autograd.compiler.recover import Group, Tensors
from autograd.compiler.tensors.instructions import (
    AFTER,
    BEFORE,
    INSIDE,
    Affine,
    Batch,
    Code,
    Gather,
    Instruction,
    Number,
    Operand,
    Taken,
)
from autograd.compiler.tensors.strides import Loop, common, loops_of, separated, split
from autograd.compiler.texts import Names
from autograd.compiler.totals import TOTAL, TOTAL_DOT
from autograd.ops import TABLE, Primitive

__all__ = ["by_block"]

POS = TABLE["pos"]
TERMS = 6  # so many numbers from several blocks are terms of their own, not a list
LOOPS, DEEP = 3, 6  # so many loops at most has an operation, or a sum: places that need more have a table, or are copied in order
Located = tuple[str, list[int]]  # a buffer, and places in it


def by_block(
    tensors: Tensors, results: Mapping[str, Sequence[int]], sides: Sequence[int] = (), reserved: Iterable[str] = (),
    batch: Batch | None = None,
) -> Code:  # fmt: skip
    """The instructions of a program that fill these buffers with results. No block is called by a name that is reserved.

    With a batch, the buffer "each" has results of each example; inputs that vary leave their places in "in" to nobody.

    >>> from autograd.compiler.program import Program
    >>> from autograd.compiler.recover import recover
    >>> program = Program()
    >>> x = [program.input(f"x.{k}") for k in range(3)]
    >>> program.outputs = [program.add(TABLE["exp"], [ref]) for ref in x]
    >>> code = by_block(recover(program), {"values": program.outputs})
    >>> code.blocks
    {'values': 3, 'exp_1': 3, 'x': 3}
    >>> code.instructions[1].operands, code.run([0.0, 0.0, 0.0])
    ((Affine(buffer='x', start=0, strides=(1,)),), [1.0, 1.0, 1.0])
    """
    return ByBlock(tensors, results, sides, {*reserved, *results}, batch).code


class ByBlock:
    """Writes the instructions of a program."""

    def __init__(
        self, tensors: Tensors, results: Mapping[str, Sequence[int]], sides: Sequence[int], reserved: set[str],
        batch: Batch | None,
    ) -> None:  # fmt: skip
        self.program, self.blocks = tensors.program, tensors.blocks
        self.home, self.place = tensors.home, tensors.place
        self.at = {ref: ("in", k) for k, ref in enumerate(self.program.inputs)}
        self.at |= {ref: (f"examples{matrix}", column) for ref, (matrix, column) in (batch.columns if batch else {}).items()}
        self.names = block_names(tensors, reserved)
        self.fresh = Names(reserved.union(self.names))
        self.number = {name: k for k, name in enumerate([*self.names, *results])}  # of the buffers that instructions write
        self.parts = dict.fromkeys(results, AFTER) | {"each": INSIDE}  # of the program: when a buffer is written
        self.used: set[int] = set()  # blocks of inputs
        self.known: dict[object, Located] = {}  # lists that are there already
        self.elements: dict[int, Affine | Number] = {}  # operands that are one number
        blocks = {name: len(refs) for name, refs in results.items()}
        self.code = Code(len(self.at), 0, results=tuple(results), blocks=blocks, batch=batch)
        self.instructions: list[Instruction] = []
        for k, block in enumerate(self.blocks):
            self.parts[self.names[k]] = INSIDE if block.batched else BEFORE
            if isinstance(block, Group):
                self.write(self.names[k], block)
        for name, refs in results.items():
            self.fill(name, list(refs))
        self.code.sides = [self.element(ref) for ref in sides]
        self.code.instructions = [*self.reading(), *self.instructions]
        if batch is not None:
            self.sort_parts()

    def sort_parts(self) -> None:
        """What is done before the examples, for each of them, and after them; totals add up inside."""
        parts: list[list[Instruction]] = [[], [], []]
        for ins in self.code.instructions:
            parts[INSIDE if ins.row in (TOTAL, TOTAL_DOT) else self.parts[ins.out.buffer]].append(ins)
        self.code.instructions = [ins for part in parts for ins in part]
        self.code.inside = slice(len(parts[BEFORE]), len(parts[BEFORE]) + len(parts[INSIDE]))

    def reading(self) -> Iterator[Instruction]:
        """The instructions that read the blocks of inputs."""
        for k in sorted(self.used):
            buffers, places = zip(*[self.at[ref] for ref in self.blocks[k].entries if ref is not None])
            self.code.blocks[self.names[k]] = len(places)
            start = 0
            for buffer, part in groupby(zip(buffers, places), key=lambda pair: pair[0]):
                members = [place for _, place in part]
                sizes, (out, operand) = nest(len(members), (self.names[k], start), [(buffer, members)])
                yield Instruction(POS, sizes, 0, (operand,), out, k)  # type: ignore[arg-type]
                start += len(members)

    # One group

    def write(self, name: str, group: Group) -> None:
        """The instructions of a group."""
        self.code.blocks[name] = count = len(group.entries)
        if count == 1 and group.form == "elementwise" and group.row.arity is not None and not self.code.batch:  # often thousands
            self.emit(group.row, (), [self.element(refs[0]) for refs, _ in group.arguments], Affine(name, 0, ()))
            return
        lists = [refs for refs, _ in group.arguments]
        if self.code.batch and (group.row in (TOTAL, TOTAL_DOT) or any(self.part(refs) == AFTER for refs in lists)):
            self.parts[name] = AFTER
        width = group.arguments[0][1][-1] if group.form != "elementwise" else 1
        if group.form == "elementwise" and group.row.arity is None and count == 1:
            lists, width = [[refs[0] for refs in lists]], len(lists)
        elif group.form == "elementwise":
            self.elementwise(group.row, lists, name)
            return
        if group.form == "ragged":
            self.ragged(group, lists, name)
        elif group.form in ("taken", "picked"):
            self.take(group, name)
        elif count == 1 and width <= TERMS and not all(map(self.is_regular, lists)):
            self.emit(group.row, (), [self.element(ref) for refs in lists for ref in refs], Affine(name, 0, ()))
        elif group.form in ("product", "products"):
            heights = [len(refs) // width for refs in lists]
            parts = heights[0] * heights[1] // count
            self.fold(group.row, lists, [(parts, heights[0] // parts, 1, width), (parts, 1, heights[1] // parts, width)], name)
        else:
            self.fold(group.row, lists, [(count, width)] * len(lists), name)

    def elementwise(self, row: Primitive, lists: Sequence[list[int]], name: str, start: int = 0) -> None:
        """The same operation everywhere."""
        n = len(lists[0])
        if n == 1 or (n * len(lists) <= TERMS and not all(map(self.is_regular, lists))):
            for k, refs in enumerate(zip(*lists)):
                self.emit(row, (), [self.element(ref) for ref in refs], Affine(name, start + k, ()))
            return
        sizes, (out, *operands) = nest(n, (name, start), [self.same(refs) or self.located(refs) for refs in lists])
        self.emit(row, sizes, operands, out)  # type: ignore[arg-type]

    def fold(self, row: Primitive, lists: Sequence[list[int]], dims: Sequence[tuple[int, ...]], name: str) -> None:
        """A sum or the like along the last dimension of arrays of these shapes, where 1 stands for any size."""
        sizes, operands = self.loops([self.same(refs) or self.located(refs) for refs in lists], lists, dims)
        outer = [size for parts in sizes[:-1] for size in parts]
        self.emit(row, (*outer, *sizes[-1]), operands, whole(name, outer))

    def loops(
        self, located: list[Located | Number], lists: Sequence[list[int]], dims: Sequence[tuple[int, ...]]
    ) -> tuple[list[tuple[int, ...]], list[Operand]]:
        """The sizes of loops for each dimension of arrays, and the operands in them; what fits no loops is copied in order."""
        found: list[list[list[Loop]] | None] = []
        for x, d in zip(located, dims):
            found.append([[]] * len(d) if isinstance(x, Number) else separated(x[1], d))
        while (sizes := shared(found, dims)) is None:
            k = next((k for k, loops in enumerate(found) if loops is None), len(lists) - 1)
            k = k if found[k] is None or any(len(loops) > 1 for loops in found[k] or ()) else 0
            located[k] = copy = self.copied(lists[k])
            found[k] = separated(copy[1], dims[k])
        operands: list[Operand] = []
        for x, loops in zip(located, found):
            strides = [stride for part, several in zip(loops or (), sizes) for stride in split(part, several)]
            operands.append(x if isinstance(x, Number) else Affine(x[0], x[1][0], tuple(strides)))
        return sizes, operands

    def ragged(self, group: Group, lists: Sequence[list[int]], name: str) -> None:
        """Sums of several lengths: the last loop ends where a row does."""
        lengths = [end - start for start, end in zip(group.starts, [*group.starts[1:], len(lists[0])])]
        operands: list[Operand] = []
        for refs in lists:
            x, step = self.same(refs) or self.located(refs), 1
            if not isinstance(x, Number) and not (step := step_of(x[1], group.starts, lengths)):
                x, step = self.copied(refs), 1
            operands.append(x if isinstance(x, Number) else along(x[0], [x[1][start] for start in group.starts], step))
        self.emit(group.row, (len(lengths), max(lengths)), operands, Affine(name, 0, (1,)), along("", lengths, 0))

    def take(self, group: Group, name: str) -> None:
        """Numbers of a table by index: rows of one table, or a number of each row."""
        (indices, _), (refs, (limit, width)) = group.arguments
        dims: list[tuple[int, ...]] = [(1, width), (len(indices), 1)]
        if group.form == "picked":  # rows are what the same index chooses
            refs, limit, width = [ref for k in range(width) for ref in refs[k::width]], width, limit
            dims = [(width,), (width,)]
        source = self.located(refs)
        steps = {later - place for place, later in zip(source[1], source[1][width:])}
        line = loops_of(source[1][:width])
        if len(steps) > 1 or line is None or len(line) > 1:
            source, steps = self.copied(refs), {width}
        first: Located = source[0], source[1][:width]
        sizes, (table, index) = self.loops([first, self.located(indices)], [refs, indices], dims)
        flat = [size for parts in sizes for size in parts]
        if isinstance(table, Affine) and isinstance(index, Affine):
            self.emit(POS, tuple(flat), [Taken(table, index, max(steps, default=0), limit)], whole(name, flat))

    def emit(
        self, row: Primitive, sizes: tuple[int, ...], operands: Sequence[Operand], out: Affine,
        limit: Affine | Gather | None = None,
    ) -> None:  # fmt: skip
        """Add an instruction."""
        number, parts = self.number, [x for x in operands if x.__class__ is not Number]
        if parts and isinstance(parts[0], Taken):
            parts = [parts[0].table, parts[0].index]
        reads = frozenset([number[x.buffer] for x in parts if x.buffer in number])  # type: ignore[union-attr]
        reduced, writes = len(sizes) - len(out.strides), number[out.buffer]
        self.instructions.append(Instruction(row, sizes, reduced, tuple(operands), out, writes, reads, limit))

    # Where numbers lie

    def element(self, ref: int) -> Affine | Number:
        """One number."""
        found = self.elements.get(ref)
        if found is None:
            home = self.home[ref] if ref >= 0 else -1
            if ref in self.at:
                self.used.add(home)
            found = Affine(self.names[home], self.place[ref], ()) if ref >= 0 else Number(self.program.number(ref))
            self.elements[ref] = found
        return found

    def same(self, refs: Sequence[int]) -> Number | None:
        """The constant that all references are, if they are one."""
        first = refs[0]
        return Number(self.program.number(first)) if first < 0 and refs.count(first) == len(refs) else None

    def homes(self, refs: Iterable[int]) -> list[int]:
        """The block of each reference, -1 for constants."""
        home = self.home
        return [home[ref] if ref >= 0 else -1 for ref in refs]

    def part(self, refs: Iterable[int]) -> int:
        """The first part of the program in which all references are known."""
        return max([self.parts[self.names[k]] for k in set(self.homes(refs)) if k >= 0], default=BEFORE)

    def is_regular(self, refs: list[int]) -> bool:
        """Whether references lie in one list, in loops."""
        homes = set(self.homes(refs))
        return homes == {-1} or (len(homes) == 1 and loops_of([self.place[ref] for ref in refs]) is not None)

    def located(self, refs: list[int]) -> Located:
        """Where references lie; those of several blocks are joined."""
        homes = self.homes(refs)
        distinct = set(homes)
        if distinct == {-1}:
            return self.listed(refs)
        if len(distinct) == 1:
            if refs[0] in self.at:
                self.used |= distinct
            return self.names[homes[0]], [self.place[ref] for ref in refs]
        if len(buffers := {self.at.get(ref, ("", 0))[0] for ref in refs}) == 1 and "" not in buffers:
            return buffers.pop(), [self.at[ref][1] for ref in refs]
        found = self.all_of(refs, homes) or refs
        name, places = self.copied(found)
        if found is refs:
            return name, places
        spot = dict(zip(found, places))
        return name, [spot[ref] for ref in refs]

    def all_of(self, refs: list[int], homes: list[int]) -> list[int] | None:
        """The entries of all blocks that references are in, where these are joined sooner than the references themselves."""
        stretches = sum(1 for _ in groupby(homes))
        if stretches <= TERMS:
            return None
        constants = list(dict.fromkeys(ref for ref in refs if ref < 0))
        blocks = [k for k in dict.fromkeys(homes) if k >= 0]
        entries = [ref for k in blocks for ref in self.blocks[k].entries if ref is not None]
        is_sooner = 2 * (len(blocks) + len(constants)) <= stretches and len(entries) <= 4 * len(refs)
        return [*entries, *constants] if is_sooner else None

    def listed(self, refs: list[int]) -> Located:
        """Constants in a table: one of each, if that makes loops, else as they stand."""
        rank = {ref: k for k, ref in enumerate(dict.fromkeys(refs))}
        own, places = list(rank), [rank[ref] for ref in refs]
        if loops_of(places) is None:
            own, places = refs, list(range(len(refs)))
        name, is_new = self.fresh.of("C", tuple(own))
        if is_new:
            self.code.tables[name] = [self.program.number(ref) for ref in own]
        return name, places

    def copied(self, refs: list[int]) -> Located:
        """References in a list of their own."""
        prefix = "joined" if len(set(self.homes(refs))) > 1 else "rows"
        name, is_new = self.fresh.of(prefix, tuple(refs))
        if is_new:
            self.number[name], self.parts[name] = len(self.number), self.part(refs)
            self.code.blocks[name] = len(refs)
            self.fill(name, refs)
        return name, list(range(len(refs)))

    def fill(self, name: str, refs: list[int]) -> None:
        """Write references into a buffer, one block after the other."""
        homes = self.homes(refs)
        if self.all_of(refs, homes):
            self.elementwise(POS, [refs], name)
            return
        start = 0
        for _, part in groupby(zip(homes, refs), key=lambda pair: pair[0]):
            members = [ref for _, ref in part]
            self.elementwise(POS, [members], name, start)
            start += len(members)


def nest(n: int, out: tuple[str, int], located: Sequence[Located | Number]) -> tuple[tuple[int, ...], list[Operand]]:
    """The loops that n results, side by side, and as many lists as possible share, and all as operands: the others are tables."""
    everything: list[tuple[list[Loop] | None, Located | Number]] = [([(n, 1)] if n > 1 else [], (out[0], [out[1]]))]
    everything += [([] if isinstance(x, Number) else loops_of(x[1]), x) for x in located]
    chosen: list[list[Loop]] = []
    for loops, _ in everything:
        sizes = common([*chosen, loops]) if loops else None
        if loops and sizes is not None and len(sizes) <= LOOPS:
            chosen.append(loops)
    sizes = common(chosen) or ()
    operands: list[Operand] = []
    for loops, x in everything:
        if isinstance(x, Number):
            operands.append(x)
        elif n == 1 or any(loops is kept for kept in chosen):
            operands.append(Affine(x[0], x[1][0], split(loops or (), sizes)))
        else:
            operands.append(Gather(x[0], tuple(x[1])))
    return sizes, operands


def shared(found: Sequence[list[list[Loop]] | None], dims: Sequence[Sequence[int]]) -> list[tuple[int, ...]] | None:
    """The sizes of the loops of each dimension; None if some list has no loops, or other ones, or if they are too many."""
    sizes = []
    for d, size in enumerate(map(max, zip(*dims))):
        lists = [loops[d] for loops in found if loops and loops[d]]
        sizes.append(common(lists) if lists else (size,) if size > 1 else ())
    is_deep = sum(len(parts or ()) for parts in sizes) > max(DEEP, len(sizes))
    return None if None in found or None in sizes or is_deep else sizes  # type: ignore[return-value]


def whole(name: str, sizes: Sequence[int]) -> Affine:
    """All of a buffer, in loops of these sizes."""
    return Affine(name, 0, tuple([prod(sizes[k + 1 :]) for k in range(len(sizes))]))


def along(buffer: str, firsts: list[int], step: int) -> Affine | Gather:
    """Rows that begin at places, and go on by a step."""
    loops = loops_of(firsts)
    if loops is not None and len(loops) == 1:
        return Affine(buffer, firsts[0], (loops[0][1], step))
    return Gather(buffer, tuple(firsts), 1, step)


def step_of(places: Sequence[int], starts: Sequence[int], lengths: Sequence[int]) -> int:
    """The step by which places go on in every row, 0 if there is none."""
    steps = {places[k + 1] - places[k] for start, n in zip(starts, lengths) for k in range(start, start + n - 1)}
    return max(steps.pop(), 0) if len(steps) == 1 else int(not steps)


def block_names(tensors: Tensors, reserved: Iterable[str]) -> list[str]:
    """A name for every block, none twice and none that the language has: of the input or the scope, or a letter."""
    taken, counts, names = set(reserved), dict[str, int](), list[str]()
    for block in tensors.blocks:
        root = stem(tensors.program, block) if isinstance(block, Group) else re.sub(r"^(?=\d)|\W", "_", block.name) or "x"
        name = root if not isinstance(block, Group) or (len(root) > 1 and root[-1] != "_") else ""
        while not name or name in taken:
            counts[root] = counts.get(root, 0) + 1
            name = f"{root}{'_' if root[-1].isdigit() else ''}{counts[root]}"
        taken.add(name)
        names.append(name)
    return names
