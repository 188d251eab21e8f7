"""The room of C: instructions as one file of C99 that needs nothing but math.h, with a loop nest for each.

Every operation is printed from its row in the table. Sums are taken left to right, as plain Python does, so that both agree to
the last bit wherever the functions of math.h do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import Any

from autograd.compiler.c_rows import RESERVED, Rows, is_free, literal
from autograd.compiler.program import Program
from autograd.compiler.recover import recover
from autograd.compiler.reverse import differentiated
from autograd.compiler.tensors.by_block import by_block
from autograd.compiler.tensors.instructions import Affine, Code, Gather, Instruction, Number, Taken, without
from autograd.compiler.tensors.strides import loops_of
from autograd.compiler.texts import Names, offset

__all__ = ["File", "to_c"]

HEAD = """#include <math.h>
#include <string.h>

/* where numbers in between are kept: static, so that calls must not overlap; or auto, on the stack */
#ifndef SCRATCH
#define SCRATCH static
#endif
"""
# Reductions of any number of operands x: what is declared, what every operand does in one pass after another, and the result.
REDUCED = {
    "sum": ("s = 0.0", ["s += {x}"], "s"),
    "prod": ("s = 1.0", ["s *= {x}"], "s"),
    "max": ("s = -INFINITY", ["s = maximum(s, {x})"], "s"),
    "min": ("s = INFINITY", ["s = minimum(s, {x})"], "s"),
    "norm": ("s = 0.0", ["s = hypot(s, {x})"], "s"),
    "logsumexp": ("top = -INFINITY, s = 0.0, ties = -1.0",
                  ["top = maximum(top, {x})", "ties += {x} == top, s += {x} == top ? 0.0 : exp({x} - top)"],
                  "top - top == 0.0 ? top + log1p(s + ties) : top"),
    "dot": ("s = 0.0", ["s += {x} * {y}"], "s"),
}  # fmt: skip
WIDTH = 120
OUTER, INNER = ("i", "j", "h", "g", "f", "e"), ("k", "l", "m", "n", "o", "p")  # loops, from the outermost on
Lines = list[str]


def to_c(program: Program, name: str, wanted: Sequence[int], *, careful: bool = False) -> str:
    """The program as a file: `NAME` for its results, `NAME_gradient` for their derivatives by the inputs `wanted` too.

    With `careful`, derivatives that come out as nan are computed again with care, as the room of reverse mode has it.
    """
    if not is_free(name):
        name = "program"
    file = File()
    file.add(program, name, wanted, careful=careful)
    return file.text()


class File:
    """Functions, and what they share: words and tables."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.headings: list[str] = []
        self.functions: list[str] = []

    def text(self) -> str:
        """The file."""
        helpers = "\n".join(text.strip() + "\n" for text in self.rows.words.values())
        return "\n".join([*self.headings, HEAD, *([helpers] if helpers else []), *self.functions])

    def add(self, program: Program, name: str, wanted: Sequence[int], *, careful: bool) -> None:
        """The functions of one program."""
        self.headings.append(self.heading(program, name, wanted))
        self.functions.append(self.function(program, name, len(program.outputs)))
        if not wanted:
            return
        count, slopes = len(program.outputs), differentiated(program, wanted)
        again = differentiated(program, wanted, careful=True) if careful else slopes
        if len(again.rows) == len(slopes.rows):
            self.functions.append(self.function(slopes, f"{name}_gradient", count, wanted))
            return
        for kind, version in (("plain", slopes), ("careful", again)):
            self.functions.append(f"static {self.function(version, f'{name}_{kind}', count, wanted)}")
        size = count * len(program.inputs)
        self.functions.append(f"""int {name}_gradient(const double *inputs, double *outputs, double *gradient)
{{
    int status = {name}_plain(inputs, outputs, gradient);
    for (int i = 0; i < {size} && status == 0; i++)
        if (gradient[i] != gradient[i]) /* a nan may come from a choice that was not taken: keep track of them */
            return {name}_careful(inputs, outputs, gradient);
    return status;
}}
""")

    def heading(self, program: Program, name: str, wanted: Sequence[int]) -> str:
        """What a caller must know, as a comment."""
        lines = [f"int {name}(const double *inputs, double *outputs)"]
        if wanted:
            lines.append(f"int {name}_gradient(const double *inputs, double *outputs, double *gradient)")
        at = {ref: k for k, ref in enumerate(program.inputs)}
        lines += ["", f"inputs, {len(at)} in number:"]
        for block in recover(empty(program)).inputs:
            places = [at[ref] for ref in block.entries if ref is not None]
            first, last = program.names[places[0]], program.names[places[-1]]
            shape = f", {' x '.join(map(str, block.shape))}" if len(block.shape) > 1 else ""
            lines.append(f"    {spans(places)}: {first}{f' to {last}' if last != first else ''}{shape}")
        lines += ["", "outputs[o]: the results, in their order" if len(program.outputs) > 1 else "outputs[0]: the result"]
        if wanted:
            by = f"[o * {len(at)} + k]: the derivative of outputs[o]" if len(program.outputs) > 1 else "[k]: the derivative"
            lines.append(f"gradient{by} with respect to inputs[k]")
            if len(wanted) < len(at):
                lines.append("            (all inputs have a place in there; 0 for those that index, which have no derivative)")
        status = ["Returns 0"]
        if any(row is not None and row.name == "take" for row in program.rows):
            status.append("-1 if an input that indexes is out of range")
        if program.guards:
            status.append("the number of a comparison that comes out otherwise, which needs another program:")
        lines += ["", "; ".join(status) + ("" if program.guards else ".")]
        lines += [f"    {k}: {g.line}, {g.sign} is {str(g.answer).lower()}" for k, g in enumerate(program.guards, 1)]
        text = "\n   ".join(line.replace("*/", "* /") for line in lines)
        return "/* " + re.sub(r"[ ]+\n", "\n", text) + " */"

    def function(self, program: Program, name: str, count: int, wanted: Sequence[int] = ()) -> str:
        """One function: the first `count` results are outputs, the others derivatives with respect to the inputs `wanted`."""
        results = {"outputs": program.outputs[:count]}
        if wanted:
            size = len(program.inputs)
            gradient = results["gradient"] = [program.constant(0.0)] * (count * size)
            for o in range(count):
                for j, k in enumerate(wanted):
                    gradient[o * size + k] = program.outputs[count + o * len(wanted) + j]
        sides = [ref for guard in program.guards for ref in (guard.left, guard.right)]
        code = by_block(recover(program), results, sides, RESERVED.union(OUTER, INNER))
        guards = [(guard.sign, guard.answer) for guard in program.guards]
        return Printer(code, self.rows).text(name, guards)


class Printer:
    """Writes the instructions of a program as a function of C."""

    def __init__(self, code: Code, rows: Rows) -> None:
        self.code, self.rows = code, rows
        self.names = Names(code.blocks.keys() | code.tables.keys())
        self.tables: Lines = []
        self.pointers: Lines = []
        self.size = 0  # of the memory that is needed

    def text(self, name: str, guards: Sequence[tuple[str, bool]]) -> str:
        """The function."""
        for table, numbers in self.code.tables.items():
            words = [literal(x).strip("()") for x in numbers]
            self.tables += wrapped(f"static const double {table}[{len(numbers)}] = {{", words, "};")
        body: Lines = []
        ends: Lines = []
        for ins in self.code.instructions:
            (ends if ins.out.buffer in self.code.results else body).extend(self.instruction(ins))
        for k, (sign, answer) in enumerate(guards):
            sides = f"{self.element(self.code.sides[2 * k])} {sign} {self.element(self.code.sides[2 * k + 1])}"
            body += [f"if ({f'!({sides})' if answer else sides})", f"    return {k + 1};"]
        scratch = [f"SCRATCH double v[{self.size}]; /* {8 * self.size} bytes */"] if self.size else []
        lines = [*self.tables, *scratch, *self.pointers, *body, *ends]
        unused = [] if any("inputs" in line for line in lines) else ["(void)inputs;"]
        parameters = ", ".join(["const double *inputs", *[f"double *{buffer}" for buffer in self.code.results]])
        inside = "".join([f"    {line}\n" for line in [*unused, *lines, "return 0;"]])
        return f"int {name}({parameters})\n{{\n{inside}}}\n"

    # Instructions

    def instruction(self, ins: Instruction) -> Lines:
        """One loop nest."""
        name = ins.out.buffer
        if self.code.blocks[name] == 1 and name not in self.code.results:
            return self.single(ins, name)
        if name not in self.code.results and ins.out.start == 0:
            x, size = ins.operands[0], self.code.blocks[name]
            if ins.row.name == "pos" and isinstance(x, Affine) and x.buffer == "in" and x.strides == (1,):
                self.pointers.append(f"const double *const {name} = inputs + {x.start};")
                return []
            self.pointers.append(f"double *const {name} = v + {self.size};")
            self.size += size
        outer, inner = OUTER[: len(ins.outer)], INNER[: ins.reduced]
        loops = list(zip(outer, ins.outer))
        target = self.place(ins.out, outer)
        if ins.row.name == "dot" and self.is_along_memory(ins):
            operands = [self.element(x, (*outer, *inner), ins.sizes) for x in ins.operands]
            nest = looped([loops[-1]], [f"{target} = 0.0;"])
            nest += looped([*zip(inner, ins.sizes[len(outer) :]), loops[-1]], [f"{target} += {operands[0]} * {operands[1]};"])
            return looped(loops[:-1], nest)
        return looped(loops, self.statement(ins, target, outer))

    def single(self, ins: Instruction, name: str) -> Lines:
        """One number, which is a variable."""
        lines = self.statement(ins, name, ())
        if len(lines) == 1:
            return [f"const double {lines[0]}"]
        if lines[-1] == f"{name} = s;":  # the variable itself is the sum
            return [re.sub(r"\bs\b", name, line) for line in lines[:-1]]
        if lines[0].startswith("if "):
            return [*lines[:-1], f"const double {lines[-1]}"]
        return [f"double {name};", "{", *indented(lines), "}"]

    def statement(self, ins: Instruction, target: str, outer: Sequence[str]) -> Lines:
        """What is done inside the outer loops."""
        index = (*outer, *INNER[: ins.reduced])
        operands = [self.element(x, index, ins.sizes) for x in ins.operands]
        checks = [line for x in ins.operands if isinstance(x, Taken) for line in self.checked(x, index)]
        if ins.row.arity is not None:
            text = operands[0] if ins.row.name == "pos" else self.rows.applied(ins.row, operands)
            return [*checks, f"{target} = {text};"]
        if ins.row.name not in REDUCED:
            raise TypeError(f"primitive {ins.row.name!r} of many operands has no form in C")
        declared, passes, result = REDUCED[ins.row.name]
        for word in re.findall(r"maximum|minimum", " ".join(passes)):
            self.rows.word(ins.row, word)
        if not ins.reduced:
            half = len(operands) // 2
            if ins.row.name == "dot":
                operands = [f"{x} * {y}" for x, y in zip(operands[:half], operands[half:])]
            if ins.row.name in ("sum", "dot"):
                return [f"{target} = {' + '.join(['0.0', *operands])};"]
            steps = [f"{step.format(x=x)};" for step in passes for x in operands]
        else:
            ends: list[Any] = list(ins.sizes[len(outer) :])
            if ins.limit is not None:
                ends[-1] = self.limit(ins.limit, index, ins.sizes)
            loops = list(zip(index[len(outer) :], ends))
            steps = [line for step in passes for line in looped(loops, [f"{step.format(**dict(zip('xy', operands)))};"])]
        return [f"double {declared};", *steps, f"{target} = {result};"]

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
        return f"{self.buffer(x.buffer)}[{self.limit(x, index, sizes)}]"

    def place(self, x: Affine, index: Sequence[str]) -> str:
        """One number of a buffer."""
        if self.code.blocks.get(x.buffer) == 1 and x.buffer not in self.code.results:
            return x.buffer
        return f"{self.buffer(x.buffer)}[{offset(x.strides, index, x.start)}]"

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
        return "inputs" if name == "in" else name


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


def spans(places: list[int]) -> str:
    """Places as a person lists them: 'inputs[4 .. 19]', or with a step."""
    found = loops_of(places)
    if len(places) == 1:
        return f"inputs[{places[0]}]"
    if found is None or len(found) > 1:
        return f"inputs[{places[0]} .. {places[-1]}] with gaps"
    step = f" by {found[0][1]}" if found[0][1] != 1 else ""
    return f"inputs[{places[0]} .. {places[-1]}{step}]"


def empty(program: Program) -> Program:
    """A program that has the inputs of another, and nothing else."""
    copy = Program()
    for ref, name in zip(program.inputs, program.names):
        copy.input(name, parameter=not program.families[ref][0])
    return copy
