"""The room of C: a program of blocks as one file of C99 that needs nothing but math.h, with loops over the groups.

Every operation is printed from its row in the table. Sums are taken left to right, as plain Python does, so that both agree to
the last bit wherever the functions of math.h do.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from itertools import count as numbering
from typing import Any

from autograd.compiler.c_words import HELPERS, MATH, TURNED
from autograd.compiler.patterns import block_names, steps
from autograd.compiler.program import Program
from autograd.compiler.recover import Group, Shape, Tensors, prod, recover
from autograd.compiler.reverse import differentiated
from autograd.ops import TABLE, Primitive

__all__ = ["File", "to_c"]

KEYWORDS = {
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float", "for",
    "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct",
    "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "main", "memcpy",
    "inputs", "outputs", "gradient", "status", "row", "v", "h", "i", "j", "k", "s", "top", "turned",
}  # fmt: skip
# What math.h and string.h of C99 declare; the forms for float and long double end in f and l.
LIBRARY = {
    "acos", "asin", "atan", "atan2", "cos", "sin", "tan", "acosh", "asinh", "atanh", "cosh", "sinh", "tanh", "exp", "exp2",
    "expm1", "frexp", "ilogb", "ldexp", "log", "log10", "log1p", "log2", "logb", "modf", "scalbn", "scalbln", "cbrt", "fabs",
    "hypot", "pow", "sqrt", "erf", "erfc", "lgamma", "tgamma", "ceil", "floor", "nearbyint", "rint", "lrint", "llrint", "round",
    "lround", "llround", "trunc", "fmod", "remainder", "remquo", "copysign", "nan", "nextafter", "nexttoward", "fdim", "fmax",
    "fmin", "fma", "fpclassify", "isfinite", "isinf", "isnan", "isnormal", "signbit", "isgreater", "isgreaterequal", "isless",
    "islessequal", "islessgreater", "isunordered", "j0", "j1", "jn", "y0", "y1", "yn", "gamma", "drem", "significand", "signgam",
    "float_t", "double_t", "size_t", "memcpy", "memmove", "memset", "memcmp", "memchr", "strcat", "strchr", "strcmp", "strcoll",
    "strcpy", "strcspn", "strerror", "strlen", "strncat", "strncmp", "strncpy", "strpbrk", "strrchr", "strspn", "strstr",
    "strtok", "strxfrm",
}  # fmt: skip
# What files for speed call their own: loop indices, operands, accumulators, vectors and their functions.
SPEED = re.compile(r"[a-zA-Z]\d*_?\d*|(v\d*|vm|VM)_\w+|nest\d+|table\d+|run|in|out|scratch|constants|NEST|NUMBERS|HELD")
MACROS = {"HUGE_VAL", "HUGE_VALF", "HUGE_VALL", "INFINITY", "NAN", "NULL", "SCRATCH"}
HEAD = """#include <math.h>
#include <string.h>

/* where numbers in between are kept: static, so that calls must not overlap; or auto, on the stack */
#ifndef SCRATCH
#define SCRATCH static
#endif
"""
CONSTANTS = {"inf": "INFINITY", "nan": "NAN", "copysign": "copysign", "fabs": "fabs"}
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
RUNS = 12  # so many loops at most write one result
Operand = tuple[list[int], Shape]
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


def is_free(name: str) -> bool:
    """Whether a function in C may have this name: nothing else in the file, in its headers or in the language has it."""
    return is_new(name) and name not in TABLE


def is_new(name: str) -> bool:
    """Whether neither C nor its headers nor the functions of the library have this name."""
    taken = KEYWORDS | LIBRARY | MACROS | {*HELPERS}
    stem = name[:-1] if name.endswith(("f", "l")) else name
    return name.isidentifier() and name.isascii() and name[0] != "_" and name not in taken and stem not in LIBRARY


def function_of(row: Primitive) -> str:
    """What the function of a row is named in C."""
    return row.name if is_new(row.name) and not SPEED.fullmatch(row.name) else f"own_{row.name}"


class File:
    """Functions, and what they share: words and tables."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}  # functions that math.h does not have
        self.headings: list[str] = []
        self.functions: list[str] = []
        self.templates: dict[Primitive, str] = {}

    def text(self) -> str:
        """The file."""
        helpers = "\n".join(text.strip() + "\n" for text in self.words.values())
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
        """One function."""
        return Writer(self, recover(program), name).text(count, wanted)

    def applied(self, row: Primitive, operands: Iterable[str]) -> str:
        """An operation of the table on expressions."""
        if row not in self.templates:
            tree = Translation(self, row).visit(ast.parse(row.forward, mode="eval").body)
            if all(isinstance(part, (ast.Name, ast.Constant)) for part in parts_of(tree)):
                self.templates[row] = ast.unparse(Marked(row).visit(tree))
            else:
                self.define(row, ast.unparse(tree))
                self.templates[row] = f"{function_of(row)}({', '.join(f'{{{x}}}' for x in row.operands)})"
        return self.templates[row].format(**dict(zip(row.operands, operands)))

    def define(self, row: Primitive, text: str) -> None:
        """A function for a row of the table that has a longer text."""
        parameters = ", ".join(f"double {x}" for x in row.operands)
        self.words.setdefault(row.name, f"static double {function_of(row)}({parameters}) {{ return {text}; }}")

    def word(self, row: Primitive, name: str) -> str:
        """A word of the table as a function of C, which is defined if need be."""
        if name in MATH:
            return MATH[name]
        if name in HELPERS:
            if "turned(" in HELPERS[name]:
                self.words.setdefault("turned", TURNED)
            self.words.setdefault(name, HELPERS[name])
        elif name in TABLE and TABLE[name].arity is not None and name != row.name:
            inner = TABLE[name]
            if name not in self.words:
                self.define(inner, ast.unparse(Translation(self, inner).visit(ast.parse(inner.forward, mode="eval").body)))
            return function_of(inner)
        else:
            raise TypeError(
                f"primitive {row.name!r} cannot be printed in C: its text {row.forward!r} uses {name!r}, which is no word of the "
                f"table; write it as a text in its words, as autograd.primitive('cube', 'x * x * x', '3.0 * x * x')"
            )
        return name


class Translation(ast.NodeTransformer):
    """A text of the table in C's terms: powers and words are calls of C's functions, numbers are doubles."""

    def __init__(self, file: File, row: Primitive) -> None:
        self.file, self.row = file, row

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """A power or a remainder, which are functions in C; or arithmetic."""
        self.generic_visit(node)
        name = {ast.Pow: "pow", ast.Mod: "mod", ast.FloorDiv: "floor_divide"}.get(type(node.op))
        return ast.Call(ast.Name(self.file.word(self.row, name)), [node.left, node.right], []) if name else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """A choice."""
        self.generic_visit(node)
        return ast.Call(ast.Name(self.file.word(self.row, "where")), [node.test, node.body, node.orelse], [])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A word."""
        name = ast.unparse(node.func)
        function = CONSTANTS.get(name) or self.file.word(self.row, name)
        return ast.Call(ast.Name(function), [self.visit(argument) for argument in node.args], [])

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """A number."""
        return ast.Constant(float(node.value)) if isinstance(node.value, int) else node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """An operand, or a constant of math.h."""
        if node.id in self.row.operands:
            return node
        return ast.Name(CONSTANTS[node.id] if node.id in CONSTANTS else self.file.word(self.row, node.id))

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Anything else that is not arithmetic is refused."""
        known = (ast.BinOp, ast.UnaryOp, ast.operator, ast.USub, ast.UAdd, ast.IfExp, ast.Compare, ast.cmpop)
        if not isinstance(node, known) or (isinstance(node, ast.Compare) and len(node.ops) > 1):
            raise TypeError(
                f"primitive {self.row.name!r} cannot be printed in C: {ast.unparse(node)!r} in its text is no arithmetic; "
                "write it with the words of the table"
            )
        return super().generic_visit(node)


class Marked(ast.NodeTransformer):
    """Operands in braces."""

    def __init__(self, row: Primitive) -> None:
        self.row = row

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """An operand."""
        return ast.Name(f"{{{node.id}}}") if node.id in self.row.operands else node


def parts_of(tree: ast.expr) -> list[ast.expr]:
    """What an operation or a call is applied to."""
    if isinstance(tree, ast.BinOp):
        return [tree.left, tree.right]
    if isinstance(tree, ast.UnaryOp):
        return [tree.operand]
    return list(tree.args) if isinstance(tree, ast.Call) else [tree]


class Writer:
    """Writes one function: loops over the groups of a program."""

    def __init__(self, file: File, tensors: Tensors, name: str) -> None:
        self.file, self.tensors, self.program, self.name = file, tensors, tensors.program, name
        self.names = block_names(tensors, {*KEYWORDS, *MATH, *MATH.values(), *HELPERS, *TABLE, "NAN", "INFINITY"})
        self.at = {ref: k for k, ref in enumerate(self.program.inputs)}
        self.lines: list[str | int] = []  # a block in place of a line: store its number in memory, if it is read from there
        self.tables: dict[Any, str] = {}
        self.fresh = {prefix: map(f"{prefix}{{}}".format, numbering(1)) for prefix in "CI"}
        self.reserved = set(self.names)
        self.declared: Lines = []
        self.pointers: dict[int, str] = {}  # blocks that are read by their names, with their declarations
        self.stored: set[int] = set()  # single numbers that are read from memory
        self.constants: dict[int, int] = {}  # constants that are read from memory
        self.inputs_in_memory = False
        self.offsets, self.size = {}, 0
        for k, block in enumerate(tensors.blocks):
            if isinstance(block, Group):
                self.offsets[k], self.size = self.size, self.size + len(block.entries)

    def text(self, count: int, wanted: Sequence[int]) -> str:
        """The function: its first `count` results are outputs, the others derivatives by the inputs `wanted`."""
        for k, block in enumerate(self.tensors.blocks):
            if isinstance(block, Group):
                self.lines += self.group(k, block)
        body = [line if isinstance(line, str) else self.store(line) for line in [*self.lines, *self.ending(count, wanted)]
                if isinstance(line, str) or line in self.stored]  # fmt: skip
        heads, size = [], self.size
        if self.inputs_in_memory:
            heads.append(f"memcpy(v + {size}, inputs, {len(self.at)} * sizeof *v);")
        if self.inputs_in_memory or self.constants:
            size += len(self.at)
        heads += [f"v[{size + k}] = {self.number(ref)};" for ref, k in self.constants.items()]
        size += len(self.constants)
        pointers = [self.pointers[k] for k in sorted(self.pointers)]
        needs_memory = any(re.search(r"\bv\b", line) for line in [*body, *pointers, *heads])
        scratch = [f"SCRATCH double v[{size}]; /* {8 * size} bytes */"] if needs_memory else []
        unused = [] if self.at and any("inputs" in line for line in [*body, *pointers, *heads]) else ["(void)inputs;"]
        parameters = "const double *inputs, double *outputs" + (", double *gradient" if wanted else "")
        inside = "".join(f"    {line}\n" for line in [*self.declared, *scratch, *pointers, *unused, *heads, *body, "return 0;"])
        return f"int {self.name}({parameters})\n{{\n{inside}}}\n"

    def ending(self, count: int, wanted: Sequence[int]) -> list[str]:
        """Comparisons that must come out as they did, then the results."""
        lines = []
        for k, guard in enumerate(self.program.guards, 1):
            sides = f"{self.element(guard.left)} {guard.sign} {self.element(guard.right)}"
            lines += [f"if ({f'!({sides})' if guard.answer else sides})", f"    return {k};"]
        outputs = self.program.outputs
        lines += self.written("outputs", outputs[:count])
        zero, size = self.program.constant(0.0), len(self.at)
        if wanted:
            gradient = [zero] * (count * size)
            for o in range(count):
                for j, k in enumerate(wanted):
                    gradient[o * size + k] = outputs[count + o * len(wanted) + j]
            lines += self.written("gradient", gradient)
        return lines

    def written(self, target: str, refs: list[int]) -> Lines:
        """References written to an array, in runs that lie side by side."""
        home, place = self.tensors.home, self.tensors.place
        runs: list[list[int]] = []
        for ref in refs:
            last = runs[-1][-1] if runs else None
            alike = last is not None and (last == ref or (last >= 0 and ref >= 0 and home[last] == home[ref]))
            if last is not None and alike and (place[ref] == place[last] + 1 if ref != last else len(set(runs[-1])) == 1):
                runs[-1].append(ref)
            else:
                runs.append([ref])
        if len(runs) > RUNS:
            runs = [refs]
        lines, start = [], 0
        for run in runs:
            text = self.read(run, (len(run),), ["i"])
            lines += self.loops([("i", len(run))], [f"{target}[{linear([(1, 'i', len(run))], start)}] = {text};"])
            start += len(run)
        return lines

    def group(self, k: int, group: Group) -> list[str | int]:
        """One group."""
        self.pointers[k] = f"double *const {self.names[k]} = v + {self.offsets[k]};"
        if len(group.entries) == 1:
            del self.pointers[k]
            return [*self.single(k, group), k]
        if group.form == "elementwise":
            return [*self.elementwise(k, group)]
        return [*getattr(self, group.form)(k, group, *group.arguments)]

    def single(self, k: int, group: Group) -> Lines:
        """A group of one number, which is a variable."""
        name = self.names[k]
        if group.form == "elementwise" and group.row.arity is not None:
            text = self.file.applied(group.row, [self.element(refs[0]) for refs, _ in group.arguments])
            return [f"const double {name} = {text};"]
        if group.form in ("taken", "picked"):
            (index,), table = group.arguments[0][0], group.arguments[1][0]
            text = self.read(table, (len(table),), [f"(int){self.element(index)}"])
            return [*self.checked(self.element(index), len(table)), f"const double {name} = {text};"]
        if group.form == "elementwise":
            arguments = [([refs[0] for refs, _ in group.arguments], (len(group.arguments),))]
        else:
            arguments = [(refs, (len(refs),)) for refs, _ in group.arguments]
        declared, passes, result = self.reduction(group.row)
        if result == "s":  # the variable itself is the sum
            declared, result = re.sub(r"\bs\b", name, declared), ""
            passes = [re.sub(r"\bs\b", name, step) for step in passes]
            return [f"double {declared};", *self.passes(passes, arguments, [])]
        sizes = arguments[0][1]
        inner = self.passes(passes, arguments, [])
        return [f"double {name};", "{", *indented([f"double {declared};", *inner, f"{name} = {result};"]), "}"] if sizes else []

    def reduction(self, row: Primitive) -> tuple[str, list[str], str]:
        """How many operands become one."""
        if row.name not in REDUCED:
            raise TypeError(f"primitive {row.name!r} of many operands has no form in C")
        declared, passes, result = REDUCED[row.name]
        for word in re.findall(r"maximum|minimum", " ".join(passes)):
            self.file.word(row, word)
        return declared, passes, result

    def passes(self, passes: Sequence[str], arguments: Sequence[Operand], outer: list[str]) -> Lines:
        """Loops over the last axis of the arguments."""
        lines = []
        for step in passes:
            operands = {x: self.read(refs, shape, [*outer, "k"]) for x, (refs, shape) in zip("xy", arguments)}
            lines += self.loops([("k", arguments[0][1][-1])], [f"{step.format(**operands)};"])
        return lines

    def elementwise(self, k: int, group: Group) -> Lines:
        """An operation at every place."""
        count, arguments = len(group.entries), [refs for refs, _ in group.arguments]
        shapes: list[Shape] = [(count,), *({shape for _, shape in group.arguments if prod(shape) == count})]
        shape = next((s for s in shapes if all(self.is_regular(refs, s) for refs in arguments)), shapes[0])
        letters = ["i", "j", "k", "h"][: len(shape)]
        operands = [self.read(refs, shape, letters) for refs in arguments]
        if group.row.arity is None:
            declared, passes, result = self.reduction(group.row)
            steps_in = [step.format(x=operand) for step in passes for operand in operands]
            if declared == "s = 0.0":  # a sum
                text = " + ".join(["0.0", *operands])
                return self.loops(list(zip(letters, shape)), [f"{self.target(k, shape, letters)} = {text};"])
            inside = [f"double {declared};", *[f"{step};" for step in steps_in], f"{self.target(k, shape, letters)} = {result};"]
            return self.loops(list(zip(letters, shape)), inside)
        text = self.file.applied(group.row, operands)
        return self.loops(list(zip(letters, shape)), [f"{self.target(k, shape, letters)} = {text};"])

    def target(self, k: int, shape: Shape, letters: Sequence[str]) -> str:
        """Where a result of a group goes."""
        return f"{self.names[k]}[{linear([(prod(shape[n + 1 :]), letter, shape[n]) for n, letter in enumerate(letters)])}]"

    def reduced(self, k: int, group: Group, argument: Operand) -> Lines:
        """An operation on the last axis."""
        refs, shape = argument
        return self.rows(k, group, [(refs, (len(group.entries), shape[-1]))])

    def dots(self, k: int, group: Group, *arguments: Operand) -> Lines:
        """Sums of products, of two rows each."""
        return self.rows(k, group, arguments)

    def rows(self, k: int, group: Group, arguments: Sequence[Operand]) -> Lines:
        """A reduction of every row."""
        declared, passes, result = self.reduction(group.row)
        inside = [f"double {declared};", *self.passes(passes, arguments, ["i"]), f"{self.names[k]}[i] = {result};"]
        return self.loops([("i", len(group.entries))], inside)

    def ragged(self, k: int, group: Group, *arguments: Operand) -> Lines:
        """A reduction of runs of several lengths."""
        starts = self.table("I", [*group.starts, len(arguments[0][0])])
        declared, passes, result = self.reduction(group.row)
        inside = [f"double {declared};"]
        for step in passes:
            operands = {x: self.read(refs, shape, ["k"]) for x, (refs, shape) in zip("xy", arguments)}
            inside += [f"for (int k = {starts}[i]; k < {starts}[i + 1]; k++)", f"    {step.format(**operands)};"]
        return self.loops([("i", len(group.entries))], [*inside, f"{self.names[k]}[i] = {result};"])

    def product(self, k: int, group: Group, *arguments: Operand) -> Lines:
        """A matrix product: every row of the first with every row of the second."""
        first, second = arguments
        return self.products(k, group, first, second, count=1)

    def products(self, k: int, group: Group, first: Operand, second: Operand, count: int = 0) -> Lines:
        """Matrix products side by side; sums run over the columns, inside or (to go along memory) outside of the other loops."""
        half = first[1][-1]
        rows, columns = (len(refs) // half for refs, _ in (first, second))
        count = count or rows * columns // len(group.entries)
        p, m = rows // count, columns // count
        left = self.read(first[0], (count, p, half), ["h", "i", "k"])
        right = self.read(second[0], (count, m, half), ["h", "j", "k"])
        target = f"{self.names[k]}[{linear([(p * m, 'h', count), (m, 'i', p), (1, 'j', m)])}]"
        found = self.regular(second[0], (count, m, half))
        if found is not None and found.by[1] == 1 and m > 1:
            inner = self.loops([("j", m)], [f"{target} = 0.0;"])
            inner += self.loops([("k", half), ("j", m)], [f"{target} += {left} * {right};"])
            return self.loops([("h", count), ("i", p)], inner)
        inner = ["double s = 0.0;", *self.loops([("k", half)], [f"s += {left} * {right};"]), f"{target} = s;"]
        return self.loops([("h", count), ("i", p), ("j", m)], inner)

    def taken(self, k: int, _: Group, indices: Operand, table: Operand) -> Lines:
        """Rows of a table, by their numbers."""
        (refs, (count, columns)), chosen = table, len(indices[0])
        index = self.read(indices[0], (chosen,), ["i"])
        target = f"{self.names[k]}[{linear([(columns, 'i', chosen), (1, 'j', columns)])}]"
        read = self.read(refs, (count, columns), ["row", "j"])
        inner = [*self.checked(index, count), f"const int row = (int){index};"]
        return self.loops([("i", chosen)], [*inner, *self.loops([("j", columns)], [f"{target} = {read};"])])

    def picked(self, k: int, group: Group, indices: Operand, table: Operand) -> Lines:
        """One number of every row of a table."""
        index = self.read(indices[0], (len(indices[0]),), ["i"])
        read = self.read(*table, ["i", "row"])
        inner = [*self.checked(index, table[1][1]), f"const int row = (int){index};", f"{self.names[k]}[i] = {read};"]
        return self.loops([("i", len(group.entries))], inner)

    def checked(self, index: str, count: int) -> Lines:
        """An index must be in range."""
        return [f"if (!({index} >= 0.0 && {index} < {count}.0))", "    return -1;"]

    def loops(self, loops: Sequence[tuple[str, int]], body: Lines) -> Lines:
        """Nested loops around lines; none where there is but one turn."""
        for letter, count in reversed(loops):
            if count == 1 and not any(re.search(rf"\b{letter}\b", line) for line in body):
                body = ["{", *indented(body), "}"] if body[0].startswith(("double", "const")) else body
                continue
            braces = len(body) > 1 and not body[0].startswith("for ")
            braces = braces or any(not line.startswith((" ", "}")) for line in body[1:])
            head = f"for (int {letter} = 0; {letter} < {count}; {letter}++)"
            body = [f"{head} {{", *indented(body), "}"] if braces else [head, *indented(body)]
        return body

    def element(self, ref: int) -> str:
        """One number."""
        if ref < 0:
            return self.number(ref)
        if ref in self.at:
            return f"inputs[{self.at[ref]}]"
        home = self.tensors.home[ref]
        single = len(self.tensors.blocks[home].entries) == 1
        return self.names[home] if single else f"{self.names[home]}[{self.tensors.place[ref]}]"

    def number(self, ref: int) -> str:
        """A constant."""
        return literal(self.program.number(ref))

    def read(self, refs: list[int], shape: Shape, letters: Sequence[str]) -> str:
        """References as an expression of the variables of loops over a shape."""
        if len(set(refs)) == 1:
            return self.element(refs[0])
        base, places = self.places(refs)
        sizes = list(zip(letters, shape))
        found = steps(places, shape)
        if found is not None:
            return f"{base}[{linear([(by, letter, size) for by, (letter, size) in zip(found.by, sizes)], found.start)}]"
        table = self.table("I", places)
        inner = linear([(prod(shape[n + 1 :]), letter, size) for n, (letter, size) in enumerate(sizes)])
        return f"{base}[{table}[{inner}]]"

    def regular(self, refs: list[int], shape: Shape) -> Any:
        """The steps of references in memory; None if they are irregular."""
        return steps(self.places(refs, mark=False)[1], shape) if len(set(refs)) > 1 else None

    def is_regular(self, refs: list[int], shape: Shape) -> bool:
        return len(set(refs)) == 1 or self.regular(refs, shape) is not None

    def places(self, refs: list[int], *, mark: bool = True) -> tuple[str, list[int]]:
        """The array that has all these, and the places of these in it."""
        if max(refs) < 0:
            return (self.table("C", [self.number(ref) for ref in refs]) if mark else "C"), list(range(len(refs)))
        home, place = self.tensors.home, self.tensors.place
        homes = {home[ref] if ref >= 0 else -1 for ref in refs}
        if all(ref in self.at for ref in refs):
            places = [self.at[ref] for ref in refs]
            first = min(homes)
            block = self.tensors.blocks[first]
            mine = [self.at[ref] for ref in block.entries if ref is not None]
            if len(homes) == 1 and mine == list(range(mine[0], mine[0] + len(mine))):
                if mark:
                    self.pointers[first] = f"const double *const {self.names[first]} = inputs + {mine[0]};"
                return self.names[first], [place[ref] for ref in refs]
            return "inputs", places
        if len(homes) == 1:
            return self.names[homes.pop()], [place[ref] for ref in refs]
        if mark:
            self.inputs_in_memory = self.inputs_in_memory or any(ref in self.at for ref in refs)
            self.stored |= {k for k in homes if k in self.offsets and len(self.tensors.blocks[k].entries) == 1}
        return "v", [self.address(ref) for ref in refs]

    def address(self, ref: int) -> int:
        """The place of a number in memory: results of groups, then inputs, then constants."""
        if ref < 0:
            return self.size + len(self.at) + self.constants.setdefault(ref, len(self.constants))
        return self.size + self.at[ref] if ref in self.at else self.offsets[self.tensors.home[ref]] + self.tensors.place[ref]

    def store(self, k: int) -> str:
        """Write a single number to memory too."""
        return f"v[{self.offsets[k]}] = {self.names[k]};"

    def table(self, prefix: str, entries: Sequence[Any]) -> str:
        """The name of a constant array."""
        key = (prefix, tuple(entries))
        if key not in self.tables:
            self.tables[key] = name = next(name for name in self.fresh[prefix] if name not in self.reserved)
            kind = "int" if prefix == "I" else "double"
            words = [str(entry).strip("()") for entry in entries]
            self.declared += wrapped(f"static const {kind} {name}[{len(entries)}] = {{", words, "};")
        return self.tables[key]


def linear(terms: Iterable[tuple[int, str, int]], start: int = 0) -> str:
    """An index: factors times variables (those that take one value only are left out), and a start."""
    text = ""
    for factor, letter, size in terms:
        if factor == 0 or size == 1:
            continue
        part = letter if abs(factor) == 1 else f"{abs(factor)} * {letter}"
        text = f"{text} {'-' if factor < 0 else '+'} {part}" if text else f"-{part}" if factor < 0 else part
    if start or not text:
        text = f"{text} + {start}" if text else str(start)
    return text


def literal(number: float) -> str:
    """A number of C; negative ones in brackets."""
    if number != number:
        return "NAN"
    text = "INFINITY" if abs(number) == float("inf") else repr(abs(number))
    return f"(-{text})" if number < 0.0 or repr(number)[0] == "-" else text


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
    found = steps(places, (len(places),))
    if len(places) == 1:
        return f"inputs[{places[0]}]"
    if found is None:
        return f"inputs[{places[0]} .. {places[-1]}] with gaps"
    step = f" by {found.by[0]}" if found.by[0] != 1 else ""
    return f"inputs[{places[0]} .. {places[-1]}{step}]"


def empty(program: Program) -> Program:
    """A program that has the inputs of another, and nothing else."""
    copy = Program()
    for ref, name in zip(program.inputs, program.names):
        copy.input(name, parameter=not program.families[ref][0])
    return copy
