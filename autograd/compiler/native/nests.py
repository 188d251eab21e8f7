"""The room of nests: instructions that share their loops are fused, so that what is in between stays in registers.

Every place in memory is written by one instruction, once. An instruction may therefore move to any place after all that writes
what it reads, and a nest may compute an element twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import prod
from typing import NamedTuple

from autograd.compiler.tensors.instructions import Affine, Code, Instruction, Number, Operand, Taken, span
from autograd.ops import TABLE

__all__ = ["Call", "Nest", "Repeat", "fused", "packed", "rolled"]

LANES = 8  # numbers in a vector, and doubles in a line of cache: where packed copies begin
WINDOW = 64  # so many nests are looked at for one that an instruction may join
MOST = 128  # so many elementwise instructions are in a nest at most
PERIOD = 24  # so many calls at most are the body of a loop of calls
ONE_PASS = {"sum", "dot", "prod", "max", "min"}  # reductions that read each element once
OFTEN = 4  # an operand is packed if each of its elements is read so often at least
SHORTEST = 4  # and along a loop so long at least


@dataclass
class Nest:
    """Loops over `sizes`: a reduction inside them if there is one, then elementwise instructions, on its result too.

    What comes `before` the reduction is elementwise, in its loops and in those that it folds.
    """

    sizes: tuple[int, ...]
    before: list[Instruction]
    main: Instruction | None
    steps: list[Instruction]
    read: set[int] = field(default_factory=set)  # the blocks that other nests read

    @property
    def members(self) -> list[Instruction]:
        """All instructions, in order."""
        return [*self.before, *([self.main] if self.main else []), *self.steps]

    def is_stored(self, ins: Instruction) -> bool:
        """Whether the results of a member are read from memory."""
        return ins.out.buffer == "out" or ins.writes in self.read


@lru_cache(maxsize=4096)
def common(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...] | None:
    """The coarsest sizes of loops that both can be split into; None if there are none, or if they would make short vectors.

    >>> common((6, 20), (6, 4, 5)), common((120,), (6, 20)), common((8, 9), (9, 8))
    ((6, 4, 5), (6, 20), None)
    """
    ends = sorted({prod(sizes[k:]) for sizes in (first, second) for k in range(len(sizes) + 1)})
    if prod(first) != prod(second) or any(large % small for small, large in zip(ends, ends[1:])):
        return None
    found = tuple([large // small for small, large in zip(ends, ends[1:])][::-1])
    return found if not found or found[-1] >= min(LANES, first[-1], second[-1]) else None


def refined(ins: Instruction, sizes: tuple[int, ...]) -> Instruction:
    """The same instruction with its outer loops split into finer ones, in the same order."""
    outer = ins.outer
    if outer == sizes:
        return ins

    def split(strides: tuple[int, ...]) -> tuple[int, ...]:
        found, k = [], len(sizes) - 1
        for size, stride in zip(reversed(outer), reversed(strides[: len(outer)])):
            inside = 1
            while inside < size:
                found.append(stride * inside)
                inside *= sizes[k]
                k -= 1
        return (*reversed(found), *strides[len(outer) :])

    def changed(x: Operand) -> Operand:
        if isinstance(x, Affine):
            return x._replace(strides=split(x.strides))
        return x._replace(table=changed(x.table), index=changed(x.index)) if isinstance(x, Taken) else x  # type: ignore[arg-type]

    return replace(ins, sizes=(*sizes, *ins.sizes[len(outer) :]), operands=tuple(map(changed, ins.operands)),
                   out=changed(ins.out), limit=ins.limit and changed(ins.limit))  # fmt: skip


def fused(instructions: Sequence[Instruction]) -> list[Nest]:
    """All instructions in nests: each joins the first nest of the same loops after everything that it reads, if it can."""
    nests: list[Nest] = []
    maker: dict[int, int] = {}  # the nest that completes a block
    for ins in instructions:
        first = max([maker.get(block, -1) for block in ins.reads], default=-1)
        for k in range(max(first, 0), min(len(nests), max(first, 0) + (1 if ins.reduced else WINDOW))):
            if nest := ending(nests[k], ins) if ins.reduced else joined(nests[k], ins):
                nests[k] = nest
                break
        else:
            k = len(nests)
            nests.append(Nest(ins.outer, [], ins, []) if ins.reduced else Nest(ins.sizes, [], None, [ins]))
        maker[ins.writes] = max(k, maker.get(ins.writes, -1))
    readers: dict[int, set[int]] = defaultdict(set)
    for k, nest in enumerate(nests):
        for ins in nest.members:
            for block in ins.reads:
                readers[block].add(k)
    for k, nest in enumerate(nests):
        nest.read = {ins.writes for ins in nest.members if readers[ins.writes] - {k}}
    return nests


def joined(nest: Nest, ins: Instruction) -> Nest | None:
    """The nest with an elementwise instruction more; None if its loops differ, or if it reads elements that are not at hand."""
    sizes = common(nest.sizes, ins.sizes) if len(nest.steps) < MOST else None
    if sizes is None or any(m.writes in ins.reads for m in nest.before):
        return None
    new, steps, main = refined(ins, sizes), [refined(m, sizes) for m in nest.steps], nest.main and refined(nest.main, sizes)
    if not at_hand(new, [*([main] if main else []), *steps]):
        return None
    inner = main.sizes[len(sizes) :] if main else ()
    return Nest(sizes, [refined(m, (*sizes, *inner)) for m in nest.before], main, [*steps, new])


def ending(nest: Nest, ins: Instruction) -> Nest | None:
    """An elementwise nest with a reduction of its elements in the end; None if it has other loops, or does not read them."""
    if nest.main or ins.limit or ins.row.name not in ONE_PASS or not any(m.writes in ins.reads for m in nest.steps):
        return None
    sizes, inner = common(nest.sizes, ins.sizes), ins.sizes[len(ins.outer) :]
    if sizes is None or sizes[len(sizes) - len(inner) :] != inner:
        return None
    new, before = refined(ins, sizes[: len(sizes) - len(inner)]), [refined(m, sizes) for m in nest.steps]
    return Nest(new.outer, before, new, []) if at_hand(new, before) else None


def at_hand(ins: Instruction, members: Sequence[Instruction]) -> bool:
    """Whether an instruction in the same loops reads just those elements of the others which they have made in this step."""
    inside = [m.out for m in members if m.writes in ins.reads]
    return all(
        isinstance(x, Number) or (isinstance(x, Affine) and (x in inside or not any(touches(x, y, ins.sizes) for y in inside)))
        for x in (ins.operands if inside else ())
    )


def touches(x: Affine, y: Affine, sizes: tuple[int, ...]) -> bool:
    """Whether two operands may share elements."""
    (a, b), (c, d) = span(x, sizes), span(y, sizes[: len(y.strides)])
    return x.buffer == y.buffer and a <= d and c <= b


# Packing


def packed(code: Code) -> tuple[list[Instruction], int]:
    """The instructions and the size of the scratch buffer, with a copy of each operand that is contiguous along the wrong loop."""
    packing = Packing(code)
    changed = [new for ins in code.instructions for new in packing.changed(ins)]
    # Copies of what is there from the start come first, so that nothing which reads them has to wait.
    return sorted(changed, key=lambda ins: not (ins.writes < packing.written and not ins.reads)), packing.size


class Packing:
    """Copies of operands in which one loop is contiguous, each shared by all instructions that need it."""

    def __init__(self, code: Code) -> None:
        self.size = -(-code.scratch // LANES) * LANES
        self.written = self.block = min((ins.writes for ins in code.instructions), default=0)
        self.copies: dict[object, tuple[int, Affine, list[tuple[int, int]]]] = {}
        self.uses: Counter[object] = Counter()  # how often products read each element of an operand
        for ins in code.instructions:
            for x in ins.operands if ins.row.name == "dot" else ():
                if isinstance(x, Affine):
                    self.uses[axes(x, ins.sizes)] += prod([n for n, stride in zip(ins.outer, x.strides) if not stride])

    def changed(self, ins: Instruction) -> Iterator[Instruction]:
        """An instruction, after the copies that it reads and that are not there yet."""
        for k, j in self.turned(ins):
            x = ins.operands[k]
            assert isinstance(x, Affine)
            loops = [(x.strides[a], ins.sizes[a]) for a in (*[a for a in range(len(ins.sizes)) if x.strides[a] and a != j], j)]
            key = x.buffer, x.start, tuple(sorted(loops[:-1])), loops[-1]
            if key not in self.copies:
                sizes = tuple([size for _, size in loops])
                self.block -= 1
                copy = Affine("scratch", self.size, tuple([prod(sizes[a + 1 :]) for a in range(len(sizes))]))
                self.copies[key] = self.block, copy, loops
                self.size += -(-prod(sizes) // LANES) * LANES
                reads: frozenset[int] = frozenset() if x.buffer in ("in", "constants") else ins.reads
                source = x._replace(strides=tuple([stride for stride, _ in loops]))
                yield Instruction(TABLE["pos"], sizes, 0, (source,), copy, self.block, reads)
            block, copy, loops = self.copies[key]
            left = list(zip(loops[:-1], copy.strides))
            strides = [0] * len(ins.sizes)
            strides[j] = 1
            for a in range(len(ins.sizes)):
                if x.strides[a] and a != j:
                    same = next(pair for pair in left if pair[0] == (x.strides[a], ins.sizes[a]))
                    left.remove(same)
                    strides[a] = same[1]
            operands = (*ins.operands[:k], copy._replace(strides=tuple(strides)), *ins.operands[k + 1 :])
            ins = replace(ins, operands=operands, reads=ins.reads | {block})
        yield ins

    def turned(self, ins: Instruction) -> list[tuple[int, int]]:
        """Which operands are to be copied, each with the loop along which the copy is contiguous."""
        if ins.row.name == "dot" and ins.reduced and all(isinstance(x, Affine) for x in ins.operands):
            found = []
            for j, size in enumerate(ins.outer):
                wrong = [k for k, x in enumerate(ins.operands) if x.strides[j] not in (0, 1)]
                if size >= SHORTEST and not wrong:
                    return []
                if size >= SHORTEST and len(wrong) == 1 and self.uses[axes(ins.operands[wrong[0]], ins.sizes)] >= OFTEN:
                    x = ins.operands[wrong[0]]
                    volume = prod([n for n, stride in zip(ins.sizes, x.strides) if stride])
                    found.append((-min(size, LANES), volume, -j, wrong[0]))
            return [(k, -j) for _, _, j, k in sorted(found)[:1]]
        if ins.reduced or len(ins.sizes) < 2 or ins.sizes[-1] < SHORTEST or prod(ins.sizes[:-1]) < OFTEN:
            return []
        return [(k, len(ins.sizes) - 1) for k, x in enumerate(ins.operands)
                if isinstance(x, Affine) and x.strides[-1] not in (0, 1) and not any(x.strides[:-1])]  # fmt: skip


def axes(x: Affine, sizes: tuple[int, ...]) -> tuple[object, ...]:
    """What tells the elements of an operand: where they begin, and the loops over them."""
    return x.buffer, x.start, *sorted([(stride, size) for stride, size in zip(x.strides, sizes) if stride])


# Rolling


class Call(NamedTuple):
    """A call of a nest: the places that it is given, each a buffer and where it begins there, and tables."""

    name: str
    buffers: tuple[str, ...]
    starts: tuple[int, ...]


class Repeat(NamedTuple):
    """Calls that are run so many times, all places moved each time by their steps."""

    times: int
    calls: list[Call]
    steps: list[tuple[int, ...]]


def rolled(calls: Sequence[Call]) -> list[Repeat]:
    """Runs of the same calls whose places move by constant steps are loops; every other call is run once."""
    found, i = [], 0
    while i < len(calls):
        options = [(times * period, times, period) for period in range(1, PERIOD + 1) if (times := repeats(calls, i, period)) >= 3]
        _, times, period = max(options, default=(1, 1, 1))
        body = calls[i : i + period]
        later = calls[i + period : i + 2 * period] if times > 1 else body
        found.append(Repeat(times, list(body), [moved(one, two) for one, two in zip(body, later)]))
        i += times * period
    return found


def repeats(calls: Sequence[Call], i: int, period: int) -> int:
    """How many times the calls from the i-th on are repeated, `period` at a time."""
    times = 1
    while i + (times + 1) * period <= len(calls):
        for j in range(i, i + period):
            first, second, last, new = (calls[j + k * period] for k in (0, 1, times - 1, times))
            if new[:2] != first[:2] or moved(last, new) != moved(first, second):
                return times
        times += 1
    return times


def moved(one: Call, two: Call) -> tuple[int, ...]:
    """How far the places of a call are from those of another."""
    return tuple([b - a for a, b in zip(one.starts, two.starts)])
