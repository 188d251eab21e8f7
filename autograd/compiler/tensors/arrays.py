"""The room of arrays: a program as instructions over named arrays, one for each block, for printers whose text is read.

Machine code wants one memory, in which what is read together lies together. A reader wants arrays with names: here every block
of the program is a buffer of its own, and what an operand reads from several blocks is joined into one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby, pairwise
from typing import Any

import numpy as np

from autograd.compiler.recover import Block, Group, Shape, Tensors
from autograd.compiler.tensors.access import axes
from autograd.compiler.tensors.instructions import Affine, Instruction
from autograd.compiler.tensors.layout import HOLE, Layout
from autograd.compiler.tensors.lower import Located, Lowering, in_order_of_appearance, runs
from autograd.compiler.tensors.regroup import regrouped
from autograd.ops import TABLE

__all__ = ["Arranged", "Buffer", "in_arrays"]

POS, SUM, POW = TABLE["pos"], TABLE["sum"], TABLE["pow"]
FEW = 8  # parts of a sum that are written one after the other
WORTH = 6  # parts more that are joined rather than gathered from what is joined
EXPONENTS = 4  # groups of powers, at most, that are made of one
LEAST = 5  # groups that are worth joining what they read
PADDED = 4  # times as many terms as there are may stand in the rows of sums of several lengths, and
SMALL = 4096  # so many more
Array = Any


@dataclass
class Buffer:
    """Numbers in a row: a block of the program, a table of constants, or, of other blocks, what is read together."""

    block: Block | None = None
    constants: list[float] | None = None
    batched: bool = False
    writers: int = 0  # instructions that write into it


@dataclass
class Arranged:
    """Instructions over named buffers. Results are copies into buffers that no other instruction reads."""

    tensors: Tensors
    buffers: dict[str, Buffer] = field(default_factory=dict)
    instructions: list[Instruction] = field(default_factory=list)
    terms: dict[int, Array] = field(default_factory=dict)  # of ragged sums, by what they write: which terms there are


def in_arrays(tensors: Tensors, results: Sequence[tuple[Sequence[int], Shape]]) -> Arranged:
    """The instructions that compute results of these shapes: result k is in the buffer `result k`."""
    return InArrays(BlockByBlock(regrouped(split(tensors), LEAST), ())).written(results)


def split(tensors: Tensors) -> Tensors:
    """The same program with elementwise groups in parts (powers of one exponent each, and what is done to those), and with sums
    of lengths that are far apart in groups of their own.
    """
    if not any((group.row is POW and len(group.arguments[1][0]) > 1) or is_sparse(group) for group in tensors.groups):
        return tensors
    result = tensors.again()
    for group in tensors.groups:
        for part in by_length(group) if is_sparse(group) else parts_of(result, group):
            result.settle(part)
    return result


def is_sparse(group: Group) -> bool:
    """Whether sums of several lengths have so different ones that rows of the longest length would be mostly empty."""
    count = len(group.arguments[0][0])
    return group.form == "ragged" and len(group.starts) * max(lengths(group)) > PADDED * count + SMALL


def lengths(group: Group) -> list[int]:
    """How many terms the sums of a group have."""
    return [end - start for start, end in pairwise([*group.starts, len(group.arguments[0][0])])]


def by_length(group: Group) -> list[Group]:
    """Sums of several lengths in groups in which no length is twice another."""
    classes: dict[int, list[int]] = {}
    sizes = lengths(group)
    for j, size in enumerate(sizes):
        classes.setdefault(size.bit_length(), []).append(j)
    parts = []
    for members in classes.values():
        part = Group(group.row, "ragged", [group.entries[j] for j in members], (len(members),))
        part.starts = [0, *accumulate([sizes[j] for j in members[:-1]])]
        for refs, _ in group.arguments:
            mine = [ref for j in members for ref in refs[group.starts[j] : group.starts[j] + sizes[j]]]
            part.arguments.append((mine, (len(mine),)))
        parts.append(part)
    return parts


def parts_of(tensors: Tensors, group: Group) -> list[Group]:
    """The parts of one group, by exponent or by the blocks that are read, if they are few."""
    if group.form != "elementwise" or len(group.entries) == 1 or None in group.entries:
        return [group]
    keys: list[Any] = list(zip(*[[tensors.home[ref] if ref >= 0 else -1 for ref in refs] for refs, _ in group.arguments]))
    if group.row is POW and max(group.arguments[1][0]) < 0:
        keys = list(zip(keys, group.arguments[1][0]))
    chosen = list(dict.fromkeys(keys))
    if not 1 < len(chosen) <= EXPONENTS:
        return [group]
    parts = []
    for key in chosen:
        members = [k for k, other in enumerate(keys) if other == key]
        shape = (len(members),) if len(members) > 1 else ()
        part = Group(group.row, "elementwise", [group.entries[k] for k in members], shape)
        part.arguments = [([refs[k] for k in members], shape) for refs, _ in group.arguments]
        parts.append(part)
    return parts


class BlockByBlock(Layout):
    """Every block is a buffer of its own, called by its number."""

    def give(self, k: int, block: Block) -> None:
        """The buffer of a block of inputs."""
        self.base[k] = (str(k), 0)
        self.at[[entry for entry in block.entries if entry is not None]] = np.arange(len(block.entries))

    def sort_products(self, group: Group) -> None:
        """Parts, rows, columns and terms; rows and columns change places where the program computes column by column."""
        half = group.arguments[0][1][-1]
        rows, columns = (len(refs) // half for refs, _ in group.arguments)
        parts = rows * columns // len(group.entries)
        entries = np.array([-1 if entry is None else entry for entry in group.entries]).reshape(parts, rows // parts, -1)
        if parts > 1 and min(entries.shape[1:]) > 1 and steps(entries) > steps(entries.swapaxes(1, 2)):
            group.arguments = group.arguments[::-1]
            order = np.arange(len(group.entries)).reshape(entries.shape).swapaxes(1, 2).ravel()
            group.entries = [group.entries[k] for k in order.tolist()]
        super().sort_products(group)

    def sort_ragged(self, group: Group) -> None:
        """Rows by length, the short ones first, or last if that is how they read from the front to the back."""
        super().sort_ragged(group)
        rows = np.array(group.starts)
        reads = [self.nominal(refs)[rows].astype(float) for refs, _ in group.arguments]
        trend = sum([np.sign(np.dot(np.arange(len(rows)) - (len(rows) - 1) / 2, read - read.mean())) for read in reads])
        if trend < 0:
            spans = [range(start, end) for start, end in zip(group.starts, [*group.starts[1:], len(group.arguments[0][0])])]
            order = sorted(range(len(spans)), key=lambda j: -len(spans[j]))
            terms = [term for j in order for term in spans[j]]
            group.entries = [group.entries[j] for j in order]
            group.starts = np.cumsum([0, *[len(spans[j]) for j in order[:-1]]]).tolist()
            self.set_arguments(group, [np.asarray(refs)[terms] for refs, _ in group.arguments])

    def return_blocks(self) -> None:
        """Results are copied where they are returned."""

    def lay(self) -> dict[str, int]:
        """A buffer for each block."""
        self.base |= {k: (str(k), 0) for k in self.groups}
        return {"scratch": 0, "lanes": 0}


def steps(entries: Array) -> float:
    """How far apart entries are that follow each other in a row, holes aside."""
    return float(np.median(np.abs(np.diff(entries, axis=-1))[(entries[..., 1:] >= 0) & (entries[..., :-1] >= 0)]))


class InArrays(Lowering):
    """Writes the instructions of a program that is laid out block by block."""

    def written(self, results: Sequence[tuple[Sequence[int], Shape]]) -> Arranged:
        """All instructions, those that copy the results last."""
        tensors = self.layout.tensors
        self.buffers = {str(k): Buffer(block, batched=block.batched) for k, block in enumerate(tensors.blocks)}
        self.joined: dict[tuple[int, ...], str] = {}
        self.terms: dict[int, Array] = {}
        self.lowered()
        for k, (refs, shape) in enumerate(results):
            name, array = f"result {k}", np.asarray(refs, dtype=np.int64).reshape(shape or (1,))
            self.buffers[name] = Buffer(batched=bool(self.batched[self.layout.homes(array)].any()))
            self.emit(POS, array.shape, 0, [array], (name, np.arange(array.size)), -2 - k)
        for ins in self.code.instructions:
            self.buffers[ins.out.buffer].writers += 1
        return Arranged(tensors, self.buffers, self.code.instructions, self.terms)

    def is_small(self, group: Group) -> bool:  # noqa: ARG002 - as an override
        """Sums stay sums."""
        return False

    def parts(self, group: Group, lists: list[Array], at: Array) -> list[Array]:  # noqa: ARG002
        """An elementwise group is one instruction."""
        return [np.arange(len(at))]

    def write(self, k: int, group: Group) -> None:
        """The instructions of a group; one sum over several blocks, as the squares of all weights, is one of sums over each."""
        if len(group.entries) == 1 and group.form in ("product", "dots", "reduced") and group.row.name in ("dot", "sum"):
            lists = [np.asarray(refs) for refs, _ in group.arguments]
            homes = list(zip(*[self.layout.homes(refs).tolist() for refs in lists]))
            spans = [list(span) for _, span in groupby(range(len(homes)), lambda j: homes[j])]
            if 1 < len(spans) <= min(FEW, len(homes) // 4) and all(min(pair) >= 0 for pair in homes):
                self.in_parts(k, group, [[refs[span] for refs in lists] for span in spans])
                return
        super().write(k, group)

    def in_parts(self, k: int, group: Group, parts: list[list[Array]]) -> None:
        """A sum as the sum of its parts."""
        found: list[Affine] = []
        for lists in parts:
            name = f"{k}.{len(found)}"
            self.buffers[name] = Buffer(group, batched=group.batched)
            self.emit(group.row, (1, len(lists[0])), 1, [refs[None] for refs in lists], (name, np.arange(1)), k)
            found.append(Affine(name, 0, ()))
        self.code.instructions.append(Instruction(SUM, (), 0, tuple(found), Affine(str(k), 0, ()), k, frozenset([k])))

    def ragged(self, k: int, group: Group, lists: list[Array]) -> None:
        """Sums of several lengths: loops as long as the longest, in which some terms are left out at one end."""
        buffer, base = self.layout.base[k]
        at = self.layout.at[np.array(group.entries)]
        ends = [*group.starts[1:], len(lists[0])]
        rows = [(group.starts[j], ends[j]) for j in np.argsort(at).tolist()]
        firsts, lasts = (min(len({int(refs[row[0] if end else row[1] - 1]) for row in rows}) for refs in lists) for end in (1, 0))
        width = max(end - start for start, end in rows)
        terms = np.zeros((len(rows), width), dtype=bool)
        padded = [np.full(terms.shape, HOLE) for _ in lists]
        for line, (start, end) in enumerate(rows):
            part = slice(width - (end - start), width) if lasts < firsts else slice(0, end - start)
            terms[line, part] = True
            for full, refs in zip(padded, lists):
                full[line, part] = refs[start:end]
        self.terms[k] = terms
        self.emit(group.row, terms.shape, 1, padded, (buffer, base + np.sort(at)), k)

    def listed(self, refs: Array) -> Located:
        """Constants as a table of their own: as few numbers as make loops, in the order in which they are read."""
        found = super().listed(refs)
        start = int(found.places.min())
        name = f"table {start}"
        if name not in self.buffers:
            self.buffers[name] = Buffer(constants=self.code.constants[start : int(found.places.max()) + 1])
        return Located(name, found.places - start, frozenset())

    def copied(self, refs: Array, *, once: bool = False) -> Located:
        """References to several blocks, joined in the order in which they are read, or block after block if that is shorter."""
        own, ranks = refs.ravel(), np.arange(refs.size).reshape(refs.shape)
        parts = runs(np.arange(len(own)), self.layout.homes(own))
        if once:
            distinct, places = in_order_of_appearance(refs)
            pieces = runs(np.arange(len(distinct)), self.layout.homes(distinct))
            if len(pieces) < len(parts) or (len(distinct) < len(own) and axes(places.reshape(1, -1)) is not None):
                own, ranks, parts = distinct, places, pieces
        homes = self.layout.homes(own)
        several = list(dict.fromkeys(homes.tolist()))
        if len(parts) > len(several):  # block after block, and what is read goes from one to the other
            turn = np.concatenate([np.flatnonzero(homes == home) for home in several])
            back = np.argsort(turn)[ranks]
            if len(parts) > len(several) + WORTH or axes(back.reshape(1, -1)) is not None:
                own, ranks = own[turn], back
                parts = runs(np.arange(len(own)), homes[turn])
        key = tuple(own.tolist())
        reads = frozenset(several) & self.layout.groups.keys()
        if key not in self.joined:
            name = self.joined[key] = f"joined {len(self.joined)}"
            self.buffers[name] = Buffer(batched=bool(self.batched[self.layout.homes(own)].any()))
            for part in parts:
                self.emit(POS, (len(part),), 0, [own[part]], (name, part), -1)
        return Located(self.joined[key], ranks, reads)
