"""The room of layout: where every number of a program lies, so that what is read together lies in loops.

The order of results in a block, and the order of blocks in memory, mean nothing: they are chosen here. Results lie in the order
of what they are computed from; blocks that are read together, as the steps of a recurrence or the gates of a cell, lie side by
side; what is returned is written where it is returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autograd.compiler.recover import Block, Group, Tensors
from autograd.compiler.tensors.access import axes, common_loops
from autograd.compiler.tensors.instructions import Batch

__all__ = ["ALIGNED", "FAR", "HOLE", "Layout", "aligned"]

ALIGNED = 8  # numbers: blocks begin at the beginning of a vector
FAR = 1 << 24  # the distance of blocks that have no place yet
HOLE = np.iinfo(np.int64).min  # a reference to nothing
Array = Any  # of whole numbers
Wish = list[tuple[int, int]]  # blocks that are read one after the other, each from a place on


def aligned(size: int) -> int:
    """A number of places, rounded up to whole vectors."""
    return -(-size // ALIGNED) * ALIGNED


class Layout:
    """Where the entries of a program lie that returns `results`: `places` tells the buffer and the places of references.

    With a batch, the inputs that do not vary lie block after block. `each` is returned for each example.
    """

    def __init__(self, tensors: Tensors, results: Sequence[int], batch: Batch | None = None, each: Sequence[int] = ()) -> None:
        self.tensors, self.program, self.batch = tensors, tensors.program, batch
        self.results = {"out": results, "each": each}
        self.home = np.array([*tensors.home, -1])  # of an entry: its block; the last stands for constants, which are in none
        self.at = np.zeros(len(self.home), dtype=np.int64)  # of an entry: in the inputs, in its block, or in the results
        shared = self.program.inputs
        if batch is not None:
            shared = [ref for block in tensors.inputs if not block.batched for ref in block.entries if ref is not None]
            self.at[list(batch.columns)] = [column for _, column in batch.columns.values()]
        self.at[shared] = np.arange(len(shared))
        self.inputs = len(shared)
        self.extent: dict[int, int] = {}  # how many numbers a block has
        self.boxes: dict[int, tuple[int, ...]] = {}  # the shapes of blocks with holes
        self.free: set[int] = set()  # blocks whose order nothing has asked for yet
        self.base: dict[int, tuple[str, int]] = {}  # of a block: its buffer, and where it begins there
        self.groups: dict[int, Group] = {}
        self.regions = np.arange(1, len(tensors.blocks) + 2)  # of blocks, as long as they have no places; the last: of constants
        for k, block in enumerate(tensors.blocks):
            if isinstance(block, Group):
                self.groups[k] = group = self.sorted(block)
                self.arrange(k, group)
            else:
                self.give(k, block)
        self.return_blocks()
        self.sizes = self.lay()
        self.bases = np.array([self.base[k][1] for k in range(len(tensors.blocks))] + [0])  # of constants, whose block is -1, too

    def give(self, k: int, block: Block) -> None:
        """The buffer of a block of inputs."""
        batch, first = self.batch, block.entries[0]
        matrix = batch.columns[first][0] if batch and block.batched and first is not None else None
        self.base[k] = ("in" if matrix is None else f"examples{matrix}", 0)
        self.regions[k] = 0 if matrix is None else -1 - matrix

    # The order in a block

    def nominal(self, refs: Array) -> Array:
        """Places with blocks far from each other, constants beyond all: what can be known before blocks have places."""
        array = np.asarray(refs)
        places = self.at[np.maximum(array, -1)] + FAR * self.regions[self.homes(array)]
        return np.where(array >= 0, places, FAR * FAR - array * FAR)

    def sorted(self, group: Group) -> Group:
        """The same group with parts, rows, columns and terms in the order of what they read."""
        found = Group(group.row, group.form, group.entries, group.shape)
        found.arguments, found.starts, found.times = group.arguments, group.starts, group.times
        found.batched = group.batched
        if group.form in ("product", "products"):
            self.sort_products(found)
        elif group.form in ("dots", "reduced"):
            self.sort_rows(found)
        elif group.form == "ragged":
            self.sort_ragged(found)
        return found

    def sort_products(self, group: Group) -> None:
        """The parts, rows and columns of matrix products, and the terms of their sums."""
        half = group.arguments[0][1][-1]
        rows = [len(refs) // half for refs, _ in group.arguments]
        parts = rows[0] * rows[1] // len(group.entries)
        arrays, grids = self.terms_sorted(group, (parts, -1, half))
        order = ranked(grids[0][:, 0, 0])
        turns = [ranked(grid[order[0], :, 0]) for grid in grids]
        entries = np.array(group.entries, dtype=object).reshape(parts, *[array.shape[1] for array in arrays])
        group.entries = entries[order][:, turns[0]][:, :, turns[1]].ravel().tolist()
        self.set_arguments(group, [array[order][:, turn] for array, turn in zip(arrays, turns)])

    def sort_rows(self, group: Group) -> None:
        """The rows of pairs of lists, or of one list, and the terms of their sums."""
        arrays, grids = self.terms_sorted(group, (1, -1, group.arguments[0][1][-1]))
        turn = ranked(grids[0][0, :, 0])
        group.entries = np.array(group.entries, dtype=object)[turn].tolist()
        self.set_arguments(group, [array[:, turn] for array in arrays])

    def terms_sorted(self, group: Group, shape: tuple[int, ...]) -> tuple[list[Array], list[Array]]:
        """The arguments in this shape, the last axis in the order in which one of them reads; and their places."""
        arrays = [np.asarray(refs).reshape(shape) for refs, _ in group.arguments]
        grids = [self.nominal(array) for array in arrays]
        first = grids[0][0, 0] if len(np.unique(grids[0][0, 0])) == shape[-1] else grids[-1][0, 0]
        terms = ranked(first)
        return [array[:, :, terms] for array in arrays], [grid[:, :, terms] for grid in grids]

    def set_arguments(self, group: Group, arrays: Sequence[Array]) -> None:
        """Give a group these references in place of its own."""
        group.arguments = [(array.ravel().tolist(), shape) for array, (_, shape) in zip(arrays, group.arguments)]

    def sort_ragged(self, group: Group) -> None:
        """Rows of different lengths, the short ones first, and their terms."""
        lists = [np.asarray(refs) for refs, _ in group.arguments]
        first, last = self.nominal(lists[0]), self.nominal(lists[-1])
        rows = []
        for start, end, entry in zip(group.starts, [*group.starts[1:], len(first)], group.entries):
            terms = start + np.argsort(first[start:end], kind="stable")
            rows.append((end - start, int(last[terms[0]]), int(first[terms[0]]), entry, terms))
        rows.sort(key=lambda row: row[:3])
        terms = np.concatenate([row[4] for row in rows])
        group.entries = [row[3] for row in rows]
        group.starts = np.cumsum([0, *[row[0] for row in rows[:-1]]]).tolist()
        self.set_arguments(group, [refs[terms] for refs in lists])

    def arrange(self, k: int, group: Group) -> None:
        """The places of a group's results in its block: those of an operand with holes, or in the order of the operands."""
        entries = np.array([HOLE if entry is None else entry for entry in group.entries])
        given = entries >= 0
        self.extent[k] = len(entries)
        self.at[entries[given]] = np.flatnonzero(given)
        if not given.all():
            self.boxes[k] = group.shape
        if group.form != "elementwise" or len(entries) == 1:
            return
        lists = [np.asarray(refs) for refs, _ in group.arguments]
        alone = [refs for refs in lists if refs.min() >= 0 and (self.home[refs] == self.home[refs[0]]).all()]
        whole = [refs for refs in alone if len(np.unique(refs)) == len(refs)]
        for refs in whole:
            source = int(self.home[refs[0]])
            if source in self.boxes:
                self.boxes[k], self.extent[k] = self.boxes[source], self.extent[source]
                self.at[entries] = self.at[refs]
                return
        fixed = [refs for refs in whole if int(self.home[refs[0]]) not in self.free]
        if not whole:
            self.order(entries, alone, turned=False)
        if not fixed:
            self.free.add(k)
            return
        self.order(entries, fixed)
        for refs in whole:  # an operand that may lie in any order takes this one
            source = int(self.home[refs[0]])
            if source in self.free and len(entries) == self.extent[source]:
                self.free.discard(source)
                self.at[refs] = self.at[entries]

    def order(self, entries: Array, read: Sequence[Array], *, turned: bool = True) -> None:
        """Places of results in the order in which operands are read, forward; if `turned`, the longest steps outside."""
        n = len(entries)
        loops = common_loops((n,), 0, [np.arange(n), *map(self.nominal, read)])
        steps = [[fit.strides[axis] for fit in loops.fits[1:] if fit] for axis in range(len(loops.sizes))]
        turn = list(range(len(loops.sizes)))
        if turned:
            turn.sort(key=lambda axis: -sum(map(abs, steps[axis])))
        back = [axis for axis in turn if steps[axis] and min(steps[axis]) < 0 >= max(steps[axis])]
        self.at[entries[np.flip(np.arange(n).reshape(loops.sizes), tuple(back)).transpose(turn).ravel()]] = np.arange(n)

    # The blocks in memory

    def return_blocks(self) -> None:
        """A block that is returned, in loops, lies among the results."""
        first: dict[str, dict[int, int]] = {"out": {}, "each": {}}
        for buffer, results in self.results.items():
            for place, ref in enumerate(results):
                first[buffer].setdefault(ref, place)
        for k, group in self.groups.items():
            buffer = "each" if group.batched else "out"
            if k not in self.boxes and all(entry in first[buffer] for entry in group.entries):
                entries: Array = np.array(group.entries)
                places: Array = np.array([first[buffer][entry] for entry in entries.tolist()])
                if axes(places[np.argsort(self.at[entries])][None]) is not None:
                    self.base[k] = (buffer, 0)
                    self.at[entries] = places

    def lay(self) -> dict[str, int]:
        """Places for all other blocks, those that are read together at constant distances; how many numbers the buffers hold."""
        bodies = Bodies({k: self.extent[k] for k in self.groups})
        for wish in sorted(self.wishes(), key=len):
            bodies.grant(wish)
        tops = {"scratch": 0, "lanes": 0}
        for members in bodies.members.values():
            buffer = "lanes" if self.groups[members[0]].batched else "scratch"
            top = tops[buffer] if buffer == "lanes" else aligned(tops[buffer])
            for k in members:
                self.base.setdefault(k, (buffer, top + bodies.spot[k]))
            tops[buffer] = top + max(bodies.spot[k] + self.extent[k] for k in members)
        return {"scratch": aligned(tops["scratch"]), "lanes": tops["lanes"]}

    def wishes(self) -> list[Wish]:
        """Which blocks are read one after the other, by anything."""
        found: list[Wish] = []
        for group in self.groups.values():
            for refs, _ in group.arguments:
                array = np.asarray(refs)
                blocks = np.unique(self.home[array]).tolist() if array.min() >= 0 else []
                if len(blocks) < 2 or any(k not in self.groups or k in self.base for k in blocks):
                    continue
                if len({self.groups[k].batched for k in blocks}) > 1:
                    continue
                parts = array.reshape(group.times, -1)
                heads = [(int(self.home[part[0]]), int(self.at[part[0]])) for part in parts]
                inside = [self.wish(part) for part in parts]
                if min(map(len, inside)) > 1 < len(parts) and len({k for k, _ in heads}) == len(heads):
                    found += [heads, *inside]
                else:
                    found.append(self.wish(array))
        return found

    def wish(self, refs: Array) -> Wish:
        """The blocks that are read, in order, each with the first place in it that is."""
        blocks, firsts = np.unique(self.home[refs], return_index=True)
        return [(int(blocks[j]), int(self.at[refs[firsts[j]]])) for j in np.argsort(firsts)]

    def homes(self, refs: Array) -> Array:
        """The blocks of references, -1 for constants."""
        return self.home[np.maximum(refs, -1)]

    def places(self, refs: Array) -> tuple[str, Array]:
        """The buffer of references and their places in it; "" if they are in several buffers."""
        homes = self.homes(refs)
        buffers = {self.base[k][0] if k >= 0 else "constants" for k in np.unique(homes).tolist()}
        places = np.where(refs >= 0, self.at[np.maximum(refs, -1)] + self.bases[homes], -1 - refs)
        return (buffers.pop() if len(buffers) == 1 else ""), places


class Bodies:
    """Blocks in rigid bodies: blocks of one body lie at distances that are fixed, and each block is first a body of its own."""

    def __init__(self, extent: dict[int, int]) -> None:
        self.extent = extent
        self.body = {k: k for k in extent}  # of a block; it is called by one of its members
        self.spot = dict.fromkeys(extent, 0)  # of a block in its body
        self.members = {k: [k] for k in extent}

    def grant(self, wish: Wish) -> None:
        """Join bodies such that the blocks of a wish lie at one constant distance, unless that is impossible."""
        seen: dict[int, tuple[int, int]] = {}  # of a body: the first of its blocks in the wish, and where that is read
        steps = set()
        for i, (k, at) in enumerate(wish):
            here = self.spot[k] + at
            if self.body[k] in seen:
                j, there = seen[self.body[k]]
                steps.add((here - there) / (i - j))
            else:
                seen[self.body[k]] = i, here
        ends = [self.spot[k] + self.extent[k] for body in seen for k in self.members[body]]
        step = steps.pop() if steps else max(ends)
        if steps or step != int(step) or len(seen) == 1:
            return
        shifts = {body: int(i * step) - here for body, (i, here) in seen.items()}
        low = min(shifts.values())
        spans = sorted([(self.spot[k] + shift, self.extent[k]) for body, shift in shifts.items() for k in self.members[body]])
        if any(start + size > after for (start, size), (after, _) in pairwise(spans)):
            return
        leader = self.body[wish[0][0]]
        for body, shift in shifts.items():
            for k in self.members[body]:
                self.spot[k] += shift - low
                self.body[k] = leader
            if body != leader:
                self.members[leader] += self.members.pop(body)


def ranked(places: Array) -> Array:
    """The order of places, by blocks as they appear, since the numbers of blocks mean nothing."""
    regions, firsts, inverse = np.unique(places // FAR, return_index=True, return_inverse=True)
    return np.argsort(places if len(regions) == 1 else firsts[inverse] * FAR + places % FAR, kind="stable")
