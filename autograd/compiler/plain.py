"""The room of plain Python: instructions as text over lists of floats, for where NumPy is missing or not wanted.

A block is a list, or a number if it has but one. What the words mean is what they mean on floats: IEEE 754, never an exception.
Sums are taken left to right, as the engine does.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import operator
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from math import inf, nan, prod
from typing import Any, NamedTuple

from autograd import floats
from autograd.compiler.recover import Tensors
from autograd.compiler.tensors.by_block import by_block
from autograd.compiler.tensors.instructions import Affine, Batch, Code, Gather, Instruction, Number, Operand, Taken, indices
from autograd.compiler.tensors.strides import Loop
from autograd.compiler.texts import Names, Text, offset
from autograd.compiler.totals import TOTAL, TOTAL_DOT
from autograd.ops import NUMBERS, Primitive, ieee

__all__ = ["plain"]

# From Python 3.12 on the built-in sum compensates its rounding: no longer the order of additions that the engine has.
LEFT_TO_RIGHT = builtins.sum if sys.version_info < (3, 12) else floats.sum
WORDS: dict[str, Any] = {**NUMBERS, "sum": LEFT_TO_RIGHT, "mul": operator.mul, "inf": inf, "nan": nan}
# What elements, indices of loops, and lengths are called, unless a block has such a name.
VARIABLES = ("xyzt" "ijklmo" "n", "uvwd" "fghabc" "e", "pqrc" "lmstde" "o", tuple([f"{name}_" for name in "xyztijklmon"]))
ELEMENTS, LETTERS, LENGTH = VARIABLES[0][:4], VARIABLES[0][4:10], VARIABLES[0][10]
RESERVED = {*WORDS, *keyword.kwlist, *vars(builtins), *VARIABLES[-1], "inputs", "program", "each"}
# So few results are written one by one if there are so many blocks: for every comprehension, Python copies its list of all names.
FEW, MANY = 3, 1000
TOTALS = (TOTAL, TOTAL_DOT)
Loops = Sequence[Loop]


class At(NamedTuple):
    """A place in a list: so far from a variable, or from the beginning if it has no name."""

    name: str
    steps: int

    def __str__(self) -> str:
        return offset((1,), (self.name,), self.steps) if self.name else str(self.steps)

    def further(self, steps: int) -> At:
        """A place some steps further on."""
        return At(self.name, self.steps + steps)


class Clause(NamedTuple):
    """A loop of a comprehension: `for name in source`; one that only repeats has how many `times`."""

    name: str
    source: str
    times: int = 0

    def __str__(self) -> str:
        return f"for {self.name} in {self.source}"


def plain(
    tensors: Tensors, results: Mapping[str, Sequence[int]], sides: Sequence[int] = (), batch: Batch | None = None
) -> Text:  # fmt: skip
    """The program as the text of `program(inputs)`, which returns a list of numbers for each of several lists of references.

    The last list has the numbers of `sides`. With a batch, `program(inputs, examples0, ...)` goes through rows of numbers, and
    the list "each" has a list for each of them; it returns no sides.
    """
    rows = {f"{name}{k}" for name in ("row", "examples") for k in range(len(batch.widths) if batch else 0)}
    return Printer(by_block(tensors, results, sides, RESERVED | NUMBERS.keys() | rows, batch)).text()


class Printer:
    """Writes the instructions of a program as lines of Python."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.singles = {name for name, size in code.blocks.items() if size == 1} - {*code.results}  # numbers, not lists
        variables = next(names for names in VARIABLES if not set(names) & code.blocks.keys())
        self.letters = dict(zip(VARIABLES[0], variables))
        self.names = Names(code.blocks.keys() | code.tables.keys())
        self.tables: dict[str, Any] = {name: tuple(numbers) for name, numbers in code.tables.items()}
        self.words: dict[str, Any] = {"inf": inf, "nan": nan}
        self.lines: list[str] = []
        self.templates: dict[Primitive, str] = {}
        self.gathers: list[str] = []

    def text(self) -> Text:
        """All lines."""
        code, parameters = self.code, ["inputs"]
        returned = dict.fromkeys(code.results, "[]")
        self.write(code.instructions[: code.inside.start], returned)
        if code.batch is not None:
            parameters += [f"examples{k}" for k in range(len(code.batch.widths))]
            self.write_examples(parameters[1:], returned)
        self.write(code.instructions[code.inside.stop :], returned)
        sides = [f"[{', '.join([self.element(x, ()) for x in code.sides])}]"] if code.batch is None else []
        self.lines.append(f"return {', '.join([*returned.values(), *sides])}")
        body = "".join([f"    {line}\n" for line in self.lines])
        return Text(f"def program({', '.join(parameters)}):\n{body}", self.tables, self.words, self.gathers)

    def write_examples(self, matrices: Sequence[str], returned: dict[str, str]) -> None:
        """The loop over the examples."""
        code = self.code
        totals = {ins.out.buffer: code.blocks[ins.out.buffer] for ins in code.instructions if ins.row in TOTALS}
        self.lines += [f"{name} = {'0.0' if size == 1 else f'[0.0] * {size}'}" for name, size in totals.items()]
        before, self.lines = self.lines, []
        self.write(code.instructions[code.inside], returned)
        rows = [name.replace("examples", "row") for name in matrices]
        inside = [*self.lines, f"each.append({returned['each']})"]
        self.lines = [*before, "each = []", f"for {', '.join(rows)} in {zipped(matrices)}:", *[f"    {line}" for line in inside]]
        returned["each"] = "each"

    def write(self, instructions: Sequence[Instruction], returned: dict[str, str]) -> None:
        """A line for each block; the texts of those that are returned."""
        x, y = self.letters["x"], self.letters["y"]
        for name, several in groupby(instructions, key=lambda ins: ins.out.buffer):
            parts = list(several)
            text = self.block(name, parts)
            if name in returned:
                returned[name] = text
            elif parts[0].row not in TOTALS:
                self.lines.append(f"{name} = {text}")
            elif name in self.singles:
                self.lines.append(f"{name} += {text}")
            else:
                self.lines.append(f"{name} = [{x} + {y} for {x}, {y} in zip({name}, {text})]")

    def block(self, name: str, parts: Sequence[Instruction]) -> str:
        """A block as an expression: a number if it has but one, else a list, made by one instruction or part by part."""
        texts = [self.results(ins) if ins.outer else self.applied(ins, self.operands(ins)) for ins in parts]
        if name in self.singles or (len(parts) == 1 and parts[0].outer):
            return texts[0]
        return f"[{', '.join([f'*{text}' if ins.outer else text for text, ins in zip(texts, parts)])}]"

    # One instruction

    def results(self, ins: Instruction) -> str:
        """The results of an instruction as a list."""
        if ins.limit is not None:
            return self.ragged(ins)
        if any(isinstance(x, Taken) for x in ins.operands):  # every element by its place
            letters = [self.letters[name] for name in LETTERS[: len(ins.outer)]]
            clauses = [Clause(letter, f"range({size})") for letter, size in zip(letters, ins.outer)]
            return listed(self.applied(ins, [self.element(x, letters) for x in ins.operands]), clauses)
        if not ins.reduced and prod(ins.outer) <= FEW and len(self.code.blocks) > MANY:
            return f"[{', '.join([self.applied(ins, self.operands(ins, index)) for index in indices(ins.outer)])}]"
        return self.nest(ins)

    def nest(self, ins: Instruction) -> str:
        """Loops over elements or rows: each over lists that it alone chooses from, or one over as many elements of all."""
        axes = range(len(ins.outer))
        varying = [[bool(step) for step in strides_of(x, ins)] for x in ins.operands]
        levels = [list(level) for _, level in groupby(axes, key=lambda a: [v[a] for v in varying])]
        if any(sum(v[level[0]] for level in levels) > 1 for v in varying):
            levels, varying = [[*axes]], [[any(v)] * len(v) for v in varying]
        texts = self.operands(ins, (0,) * len(axes))
        clauses: list[Clause] = []
        for level in levels:
            chosen = [k for k, v in enumerate(varying) if v[level[0]]]
            names = [self.letters[ELEMENTS[k]] for k in chosen]
            found = [self.walk(ins.operands[k], ins, level, name) for k, name in zip(chosen, names)]
            if len(found) == 1 and not ins.reduced:
                texts[chosen[0]], inside = found[0]
                clauses += inside
            elif found:
                lists = [self.named(listed(*pair)) if clauses else listed(*pair) for pair in found]
                clauses.append(Clause(", ".join(names), zipped(lists)))
                for k, name in zip(chosen, names):
                    texts[k] = name
            else:
                clauses.append(repeated(prod([ins.sizes[a] for a in level])))
        return listed(self.applied(ins, texts), clauses)

    def ragged(self, ins: Instruction) -> str:
        """A fold of rows of several lengths."""
        n, texts, names = self.letters[LENGTH], [], []
        for x, i in zip(ins.operands, LETTERS):
            if isinstance(x, Number):
                texts.append(f"[{x.value!r}] * {n}")
            elif isinstance(x, (Affine, Gather)):
                step, i = x.stride if isinstance(x, Gather) else x.strides[-1], self.letters[i]
                names.append((i, self.firsts(x, ins.sizes[0])))
                texts.append(f"{self.buffer(x.buffer)}[{i}:{i} + {n if step == 1 else f'{step} * {n}:{step}'}]")
        letters, lists = zip(*names, (n, self.firsts(ins.limit, ins.sizes[0])))
        return listed(self.applied(ins, texts), [Clause(", ".join(letters), zipped(lists))])

    def firsts(self, x: Any, count: int) -> str:
        """Where rows begin, or how long they are."""
        if isinstance(x, Gather):
            return self.table(x.table)
        return span(At("", x.start), count, x.strides[0]) if x.strides[0] else f"[{x.start}] * {count}"

    def applied(self, ins: Instruction, texts: Sequence[str]) -> str:
        """The row of an instruction, on elements or on rows."""
        row = ins.row
        if row.name in ("pos", "total"):
            return texts[0]
        if row.arity is not None:
            return self.word_of(row).format(**dict(zip(row.operands, texts)))
        if row.name in ("dot", "total_dot"):
            half = len(texts) // 2
            if ins.reduced:
                return f"{self.word('sum')}({self.word('map')}({self.word('mul')}, {texts[0]}, {texts[1]}))"
            texts = [f"{x} * {y}" for x, y in zip(texts[:half], texts[half:])]
        if row.name in ("sum", "dot", "total_dot") and not ins.reduced:
            return " + ".join(["0.0", *texts])
        return self.word_of(row).format(xs=texts[0] if ins.reduced else f"[{', '.join(texts)}]")

    # Operands

    def operands(self, ins: Instruction, index: Sequence[int] = ()) -> list[str]:
        """All operands at indices of the outer loops: elements or rows; a row that many read gets a name."""
        if not ins.reduced:
            return [self.element(x, index) for x in ins.operands]
        texts = []
        for x in ins.operands:
            text = ""
            if isinstance(x, Number):
                text = f"[{x.value!r}] * {prod(ins.sizes[len(ins.outer) :])}"
            elif isinstance(x, Affine):
                text = self.row(x.buffer, At("", x.start), list(zip(ins.sizes, x.strides))[len(ins.outer) :])
            is_fixed = not any(strides_of(x, ins))
            texts.append(self.named(text) if ins.outer and is_fixed else text)
        return texts

    def walk(self, x: Operand, ins: Instruction, level: Sequence[int], name: str) -> tuple[str, list[Clause]]:
        """An element or a row of an operand, and the loops over all of them in some of the outer loops."""
        if isinstance(x, Gather):
            self.gathers.append(x.buffer)
            i = self.letters["i"]
            return f"{self.buffer(x.buffer)}[{i}]", [Clause(i, self.table(x.table))]
        if not isinstance(x, Affine):
            return self.element(x, ()), [repeated(prod(ins.outer))]
        loops = list(zip(ins.sizes, x.strides))
        return self.loops(x.buffer, At("", x.start), [loops[a] for a in level], name, loops[len(ins.outer) :])

    def loops(
        self, buffer: str, start: At, loops: Loops, name: str, inner: Loops = (), letters: str = LETTERS
    ) -> tuple[str, list[Clause]]:  # fmt: skip
        """An element of a buffer, or a row of the inner loops, and the loops over all of them from a start on."""
        loops, clauses, text, times = merged(loops), list[Clause](), "", ""
        last = max([k for k, (_, step) in enumerate(loops) if step], default=-1)
        for k, (size, step) in enumerate(loops):
            if step > 0 and k == last and not inner:  # a slice
                clauses.append(Clause(name, self.cut(buffer, start, size, step) + times))
                text = name
            elif step:
                clauses.append(Clause(self.letters[letters[0]], span(start, size, step)))
                start, letters = At(self.letters[letters[0]], 0), letters[1:]
            elif k == last - 1 and loops[last][1] > 0 and not inner:
                times = f" * {size}"
            else:
                clauses.append(repeated(size))
        return text or (self.row(buffer, start, inner, letters) if inner else self.at(buffer, str(start))), clauses

    def row(self, buffer: str, start: At, loops: Loops, letters: str = LETTERS) -> str:
        """The elements of a buffer in loops as a list, from a start on."""
        loops = merged(loops)
        if len(loops) == 2 and loops[0][0] <= FEW and min(loops[0][1], loops[1][1]) > 0:
            rows = [self.cut(buffer, start.further(k * loops[0][1]), *loops[1]) for k in range(loops[0][0])]
            return f"[{', '.join([f'*{row}' for row in rows])}]"
        return listed(*self.loops(buffer, start, loops, self.letters["x"], letters=letters))

    def cut(self, buffer: str, start: At, count: int, by: int) -> str:
        """So many elements of a list, at a distance: the whole, or a slice."""
        if start == ("", 0) and by == 1 and count == self.code.size(buffer) and not buffer.startswith("examples"):
            return self.buffer(buffer)
        stop = start.further(count if by == 1 else count * by - by + 1)
        return f"{self.buffer(buffer)}[{start}:{stop}{f':{by}' if by > 1 else ''}]"

    def element(self, x: Operand, index: Sequence[str | int]) -> str:
        """One number."""
        if not index and x.__class__ is Affine:
            return self.at(x.buffer, x.start)
        if isinstance(x, Number):
            return repr(x.value)
        places = list(map(str, index))
        if isinstance(x, Taken):
            places.append(f"int({self.element(x.index, index)})")
            return self.at(x.table.buffer, offset([*x.table.strides, x.step], places, x.table.start))
        if isinstance(x, Gather):
            return f"{self.buffer(x.buffer)}[{x.table[0]}]"
        return self.at(x.buffer, offset(x.strides, places, x.start))

    def at(self, buffer: str, place: int | str) -> str:
        """One number of a block."""
        return buffer if buffer in self.singles else f"{self.buffer(buffer)}[{place}]"

    def buffer(self, name: str) -> str:
        """What a buffer is called."""
        return "inputs" if name == "in" else name.replace("examples", "row") if name not in self.code.blocks else name

    # Words and names

    def word(self, name: str) -> str:
        """A word that the text uses."""
        if name in WORDS or name in NUMBERS:
            self.words[name] = WORDS[name] if name in WORDS else NUMBERS[name]
        return name

    def word_of(self, row: Primitive) -> str:
        """The forward text of a row, its operands in braces, division and powers as calls."""
        if row not in self.templates:
            tree = ast.parse(ieee(row.forward), mode="eval").body
            for node in ast.walk(tree):
                if isinstance(node, ast.Name) and node.id in row.operands:
                    node.id = f"{{{node.id}}}"
                elif isinstance(node, ast.Name):
                    self.word(node.id)
            self.templates[row] = ast.unparse(tree)
        return self.templates[row]

    def named(self, text: str) -> str:
        """A name for a list that is read several times."""
        if text.isidentifier():
            return text
        name, is_new = self.names.of("rows", text)
        if is_new:
            self.lines.append(f"{name} = {text}")
        return name

    def table(self, places: tuple[int, ...]) -> str:
        """The name of a table of places."""
        name, _ = self.names.of("I", places)
        self.tables[name] = places
        return name


def strides_of(x: Operand, ins: Instruction) -> Sequence[int]:
    """How an operand moves in the outer loops; by a table, in all of them."""
    if isinstance(x, Affine):
        return x.strides[: len(ins.outer)]
    return (0 if isinstance(x, Number) else 1,) * len(ins.outer)


def span(start: At, count: int, by: int) -> str:
    """Places at a distance.

    >>> span(At("", 0), 3, 1), span(At("", 4), 3, 2), span(At("i", 0), 3, 1)
    ('range(3)', 'range(4, 10, 2)', 'range(i, i + 3)')
    """
    if start == ("", 0) and by == 1:
        return f"range({count})"
    return f"range({start}, {start.further(count * by)}{f', {by}' if by != 1 else ''})"


def repeated(times: int) -> Clause:
    """A loop that only repeats."""
    return Clause("_", f"range({times})", times)


def merged(loops: Loops) -> list[Loop]:
    """The same places in less loops, where a row begins as far from the last as its elements are from each other."""
    found: list[Loop] = []
    for size, step in loops:
        if size > 1 and found and found[-1][1] == step * size:
            found[-1] = found[-1][0] * size, step
        elif size > 1:
            found.append((size, step))
    return found


def listed(text: str, clauses: Sequence[Clause]) -> str:
    """A list of what loops run through.

    >>> listed("x", [Clause("x", "a")]), listed("2.0", [repeated(3)]), listed("-x", [Clause("x", "a")])
    ('a', '[2.0] * 3', '[-x for x in a]')
    """
    if len(clauses) == 1 and clauses[0].name == text:
        return clauses[0].source
    if len(clauses) == 1 and clauses[0].times:
        return f"[{text}] * {clauses[0].times}"
    return f"[{' '.join([text, *map(str, clauses)])}]"


def zipped(lists: Sequence[str]) -> str:
    """Several lists as one, of their elements side by side."""
    return f"zip({', '.join(lists)})" if len(lists) > 1 else lists[0]
