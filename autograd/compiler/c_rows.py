"""The room of C's rows: what an operation of the table is in C, as an expression or as a function that is defined for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from autograd.compiler.c_words import HELPERS, MATH, TURNED
from autograd.ops import TABLE, Primitive

__all__ = ["RESERVED", "Rows", "is_free", "literal"]

KEYWORDS = {
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float", "for",
    "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct",
    "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "main", "memcpy",
    "inputs", "outputs", "gradient", "status", "v", "s", "top", "ties", "turned",
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
CONSTANTS = {"inf": "INFINITY", "nan": "NAN", "copysign": "copysign", "fabs": "fabs"}
RESERVED = {*KEYWORDS, *MATH, *MATH.values(), *HELPERS, "NAN", "INFINITY"}


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


class Rows:
    """Operations as expressions, and the functions that these need: `words`, in an order in which they can be defined."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}  # functions that math.h does not have
        self.templates: dict[Primitive, str] = {}

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

    def __init__(self, rows: Rows, row: Primitive) -> None:
        self.rows, self.row = rows, row

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """A power or a remainder, which are functions in C; or arithmetic."""
        self.generic_visit(node)
        name = {ast.Pow: "pow", ast.Mod: "mod", ast.FloorDiv: "floor_divide"}.get(type(node.op))
        return ast.Call(ast.Name(self.rows.word(self.row, name)), [node.left, node.right], []) if name else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """A choice."""
        self.generic_visit(node)
        return ast.Call(ast.Name(self.rows.word(self.row, "where")), [node.test, node.body, node.orelse], [])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A word."""
        name = ast.unparse(node.func)
        function = CONSTANTS.get(name) or self.rows.word(self.row, name)
        return ast.Call(ast.Name(function), [self.visit(argument) for argument in node.args], [])

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """A number."""
        return ast.Constant(float(node.value)) if isinstance(node.value, int) else node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """An operand, or a constant of math.h."""
        if node.id in self.row.operands:
            return node
        return ast.Name(CONSTANTS[node.id] if node.id in CONSTANTS else self.rows.word(self.row, node.id))

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


def literal(number: float) -> str:
    """A number of C; negative ones in brackets."""
    if number != number:
        return "NAN"
    text = "INFINITY" if abs(number) == float("inf") else repr(abs(number))
    return f"(-{text})" if number < 0.0 or repr(number)[0] == "-" else text
