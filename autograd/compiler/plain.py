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
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from math import inf, nan, prod
from typing import Any, NamedTuple

from autograd import floats
from autograd.compiler.recover import Tensors
from autograd.compiler.tensors.by_block import by_block
from autograd.compiler.tensors.instructions import Affine, Gather, Instruction, Number, Operand, Taken, indices
from autograd.compiler.tensors.strides import Loop
from autograd.compiler.texts import Names, offset, run
from autograd.ops import NUMBERS, Primitive, ieee

__all__ = ["PlainText", "plain"]

# From Python 3.12 on the built-in sum compensates its rounding: no longer the order of additions that the engine has.
LEFT_TO_RIGHT = builtins.sum if sys.version_info < (3, 12) else floats.sum
WORDS: dict[str, Any] = {**NUMBERS, "sum": LEFT_TO_RIGHT, "mul": operator.mul, "inf": inf, "nan": nan}
# What elements, indices and rows are called, unless a block has such a name.
VARIABLES = [tuple(names.split()) for names in ("x y z i j k l m o n xs", "u v w f g h a b c e us", "p q r l m s t d e o ps",
                                                "x_ y_ z_ i_ j_ k_ l_ m_ o_ n_ xs_")]  # fmt: skip
RESERVED = {*WORDS, *keyword.kwlist, *vars(builtins), *VARIABLES[-1], "inputs", "program"}
# So few results are written one by one if there are so many blocks: for every comprehension, Python copies its list of all names.
FEW, MANY = 3, 1000
Loops = Sequence[Loop]


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


def plain(tensors: Tensors, results: Mapping[str, Sequence[int]], sides: Sequence[int]) -> PlainText:
    """The program as the text of `program(inputs)`, which returns a list of numbers for each of several lists of references.

    The last list has the numbers of `sides`.
    """
    return Printer(by_block(tensors, results, sides, RESERVED | NUMBERS.keys())).text()


class Printer:
    """Writes the instructions of a program as lines of Python."""

    def __init__(self, code: Any) -> None:
        self.code = code
        variables = next(names for names in VARIABLES if not set(names) & code.blocks.keys())
        self.letters = dict(zip(VARIABLES[0], variables))
        self.names = Names(code.blocks.keys() | code.tables.keys())
        self.tables: dict[str, Any] = {name: tuple(numbers) for name, numbers in code.tables.items()}
        self.words: dict[str, Any] = {"inf": inf, "nan": nan}
        self.lines: list[str] = []
        self.templates: dict[Primitive, str] = {}
        self.gathers: list[str] = []

    def text(self) -> PlainText:
        """All lines."""
        returned = dict.fromkeys(self.code.results, "[]")
        for name, several in groupby(self.code.instructions, key=lambda ins: ins.out.buffer):
            text = self.block(name, list(several))
            if name in returned:
                returned[name] = text
            else:
                self.lines.append(f"{name} = {text}")
        sides = ", ".join([self.element(x, ()) for x in self.code.sides])
        self.lines.append(f"return {', '.join([*returned.values(), f'[{sides}]'])}")
        body = "".join([f"    {line}\n" for line in self.lines])
        return PlainText(f"def program(inputs):\n{body}", self.tables, self.words, self.gathers)

    def block(self, name: str, parts: Sequence[Instruction]) -> str:
        """A block as an expression: a number if it has but one, else a list, made by one instruction or part by part."""
        if self.code.blocks[name] == 1 and name not in self.code.results:
            return self.applied(parts[0], [self.operand(x, parts[0]) for x in parts[0].operands])
        if len(parts) == 1 and parts[0].outer:
            return self.list(parts[0])
        texts = [self.list(ins) if ins.outer else self.applied(ins, [self.operand(x, ins) for x in ins.operands]) for ins in parts]
        return f"[{', '.join([f'*{text}' if ins.outer else text for text, ins in zip(texts, parts)])}]"

    # One instruction

    def list(self, ins: Instruction) -> str:
        """The results of an instruction as a list."""
        if ins.limit is not None:
            return self.ragged(ins)
        if any(isinstance(x, Taken) for x in ins.operands):
            return self.by_index(ins)
        if not ins.reduced and prod(ins.outer) <= FEW and len(self.code.blocks) > MANY:
            lists = [[self.element(x, index) for x in ins.operands] for index in indices(ins.outer)]
            return f"[{', '.join([self.applied(ins, texts) for texts in lists])}]"
        if ins.row.arity is None and not ins.reduced and (ins.row.name != "sum" or len(ins.operands) > 3):  # a few terms
            lists = [self.items(x, ins, range(len(ins.outer))) for x in ins.operands]
            xs = self.letters["xs"]
            return f"[{self.word_of(ins.row).format(xs=xs)} for {xs} in zip({', '.join(lists)})]"
        return self.nest(ins)

    def nest(self, ins: Instruction) -> str:
        """Loops over elements or rows: each over lists that it alone chooses from, or one over as many elements of all."""
        varying = [tuple([bool(step) for step in strides_of(x, ins)]) for x in ins.operands]
        levels = [list(level) for _, level in groupby(range(len(ins.outer)), key=lambda a: [v[a] for v in varying])]
        if any(sum(v[level[0]] for level in levels) > 1 for v in varying):
            levels, varying = [[*range(len(ins.outer))]], [(any(v),) * len(v) for v in varying]
        texts = [self.letters["xyz"[k]] if any(v) else self.fixed(ins.operands[k], ins) for k, v in enumerate(varying)]
        clauses: list[str] = []
        for level in levels:
            chosen = [k for k, v in enumerate(varying) if v[level[0]]]
            if not chosen:
                clauses.append(f"for _ in range({prod([ins.sizes[a] for a in level])})")
            elif len(chosen) == 1 and not ins.reduced:
                k = chosen[0]
                texts[k], inside = self.walk(ins.operands[k], ins, level, texts[k])
                clauses += inside
            else:
                lists = [self.items(ins.operands[k], ins, level) for k in chosen]
                lists = [self.named(text) for text in lists] if clauses else lists
                source = f"zip({', '.join(lists)})" if len(lists) > 1 else lists[0]
                clauses.append(f"for {', '.join([texts[k] for k in chosen])} in {source}")
        text = self.applied(ins, texts)
        if not any(map(any, varying)):
            return f"[{text}] * {prod(ins.outer)}"
        is_copy = len(clauses) == 1 and clauses[0].startswith(f"for {text} in ")
        return clauses[0].partition(" in ")[2] if is_copy else f"[{text} {' '.join(clauses)}]"

    def ragged(self, ins: Instruction) -> str:
        """A fold of rows of several lengths."""
        n = self.letters["n"]
        starts, texts = [], []
        for x, i in zip(ins.operands, (self.letters["i"], self.letters["j"])):
            if isinstance(x, Number):
                texts.append(f"[{x.value!r}] * {n}")
                continue
            step = x.stride if isinstance(x, Gather) else x.strides[-1]
            starts.append((i, self.rows_at(x, ins.sizes[0])))
            length, by = (n, "") if step == 1 else (f"{step} * {n}", f":{step}")
            texts.append(f"{self.buffer(x.buffer)}[{i}:{i} + {length}{by}]")
        starts.append((n, self.rows_at(ins.limit, ins.sizes[0])))
        letters, lists = zip(*starts)
        source = f"zip({', '.join(lists)})" if len(lists) > 1 else lists[0]
        return f"[{self.applied(ins, texts)} for {', '.join(letters)} in {source}]"

    def rows_at(self, x: Any, count: int) -> str:
        """Where rows begin, or how long they are."""
        if isinstance(x, Gather):
            return self.table(x.table)
        return f"[{x.start}] * {count}" if not x.strides[0] else span(x.start, count, x.strides[0])

    def by_index(self, ins: Instruction) -> str:
        """Every element by its place: what is taken from a table."""
        letters = [self.letters[name] for name in "ijklmo"][: len(ins.outer)]
        clauses = [f"for {letter} in range({size})" for letter, size in zip(letters, ins.outer)]
        return f"[{self.applied(ins, [self.element(x, letters) for x in ins.operands])} {' '.join(clauses)}]"

    def applied(self, ins: Instruction, texts: Sequence[str]) -> str:
        """The row of an instruction, on elements or on rows."""
        row = ins.row
        if row.name == "pos":
            return texts[0]
        if row.arity is not None:
            return self.word_of(row).format(**dict(zip(row.operands, texts)))
        if row.name == "dot" and ins.reduced:
            return f"{self.word('sum')}({self.word('map')}({self.word('mul')}, {texts[0]}, {texts[1]}))"
        if row.name == "dot":
            half = len(texts) // 2
            return " + ".join(["0.0", *[f"{x} * {y}" for x, y in zip(texts[:half], texts[half:])]])
        if row.name == "sum" and not ins.reduced:
            return " + ".join(["0.0", *texts])
        return self.word_of(row).format(xs=texts[0] if ins.reduced else f"[{', '.join(texts)}]")

    # Operands

    def operand(self, x: Operand, ins: Instruction) -> str:
        """An operand where there are no outer loops: an element, or a row."""
        return self.row(x, ins, ()) if ins.reduced else self.element(x, ())

    def fixed(self, x: Operand, ins: Instruction) -> str:
        """An operand that is the same in all outer loops; a row gets a name."""
        index = (0,) * len(ins.outer)
        return self.named(self.row(x, ins, index)) if ins.reduced else self.element(x, index)

    def row(self, x: Any, ins: Instruction, index: Sequence[int]) -> str:
        """The elements of the inner loops as a list."""
        if isinstance(x, Number):
            return f"[{x.value!r}] * {prod(ins.sizes[len(ins.outer) :])}"
        start = x.start + sum(i * step for i, step in zip(index, x.strides))
        return self.listed(x.buffer, start, list(zip(ins.sizes, x.strides))[len(ins.outer) :])

    def items(self, x: Any, ins: Instruction, level: Sequence[int]) -> str:
        """The elements or rows of an operand as a list, in some of the outer loops."""
        if isinstance(x, Number):
            return f"[{x.value!r}] * {prod(ins.outer)}"
        loops = [] if isinstance(x, Gather) else merged([(ins.sizes[a], x.strides[a]) for a in level])
        times = loops.pop(0)[0] if loops and not loops[0][1] else 1
        if not ins.reduced:
            text, clauses = self.walk(x, ins, level, self.letters["x"], loops)
            is_list = len(clauses) == 1 and clauses[0].startswith(f"for {text} in ")
            text = clauses[0].partition(" in ")[2] if is_list else f"[{text} {' '.join(clauses)}]"
        else:
            inner = list(zip(ins.sizes, x.strides))[len(ins.outer) :]
            after = loops.pop()[0] if loops and not loops[-1][1] else 1
            at, clauses, letters = self.spans(x.start, loops)
            text = f"[{self.listed(x.buffer, at, inner, letters)}{''.join([f' {clause}' for clause in clauses])}]"
            text = text if after == 1 else f"[{self.letters['x']} for {self.letters['x']} in {text} for _ in range({after})]"
        return text if times == 1 else f"{text} * {times}"

    def walk(self, x: Any, ins: Instruction, level: Sequence[int], name: str, loops: Loops | None = None) -> tuple[str, list[str]]:
        """An element of an operand, and the clauses that run through all of them in some of the outer loops."""
        if isinstance(x, Gather):
            self.gathers.append(x.buffer)
            i = self.letters["i"]
            return f"{self.buffer(x.buffer)}[{i}]", [f"for {i} in {self.table(x.table)}"]
        loops = merged([(ins.sizes[a], x.strides[a]) for a in level]) if loops is None else list(loops)
        after = [f"for _ in range({loops.pop()[0]})"] if loops and not loops[-1][1] else []
        if not loops:
            return self.at(x.buffer, x.start), after
        *outer, (size, step) = loops
        times = f" * {outer.pop()[0]}" if outer and not outer[-1][1] else ""
        at, clauses, letters = self.spans(x.start, outer)
        if step > 0:
            return name, [*clauses, f"for {name} in {self.cut(x.buffer, at, size, step)}{times}", *after]
        i = self.letters[letters[0]]
        places = span(at, size, step)
        return self.at(x.buffer, i), [*clauses, f"for {i} in {f'[*{places}]{times}' if times else places}", *after]

    def spans(self, start: int, loops: Loops, letters: str = "ijklmo") -> tuple[int | str, list[str], str]:
        """Clauses that run through the beginnings of rows, the name of the last, and the letters that are left."""
        at: int | str = start
        clauses = []
        for size, step in loops:
            if step:
                clauses.append(f"for {self.letters[letters[0]]} in {span(at, size, step)}")
                at, letters = self.letters[letters[0]], letters[1:]
            else:
                clauses.append(f"for _ in range({size})")
        return at, clauses, letters

    def listed(self, buffer: str, start: int | str, loops: Loops, letters: str = "ijklmo") -> str:
        """The elements of a buffer in loops as a list, which begins at a number or a variable."""
        loops = merged(loops)
        if not loops:
            return f"[{self.at(buffer, start)}]"
        *outer, (size, step) = loops
        if not outer and not step:
            return f"[{self.at(buffer, start)}] * {size}"
        if not outer and step > 0:
            return self.cut(buffer, start, size, step)
        if len(outer) == 1 and outer[0][0] <= FEW and min(outer[0][1], step) > 0:
            rows = [self.cut(buffer, further(start, k * outer[0][1]), size, step) for k in range(outer[0][0])]
            return f"[{', '.join([f'*{row}' for row in rows])}]"
        clauses, at = [], start
        for count, by in outer if step > 0 else loops:
            clauses.append(f"for {self.letters[letters[0]]} in {span(at, count, by)}" if by else f"for _ in range({count})")
            at, letters = (self.letters[letters[0]], letters[1:]) if by else (at, letters)
        if step > 0:
            clauses.append(f"for {self.letters['x']} in {self.cut(buffer, at, size, step)}")
        return f"[{self.letters['x'] if step > 0 else self.at(buffer, at)} {' '.join(clauses)}]"

    def cut(self, buffer: str, start: int | str, count: int, by: int) -> str:
        """So many elements of a list, at a distance: the whole, or a slice."""
        if start == 0 and by == 1 and count == self.code.size(buffer):
            return self.buffer(buffer)
        stop = further(start, count if by == 1 else count * by - by + 1)
        return f"{self.buffer(buffer)}[{start}:{stop}{f':{by}' if by > 1 else ''}]"

    def element(self, x: Any, index: Sequence[str | int]) -> str:
        """One number."""
        if not index and x.__class__ is Affine:
            return self.at(x.buffer, x.start)
        if isinstance(x, Number):
            return repr(x.value)
        if isinstance(x, Taken):
            chosen = self.element(x.index, index)
            place = offset([*x.table.strides, x.step], [*map(str, index), f"int({chosen})"], x.table.start)
            return f"{self.buffer(x.table.buffer)}[{place}]"
        if isinstance(x, Gather):
            raise TypeError("a table of places is read as a list")
        return self.at(x.buffer, offset(x.strides, list(map(str, index)), x.start))

    def at(self, buffer: str, place: int | str) -> str:
        """One number of a block."""
        return buffer if self.code.blocks.get(buffer) == 1 else f"{self.buffer(buffer)}[{place}]"

    def buffer(self, name: str) -> str:
        """What a buffer is called."""
        return "inputs" if name == "in" else name

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


def span(start: int | str, count: int, by: int) -> str:
    """Places at a distance.

    >>> span(0, 3, 1), span(4, 3, 2), span("i", 3, 1)
    ('range(3)', 'range(4, 10, 2)', 'range(i, i + 3)')
    """
    if start == 0 and by == 1:
        return f"range({count})"
    return f"range({start}, {further(start, count * by)}{f', {by}' if by != 1 else ''})"


def further(start: int | str, steps: int) -> int | str:
    """A place some steps further on."""
    if isinstance(start, int):
        return start + steps
    name, _, before = start.partition(" + ")
    return offset((1,), (name,), int(before or 0) + steps)


def merged(loops: Loops) -> list[Loop]:
    """The same places in less loops, where a row begins as far from the last as its elements are from each other."""
    found: list[Loop] = []
    for size, step in loops:
        if size > 1 and found and found[-1][1] == step * size:
            found[-1] = found[-1][0] * size, step
        elif size > 1:
            found.append((size, step))
    return found
