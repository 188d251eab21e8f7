"""The room of nests: instructions that share their loops are fused, so that what is in between stays in registers.

Every place in memory is written by one instruction, once. An instruction may therefore move to any place after all that writes
what it reads, and a nest may compute an element twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from math import prod

from autograd.compiler.native.folds import FOLDS
from autograd.compiler.tensors.instructions import Affine, Gather, Instruction, Number, Operand, Taken, span

__all__ = ["Nest", "fused"]

LANES = 8  # loops of so many steps are long enough for vectors
WINDOW = 64  # so many nests are looked at for one that an instruction may join
MOST = 128  # so many elementwise instructions are in a nest at most


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
    def batched(self) -> bool:
        """Whether the first loop is that of the examples of a batch."""
        return self.members[0].batched

    @property
    def members(self) -> list[Instruction]:
        """All instructions, in order."""
        return [*self.before, *([self.main] if self.main else []), *self.steps]

    def is_stored(self, ins: Instruction) -> bool:
        """Whether the results of a member are read from memory."""
        return ins.out.buffer in ("out", "each") or ins.writes in self.read


@lru_cache(maxsize=4096)
def common(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...] | None:
    """The coarsest sizes of loops that both can be split into; None if there are none, or if they would make short vectors.

    >>> common((6, 20), (6, 4, 5)), common((120,), (6, 20)), common((8, 9), (9, 8))
    ((6, 4, 5), (6, 20), None)
    """
    ends = sorted({prod(sizes[k:]) for sizes in (first, second) for k in range(len(sizes) + 1)})
    if prod(first) != prod(second) or any(large % small for small, large in pairwise(ends)):
        return None
    found = tuple([large // small for small, large in pairwise(ends)][::-1])
    return found if not found or found[-1] >= min(LANES, first[-1], second[-1]) else None


def refined(ins: Instruction, sizes: tuple[int, ...]) -> Instruction:
    """The same instruction with its outer loops split into finer ones, in the same order."""
    outer = ins.outer
    if outer == sizes:
        return ins

    def split(x: Affine) -> Affine:
        found, k = [], len(sizes) - 1
        for size, stride in zip(reversed(outer), reversed(x.strides[: len(outer)])):
            inside = 1
            while inside < size:
                found.append(stride * inside)
                inside *= sizes[k]
                k -= 1
        return x._replace(strides=(*reversed(found), *x.strides[len(outer) :]))

    def changed(x: Operand) -> Operand:
        if isinstance(x, Taken):
            return x._replace(table=split(x.table), index=split(x.index))
        if isinstance(x, Gather) and x.axis:
            return x._replace(axis=x.axis + len(sizes) - len(outer))
        return split(x) if isinstance(x, Affine) else x

    limit = split(ins.limit) if isinstance(ins.limit, Affine) else ins.limit
    inner, operands = ins.sizes[len(outer) :], tuple(map(changed, ins.operands))
    return replace(ins, sizes=(*sizes, *inner), operands=operands, out=split(ins.out), limit=limit)


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
    sizes = common(nest.sizes, ins.sizes) if len(nest.steps) < MOST and nest.batched == ins.batched else None
    if sizes is None or any(m.writes in ins.reads for m in nest.before):
        return None
    new, steps, main = refined(ins, sizes), [refined(m, sizes) for m in nest.steps], nest.main and refined(nest.main, sizes)
    if not at_hand(new, [*([main] if main else []), *steps]):
        return None
    inner = main.sizes[len(sizes) :] if main else ()
    return Nest(sizes, [refined(m, (*sizes, *inner)) for m in nest.before], main, [*steps, new])


def ending(nest: Nest, ins: Instruction) -> Nest | None:
    """An elementwise nest with a reduction of its elements in the end; None if it has other loops, or does not read them."""
    if nest.main or nest.batched != ins.batched:
        return None
    if ins.limit or len(FOLDS[ins.row.name].passes) > 1 or not any(m.writes in ins.reads for m in nest.steps):
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
