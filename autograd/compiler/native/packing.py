"""The room of packing: operands of which no loop is contiguous where vectors need it are copied, once for all that read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from math import prod

from autograd.compiler.tensors.instructions import Affine, Code, Instruction, is_given
from autograd.ops import TABLE

__all__ = ["packed"]

LINE = 8  # numbers in a line of cache: where copies begin
OFTEN = 4  # an operand is copied if each of its elements is read so often at least
SHORTEST = 4  # and along a loop so long at least


def packed(code: Code) -> tuple[list[Instruction], int]:
    """The instructions, with copies of operands that are contiguous along the wrong loop, and the size of the scratch buffer."""
    packing = Packing(code)
    changed = [new for ins in code.instructions for new in packing.changed(ins)]
    # Copies of what is there from the start come first, so that nothing that reads them has to wait.
    return sorted(changed, key=lambda ins: bool(ins.reads) or ins.writes >= packing.lowest), packing.size


class Packing:
    """Copies of operands in which one loop is contiguous, each shared by all instructions that need it."""

    def __init__(self, code: Code) -> None:
        self.size = -(-code.scratch // LINE) * LINE
        self.lowest = self.block = min((ins.writes for ins in code.instructions), default=0)
        self.copies: dict[object, tuple[int, Affine, list[tuple[int, int]]]] = {}
        self.uses: Counter[object] = Counter()  # how often products read each element of an operand
        for ins in code.instructions:
            for x in ins.operands if ins.row.name == "dot" else ():
                if isinstance(x, Affine):
                    self.uses[axes(x, ins.sizes)] += prod([n for n, stride in zip(ins.outer, x.strides) if not stride])

    def changed(self, ins: Instruction) -> Iterator[Instruction]:
        """An instruction, after the copies that it reads and that are not there yet."""
        for k, x, j in self.turned(ins):
            order = [*[a for a in range(len(ins.sizes)) if x.strides[a] and a != j], j]
            loops = [(x.strides[a], ins.sizes[a]) for a in order]
            batched = ins.examples in order
            turn = sorted(range(len(order)), key=lambda a: batched and order[a] != ins.examples)  # its loop is the first
            key = x.buffer, x.start, tuple(sorted(loops[:-1])), loops[-1], batched and loops[turn[0]]
            if key not in self.copies:
                sizes = tuple([size for _, size in loops])
                self.block -= 1
                copy = Affine("scratch", self.size, tuple([prod(sizes[a + 1 :]) for a in range(len(sizes))]))
                self.copies[key] = self.block, copy, loops
                self.size += -(-prod(sizes) // LINE) * LINE
                reads: frozenset[int] = frozenset() if is_given(x.buffer) else ins.reads
                source, target = (y._replace(strides=tuple([strides[a] for a in turn]))
                                  for y, strides in ((x, [stride for stride, _ in loops]), (copy, copy.strides)))  # fmt: skip
                sizes = tuple([sizes[a] for a in turn])
                yield Instruction(TABLE["pos"], sizes, 0, (source,), target, self.block, reads, batched=batched)
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

    def turned(self, ins: Instruction) -> list[tuple[int, Affine, int]]:
        """Which operands are to be copied, each with the loop along which the copy is contiguous."""
        affine = [(k, x) for k, x in enumerate(ins.operands) if isinstance(x, Affine)]
        if ins.row.name == "dot" and ins.reduced and len(affine) == len(ins.operands):
            options = []
            if ins.batched:  # the examples are side by side where the results go
                wide = [(k, x, 0) for k, x in affine if x.strides[0] not in (0, 1)]
                return wide if len(wide) == 1 and self.uses[axes(wide[0][1], ins.sizes)] >= OFTEN else []
            for j, size in enumerate(ins.outer):
                wrong = [(k, x) for k, x in affine if x.strides[j] not in (0, 1)]
                if size >= SHORTEST and not wrong:
                    return []
                if size >= SHORTEST and len(wrong) == 1 and self.uses[axes(wrong[0][1], ins.sizes)] >= OFTEN:
                    volume = prod([n for n, stride in zip(ins.sizes, wrong[0][1].strides) if stride])
                    options.append(((min(size, LINE), -volume, j), (*wrong[0], j)))
            return [max(options)[1]] if options else []
        if ins.reduced or len(ins.sizes) < 2 or ins.sizes[-1] < SHORTEST or prod(ins.sizes[:-1]) < OFTEN:
            return []
        return [(k, x, len(ins.sizes) - 1) for k, x in affine if x.strides[-1] not in (0, 1) and not any(x.strides[:-1])]


def axes(x: Affine, sizes: tuple[int, ...]) -> tuple[object, ...]:
    """What tells the elements of an operand: where they begin, and the loops over them."""
    return x.buffer, x.start, *sorted([(stride, size) for stride, size in zip(x.strides, sizes) if stride])
