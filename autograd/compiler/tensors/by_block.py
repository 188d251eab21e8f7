"""The room of lowering by blocks: groups as instructions over buffers that are the blocks themselves, for what people read.

Blocks, results and terms stay in the order in which they were recovered, so that sums are taken in the order of the engine where
recovery keeps it. Every program has such instructions: what lies in several blocks is joined, and what has no strides has a table.
It needs nothing but Python, as its programs are run where NumPy is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from math import prod

from autograd.compiler.emit import stem
from autograd.compiler.recover import Group, Tensors
from autograd.compiler.tensors.instructions import Affine, Code, Gather, Instruction, Number, Operand, Taken
from autograd.compiler.tensors.strides import Loop, common, loops_of, separated, split
from autograd.compiler.texts import Names
from autograd.ops import TABLE, Primitive

__all__ = ["by_block"]

POS = TABLE["pos"]
TERMS = 6  # so many numbers from several blocks are terms of their own, not a list
LOOPS = 3  # places of one operation are a table if they need more
DEEP = 6  # and those of sums a copy
Located = tuple[str, list[int]]  # a buffer, and places in it


def by_block(
    tensors: Tensors, results: Mapping[str, Sequence[int]], sides: Sequence[int] = (), reserved: Iterable[str] = ()
) -> Code:  # fmt: skip
    """The instructions of a program that fill these buffers with results. No block is called by a name that is reserved.

    >>> from autograd.compiler.program import Program
    >>> from autograd.compiler.recover import recover
    >>> program = Program()
    >>> x = [program.input(f"x.{k}") for k in range(3)]
    >>> program.outputs = [program.add(TABLE["exp"], [ref]) for ref in x]
    >>> code = by_block(recover(program), {"values": program.outputs})
    >>> code.blocks
    {'values': 3, 'x': 3, 'exp_1': 3}
    >>> code.instructions[1].operands, code.run([0.0, 0.0, 0.0])
    ((Affine(buffer='x', start=0, strides=(1,)),), [1.0, 1.0, 1.0])
    """
    return ByBlock(tensors, results, sides, {*reserved, *results}).code


class ByBlock:
    """Writes the instructions of a program."""

    def __init__(
        self, tensors: Tensors, results: Mapping[str, Sequence[int]], sides: Sequence[int], reserved: set[str]
    ) -> None:  # fmt: skip
        self.program, self.blocks = tensors.program, tensors.blocks
        self.home, self.place = tensors.home, tensors.place
        self.at = {ref: k for k, ref in enumerate(self.program.inputs)}
        self.names = block_names(tensors, reserved)
        self.fresh = Names(reserved.union(self.names))
        self.number = {name: k for k, name in enumerate(self.names)}  # of the buffers that instructions write
        self.used: set[int] = set()  # blocks of inputs
        self.known: dict[object, Located] = {}  # lists that are there already
        self.elements: dict[int, Affine | Number] = {}  # operands that are one number
        self.code = Code(len(self.at), 0, results=tuple(results), blocks={name: len(refs) for name, refs in results.items()})
        self.instructions = self.code.instructions
        for k, block in enumerate(self.blocks):
            if isinstance(block, Group):
                self.write(self.names[k], block)
        for name, refs in results.items():
            self.fill(name, list(refs))
        self.code.sides = [self.element(ref) for ref in sides]
        self.code.instructions = [*self.reading(), *self.instructions]

    def reading(self) -> Iterator[Instruction]:
        """The instructions that read the blocks of inputs."""
        for k in sorted(self.used):
            places = [self.at[ref] for ref in self.blocks[k].entries if ref is not None]
            self.code.blocks[self.names[k]] = len(places)
            loops = [[(len(places), 1)] if len(places) > 1 else [], loops_of(places)]
            sizes, (out, operand) = nest(len(places), loops, [(self.names[k], list(range(len(places)))), ("in", places)])
            yield Instruction(POS, sizes, 0, (operand,), out, k)  # type: ignore[arg-type]

    # One group

    def write(self, name: str, group: Group) -> None:
        """The instructions of a group."""
        count, lists = len(group.entries), [refs for refs, _ in group.arguments]
        self.code.blocks[name] = count
        if group.form == "elementwise" and group.row.arity is None and count == 1 and self.is_regular(terms := sum(lists, [])):
            self.fold(group.row, [terms], [(1, len(terms))], name)
        elif group.form == "elementwise":
            self.elementwise(group.row, lists, name)
        elif group.form == "ragged":
            self.ragged(group, lists, name)
        elif group.form in ("taken", "picked"):
            self.take(group, name)
        else:
            width = group.arguments[0][1][-1]
            if count == 1 and width <= TERMS and not all(map(self.is_regular, lists)):
                self.emit(group.row, (), [self.element(ref) for refs in lists for ref in refs], Affine(name, 0, ()))
            elif group.form in ("product", "products"):
                heights = [len(refs) // width for refs in lists]
                parts = heights[0] * heights[1] // count
                p, m = (height // parts for height in heights)
                self.fold(group.row, lists, [(parts, p, 1, width), (parts, 1, m, width)], name)
            else:
                self.fold(group.row, lists, [(count, width)] * len(lists), name)

    def elementwise(self, row: Primitive, lists: Sequence[list[int]], name: str, start: int = 0) -> None:
        """The same operation everywhere."""
        n = len(lists[0])
        if n == 1:  # of which there may be thousands
            operands = tuple([self.element(refs[0]) for refs in lists])
            reads = frozenset([self.number[x.buffer] for x in operands if x.__class__ is Affine])  # type: ignore[union-attr]
            self.instructions.append(Instruction(row, (), 0, operands, Affine(name, start, ()), self.number_of(name), reads))
            return
        if n * len(lists) <= TERMS and not all(map(self.is_regular, lists)):
            for k, refs in enumerate(zip(*lists)):
                self.emit(row, (), [self.element(ref) for ref in refs], Affine(name, start + k, ()))
            return
        located = [self.same(refs) or self.located(refs) for refs in lists]
        loops: list[list[Loop] | None] = [[(n, 1)]]
        loops += [[(n, 0)] if isinstance(x, Number) else loops_of(x[1]) for x in located]
        sizes, (out, *others) = nest(n, loops, [(name, list(range(start, start + n))), *located])
        self.emit(row, sizes, others, out)

    def fold(self, row: Primitive, lists: Sequence[list[int]], dims: Sequence[tuple[int, ...]], name: str) -> None:
        """A sum or the like along the last dimension of arrays of these shapes, where 1 stands for any size."""
        located = [self.same(refs) or self.located(refs) for refs in lists]
        found = [[[]] * len(d) if isinstance(x, Number) else separated(x[1], d) for x, d in zip(located, dims)]
        found = [None if loops and sum(map(len, loops)) > DEEP else loops for loops in found]
        full = [max(sizes) for sizes in zip(*dims)]
        while (sizes := shared(found, full)) is None:  # what fits no loops is copied in order, which fits all
            k = next((k for k, loops in enumerate(found) if loops is None), len(lists) - 1)
            k = k if found[k] is None or not is_plain(found[k]) else 0
            located[k] = self.copied(lists[k])
            found[k] = separated(located[k][1], dims[k])
        operands: list[Operand] = []
        for x, loops in zip(located, found):
            strides = [stride for dim, parts in zip(loops or (), sizes) for stride in (split(dim, parts) or (0,) * len(parts))]
            operands.append(x if isinstance(x, Number) else Affine(x[0], x[1][0], tuple(strides)))
        flat = [size for parts in sizes for size in parts]
        outer = flat[: len(flat) - len(sizes[-1])]
        self.emit(row, tuple(flat), operands, Affine(name, 0, tuple([prod(outer[k + 1 :]) for k in range(len(outer))])))

    def ragged(self, group: Group, lists: Sequence[list[int]], name: str) -> None:
        """Sums of several lengths: the last loop ends where a row does."""
        lengths = [end - start for start, end in zip(group.starts, [*group.starts[1:], len(lists[0])])]
        operands: list[Operand] = []
        for refs in lists:
            x = self.same(refs) or self.located(refs)
            if not isinstance(x, Number) and not (step := step_of(x[1], group.starts, lengths)):
                x, step = self.copied(refs), 1
            if not isinstance(x, Number):
                operands.append(self.along(x[0], [x[1][start] for start in group.starts], step))
            else:
                operands.append(x)
        sizes = len(lengths), max(lengths)
        self.emit(group.row, sizes, operands, Affine(name, 0, (1,)), self.along("", lengths, 0))

    def along(self, buffer: str, firsts: list[int], step: int) -> Affine | Gather:
        """Rows that begin at places, and go on by a step."""
        loops = loops_of(firsts)
        if loops is not None and len(loops) == 1:
            return Affine(buffer, firsts[0], (loops[0][1], step))
        return Gather(buffer, tuple(firsts), 1, step)

    def take(self, group: Group, name: str) -> None:
        """Numbers of a table by index: rows of one table, or a number of each row."""
        (indices, _), (refs, (rows, columns)) = group.arguments
        dims: tuple[int, ...]
        if group.form == "taken":  # the table's first dimension is that of the index, and its second a loop of its own
            limit, dims, refs = rows, (rows, columns), refs
        else:  # its columns are those of the index
            limit, dims, refs = columns, (columns, rows), [ref for k in range(columns) for ref in refs[k::columns]]
        source, index = self.located(refs), self.located(indices)
        table, chosen = separated(source[1], dims), loops_of(index[1])
        if table is None or len(table[0]) > 1:
            source = self.copied(refs)
            table = separated(source[1], dims) or []
        if chosen is None:
            index = self.copied(indices)
            chosen = loops_of(index[1]) or []
        step, other = table[0][0][1] if table[0] else 0, table[1]
        if group.form == "taken":
            sizes = tuple([size for size, _ in [*chosen, *other]])
            inside = [0] * len(chosen), [0] * len(other)
            first = (*inside[0], *[stride for _, stride in other])
            second = (*[stride for _, stride in chosen], *inside[1])
        else:
            if (both := common([other, chosen])) is None:
                index = self.copied(indices)
                chosen = loops_of(index[1]) or []
                both = common([other, chosen]) or ()
            sizes, first, second = both, split(other, both), split(chosen, both)
        out = Affine(name, 0, tuple([prod(sizes[k + 1 :]) for k in range(len(sizes))]))
        operand = Taken(Affine(source[0], source[1][0], tuple(first)), Affine(index[0], index[1][0], tuple(second)), step, limit)
        self.emit(POS, sizes, [operand], out)

    def emit(
        self, row: Primitive, sizes: tuple[int, ...], operands: Sequence[Operand], out: Affine,
        limit: Affine | Gather | None = None,
    ) -> None:  # fmt: skip
        """Add an instruction."""
        parts = [part for x in operands for part in ((x.table, x.index) if isinstance(x, Taken) else (x,))]
        reads = frozenset([self.number[x.buffer] for x in parts if not isinstance(x, Number) and x.buffer in self.number])
        folded = len(sizes) - len(out.strides)
        self.instructions.append(Instruction(row, sizes, folded, tuple(operands), out, self.number_of(out.buffer), reads, limit))

    def number_of(self, buffer: str) -> int:
        """The number of a buffer that is written."""
        return self.number.setdefault(buffer, len(self.number))

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

    def is_regular(self, refs: list[int]) -> bool:
        """Whether references lie in one list, in loops."""
        homes = set(self.homes(refs))
        return homes == {-1} or (len(homes) == 1 and loops_of([self.place[ref] for ref in refs]) is not None)

    def located(self, refs: list[int]) -> Located:
        """Where references lie; those of several blocks are joined."""
        homes = self.homes(refs)
        distinct = list(dict.fromkeys(homes))
        if distinct == [-1]:
            return self.listed(refs)
        if len(distinct) == 1:
            if refs[0] in self.at:
                self.used.add(distinct[0])
            return self.names[distinct[0]], [self.place[ref] for ref in refs]
        if all(ref in self.at for ref in refs):
            return "in", [self.at[ref] for ref in refs]
        whole = self.whole(refs, homes)
        if whole is None:
            return self.copied(refs)
        name, places = self.copied(whole)
        spot = dict(zip(whole, places))
        return name, [spot[ref] for ref in refs]

    def whole(self, refs: list[int], homes: list[int]) -> list[int] | None:
        """The entries of all blocks that references are in, where these are joined sooner than the references themselves."""
        stretches = sum(1 for _ in groupby(homes))
        constants = list(dict.fromkeys(ref for ref in refs if ref < 0))
        blocks = [k for k in dict.fromkeys(homes) if k >= 0]
        size = sum(len(self.blocks[k].entries) for k in blocks)
        if stretches <= TERMS or 2 * (len(blocks) + len(constants)) > stretches or size > 4 * len(refs):
            return None
        return [*[ref for k in blocks for ref in self.blocks[k].entries if ref is not None], *constants]

    def listed(self, refs: list[int]) -> Located:
        """Constants in a table: one of each, if that makes loops, else as they stand."""
        rank = {ref: k for k, ref in enumerate(dict.fromkeys(refs))}
        places = [rank[ref] for ref in refs]
        own = list(rank)
        if loops_of(places) is None:
            own, places = refs, list(range(len(refs)))
        key = "constants", *own
        if key not in self.known:
            name, _ = self.fresh.of("C")
            self.code.tables[name] = [self.program.number(ref) for ref in own]
            self.known[key] = name, []
        return self.known[key][0], places

    def copied(self, refs: list[int]) -> Located:
        """References in a list of their own."""
        key = tuple(refs)
        if key not in self.known:
            homes = self.homes(refs)
            name, _ = self.fresh.of("joined" if homes.count(homes[0]) < len(homes) else "rows")
            self.number_of(name)
            self.code.blocks[name] = len(refs)
            self.fill(name, refs)
            self.known[key] = name, list(range(len(refs)))
        return self.known[key]

    def fill(self, name: str, refs: list[int]) -> None:
        """Write references into a buffer, one block after the other."""
        homes = self.homes(refs)
        if len(set(homes)) > 1 and self.whole(refs, homes) is not None:
            buffer, places = self.located(refs)
            if buffer != name:
                sizes, (out, operand) = nest(len(refs), [[(len(refs), 1)], loops_of(places)], [(name, list(range(len(refs)))), (buffer, places)])
                self.emit(POS, sizes, [operand], out)
                return
        start = 0
        for _, part in groupby(zip(homes, refs), key=lambda pair: pair[0]):
            members = [ref for _, ref in part]
            self.elementwise(POS, [members], name, start)
            start += len(members)


def nest(n: int, loops: Sequence[list[Loop] | None], located: Sequence[Located | Number]) -> tuple[tuple[int, ...], list[Operand]]:
    """The loops that as many lists of n places as possible share, and the lists as operands; the others are tables."""
    chosen: list[list[Loop]] = []
    kept = []
    for parts in loops:
        fits = parts is not None and len(parts) <= LOOPS
        sizes = common([*chosen, parts]) if fits and parts is not None else None
        kept.append(sizes is not None and len(sizes) <= LOOPS)
        if kept[-1] and parts is not None:
            chosen.append(parts)
    sizes = common(chosen) or ()
    operands: list[Operand] = []
    for parts, x, is_kept in zip(loops, located, kept):
        if isinstance(x, Number):
            operands.append(x)
        elif is_kept and parts is not None:
            operands.append(Affine(x[0], x[1][0], split(parts, sizes)))
        else:
            operands.append(Gather(x[0], tuple(x[1])))
    return sizes, operands


def shared(found: Sequence[list[list[Loop]] | None], full: Sequence[int]) -> list[tuple[int, ...]] | None:
    """The sizes of the loops of each dimension; None if some list has no loops, or other ones."""
    sizes = []
    for d, size in enumerate(full):
        lists = [loops[d] for loops in found if loops is not None and loops[d]]
        parts = common(lists) if lists else ((size,) if size > 1 else ())
        if parts is None or None in found:
            return None
        sizes.append(parts)
    return sizes


def is_plain(loops: Sequence[Sequence[Loop]]) -> bool:
    """Whether every dimension is one loop."""
    return all(len(parts) < 2 for parts in loops)


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
