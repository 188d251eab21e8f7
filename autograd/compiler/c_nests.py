"""The room of C's nests: the instructions of a program as a function of C99, a loop nest for each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import prod
from typing import Any

from autograd.compiler.c_rows import Rows, literal
from autograd.compiler.tensors.instructions import Affine, Code, Gather, Instruction, Number, Taken, is_given, without
from autograd.compiler.texts import Names, offset
from autograd.compiler.totals import TOTAL, TOTAL_DOT

__all__ = ["NAMES", "Printer"]

# Reductions of any number of operands x to s: what is declared, what every operand does in one pass after another, the result.
REDUCED = {
    "sum": ("{s} = 0.0", ["{s} += {x}"], "{s}"),
    "prod": ("{s} = 1.0", ["{s} *= {x}"], "{s}"),
    "max": ("{s} = -INFINITY", ["{s} = maximum({s}, {x})"], "{s}"),
    "min": ("{s} = INFINITY", ["{s} = minimum({s}, {x})"], "{s}"),
    "norm": ("{s} = 0.0", ["{s} = hypot({s}, {x})"], "{s}"),
    "logsumexp": ("top = -INFINITY, {s} = 0.0, ties = -1.0",
                  ["top = maximum(top, {x})", "ties += {x} == top, {s} += {x} == top ? 0.0 : exp({x} - top)"],
                  "top - top == 0.0 ? top + log1p({s} + ties) : top"),
    "dot": ("{s} = 0.0", ["{s} += {x} * {y}"], "{s}"),
    "total_dot": ("{s} = 0.0", ["{s} += {x} * {y}"], "{s}"),
}  # fmt: skip
WORDS = {"max": "maximum", "min": "minimum", "logsumexp": "maximum"}  # that these use
WIDTH = 120
OUTER, INNER = ("i", "j", "h", "g", "f", "e"), ("k", "l", "m", "n", "o", "p")  # loops, from the outermost on
SIDE_BY_SIDE = 16  # of more single stores in a row, GCC takes the square of the time: then they have gaps between
NAMES = {*OUTER, *INNER, "count", "example", "examples"}
TOTALS = (TOTAL, TOTAL_DOT)
Lines = list[str]


class Printer:
    """Writes the instructions of a program as a function of C."""

    def __init__(self, code: Code, rows: Rows, count: int) -> None:
        self.code, self.rows, self.count = code, rows, count  # what is read from place `count` is the number of examples
        self.names = Names(code.blocks.keys() | code.tables.keys())
        self.singles = {name for name, size in code.blocks.items() if size == 1} - {*code.results}  # which are variables
        self.tables: Lines = []
        self.pointers: Lines = []
        self.totals: Lines = []
        self.size = 0  # of the memory that is needed
        copies = Counter([ins.out.buffer for ins in code.instructions if ins.row.name == "pos" and not ins.sizes])
        self.spread = {name for name, times in copies.items() if times > SIDE_BY_SIDE and name not in code.results}

    def text(self, name: str, guards: Sequence[tuple[str, bool]]) -> str:
        """The function."""
        code, parameters = self.code, ["const double *inputs"]
        for table, numbers in code.tables.items():
            words = [literal(x).strip("()") for x in numbers]
            self.tables += wrapped(f"static const double {table}[{len(numbers)}] = {{", words, "};")
        checks = []
        for k, (sign, answer) in enumerate(guards):
            sides = f"{self.element(code.sides[2 * k])} {sign} {self.element(code.sides[2 * k + 1])}"
            checks += [f"if ({f'!({sides})' if answer else sides})", f"    return {k + 1};"]
        lines = self.written(code.instructions[: code.inside.start])
        if code.batch is not None:
            parameters = ["int count", *parameters, "const double *examples"]
            inside = indented([*self.written(code.instructions[code.inside]), *checks])
            head = f"for (int example = 0; example < count; example++, examples += {code.batch.widths[0]}) {{"
            lines, checks = [*lines, *self.totals, head, *inside, "}"], []
        after = code.instructions[code.inside.stop :]
        lines += self.written([ins for ins in after if ins.out.buffer not in code.results])
        lines += checks + self.written([ins for ins in after if ins.out.buffer in code.results])
        scratch = [f"SCRATCH double v[{self.size}]; /* {8 * self.size} bytes */"] if self.size else []
        lines = [*self.tables, *scratch, *self.pointers, *lines]
        unused = [] if any("inputs" in line for line in lines) else ["(void)inputs;"]
        parameters += [f"double *{buffer}" for buffer in code.results]
        body = "".join([f"    {line}\n" for line in [*unused, *lines, "return 0;"]])
        return f"int {name}({', '.join(parameters)})\n{{\n{body}}}\n"

    def written(self, instructions: Sequence[Instruction]) -> Lines:
        """The lines of instructions; a number is copied where it is made, while it is in a register."""
        made = {ins.out.buffer for ins in instructions} & self.singles
        copies: dict[str, list[Instruction]] = defaultdict(list)
        others: list[Instruction] = []
        for ins in instructions:
            x = ins.operands[0]
            if ins.row.name == "pos" and isinstance(x, Affine) and x.buffer in made and ins.out.buffer not in made:
                copies[x.buffer].append(ins)
            else:
                others.append(ins)
        return [line for ins in others for part in (ins, *copies[ins.out.buffer]) for line in self.instruction(part)]

    # Instructions

    def instruction(self, ins: Instruction) -> Lines:
        """One loop nest."""
        name, x = ins.out.buffer, ins.operands[0]
        size = self.code.blocks[name]
        if name in self.singles:
            return self.single(ins, name)
        if name not in self.code.results and ins.out.start == 0:
            is_copy = ins.row.name == "pos" and ins.sizes == (size,)
            if is_copy and isinstance(x, Affine) and is_given(x.buffer) and x.strides == (1,):
                return self.view(name, x)
            self.pointers.append(f"double *const {name} = v + {self.size};")
            self.size += size * self.gap(name)
            if ins.row in TOTALS:
                self.totals += looped([("i", size)], [f"{name}[i] = 0.0;"])
        outer, inner = OUTER[: len(ins.outer)], INNER[: ins.reduced]
        loops = list(zip(outer, ins.outer))
        target = self.place(ins.out, outer)
        if ins.row.name == "dot" and self.is_along_memory(ins):
            operands = [self.element(x, (*outer, *inner), ins.sizes) for x in ins.operands]
            nest = looped([loops[-1]], [f"{target} = 0.0;"])
            nest += looped([*zip(inner, ins.sizes[len(outer) :]), loops[-1]], [f"{target} += {operands[0]} * {operands[1]};"])
            return looped(loops[:-1], nest)
        return looped(loops, self.statement(ins, target, outer))

    def view(self, name: str, x: Affine) -> Lines:
        """A part of the inputs, or of the numbers of an example, where it is."""
        line = f"const double *const {name} = {self.buffer(x.buffer)} + {x.start};"
        if x.buffer == "in":
            self.pointers.append(line)
        return [] if x.buffer == "in" else [line]

    def single(self, ins: Instruction, name: str) -> Lines:
        """One number, which is a variable."""
        is_fold = ins.row.arity is None and (ins.reduced or ins.row.name not in ("sum", "dot", "total_dot"))
        if ins.row in TOTALS:
            self.totals.append(f"double {name} = 0.0;")
            lines = self.statement(ins, name, ())
            return ["{", *indented(lines), "}"] if is_fold else lines
        if not is_fold:
            *checks, line = self.statement(ins, name, ())
            return [*checks, f"const double {line}"]
        if REDUCED.get(ins.row.name, ("", [], "{s}"))[2] == "{s}":  # the variable itself is the sum
            return self.statement(ins, "", (), name)
        return [f"double {name};", "{", *indented(self.statement(ins, name, ())), "}"]

    def statement(self, ins: Instruction, target: str, outer: Sequence[str], s: str = "s") -> Lines:
        """What is done inside the outer loops, by an accumulator `s` if it folds, which then goes to a target if there is one."""
        index, name = (*outer, *INNER[: ins.reduced]), ins.row.name
        operands = [self.element(x, index, ins.sizes) for x in ins.operands]
        sign = "+=" if ins.row in TOTALS else "="
        if ins.row.arity is not None:
            checks = [line for x in ins.operands if isinstance(x, Taken) for line in self.checked(x, index)]
            text = operands[0] if name in ("pos", "total") else self.rows.applied(ins.row, operands)
            return [*checks, f"{target} {sign} {text};"]
        if name not in REDUCED:
            raise TypeError(f"primitive {name!r} of many operands has no form in C")
        declared, passes, result = REDUCED[name]
        if name in WORDS:
            self.rows.word(ins.row, WORDS[name])
        if not ins.reduced and name in ("sum", "dot", "total_dot"):
            half = len(operands) // 2
            terms = operands if name == "sum" else [f"{x} * {y}" for x, y in zip(operands[:half], operands[half:])]
            return [f"{target} {sign} {' + '.join(['0.0', *terms])};"]
        if not ins.reduced:
            steps = [f"{step.format(x=x, s=s)};" for step in passes for x in operands]
        else:
            ends: list[Any] = list(ins.sizes[len(outer) :])
            if ins.limit is not None:
                ends[-1] = self.limit(ins.limit, index, ins.sizes)
            loops, named = list(zip(index[len(outer) :], ends)), dict(zip("xy", operands))
            steps = [line for step in passes for line in looped(loops, [f"{step.format(**named, s=s)};"])]
        ending = [f"{target} {sign} {result.format(s=s)};"] if target else []
        return [f"double {declared.format(s=s)};", *steps, *ending]

    def is_along_memory(self, ins: Instruction) -> bool:
        """Whether sums of products are faster with the last outer loop inside: neighbours are read along it, not along sums."""
        steps = [x.strides for x in ins.operands if isinstance(x, Affine)]
        last = len(ins.outer) - 1
        return ins.reduced == 1 and ins.limit is None and last >= 0 and any(s[last] == 1 != s[-1] for s in steps)

    def checked(self, x: Taken, index: Sequence[str]) -> Lines:
        """An index must be in range."""
        chosen = self.place(x.index, index)
        return [f"if (!({chosen} >= 0.0 && {chosen} < {x.limit}.0))", "    return -1;"]

    # Operands

    def element(self, x: Any, index: Sequence[str] = (), sizes: Sequence[int] = ()) -> str:
        """One number at indices of loops."""
        if isinstance(x, Number):
            return literal(x.value)
        if isinstance(x, Affine):
            return self.place(x, index)
        if isinstance(x, Taken):
            strides, places = (*x.table.strides, x.step), (*index, f"(int){self.place(x.index, index)}")
            return self.place(x.table._replace(strides=strides), places)
        return f"{self.buffer(x.buffer)}[{offset((self.gap(x.buffer),), (self.limit(x, index, sizes),))}]"

    def place(self, x: Affine, index: Sequence[str]) -> str:
        """One number of a buffer."""
        if x.buffer in self.singles:
            return x.buffer
        if x.buffer == "in" and x.start == self.count:
            return "count"
        gap = self.gap(x.buffer)
        return f"{self.buffer(x.buffer)}[{offset([gap * step for step in x.strides], index, gap * x.start)}]"

    def limit(self, x: Affine | Gather, index: Sequence[str], sizes: Sequence[int]) -> str:
        """A place, or where a loop ends."""
        if isinstance(x, Affine):
            return offset(x.strides, index, x.start)
        rest = without(sizes, x.axis)
        entry = offset([prod(rest[k + 1 :]) for k in range(len(rest))], without(index, x.axis))
        name, is_new = self.names.of("I", x.table)
        if is_new:
            self.tables += wrapped(f"static const int {name}[{len(x.table)}] = {{", list(map(str, x.table)), "};")
        return offset((1, x.stride), (f"{name}[{entry}]", index[x.axis or 0]))

    def buffer(self, name: str) -> str:
        """What a buffer is called."""
        return {"in": "inputs", "examples0": "examples"}.get(name, name)

    def gap(self, buffer: str) -> int:
        """How far the neighbours in a buffer are from each other."""
        return 2 if buffer in self.spread else 1


def looped(loops: Sequence[tuple[str, Any]], body: Lines) -> Lines:
    """Nested loops around lines."""
    for letter, end in reversed(loops):
        braces = len(body) > 1 and not body[0].startswith("for ")
        braces = braces or any(not line.startswith((" ", "}")) for line in body[1:])
        head = f"for (int {letter} = 0; {letter} < {end}; {letter}++)"
        body = [f"{head} {{", *indented(body), "}"] if braces else [head, *indented(body)]
    return body


def wrapped(head: str, words: Sequence[str], tail: str) -> Lines:
    """A list over several lines."""
    lines, line = [head], ""
    for word in words:
        if len(line) + len(word) > WIDTH - 6:
            lines, line = [*lines, f"    {line.rstrip()}"], ""
        line += f"{word}, "
    return [*lines, f"    {line.rstrip(', ')}{tail}"]


def indented(lines: Lines) -> Lines:
    return [f"    {line}" for line in lines]
