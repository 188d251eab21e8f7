"""The room of expressions: formulas as text, read by a parser that knows the table and nothing else."""

from __future__ import annotations

import ast
import inspect
import math
import operator
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from autograd import composites
from autograd.functions import FUNCTIONS
from autograd.ops import TABLE

__all__ = ["Expression", "ExpressionError"]

LONGEST = 10_000  # characters
DEEPEST = 1000  # operators within each other: what the parser of every Python takes, also where the C stack is small
# Numbers and names are of one piece; what is left makes the tree deeper, and so do some words that are refused later on.
TOKEN = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|\w+|\*\*|//|\S")
DEEPER = {"not", "if", "for", "lambda", "await", "yield"}
CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau, "inf": math.inf, "nan": math.nan}
SIGNS = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.Pow: "pow", ast.Mod: "mod", ast.FloorDiv: "floordiv",
    ast.USub: "neg", ast.UAdd: "pos",
}  # fmt: skip
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    **{sign: FUNCTIONS[row.name] for sign, name in SIGNS.items() for row in TABLE.values() if row.operator == name},
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
ON_SEQUENCES = ("mean", "var")  # of the composites; `clip` is of numbers


class ExpressionError(ValueError):
    """A text is no formula that the table can compute."""


class Expression:
    """A formula of named numbers, such as 'tanh(w*x + b)'.

    Known are + - * / // % ** and brackets, numbers, pi, e, tau, inf and nan, comparisons (for `where`), lists, and the
    functions of the table; `names` are the variables in the order in which they come. Nothing is evaluated by Python: a text
    from anywhere does no harm. Raises ExpressionError that shows what is not understood.

    >>> neuron = Expression("tanh(w*x + b)")
    >>> neuron.names
    ['w', 'x', 'b']
    >>> neuron(w=0.5, x=2.0, b=-1.0)
    0.0
    >>> Expression("logg(x)")
    Traceback (most recent call last):
    autograd.expressions.ExpressionError: 'logg(x)' calls 'logg', which is no function of the table; did you mean log or log2?
    """

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise ExpressionError(f"the expression has {len(text):,} characters; up to {LONGEST:,} are read")
        self.text = text
        if depth(text) > DEEPEST:
            raise ExpressionError(
                f"{self.shown(text)} is nested too deeply: up to {DEEPEST:,} operators and brackets may follow each other "
                "without a comma; for long sums write sum(x, y, ...)"
            )
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError) as error:
            raise ExpressionError(f"{self.shown(text)} is no formula: {getattr(error, 'msg', error)}") from None
        except (RecursionError, MemoryError):
            raise ExpressionError(f"{self.shown(text)} is nested too deeply, or has too many parts") from None
        self.names: list[str] = []
        self.steps: list[tuple[Any, int]] = []  # what is applied to how many results, or a name, or a number
        self.read(tree.body)

    def read(self, body: ast.expr) -> None:
        """Write down the steps, operands first; a stack instead of recursion, for long sums."""
        stack: list[Any] = [body]
        while stack:
            node = stack.pop()
            if isinstance(node, tuple):
                self.steps.append(node)
                continue
            step, operands = self.step(node)
            stack.append(step)
            stack += reversed(operands)

    def step(self, node: ast.expr) -> tuple[tuple[Any, int], list[ast.expr]]:
        """What to do at a node of the syntax tree, and with which operands. Raises ExpressionError if it is not allowed."""
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            try:
                return (float(node.value), 0), []
            except OverflowError:
                return (math.inf, 0), []
        if isinstance(node, ast.Name):
            if node.id not in self.names and node.id not in CONSTANTS:
                self.names.append(node.id)
            return (node.id, 0), []
        if isinstance(node, (ast.BinOp, ast.UnaryOp)) and type(node.op) in OPERATORS:
            operands = [node.operand] if isinstance(node, ast.UnaryOp) else [node.left, node.right]
            return (OPERATORS[type(node.op)], len(operands)), operands
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in OPERATORS:
            return (OPERATORS[type(node.ops[0])], 2), [node.left, node.comparators[0]]
        if isinstance(node, (ast.List, ast.Tuple)):
            return (gathered, len(node.elts)), node.elts
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self.call(node.func.id, node.args)
        raise ExpressionError(
            f"{self.shown(self.text)} has {self.shown(ast.get_source_segment(self.text.strip(), node) or type(node).__name__)}, "
            "which is no part of a formula: write numbers, names, + - * / // % **, comparisons, lists and functions of the table"
        )

    def call(self, name: str, arguments: list[ast.expr]) -> tuple[tuple[Any, int], list[ast.expr]]:
        """A function of the table, of as many numbers as it takes."""
        found = functions().get(name)
        if found is None:
            close = get_close_matches(name, functions(), 3, 0.75)
            hint = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(sorted(functions()))}"
            raise ExpressionError(f"{self.shown(self.text)} calls {name!r}, which is no function of the table; {hint}")
        function, least, most = found
        if most is None:  # of any number of operands: f(x, y, z), or f([x, y, z])
            if len(arguments) == 1 and isinstance(arguments[0], (ast.List, ast.Tuple)):
                arguments = arguments[0].elts
            if not arguments:
                raise ExpressionError(f"{self.shown(self.text)} calls {name} of nothing; it needs one number or more")
            return (lambda *xs: function(xs), len(arguments)), arguments
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise ExpressionError(f"{self.shown(self.text)} calls {name} of {len(arguments)} numbers; it needs {wanted}")
        return (function, len(arguments)), arguments

    def shown(self, text: str) -> str:
        """A text in quotes, shortened."""
        return repr(text if len(text) <= 60 else f"{text[:40]}...{text[-15:]}")

    def __call__(self, **values: Any) -> Any:
        """The value of the formula for these numbers or Values.

        Raises ExpressionError for names without a number, and for numbers that no name asks for.
        """
        self.check_names(values)
        known = CONSTANTS | values
        results: list[Any] = []
        for what, count in self.steps:
            if isinstance(what, str):
                results.append(known[what])
            elif isinstance(what, float):
                results.append(what)
            else:
                operands = results[len(results) - count :]
                del results[len(results) - count :]
                try:
                    results.append(what(*operands))
                except TypeError as error:
                    raise ExpressionError(f"{self.shown(self.text)} does not fit together: {error}") from None
        if isinstance(results[0], list):
            raise ExpressionError(f"{self.shown(self.text)} is a list of {len(results[0])}; a formula gives one number")
        return float(results[0]) if isinstance(results[0], bool) else results[0]

    def check_names(self, values: Mapping[str, Any]) -> None:
        """Raise ExpressionError if the names given are not those asked for."""
        missing = [name for name in self.names if name not in values]
        if missing:
            way = " ".join(f"{name}=1.0" for name in missing)
            raise ExpressionError(f"{self.shown(self.text)} needs numbers for {', '.join(missing)}: write {way}")
        unused = [name for name in values if name not in {what for what, _ in self.steps if isinstance(what, str)}]
        if unused:
            known = f"it has {', '.join(self.names)}" if self.names else "it has no names"
            raise ExpressionError(f"{', '.join(unused)} does not occur in {self.shown(self.text)}; {known}")


def depth(text: str) -> int:
    """How deep the syntax tree of a text can be at most: operators and brackets that no comma parts.

    Parsers recurse, and how far they can differs between Pythons: one raises, another dies. So none is asked to go far.
    """
    levels = [[0, 0]]  # of each open bracket: the longest part between commas so far, and the part that is being read
    for token in TOKEN.findall(text):
        if token == ",":
            levels[-1] = [max(levels[-1]), 0]
        elif token in ")]}":
            if len(levels) > 1:
                longest = max(levels.pop())
                levels[-1][1] += longest
        elif token in DEEPER or not any(letter.isalnum() or letter == "_" for letter in token):
            levels[-1][1] += 1
            if token in "([{":
                levels.append([0, 0])
    return sum(max(level) for level in levels)


def gathered(*xs: Any) -> list[Any]:
    return list(xs)


def functions() -> dict[str, tuple[Callable[..., Any], int, int | None]]:
    """What can be called: each function with the least and the most numbers that it takes, None for any number."""
    found: dict[str, tuple[Callable[..., Any], int, int | None]] = {}
    for row in TABLE.values():
        if row.public and row.name != "dot":
            for name in (row.name, *row.aliases):
                least = 1 if row.arity is None else row.arity - len(row.defaults)
                found[name] = FUNCTIONS[name], least, row.arity
    for name in ON_SEQUENCES:
        found[name] = getattr(composites, name), 1, None
    parameters = inspect.signature(composites.clip).parameters
    found["clip"] = composites.clip, 1, len(parameters)
    return found
