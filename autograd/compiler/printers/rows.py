"""The room of rows: what an operation of the table is called in NumPy."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd import floats
from autograd.compiler.printers.expressions import ATOM, NEGATED, POWER, Node, Tree, call, literal, pair, written
from autograd.ops import NUMBERS, TABLE, Primitive

__all__ = ["FOLDS", "LOGSUMEXP", "MASKED", "RUNS", "SPREAD", "Rows", "vectorized"]

OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}
NUMPY = {
    "abs": "abs", "sqrt": "sqrt", "cbrt": "cbrt", "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log", "log2": "log2",
    "log10": "log10", "log1p": "log1p", "sin": "sin", "cos": "cos", "tan": "tan", "asin": "arcsin", "acos": "arccos",
    "atan": "arctan", "atan2": "arctan2", "hypot": "hypot", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "arcsinh",
    "acosh": "arccosh", "atanh": "arctanh", "maximum": "maximum", "minimum": "minimum", "sign": "sign",
    "floor": "floor", "ceil": "ceil", "round": "rint", "trunc": "trunc", "fmod": "fmod", "where": "where",
    "copysign": "copysign", "logaddexp": "logaddexp", "logaddexp2": "logaddexp2", "heaviside": "heaviside",
}  # fmt: skip
# How a row folds an axis, and with a mask.
FOLDS = {
    "sum": ("{}.sum({})", "{}.sum({}, where={})"), "prod": ("{}.prod({})", "{}.prod({}, where={})"),
    "max": ("{}.max({})", "{}.max({}, where={}, initial=-np.inf)"), "min": ("{}.min({})", "{}.min({}, where={}, initial=np.inf)"),
    "norm": ("np.hypot.reduce({}, {})", ""), "logsumexp": ("logsumexp({}, {})", ""),
}  # fmt: skip
RUNS = {"sum": "add", "dot": "add", "prod": "multiply", "max": "maximum", "min": "minimum"}  # a fold of runs of a list
LOGSUMEXP = '''
def logsumexp(x, axis):
    if x.size > 4 * x.shape[axis] ** 2:
        x = x.T.copy().T  # many short rows are reduced side by side, not one by one
    top = x.max(axis, keepdims=True)
    ties = x == top
    others = (np.exp(x - top) - ties).sum(axis, keepdims=True) + (ties.sum(axis, keepdims=True) - 1.0)
    return np.where(np.isfinite(top), top + np.log1p(others), top).squeeze(axis)
'''
MASKED = '''
def masked(mask, x, y):
    """The product of matrices, of which only terms count where the mask is true, be the others infinite."""
    product = np.where(mask, x, 0.0) @ y
    if np.vdot(product, product) < np.inf:
        return product
    return (x[..., None] * y[..., None, :, :]).sum(-2, where=mask[..., None])
'''
SPREAD = '''
def spread(x, batch_size):
    """The same numbers for every example of a batch."""
    return np.broadcast_to(x[..., None], (*x.shape, batch_size))
'''
ROWS = {  # rows that NumPy has not, or not at infinities
    "share": """
def share(x, y):
    return np.where(x == y, 0.5, 1.0 / (1.0 + np.exp(y - x)))
""",
    "sinc": """
def sinc(x):
    rest = x - 2.0 * np.rint(0.5 * x)  # of whole turns, exactly
    is_zero = np.isinf(x) | (rest == np.rint(rest))
    return np.where(x == 0.0, 1.0, np.where(is_zero, 0.0, np.sin(np.pi * rest) / (np.pi * x)))
""",
}


class Rows:
    """Applies operations to expressions, and collects what the text must define for that."""

    def __init__(self) -> None:
        self.helpers: dict[str, str] = {}  # functions that the text defines for itself
        self.words: dict[str, Any] = {}  # functions that it is given

    def applied(self, row: Primitive, operands: Sequence[Tree]) -> Tree:
        """An operation of the table on expressions."""
        name = row.name
        if name == "mul" and operands[0] in (literal(1.0), literal(-1.0)):
            return operands[1] if operands[0] == literal(1.0) else negated(operands[1])
        if name in OPERATORS:
            return pair(OPERATORS[name], *operands)
        if name == "neg":
            return negated(operands[0])
        if name in ("stop_gradient", "pos"):
            return operands[0]
        if name == "square":
            return pair("*", operands[0], operands[0])
        if name == "sech2":
            return call("np.square", pair("/", literal(1.0), call("np.cosh", *operands)))
        if name == "greater":
            return pair("*", pair(">", *operands), literal(1.0))
        if name == "relu":
            return call("np.maximum", *operands, literal(0.0))
        if name == "sum":
            total = operands[0]
            for operand in operands[1:]:
                total = pair("+", total, operand)
            return total
        if name in NUMPY:
            return call(f"np.{NUMPY[name]}", *operands)
        self.define(row)
        return call(name, *operands)

    def define(self, row: Primitive) -> None:
        """Give the text a function for a row that NumPy does not have: the row's own forward text, or a function of floats."""
        if row.name in self.helpers or row.name in self.words:
            return
        if row.name in ROWS:
            self.helpers[row.name] = ROWS[row.name]
            return
        if callable(getattr(floats, row.name, None)) or row.arity is None:
            self.words[row.name] = {"erf": math.erf, "erfc": math.erfc}.get(row.name, row.function)
            return
        self.helpers[row.name] = ""
        body = Words(self).visit(ast.parse(row.forward, mode="eval"))
        self.helpers[row.name] = f"def {row.name}({', '.join(row.operands)}):\n    return {ast.unparse(body)}\n"


class Words(ast.NodeTransformer):
    """Puts NumPy's names for the words of a text."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A word of the table, called."""
        self.generic_visit(node)
        word = node.func.id if isinstance(node.func, ast.Name) else ""
        if word in TABLE and (TABLE[word].arity is not None):
            operands = [Node(f"({ast.unparse(argument)})") for argument in node.args]
            text, _ = written(self.rows.applied(TABLE[word], operands), lambda name: (name, ATOM))
            return ast.parse(text, mode="eval").body
        self.rows.words[word] = NUMBERS[word]
        return node


def negated(tree: Tree) -> Tree:
    """Minus an expression."""
    return Node("-{}", (tree,), NEGATED, (POWER,))


def vectorized(function: Callable[..., float]) -> Callable[..., Any]:
    """A function of floats, element by element: SciPy's if it is installed and has this one."""
    import numpy as np

    if function in (math.erf, math.erfc):
        try:
            from scipy import special  # type: ignore[import-untyped]
        except ImportError:
            pass
        else:
            found: Callable[..., Any] = getattr(special, function.__name__)
            return found
    ufunc = np.frompyfunc(function, function.__code__.co_argcount if hasattr(function, "__code__") else 1, 1)
    return lambda *xs: np.asarray(ufunc(*xs), dtype=float)
