"""The room of lowering: the groups of a program as instructions over the memory that the layout gave them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.recover import Group, Tensors
from autograd.compiler.tensors.access import UNKNOWN, Fit, axes, common_loops
from autograd.compiler.tensors.instructions import (
    COUNT,
    LANES,
    Affine,
    Batch,
    Code,
    Gather,
    Instruction,
    IrregularError,
    Number,
    Operand,
    Taken,
)  # fmt: skip
from autograd.compiler.tensors.layout import HOLE, Layout, aligned
from autograd.compiler.tensors.regroup import cuts, in_pieces, regrouped
from autograd.compiler.totals import TOTAL, TOTAL_DOT
from autograd.ops import TABLE, Primitive

__all__ = ["lowered"]

POW, POS, SUM, DOT = (TABLE[name] for name in ("pow", "pos", "sum", "dot"))
TOTALS = (TOTAL, TOTAL_DOT)
NARROW = 8  # so many results for each example are worth no loop of their own
EXPONENTS = 4  # so many constant exponents get an instruction each
Array = Any  # of whole numbers: references, or places


def lowered(
    tensors: Tensors, results: Sequence[int] | None = None, batch: Batch | None = None, each: Sequence[int] = ()
) -> Code:  # fmt: skip
    """The instructions that compute these results of a program (its outputs, if none are given).

    With a batch, `results` are the same for all examples, and `each` are results for each of them.

    >>> from autograd.compiler.program import Program
    >>> from autograd.compiler.recover import recover
    >>> program = Program()
    >>> x = [program.input(f"x.{k}") for k in range(3)]
    >>> program.outputs = [program.add(TABLE["exp"], [ref]) for ref in x]
    >>> code = lowered(recover(program))
    >>> code.instructions[0].operands
    (Affine(buffer='in', start=0, strides=(1,)),)
    >>> code.run([0.0, 0.0, 0.0])
    [1.0, 1.0, 1.0]
    """
    results = tensors.program.outputs if results is None else results
    return Lowering(Layout(regrouped(in_pieces(tensors)), results, batch, each)).lowered()


class Located(NamedTuple):
    """References of one buffer: where they lie in it, unknown for holes, and the blocks they are in."""

    buffer: str
    places: Array
    reads: frozenset[int]


class Lowering:
    """Writes the instructions of a program that is laid out."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.program = layout, layout.program
        results, each = layout.results.values()
        self.code = Code(layout.inputs, len(results), list(self.program.constants), layout.sizes["scratch"], batch=layout.batch,
                         lanes=layout.sizes["lanes"], each=len(each))  # fmt: skip
        self.batched = np.array([block.batched for block in layout.tensors.blocks] + [False])  # of blocks; the last: of constants
        self.blocks = len(layout.tensors.blocks)  # so many have a number: further ones are copies
        self.tables: dict[tuple[int, ...], int] = {}  # lists of constants, by what is in them

    def lowered(self) -> Code:
        """The instructions of all groups."""
        for k, group in self.layout.groups.items():
            self.write(k, group)
        self.copy_results()
        return self.code

    # One group

    def write(self, k: int, group: Group) -> None:
        """The instructions of a group."""
        lists = [np.asarray(refs) for refs, _ in group.arguments]
        if group.form == "elementwise":
            self.elementwise(k, group, lists)
            return
        buffer, base = self.layout.base[k]
        entries = np.array([HOLE if entry is None else entry for entry in group.entries])
        n = len(entries)
        out = buffer, base + (np.arange(n) if k in self.layout.boxes else self.layout.at[entries])
        if group.batched and self.is_small(group):
            self.unrolled(k, group, lists, out)
        elif group.form in ("product", "products"):
            half = group.arguments[0][1][-1]
            p, m = (len(refs) // half for refs in lists)
            parts = p * m // n
            p, m = p // parts, m // parts
            lists = [lists[0].reshape(parts, p, 1, half), lists[1].reshape(parts, 1, m, half)]
            self.emit(group.row, (parts, p, m, half), 1, lists, out, k)
        elif group.form in ("dots", "reduced"):
            dims = (n, len(lists[0]) // n)
            self.emit(group.row, dims, 1, [refs.reshape(dims) for refs in lists], out, k)
        elif group.form == "ragged":
            self.ragged(k, group, lists)
        elif group.form == "taken":
            (rows, columns), chosen = group.arguments[1][1], len(lists[0])
            table = lists[1].reshape(rows, columns)
            self.take((chosen, columns), table[:1], lists[0].reshape(-1, 1), table, out, k)
        else:  # picked: a number of each row
            columns = len(lists[1]) // n
            table = lists[1].reshape(n, columns)
            self.take((n,), table[:, 0], lists[0], table.T, out, k)

    def is_small(self, group: Group) -> bool:
        """Whether sums for each example are written term by term, so that the terms stay in registers."""
        is_sum = group.form in ("product", "products", "dots", "reduced") and None not in group.entries
        return is_sum and len(group.entries) <= NARROW and group.arguments[0][1][-1] <= NARROW

    def unrolled(self, k: int, group: Group, lists: list[Array], out: tuple[str, Array]) -> None:
        """Sums of a few terms, each by itself."""
        half = group.arguments[0][1][-1]
        sides = [refs.reshape(-1, half) for refs in lists]
        if group.form in ("product", "products"):
            parts = len(sides[0]) * len(sides[1]) // len(group.entries)
            first, second = (side.reshape(parts, -1, half) for side in sides)
            shape = (parts, first.shape[1], second.shape[1], half)
            sides = [np.broadcast_to(first[:, :, None], shape).reshape(-1, half),
                     np.broadcast_to(second[:, None], shape).reshape(-1, half)]  # fmt: skip
        for j in range(len(group.entries)):
            terms = [ref for side in sides for ref in side[j].reshape(-1, 1)]
            self.emit(group.row, (1,), 0, terms, (out[0], out[1][j : j + 1]), k)

    def elementwise(self, k: int, group: Group, lists: list[Array]) -> None:
        """The same operation everywhere, in a few parts if these have strides and the whole has none."""
        layout = self.layout
        buffer, base = layout.base[k]
        if len(group.entries) == 1:
            out = Affine(buffer, base + int(layout.at[group.entries[0]]), ())
            self.single(k, group.row, [int(refs[0]) for refs in lists], out)
            return
        entries = np.array([entry for entry in group.entries if entry is not None])
        if k in layout.boxes:
            box, spread = layout.boxes[k], []
            for refs in lists:
                full = np.full(prod(box), HOLE)
                full[layout.at[entries]] = refs
                spread.append(full.reshape(box))
            self.emit(group.row, box, 0, spread, (buffer, base + np.arange(prod(box))), k)
            return
        turn = np.argsort(layout.at[entries])
        at, lists = base + layout.at[entries][turn], [refs[turn] for refs in lists]
        for part in self.parts(group, lists, at):
            self.emit(group.row, (len(part),), 0, [refs[part] for refs in lists], (buffer, at[part]), k)

    def parts(self, group: Group, lists: list[Array], at: Array) -> list[Array]:
        """The members of an elementwise group by instructions."""
        layout = self.layout
        parts: list[Array] = []
        if group.batched and len(at) <= NARROW:  # along the examples alone, so that all fits together
            parts = list(np.arange(len(at)).reshape(-1, 1))
        elif group.row is POW and lists[1].max() < 0 and 1 < len(np.unique(lists[1])) <= EXPONENTS:
            parts = [np.flatnonzero(lists[1] == exponent) for exponent in dict.fromkeys(lists[1].tolist())]
        if not parts or any(axes(at[part][None]) is None for part in parts):
            ends = cuts([layout.nominal(refs) for refs in lists if refs.min() >= 0])
            ends = [0, *(ends if len(ends) < 4 else []), len(at)]
            parts = [np.arange(start, end) for start, end in pairwise(ends)]
        return parts

    def single(self, k: int, row: Primitive, refs: Sequence[int], out: Affine) -> None:
        """An operation on single numbers, of which there may be thousands: without arrays."""
        layout, home = self.layout, self.layout.tensors.home
        operands: list[Operand] = []
        for ref in refs:
            buffer, base = layout.base[home[ref]] if ref >= 0 else ("", 0)
            operands.append(Affine(buffer, base + int(layout.at[ref]), ()) if ref >= 0 else Number(self.program.number(ref)))
        reads = frozenset([home[ref] for ref in refs if ref >= 0]) & layout.groups.keys()
        made = Instruction(row, (), 0, tuple(operands), out, k, reads)
        self.code.instructions.append(made if self.code.batch is None else over_examples(made, self.code.batch))

    def ragged(self, k: int, group: Group, lists: list[Array]) -> None:
        """Sums of several lengths: loops as long as the longest, which end where a row does."""
        buffer, base = self.layout.base[k]
        at = self.layout.at[np.array(group.entries)]
        ends = [*group.starts[1:], len(lists[0])]
        rows = [(group.starts[j], ends[j]) for j in np.argsort(at).tolist()]
        width = max(end - start for start, end in rows)
        dims = (len(rows), width)
        padded = []
        for refs in lists:
            full = np.full(dims, HOLE)
            for line, (start, end) in zip(full, rows):
                line[: end - start] = refs[start:end]
            padded.append(full)
        limit = np.array([[end - start] for start, end in rows])
        self.emit(group.row, dims, 1, padded, (buffer, base + np.sort(at)), k, limit)

    def take(self, dims: tuple[int, ...], first: Array, index: Array, table: Array, out: tuple[str, Array], k: int) -> None:
        """Numbers of a table by index: `first` is what the index 0 takes, and row i of `table` what i does."""
        found = self.located(table)
        steps = np.unique(np.diff(found.places, axis=0))
        if len(steps) > 1 or UNKNOWN in found.places:  # the rows are not equally far apart: copies of them are
            found = self.copied(table)
            steps = np.unique(np.diff(found.places, axis=0))
        start = found._replace(places=found.places[0].reshape(first.shape))
        made = self.instruction(POS, dims, 0, [start, index], out, k)
        source, chosen = made.operands
        if not isinstance(source, Affine) or not isinstance(chosen, Affine):
            raise IrregularError("a table whose columns are in no order")
        scale = self.code.batch.size if self.code.batch and source.buffer in LANES else 1
        taken = Taken(source, chosen, scale * int(steps[0]) if len(steps) else 0, len(table))
        self.code.instructions.append(replace(made, operands=(taken,)))

    # Instructions

    def emit(self, row: Primitive, dims: tuple[int, ...], reduced: int, lists: Sequence[Array | Located], out: tuple[str, Array],
             writes: int, limit: Array | None = None) -> None:  # fmt: skip
        """Add an instruction; see `instruction`."""
        self.code.instructions.append(self.instruction(row, dims, reduced, lists, out, writes, limit))

    def instruction(self, row: Primitive, dims: tuple[int, ...], reduced: int, lists: Sequence[Array | Located],
                    out: tuple[str, Array], writes: int, limit: Array | None = None) -> Instruction:  # fmt: skip
        """An instruction from arrays of references, each of a shape that broadcasts to dims, and the places of its results."""
        found = [refs if isinstance(refs, Located) else self.number(refs) or self.located(refs) for refs in lists]
        located = [x for x in found if isinstance(x, Located)]
        results = out[1].reshape(dims[: len(dims) - reduced] + (1,) * reduced)
        further = [] if limit is None else [limit]
        # Where sums are ragged, their length counts along one loop.
        loops = common_loops(dims, reduced, [results, *further, *[x.places for x in located]], is_whole=limit is not None)
        fits = iter(loops.fits)
        if (place := next(fits)) is None:
            raise IrregularError(f"results of {row.name} that lie in no loops")
        bound = None if limit is None else as_operand("", next(fits), limit, dims)
        operands = [as_operand(x.buffer, next(fits), x.places, dims) if isinstance(x, Located) else x for x in found]
        made = Instruction(
            row, loops.sizes, loops.reduced, tuple(operands),
            Affine(out[0], place.start, place.strides[: len(loops.sizes) - loops.reduced]), writes,
            frozenset().union(*[x.reads for x in located]), bound,
        )  # fmt: skip
        return made if self.code.batch is None else over_examples(made, self.code.batch)

    def number(self, refs: Array) -> Number | None:
        """The constant that all references are, if they are one."""
        first = int(refs.max())
        if first >= 0 or ((refs != first) & (refs != HOLE)).any():
            return None
        return Number(self.program.number(first))

    def located(self, refs: Array) -> Located:
        """Where references lie; those that lie in several buffers are copied into one."""
        layout = self.layout
        if refs.min() >= 0 and (layout.home[refs] == (k := int(layout.home[refs.flat[0]]))).all():
            buffer, base = layout.base[k]
            return Located(buffer, base + layout.at[refs], frozenset((k,)) & layout.groups.keys())
        holes = refs == HOLE
        known = np.where(holes, refs.max(), refs)
        if known.max() < 0:
            found = self.listed(known)
        else:
            buffer, places = self.layout.places(known)
            homes = np.unique(self.layout.home[known[known >= 0]]).tolist()
            found = Located(buffer, places, frozenset(homes) & self.layout.groups.keys())
            found = found if buffer else self.copied(known, once=True)
        return found._replace(places=np.where(holes, UNKNOWN, found.places)) if holes.any() else found

    def listed(self, refs: Array) -> Located:
        """Places of constants that are in a list of their own: one of each, if that makes loops, else as they stand."""
        distinct, ranks = in_order_of_appearance(refs)
        if axes(ranks.reshape(1, -1)) is None:
            distinct, ranks = refs.ravel(), np.arange(refs.size).reshape(refs.shape)
        key = tuple(distinct.tolist())
        if key not in self.tables:
            constants = self.code.constants
            constants += [0.0] * (aligned(len(constants)) - len(constants))
            self.tables[key] = len(constants)
            constants += [self.program.number(ref) for ref in key]
        return Located("constants", self.tables[key] + ranks, frozenset())

    def copied(self, refs: Array, *, once: bool = False) -> Located:
        """References that lie in several buffers or in no loops, copied in the order in which they stand; each but `once`."""
        own, ranks = in_order_of_appearance(refs) if once else (refs.ravel(), np.arange(refs.size).reshape(refs.shape))
        if self.batched[self.layout.homes(own)].any():
            buffer, start, self.code.lanes = "lanes", self.code.lanes, self.code.lanes + len(own)
        else:
            buffer, start, self.code.scratch = "scratch", self.code.scratch, self.code.scratch + aligned(len(own))
        copies = []
        for part in runs(np.arange(len(own)), self.layout.homes(own)):
            copies.append(self.blocks)
            self.blocks += 1
            self.emit(POS, (len(part),), 0, [own[part]], (buffer, start + part), copies[-1])
        return Located(buffer, start + ranks, frozenset(copies))

    def copy_results(self) -> None:
        """Results that do not lie where they are returned are copied there."""
        layout = self.layout
        for buffer, results in layout.results.items():
            refs = np.array(results, dtype=np.int64)
            homes = layout.homes(refs)
            is_there = np.array([layout.base[k][0] == buffer for k in range(len(layout.bases) - 1)] + [False])[homes]
            todo = np.flatnonzero(~(is_there & (layout.at[np.maximum(refs, -1)] == np.arange(len(refs)))))
            for part in runs(todo, homes[todo]):
                narrow = buffer == "each" and len(part) <= NARROW
                for piece in part.reshape(-1, 1) if narrow else [part]:
                    self.emit(POS, (len(piece),), 0, [refs[piece]], (buffer, piece), -1)


def over_examples(ins: Instruction, batch: Batch) -> Instruction:
    """An instruction on one example as one on all: with a loop more if it is done for each, or if its results are totals."""
    is_each = ins.out.buffer in LANES
    if not is_each and ins.row not in TOTALS:
        return ins
    if not is_each and ins.limit is not None:
        raise IrregularError("sums of several lengths over the examples")

    def spread(x: Any) -> Any:
        if isinstance(x, Number):
            return x
        scale, stride = 1, 0
        if x.buffer in LANES:
            scale, stride = batch.size, 1
        elif x.buffer.startswith("examples"):
            stride = batch.widths[int(x.buffer.removeprefix("examples"))]
        if isinstance(x, Gather):
            return Gather(x.buffer, tuple([scale * place for place in x.table]), 0 if is_each else len(ins.sizes), stride)
        strides = tuple([scale * step for step in x.strides])
        return Affine(x.buffer, scale * x.start, (stride, *strides) if is_each else (*strides, stride))

    operands = tuple(map(spread, ins.operands))
    if is_each:
        limit = None if ins.limit is None else spread(ins.limit)
        return replace(ins, sizes=(batch.size, *ins.sizes), operands=operands, out=spread(ins.out), limit=limit, batched=True)
    sizes = (*ins.sizes, batch.size)
    row, limit = (SUM if ins.row is TOTAL else DOT), Affine(COUNT, 0, (0,) * len(sizes))
    return replace(ins, row=row, sizes=sizes, reduced=ins.reduced + 1, operands=operands, limit=limit)


def in_order_of_appearance(refs: Array) -> tuple[Array, Array]:
    """The distinct references, and of each reference the number among these."""
    distinct, firsts, inverse = np.unique(refs.ravel(), return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return distinct[order], rank[inverse].reshape(refs.shape)


def runs(places: Array, keys: Array) -> list[Array]:
    """Consecutive places with the same key."""
    if not len(places):
        return []
    ends = np.flatnonzero((np.diff(places) != 1) | (np.diff(keys) != 0)) + 1
    return [places[start:end] for start, end in pairwise([0, *ends.tolist(), len(places)])]


def as_operand(buffer: str, fit: Fit | None, places: Array, dims: tuple[int, ...]) -> Affine | Gather:
    """A list of places by its strides, or, where it has none, as a table."""
    if fit is not None:
        return Affine(buffer, fit.start, fit.strides)
    full = np.broadcast_to(places, dims).ravel()
    return Gather(buffer, tuple(np.where(full == UNKNOWN, full.max(), full).tolist()))
