"""The room of vectors: the rows of the table as functions of C on vectors of doubles.

`vectors.h` has the elementary functions. Rows that are written in other words are made from their own text, as everywhere;
the few that are left (remainders, gamma functions) go lane by lane through the functions that portable C has.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NoReturn

from autograd.compiler.c_words import HELPERS, MATH, TURNED
from autograd.ops import TABLE, Primitive

__all__ = ["Words", "vectors"]

HEADER = Path(__file__).with_name("vectors.h")
ALWAYS = ("v_set", "vm_sel", "VM_CALLED")  # what every program may use
# What a block of the header defines: functions and macros.
DEFINED = re.compile(r"^(?:VM_FN|VM_CALLED|static) .*?\b(vm?_\w+)\(|^#define (VM_\w+)", re.MULTILINE)
HEADINGS = re.compile(r"^/\*(?:(?!\*/).)*\*/\n\n", re.MULTILINE | re.DOTALL)  # comments that no definition follows
CONSTANTS = {"inf": "__builtin_inf()", "nan": '__builtin_nan("")'}


def vectors(rows: Iterable[str], *, inline: bool = False) -> str:
    """The C text that defines the vector type `V`, its `VM_W` lanes, and `v_ROW` for each of these rows of the table.

    With `inline`, elementary functions are inlined: worth it where a program calls a dozen at most, as it takes time to compile.
    Rows on any number of operands (`sum`, `logsumexp`, ...) and `take` are loops, not functions. Raises TypeError for a row whose
    text is not written in the words of the table.

    >>> text = vectors(["silu", "fmod"])
    >>> print(text[text.index("VM_FN V v_silu") :])
    VM_FN V v_silu(V x) { return x * v_sigmoid(x); }
    <BLANKLINE>
    VM_CALLED V v_fmod(V x, V y)
    {
        V r;
        for (int i = 0; i < VM_W; i++) r[i] = fmod(x[i], y[i]);
        return r;
    }
    <BLANKLINE>
    """
    words = Words()
    for row in rows:
        words.define(row)
    return words.text(inline=inline)


@cache
def blocks() -> tuple[tuple[str, frozenset[str]], ...]:
    """The blocks of the header, each with the names that it defines."""
    texts = re.sub(HEADINGS, "", HEADER.read_text(encoding="utf-8")).strip().split("\n\n")
    return tuple((text, frozenset(a or b for a, b in DEFINED.findall(text))) for text in texts)


@cache
def header_names() -> frozenset[str]:
    """Every name that the header defines."""
    return frozenset().union(*(names for _, names in blocks()))


def is_word(name: str) -> bool:
    """Whether the table has a function of so many numbers that goes by this name."""
    return name in TABLE and TABLE[name].arity is not None


class Words:
    """What a program needs of the header, and what is defined beside it."""

    def __init__(self) -> None:
        self.used = set(ALWAYS)  # names of the header
        self.scalars: dict[str, str] = {}  # functions of doubles, by name
        self.functions: dict[str, str] = {}  # functions of vectors that are not in the header, by name

    def define(self, name: str) -> str:
        """The function for a word of the table, which is defined if need be."""
        if not is_word(name):
            raise TypeError(f"{name!r} is no function of numbers in the table, so that there is none of vectors")
        function = f"v_{name}" if name != "set" else "v_set_row"  # a user's; v_set is no row
        if function in header_names():
            self.used.add(function)
        elif function not in self.functions:
            is_portable = name in MATH or name in HELPERS
            text = self.lane_by_lane(function, name) if is_portable else self.translated(function, TABLE[name])
            self.functions[function] = text  # after what it uses
        return function

    def text(self, *, inline: bool = False) -> str:
        """The definitions, each after those it uses."""
        used = set(self.used)
        kept: list[str] = []
        for text, names in reversed(blocks()):  # what a block uses comes before it; types define no name
            if names & used or not names:
                used |= header_names() & set(re.findall(r"\w+", text))
                kept.insert(0, text)
        options = ["#define VM_INLINE"] if inline else []
        return "\n\n".join([*self.scalars.values(), *options, *kept, *self.functions.values()]) + "\n"

    def lane_by_lane(self, function: str, name: str) -> str:
        """A function of portable C in each lane."""
        helper, operands = HELPERS.get(name, ""), TABLE[name].operands
        needed = {"math": "#include <math.h>"} | ({"turned": TURNED} if "turned(" in helper else {}) | {name: helper}
        self.scalars |= {word: text.strip() for word, text in needed.items() if text}
        parameters, lanes = (", ".join(text.format(x) for x in operands) for text in ("V {}", "{}[i]"))
        return (
            f"VM_CALLED V {function}({parameters})\n{{\n    V r;\n"
            f"    for (int i = 0; i < VM_W; i++) r[i] = {MATH.get(name, name)}({lanes});\n    return r;\n}}"
        )

    def translated(self, function: str, row: Primitive) -> str:
        """A row's own text."""
        tree = vector(Translation(self, row).visit(ast.parse(row.forward, mode="eval").body))
        return f"VM_FN V {function}({', '.join(f'V {x}' for x in row.operands)}) {{ return {ast.unparse(tree)}; }}"


def vector(tree: ast.expr) -> ast.expr:
    """An expression as a vector: one of numbers alone is the same in all lanes."""
    if any(isinstance(part, ast.Call) or (isinstance(part, ast.Name) and part.id in ("x", "y", "z")) for part in ast.walk(tree)):
        return tree
    return ast.Call(ast.Name("v_set"), [tree], [])


class Translation(ast.NodeTransformer):
    """A text of the table in C's terms: powers, choices and words are calls of vector functions."""

    def __init__(self, words: Words, row: Primitive) -> None:
        self.words, self.row = words, row

    def call(self, name: str, *arguments: ast.expr) -> ast.expr:
        """A call of a word."""
        if name == self.row.name or not is_word(name):
            raise TypeError(
                f"primitive {self.row.name!r} cannot be compiled to machine code: its text {self.row.forward!r} uses {name!r}, "
                "which is no word of the table; write it as a text in its words, as "
                "autograd.primitive('cube', 'x * x * x', '3.0 * x * x')"
            )
        return ast.Call(ast.Name(self.words.define(name)), [vector(x) for x in arguments], [])

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """A power or a remainder, which are functions in C; or arithmetic."""
        self.generic_visit(node)
        name = {ast.Pow: "pow", ast.Mod: "mod", ast.FloorDiv: "floor_divide"}.get(type(node.op))
        return self.call(name, node.left, node.right) if name else node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """A comparison is 1 or 0."""
        if len(node.ops) > 1:
            self.refuse(node)
        left, right = vector(self.visit(node.left)), vector(self.visit(node.comparators[0]))
        mask = ast.Compare(left, node.ops, [right])
        return ast.Call(ast.Name("vm_sel"), [mask, vector(ast.Constant(1.0)), vector(ast.Constant(0.0))], [])

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """A choice."""
        self.generic_visit(node)
        return self.call("where", node.test, node.body, node.orelse)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A word."""
        name = ast.unparse(node.func)
        if not is_word(name):
            self.call(name)  # says so
        return self.call(name, *map(self.visit, node.args))

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """A number."""
        return ast.Constant(float(node.value)) if isinstance(node.value, (int, float)) else self.refuse(node)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """An operand, or a constant."""
        if node.id not in self.row.operands and node.id not in CONSTANTS:
            self.refuse(node)
        return node if node.id in self.row.operands else ast.Name(CONSTANTS[node.id])

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Anything else that is not arithmetic is refused."""
        if not isinstance(node, (ast.BinOp, ast.UnaryOp, ast.operator, ast.USub, ast.UAdd, ast.IfExp)):
            self.refuse(node)
        return super().generic_visit(node)

    def refuse(self, node: ast.AST) -> NoReturn:
        """Raise TypeError for what no vector function can be made of."""
        raise TypeError(
            f"primitive {self.row.name!r} cannot be compiled to machine code: {ast.unparse(node)!r} in its text is no "
            "arithmetic; write it with the words of the table"
        )
