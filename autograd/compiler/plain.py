"""The room of plain Python: a program of blocks as text over lists of floats, for where NumPy is missing or not wanted.

A block is a list, or a number if it has but one. What the words mean is what they mean on floats: IEEE 754, never an exception.
Sums are taken left to right, as the engine does.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import count as numbering
from math import inf, nan
from typing import Any, NamedTuple

from autograd import floats
from autograd.compiler.patterns import block_names, steps, template
from autograd.compiler.recover import Group, Shape, Tensors
from autograd.compiler.texts import run
from autograd.ops import NUMBERS, Primitive

__all__ = ["PlainText", "plain"]

# From Python 3.12 on the built-in sum compensates its rounding: no longer the order of additions that the engine has.
LEFT_TO_RIGHT = builtins.sum if sys.version_info < (3, 12) else floats.sum
WORDS: dict[str, Any] = {**NUMBERS, "sum": LEFT_TO_RIGHT, "mul": operator.mul, "inf": inf, "nan": nan}
RUNS = '''
def runs(x, starts):
    """A list in parts that begin at these places."""
    return [x[i:j] for i, j in zip(starts, [*starts[1:], len(x)])]
'''
# What elements, indices and rows are called, unless a block has such a name.
VARIABLES = [tuple(names.split()) for names in ("x y z i j xs", "u v w k n us", "p q r l m ps", "x_ y_ z_ i_ j_ xs_")]
# So few results are written one by one if there are so many blocks: for every comprehension, Python copies its list of all names.
FEW, MANY = 3, 1000
ELEMENTS = 6  # so many operands from several blocks are written one by one


class PlainText(NamedTuple):
    """A printed program: its text, the tables of places and constants in it, and the functions of floats it calls."""

    source: str
    tables: dict[str, Any]
    words: dict[str, Any]
    gathers: list[str]

    @property
    def lines(self) -> list[str]:
        """The lines that compute something."""
        return [line for line in self.source.splitlines() if " = " in line and "= inputs" not in line] or ["return"]

    def function(self) -> Callable[..., Any]:
        """The text as a function, which `inspect.getsource` and tracebacks can show."""
        return run(self.source, {**self.words, **self.tables})


def plain(tensors: Tensors, results: Sequence[Sequence[int]]) -> PlainText:
    """The program as the text of `program(inputs)`, which returns a list of numbers for each of several lists of references."""
    return Writer(tensors).text(results)


class Writer:
    """Writes the groups of a program as lines of Python."""

    def __init__(self, tensors: Tensors) -> None:
        self.tensors, self.program = tensors, tensors.program
        self.names = block_names(tensors, {*WORDS, *keyword.kwlist, *vars(builtins), *VARIABLES[-1], "inputs", "program", "runs"})
        variables = next(names for names in VARIABLES if not set(names) & set(self.names))
        self.letters = dict(zip(VARIABLES[0], variables))
        self.at = {ref: k for k, ref in enumerate(self.program.inputs)}
        self.reserved = set(self.names)
        self.numbered: dict[str, Iterator[str]] = {}
        self.tables: dict[str, Any] = {}
        self.words: dict[str, Any] = {"inf": inf, "nan": nan}
        self.used: set[int] = set()  # blocks that a line names
        self.lines: list[str] = []
        self.known: dict[Any, str] = {}  # names of tables and lists that are there already
        self.templates: dict[Primitive, str] = {}
        self.gathers: list[str] = []
        self.runs = False

    def text(self, results: Sequence[Sequence[int]]) -> PlainText:
        """All lines."""
        for k, block in enumerate(self.tensors.blocks):
            if isinstance(block, Group):
                self.lines.append(f"{self.names[k]} = {self.group(block)}")
        returned = [self.flat(list(refs), (len(refs),)) if refs else "[]" for refs in results]
        heads = []
        for k, block in enumerate(self.tensors.blocks):
            if not isinstance(block, Group) and k in self.used:
                places = [self.at[ref] for ref in block.entries if ref is not None]
                part = self.part("inputs", places, (len(places),), len(self.at)) if len(places) > 1 else f"inputs[{places[0]}]"
                heads.append(f"{self.names[k]} = {part}")
        body = "".join(f"    {line}\n" for line in [*heads, *self.lines, f"return {', '.join(returned)}"])
        return PlainText(f"{self.helpers()}def program(inputs):\n{body}", self.tables, self.words, self.gathers)

    def helpers(self) -> str:
        return f"{RUNS.lstrip()}\n\n" if self.runs else ""

    def word(self, name: str) -> str:
        """A word that the text uses."""
        self.words[name] = WORDS[name] if name in WORDS else NUMBERS[name]
        return name

    def applied(self, row: Primitive, operands: Sequence[str]) -> str:
        """The forward text of a row on expressions."""
        if row not in self.templates:
            tree, text = template(row)
            for node in ast.walk(tree):
                if isinstance(node, ast.Name) and node.id in NUMBERS:
                    self.word(node.id)
            self.templates[row] = text
        return self.templates[row].format(**dict(zip(row.operands, operands)))

    def group(self, group: Group) -> str:
        """One group as an expression: a list, or a number if there is but one."""
        if group.form == "elementwise":
            return self.elementwise(group)
        return getattr(self, group.form)(group, *group.arguments)  # type: ignore[no-any-return]

    def elementwise(self, group: Group) -> str:
        """An operation at every place."""
        count = len(group.entries)
        arguments = [refs for refs, _ in group.arguments]
        shape = group.arguments[0][1]
        if group.row.arity is None:  # a few terms
            if count == 1:
                return self.applied(group.row, [self.flat([refs[0] for refs in arguments], (len(arguments),))])
            xs, lists = self.letters["xs"], [self.flat(refs, shape) for refs in arguments]
            return self.mapped(self.applied(group.row, [xs]), [xs], [f"zip({', '.join(lists)})"])
        if count == 1:
            return self.applied(group.row, [self.element(refs[0]) for refs in arguments])
        if count <= FEW and len(self.names) > MANY:
            results = [self.applied(group.row, [self.element(refs[k]) for refs in arguments]) for k in range(count)]
            return f"[{', '.join(results)}]"
        operands, names, lists = [], [], []
        for letter, refs in zip(("x", "y", "z"), arguments):
            if len(set(refs)) == 1:
                operands.append(self.element(refs[0]))
            else:
                operands.append(self.letters[letter])
                names.append(operands[-1])
                lists.append(self.flat(refs, shape))
        if not names:
            return f"[{self.applied(group.row, operands)}] * {count}"
        return self.mapped(self.applied(group.row, operands), names, lists)

    def mapped(self, text: str, names: Sequence[str], lists: Sequence[str]) -> str:
        """A text for every element of lists."""
        source = lists[0] if len(lists) == 1 else f"zip({', '.join(lists)})"
        return f"[{text} for {', '.join(names)} in {source}]"

    def reduced(self, group: Group, argument: tuple[list[int], Shape]) -> str:
        """An operation on the last axis."""
        refs, shape = argument
        if len(group.entries) == 1:
            return self.applied(group.row, [self.flat(refs, (len(refs),))])
        xs = self.letters["xs"]
        return f"[{self.applied(group.row, [xs])} for {xs} in {self.rows(refs, shape)}]"

    def ragged(self, group: Group, *arguments: tuple[list[int], Shape]) -> str:
        """An operation on runs of a long list."""
        self.runs = True
        starts = self.table("I", group.starts)
        lists = [f"runs({self.flat(refs, shape)}, {starts})" for refs, shape in arguments]
        if len(lists) == 1:
            xs = self.letters["xs"]
            return f"[{self.applied(group.row, [xs])} for {xs} in {lists[0]}]"
        x, y = self.letters["x"], self.letters["y"]
        return f"[{self.dot(x, y)} for {x}, {y} in zip({', '.join(lists)})]"

    def dot(self, first: str, second: str) -> str:
        """The sum of the products of two lists."""
        return f"{self.word('sum')}(map({self.word('mul')}, {first}, {second}))"

    def dots(self, group: Group, *arguments: tuple[list[int], Shape]) -> str:
        """Sums of products, of two lists each."""
        if len(group.entries) == 1:
            return self.dot(*[self.flat(refs, (len(refs),)) for refs, _ in arguments])
        x, y = self.letters["x"], self.letters["y"]
        return f"[{self.dot(x, y)} for {x}, {y} in zip({', '.join(self.rows(*argument) for argument in arguments)})]"

    def product(self, group: Group, *arguments: tuple[list[int], Shape]) -> str:
        """A matrix product: every row of the first with every row of the second."""
        (first, has), (second, wants) = arguments
        x, y = self.letters["x"], self.letters["y"]
        if len(group.entries) == 1:
            return self.dot(self.flat(first, has), self.flat(second, wants))
        if len(has) == 1:
            return f"[{self.dot(self.named(self.flat(first, has)), y)} for {y} in {self.rows(second, wants)}]"
        if len(wants) == 1:
            return f"[{self.dot(x, self.named(self.flat(second, wants)))} for {x} in {self.rows(first, has)}]"
        return f"[{self.dot(x, y)} for {x} in {self.rows(first, has)} for {y} in {self.named(self.rows(second, wants))}]"

    def products(self, group: Group, *arguments: tuple[list[int], Shape]) -> str:
        """Matrix products side by side."""
        half = arguments[0][1][-1]
        heights = [len(refs) // half for refs, _ in arguments]
        count = heights[0] * heights[1] // len(group.entries)
        p, m = (height // count for height in heights)
        x, y, i = self.letters["x"], self.letters["y"], self.letters["i"]
        first, second = (self.named(self.rows(refs, shape)) for refs, shape in arguments)
        return (
            f"[{self.dot(x, y)} for {i} in range({count}) for {x} in {first}[{i} * {p}:({i} + 1) * {p}] "
            f"for {y} in {second}[{i} * {m}:({i} + 1) * {m}]]"
        )

    def taken(self, group: Group, indices: tuple[list[int], Shape], table: tuple[list[int], Shape]) -> str:
        """Rows of a table, by their numbers."""
        x, i = self.letters["x"], self.letters["i"]
        rows, chosen = self.named(self.rows(*table)), self.flat(*indices)
        if len(group.entries) == 1:
            return f"{rows}[int({self.element(indices[0][0])})][0]"
        return f"[{x} for {i} in {chosen} for {x} in {rows}[int({i})]]"

    def picked(self, group: Group, indices: tuple[list[int], Shape], table: tuple[list[int], Shape]) -> str:
        """One number of every row of a table."""
        xs, i = self.letters["xs"], self.letters["i"]
        if len(group.entries) == 1:
            return f"{self.flat(table[0], (len(table[0]),))}[int({self.element(indices[0][0])})]"
        return f"[{xs}[int({i})] for {i}, {xs} in zip({self.flat(*indices)}, {self.rows(*table)})]"

    def element(self, ref: int) -> str:
        """One number."""
        if ref < 0:
            return repr(self.program.number(ref))
        home = self.tensors.home[ref]
        self.used.add(home)
        return self.names[home] if self.is_single(home) else f"{self.names[home]}[{self.tensors.place[ref]}]"

    def is_single(self, k: int) -> bool:
        """Whether a block is a number, not a list."""
        return len(self.tensors.blocks[k].entries) == 1

    def flat(self, refs: list[int], shape: Shape) -> str:
        """References as a list."""
        n = len(refs)
        if len(set(refs)) == 1:
            return f"[{self.element(refs[0])}] * {n}" if n > 1 else f"[{self.element(refs[0])}]"
        source, places, size = self.source(refs)
        return source if source[0] == "[" else self.part(source, places, shape, size)

    def part(self, source: str, places: list[int], shape: Shape, size: int) -> str:
        """Places of a list of this size as a list: the whole, slices of it, or a gather."""
        n = len(places)
        line = steps(places, (n,))
        if line is not None and line.by[0] > 0:
            start, by = line.start, line.by[0]
            stop = f"{start + n * by - by + 1}:{by}" if by > 1 else start + n
            return source if by == 1 and n == size else f"{source}[{start}:{stop}]"
        grid = steps(places, shape) if len(shape) == 2 else None
        x, i = self.letters["x"], self.letters["i"]
        if grid is not None and min(grid.by) >= 0:
            (rows, columns), (down, right) = shape, grid.by
            if down == 0 and right > 0:
                return f"{self.part(source, places[:columns], (columns,), size)} * {rows}"
            if right == 0:
                return f"[{x} for {x} in {self.part(source, places[::columns], (rows,), size)} for _ in range({columns})]"
            return f"[{x} for {i} in {self.span(grid.start, rows, down)} for {x} in {source}[{self.slice(i, columns, right)}]]"
        self.gathers.append(source)
        return f"[{source}[{i}] for {i} in {self.table('I', places)}]"

    def span(self, start: int, count: int, by: int) -> str:
        """The beginnings of rows."""
        parts = [start, start + count * by] if start or by != 1 else [count]
        return f"range({', '.join(map(str, [*parts, by] if by != 1 else parts))})"

    def slice(self, i: str, count: int, by: int) -> str:
        """A row that begins at i."""
        return f"{i}:{i} + {count}" if by == 1 else f"{i}:{i} + {count * by - by + 1}:{by}"

    def rows(self, refs: list[int], shape: Shape) -> str:
        """References as a list of rows: the last axis of a shape."""
        columns = shape[-1]
        count = len(refs) // columns
        x, i, j = self.letters["x"], self.letters["i"], self.letters["j"]
        source, places, size = self.source(refs)
        source = self.named(source)
        found = steps(places, shape)
        if found is not None and found.by[-1] > 0 and min(found.by) >= 0:
            row = f"{source}[{self.slice(i, columns, found.by[-1])}]"
            if count == 1:
                return f"[{self.part(source, places, (columns,), size)}]"
            if len(shape) == 2:
                if found.by[0] == 0:
                    return f"[{self.part(source, places[:columns], (columns,), size)}] * {count}"
                return f"[{row} for {i} in {self.span(found.start, count, found.by[0])}]"
            if min(found.by) > 0:
                outer = self.span(found.start, shape[0], found.by[0])
                inner = f"range({j}, {j} + {shape[1] * found.by[1]}, {found.by[1]})"
                return f"[{row} for {j} in {outer} for {i} in {inner}]"
        if columns == 1 or all(refs[k] == refs[k - k % columns] for k in range(len(refs))):
            return f"[[{x}]{f' * {columns}' if columns > 1 else ''} for {x} in {self.flat(refs[::columns], (count,))}]"
        self.gathers.append(source)
        table = self.table("I", [tuple(places[k : k + columns]) for k in range(0, len(places), columns)])
        return f"[[{source}[{i}] for {i} in {j}] for {j} in {table}]"

    def source(self, refs: list[int]) -> tuple[str, list[int], int]:
        """A list that has all these, the places of these in it, and its size; an expression in brackets is just these."""
        home, place = self.tensors.home, self.tensors.place
        homes = list(dict.fromkeys([home[ref] if ref >= 0 else -1 for ref in refs]))
        if homes == [-1]:
            return self.table("C", [self.program.number(ref) for ref in refs]), list(range(len(refs))), len(refs)
        if len(homes) == 1 and not self.is_single(homes[0]):
            self.used.add(homes[0])
            return self.names[homes[0]], [place[ref] for ref in refs], len(self.tensors.blocks[homes[0]].entries)
        if all(ref in self.at for ref in refs):
            return "inputs", [self.at[ref] for ref in refs], len(self.at)
        if len(refs) <= ELEMENTS:
            return f"[{', '.join(map(self.element, refs))}]", list(range(len(refs))), len(refs)
        pieces, offsets, size = [], {}, 0
        for k in homes:
            if k >= 0:
                self.used.add(k)
                pieces.append(self.names[k] if self.is_single(k) else f"*{self.names[k]}")
                offsets[k], size = size, size + len(self.tensors.blocks[k].entries)
        for ref in dict.fromkeys(ref for ref in refs if ref < 0):
            pieces.append(self.element(ref))
            offsets[ref], size = size, size + 1
        places = [offsets[home[ref]] + place[ref] if ref >= 0 else offsets[ref] for ref in refs]
        text = f"[{', '.join(pieces)}]"
        return (text if places == list(range(size)) else self.named(text)), places, size

    def named(self, text: str) -> str:
        """A name for a list that is read several times."""
        if text.isidentifier():
            return text
        if text not in self.known:
            self.known[text] = name = self.fresh("joined" if text.startswith("[*") else "rows")
            self.lines.append(f"{name} = {text}")
        return self.known[text]

    def table(self, prefix: str, entries: Sequence[Any]) -> str:
        """The name of a constant tuple."""
        key = (prefix, tuple(map(repr, entries)))
        if key not in self.known:
            self.known[key] = name = self.fresh(prefix)
            self.tables[name] = tuple(entries)
        return self.known[key]

    def fresh(self, prefix: str) -> str:
        """A name that is not taken yet."""
        names = self.numbered.setdefault(prefix, map(f"{prefix}{{}}".format, numbering(1)))
        return next(name for name in names if name not in self.reserved)
