"""The room where tensors are found again: operations of one kind become a group, and groups of sums of products become matrices.

Operations of the same depth that do the same to results of the same groups form a group. Its results are one block, in an order
in which its operands are whole blocks, slices or rows of others wherever that is possible. In a group of sums of products, the
distinct left factors are the rows of a matrix A and the distinct right ones of a matrix B: where every pair of them occurs, the
group is the matrix product B @ A.T.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from autograd.compiler.program import Program
from autograd.compiler.totals import TOTAL, TOTAL_DOT
from autograd.compiler.trace import TAKE
from autograd.ops import TABLE, Primitive

__all__ = ["Block", "Group", "Tensors", "recover"]

DOT, MUL, SUM = TABLE["dot"], TABLE["mul"], TABLE["sum"]
DOTS, TOTALS = {DOT, TOTAL_DOT}, {TOTAL, TOTAL_DOT}
FEW = 4  # terms that are added by signs rather than along an axis
WORTH = 1000  # operands of one length that are worth an instruction of their own
RAGGED = {"sum", "dot", "prod", "max", "min"}  # groups of these may have members of several lengths
Shape = tuple[int, ...]
Row = tuple[int, ...]  # references that are multiplied by those of another row, one by one


class Block:
    """Numbers that lie side by side: a name, the entries in order (None for a place that nothing uses) and a shape."""

    def __init__(self, name: str, entries: Sequence[int | None], shape: Shape, *, batched: bool = False) -> None:
        self.name, self.entries, self.shape, self.batched = name, entries, shape, batched

    def __repr__(self) -> str:
        return f"{self.name}{list(self.shape)}"


class Group(Block):
    """The results of operations of one kind.

    `form` says how they are computed from `arguments`, each of which is a list of references with a shape:
    elementwise; reduced (the last axis is summed, say); ragged (one list in runs that begin at `starts`); product (of two
    matrices, transposed second); products (several such, side by side); dots (pairs of rows).
    """

    def __init__(self, row: Primitive, form: str, entries: Sequence[int | None], shape: Shape) -> None:
        super().__init__("", entries, shape)
        self.row, self.form = row, form
        self.arguments: list[tuple[list[int], Shape]] = []
        self.starts: list[int] = []
        self.times = 1  # how many groups it does the work of, one after the other


class Tensors:
    """A program as blocks: those of the inputs, then groups in the order of computation."""

    def __init__(self, program: Program, batched: Iterable[int] = (), inputs: Iterable[Block] | None = None) -> None:
        self.program = program
        self.blocks: list[Block] = []
        self.home = [-1] * len(program.rows)  # the block of an entry, and its place in there
        self.place = [0] * len(program.rows)
        self.batched = set(batched)
        if inputs is None:
            found = input_blocks(program)
            inputs = [Block(name, members, shape, batched=members[0] in self.batched) for name, members, shape in found]
        for block in inputs:
            self.settle(block)

    def again(self) -> Tensors:
        """The same program and its inputs, without groups: those may be others now."""
        return Tensors(self.program, self.batched, self.inputs)

    def settle(self, block: Block) -> None:
        """Add a block."""
        for place, entry in enumerate(block.entries):
            if entry is not None:
                self.home[entry], self.place[entry] = len(self.blocks), place
        self.blocks.append(block)
        if self.batched and isinstance(block, Group) and block.row not in TOTALS:
            block.batched = any(self.blocks[k].batched for k in self.sources(block))

    def sources(self, group: Group) -> set[int]:
        """The blocks that a group reads."""
        home = self.home
        return {home[ref] for refs, _ in group.arguments for ref in set(refs) if ref >= 0}

    def is_batched(self, ref: int) -> bool:
        """Whether a reference has a number for every example."""
        return ref >= 0 and self.blocks[self.home[ref]].batched

    @property
    def inputs(self) -> list[Block]:
        """The blocks of the inputs."""
        return [block for block in self.blocks if not isinstance(block, Group)]

    @property
    def groups(self) -> list[Group]:
        """The blocks that are computed."""
        return [block for block in self.blocks if isinstance(block, Group)]

    def check(self) -> None:
        """Raise ValueError if an entry has no place, or a group reads what is not computed yet."""
        for i in range(len(self.program.rows)):
            if self.home[i] < 0 or self.blocks[self.home[i]].entries[self.place[i]] != i:
                raise ValueError(f"entry {i} has no place in the blocks")
        for k, block in enumerate(self.blocks):
            if isinstance(block, Group) and any(ref >= 0 and self.home[ref] >= k for refs, _ in block.arguments for ref in refs):
                raise ValueError(f"group {k} reads what is computed later")


def input_blocks(program: Program) -> list[tuple[str, list[int], Shape]]:
    """The inputs in blocks of any number of dimensions, by their names: w.0.0, w.0.1, w.1.0, ... are a matrix."""
    found: dict[str, list[tuple[tuple[int, ...], int]]] = defaultdict(list)
    for i, name in zip(program.inputs, program.names):
        parts = name.split(".")
        numbered = [k for k, part in enumerate(parts) if part.isdigit()]
        free = [k for k in numbered if not is_list_of_parts(parts, k)]
        pattern = ".".join("*" if k in free else part for k, part in enumerate(parts))
        found[pattern].append((tuple([int(parts[k]) for k in free]), i))
    blocks = []
    for pattern, members in found.items():
        entries = [i for _, i in members]
        dims = [len(set(axis)) for axis in zip(*[index for index, _ in members])]
        grid = [index for index, _ in members]
        shape: Shape = tuple(dims)
        if dims and (grid != sorted(grid) or len(grid) != prod(dims)):
            shape = (len(grid),)
        blocks.append((pattern, entries, shape))
    names = block_names([pattern for pattern, _, _ in blocks])
    return [(name, entries, shape) for name, (_, entries, shape) in zip(names, blocks)]


def block_names(patterns: Sequence[str]) -> list[str]:
    """Names for blocks: 'model.layers.0.neurons.*.w.*' is layers0_w, unless another block is called so."""
    names = [identifier(pattern) for pattern in patterns]
    shorter = []
    for pattern, name in zip(patterns, names):
        _, _, rest = pattern.partition(".")
        shorter.append(identifier(rest) if rest and rest.lstrip(".")[0].isalpha() else name)
    return [short if (names + shorter).count(short) == 1 + (short == name) else name for short, name in zip(shorter, names)]


def is_list_of_parts(parts: list[str], k: int) -> bool:
    """Whether number k counts modules, which differ, rather than rows, which are alike: layers.0, not neurons.0 or w.0."""
    return k > 0 and parts[k - 1] in ("layers", "blocks") and k + 1 < len(parts) and not parts[k + 1].isdigit()


def identifier(pattern: str) -> str:
    """A name for a block: 'layers.0.neurons.*.w.*' is layers0_w."""
    parts = pattern.split(".")
    kept: list[str] = []
    for k, part in enumerate(parts):
        if part == "*" or (k + 1 < len(parts) - 1 and parts[k + 1] == "*" and any(p != "*" for p in parts[k + 2 :])):
            continue
        if part.isdigit() and kept:
            kept[-1] += part
        else:
            kept.append(part)
    return re.sub(r"\W", "_", "_".join(kept)) or "x"


def prod(numbers: Iterable[int]) -> int:
    result = 1
    for number in numbers:
        result *= number
    return result


def recover(program: Program, batched: Iterable[int] = ()) -> Tensors:
    """The blocks of a program. Takes time linear in its size."""
    tensors = Tensors(program, batched)
    levels: dict[int, list[int]] = defaultdict(list)
    for i, depth in enumerate(program.depths):
        if depth:
            levels[depth].append(i)
    for depth in sorted(levels):
        buckets: dict[Any, list[int]] = defaultdict(list)
        for i in levels[depth]:
            buckets[signature(tensors, i)].append(i)
        single_products(tensors, buckets)
        for members in buckets.values():
            for group in grouped(tensors, members):
                tensors.settle(group)
    return tensors


def signature(tensors: Tensors, i: int) -> Any:
    """What members of one group have in common: the operation, and where the operands are from."""
    row, refs, home = tensors.program.rows[i], tensors.program.operands[i], tensors.home
    homes = [home[ref] if ref >= 0 else -1 for ref in refs]
    if row is None or row.arity is not None:
        return row, *homes
    if row in DOTS:
        half = len(refs) // 2
        runs: tuple[Any, ...] = tuple(dict.fromkeys(zip(homes[:half], homes[half:])))
    else:
        runs = tuple(dict.fromkeys(homes))
    return (row, runs) if row.name in RAGGED else (row, runs, len(refs))


def single_products(tensors: Tensors, buckets: dict[Any, list[int]]) -> None:
    """Put single products among the sums of several products that are made of the same blocks, if these have several lengths."""
    operands = tensors.program.operands
    for key, sums in list(buckets.items()):
        if key[0] is DOT and len(key[1]) == 1 and len({len(operands[i]) for i in sums}) > 1:
            sums += buckets.pop((MUL, *key[1][0]), [])


def grouped(tensors: Tensors, members: list[int]) -> list[Group]:
    """The members of a bucket as groups."""
    row = tensors.program.rows[members[0]]
    if row is None:
        raise ValueError("an input is no operation")
    operands = [tensors.program.operands[i] for i in members]
    if row.arity is not None:
        return [elementwise(tensors, row, members)]
    lengths: dict[int, list[int]] = defaultdict(list)
    for i, refs in zip(members, operands):
        lengths[len(refs)].append(i)
    if len(lengths) > 1:
        if row is DOT and sum(map(len, operands)) >= WORTH * len(lengths):  # inside and at the edges of a convolution, say
            return [group for part in lengths.values() for group in dots(tensors, row, part)]
        return [ragged(row, members, operands)]
    if row in DOTS:
        return dots(tensors, row, members)
    if row is TAKE:
        return [taking(tensors, members)]
    few = row is SUM and len(operands[0]) <= FEW
    if few and all(len({home(tensors, ref) for ref in column}) == 1 for column in zip(*operands)):
        return [elementwise(tensors, row, members)]
    if row.name in RAGGED:  # in the order in which the operands lie
        order = sorted(range(len(operands[0])), key=lambda k: order_of(tensors, operands[0][k : k + 1]))
        operands = [tuple([refs[k] for k in order]) for refs in operands]
    ranked = sorted(range(len(members)), key=lambda j: order_of(tensors, operands[j]))
    members, operands = [members[j] for j in ranked], [operands[j] for j in ranked]
    group = Group(row, "reduced", members, (len(members),) if len(members) > 1 else ())
    group.arguments = [([ref for refs in operands for ref in refs], (*group.shape, len(operands[0])))]
    return [group]


def elementwise(tensors: Tensors, row: Primitive, members: list[int]) -> Group:
    """A group of operations on a fixed number of operands, in the order of the block that they are applied to."""
    operands = tensors.program.operands
    columns = list(zip(*[operands[i] for i in members]))
    place = tensors.place
    shape: Shape = (len(members),)
    distinct = [(len(set(column)), k) for k, column in enumerate(columns)]
    whole = [k for count, k in distinct if count == len(members) and columns[k][0] >= 0]
    whole.sort(key=lambda k: -tensors.home[columns[k][0]])
    if len(members) == 1:
        shape = ()
    elif whole:
        column = columns[whole[0]]
        order = sorted(range(len(members)), key=lambda j: place[column[j]])
        members = [members[j] for j in order]
        block = tensors.blocks[tensors.home[column[0]]]
        shape = covered(block, [place[column[j]] for j in order])
    elif len(columns) == 2 and prod(count for count, _ in distinct) == len(members):
        first, second = (dict.fromkeys(column) for column in columns)
        rank = [
            {ref: k for k, ref in enumerate(sorted(part, key=lambda ref: order_of(tensors, (ref,))))} for part in (first, second)
        ]  # fmt: skip
        members = sorted(members, key=lambda i: (rank[0][operands[i][0]], rank[1][operands[i][1]]))
        shape = (len(first), len(second))
    group = Group(row, "elementwise", members, shape)
    group.arguments = [(list(column), shape) for column in zip(*[operands[i] for i in members])]
    return group


def taking(tensors: Tensors, members: list[int]) -> Group:
    """Numbers taken from tables by index: if every index takes from the same columns, rows of one table."""
    operands = {i: tensors.program.operands[i] for i in members}
    at = {(refs[0], refs[1:]): i for i, refs in operands.items()}
    indices = sorted(dict.fromkeys([refs[0] for refs in operands.values()]), key=lambda ref: order_of(tensors, (ref,)))
    columns = sorted(dict.fromkeys(refs[1:] for refs in operands.values()), key=lambda column: order_of(tensors, column))
    if len(indices) * len(columns) == len(members):
        group = Group(TAKE, "taken", [at[index, column] for index in indices for column in columns], (len(indices), len(columns)))
        table = [ref for row in zip(*columns) for ref in row]
        group.arguments = [(indices, (len(indices),)), (table, (len(columns[0]), len(columns)))]
        return group
    group = Group(TAKE, "picked", members, (len(members),))
    group.arguments = [
        ([operands[i][0] for i in members], (len(members),)),
        ([ref for i in members for ref in operands[i][1:]], (len(members), len(operands[members[0]]) - 1)),
    ]
    return group


def home(tensors: Tensors, ref: int) -> int:
    return tensors.home[ref] if ref >= 0 else -1


def covered(block: Block, places: list[int]) -> Shape:
    """The shape for results that belong to these places of a block: its own, rows of it, or flat."""
    if len(places) == len(block.entries):
        return block.shape
    if len(block.shape) > 1:
        width = prod(block.shape[1:])
        if places[0] % width == 0 and len(places) % width == 0 and places[-1] - places[0] == len(places) - 1:
            return (len(places) // width, *block.shape[1:])
        # A part of every row.
        rows: dict[int, list[int]] = defaultdict(list)
        for p in places:
            rows[p // width].append(p % width)
        parts = list(rows.values())
        if len(parts) > 1 and all(part == parts[0] for part in parts):
            return (len(parts), len(parts[0]))
    return (len(places),)


def ragged(row: Primitive, members: list[int], operands: list[tuple[int, ...]]) -> Group:
    """A group whose members have several lengths: one long list, in runs."""
    group = Group(row, "ragged", members, (len(members),))
    lists: list[list[int]] = [[], []] if row is DOT else [[]]
    for refs in operands:
        group.starts.append(len(lists[0]))
        size = len(refs) // len(lists)
        for k, part in enumerate(lists):
            part += refs[k * size : (k + 1) * size]
    group.arguments = [(part, (len(part),)) for part in lists]
    return group


def dots(tensors: Tensors, row: Primitive, members: list[int]) -> list[Group]:
    """Sums of products of one length, as matrix products where the pairs of factors allow it."""
    program = tensors.program
    half = len(program.operands[members[0]]) // 2
    pairs: dict[int, tuple[Row, Row]] = {}
    for i in members:
        refs = program.operands[i]
        left, right = refs[:half], refs[half:]
        if program.kind(left[0])[:2] > program.kind(right[0])[:2]:
            left, right = right, left
        pairs[i] = left, right
    first, second = pairs[members[0]]
    order = sorted(range(half), key=lambda k: (order_of(tensors, first[k : k + 1]), order_of(tensors, second[k : k + 1])))
    if order != list(range(half)):  # the sums are taken in the order in which the first factors lie
        pairs = {i: (tuple([left[k] for k in order]), tuple([right[k] for k in order])) for i, (left, right) in pairs.items()}
    found: list[Group] = []
    alike: dict[tuple[int, int], list[list[int]]] = defaultdict(list)
    for part in components(pairs):
        m, p = len({pairs[i][0] for i in part}), len({pairs[i][1] for i in part})
        whole = 2 * len(part) >= m * p and len({pairs[i] for i in part}) == len(part)
        alike[(m, p) if whole else (0, 0)].append(part)
    for (m, p), parts in alike.items():
        if m * p == 0 or (m * p == 1 and len(parts) > 1):
            rest = sorted([i for part in parts for i in part], key=lambda i: order_of(tensors, pairs[i][0]))
            group = Group(row, "dots", rest, (len(rest),) if len(rest) > 1 else ())
            group.arguments = [([ref for i in rest for ref in pairs[i][side]], (len(rest), half)) for side in (0, 1)]
            found.append(group)
        else:
            found.append(product(tensors, row, parts, pairs, (len(parts), p, m)))
    return found


def product(
    tensors: Tensors, row: Primitive, parts: list[list[int]], pairs: dict[int, tuple[Row, Row]], sizes: Shape
) -> Group:
    """Sums of products in which all (nearly all) pairs of left and right factor rows occur, as matrix products side by side."""
    entries: list[int | None] = []
    lists: tuple[list[int], list[int]] = ([], [])
    for part in parts:
        sides = [sorted(dict.fromkeys(pairs[i][side] for i in part), key=lambda row: order_of(tensors, row)) for side in (1, 0)]
        at = {pairs[i]: i for i in part}
        entries += [at.get((left, right)) for right in sides[0] for left in sides[1]]
        for found, rows in zip(lists, sides):
            found += [ref for row in rows for ref in row]
    group = Group(row, "product" if len(parts) == 1 else "products", entries, tuple([size for size in sizes if size > 1]))
    half = len(pairs[parts[0][0]][0])
    group.arguments = [
        (found, (*[size for size in (sizes[0], rows) if size > 1], half)) for found, rows in zip(lists, sizes[1:])
    ]  # fmt: skip
    return group


def order_of(tensors: Tensors, row: Row) -> tuple[int, float]:
    """Where a row of factors begins; constants come first, by size."""
    ref = row[0]
    return (tensors.home[ref], tensors.place[ref]) if ref >= 0 else (-1, tensors.program.number(ref))


def components(pairs: dict[int, tuple[Row, Row]]) -> list[list[int]]:
    """The members in parts that share no factor rows with each other."""
    leader: dict[Any, Any] = {}

    def find(x: Any) -> Any:
        while leader[x] is not x:
            leader[x] = x = leader[leader[x]]
        return x

    names: dict[Any, Any] = {}  # one object for equal rows
    sides = []
    for left, right in pairs.values():
        a, b = (names.setdefault((side, row), (side, row)) for side, row in ((0, left), (1, right)))
        leader.setdefault(a, a)
        leader.setdefault(b, b)
        leader[find(b)] = find(a)
        sides.append(a)
    parts: dict[int, list[int]] = defaultdict(list)
    for i, a in zip(pairs, sides):
        parts[id(find(a))].append(i)
    return list(parts.values())

