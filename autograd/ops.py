"""The room of the table: every primitive operation is one row, and everything else is derived from it.

A row says what an operation computes and, for each operand, the partial derivative of the result by that operand.
Both are written as one writes them on the blackboard, over the operands `x`, `y`, `z` and the result `out` (over `xs` for
operations on any number of operands). The same text is read on floats (the forward pass), on Values (derivatives of
derivatives) and printed in other languages. A partial `None` says that no path leads through this operand; `... or None` says
the same of a partial that comes out as 0, so that a branch not taken passes nothing on, not even nan.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, ClassVar

from autograd import floats

__all__ = ["BUILT_IN", "TABLE", "Primitive", "ieee", "register"]

Interval = tuple[float, float]
REAL: Interval = (-6.0, 6.0)
POSITIVE: Interval = (1e-3, 12.0)


class Table(dict[str, "Primitive"]):
    """The rows by name. `edition` counts how often a row was written anew: then texts that were made of it are out of date."""

    edition = 0


TABLE = Table()
NUMBERS: dict[str, Any] = dict(vars(floats))  # what the words of the texts mean on floats; every row adds its own


class Primitive:
    """One row: a name, a label for drawing, the forward text and one partial derivative per operand."""

    __slots__ = ("aliases", "arity", "defaults", "domain", "forward", "function", "keyword", "kinks", "label", "name",
                 "operator", "partials", "public")  # fmt: skip
    is_exact: ClassVar[bool] = True  # whether reading a partial again, at the same point, gives the same bits

    def __init__(
        self,
        name: str,
        forward: str,
        *partials: str,
        label: str = "",
        operator: str = "",
        aliases: Iterable[str] = (),
        domain: Iterable[Interval] = (),
        kinks: Iterable[tuple[float, ...]] = (),
        defaults: Iterable[float] = (),
        keyword: str = "",
        public: bool = True,
    ) -> None:
        self.name, self.forward, self.partials = name, forward, partials
        self.arity = None if re.search(r"\bxs\b", forward) else len(partials)  # None: any number of operands
        self.label, self.operator, self.aliases = label or name, operator, tuple(aliases)
        self.domain = tuple(domain) or (REAL,) * len(partials)  # where the rules are tested, an interval per operand
        self.kinks = tuple(kinks)  # points where the derivative jumps
        self.defaults, self.public = tuple(defaults), public
        self.keyword = keyword  # what callers may name the second operand
        self.function: Callable[..., float] = self.evaluate(forward, NUMBERS)

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of the operands in the texts: ('x', 'y'), or ('xs',) for any number."""
        return ("xs",) if self.arity is None else ("x", "y", "z")[: self.arity]

    def evaluate(self, text: str, namespace: dict[str, Any], *names: str) -> Callable[..., Any]:
        """One of the row's texts as a Python function of its operands (and of `names`), its words looked up in `namespace`."""
        written = on_floats(text) if namespace is NUMBERS else on_nodes(text, self.operands)
        function: Callable[..., Any] = eval(f"lambda {', '.join((*self.operands, *names))}: {written}", namespace)
        return function

    def __repr__(self) -> str:
        return f"Primitive({self.name!r}, {self.forward!r}, {', '.join(map(repr, self.partials))})"

    def __reduce__(self) -> tuple[Callable[[str], Primitive], tuple[str]]:
        return lookup, (self.name,)


def lookup(name: str) -> Primitive:
    """The row of this name."""
    try:
        return TABLE[name]
    except KeyError:
        raise KeyError(f"no primitive is named {name!r}; register it with autograd.primitive before loading it") from None


@cache
def ieee(text: str) -> str:
    """The text with / and ** written as the calls div and pow, which do not raise."""
    if "/" not in text and "**" not in text:
        return text
    tree = ast.parse(text, mode="eval")
    return ast.unparse(Calls().visit(tree))


@cache
def on_floats(text: str) -> str:
    """The text as Python runs it on floats: as `ieee` has it, with the choices `where` and `greater` made by Python itself.

    >>> on_floats("where(x, y / x, 0.0)")
    '(div(y, x) if x else 0.0)'
    """
    if not re.search(r"\b(where|greater)\(", text):
        return ieee(text)
    return f"({ast.unparse(Choices().visit(ast.parse(text, mode='eval')))})"


def on_nodes(text: str, operands: Iterable[str]) -> str:
    """The text as it is read where operands are nodes: as `ieee` has it, but a constant that is a condition chooses at once.

    >>> on_nodes("x - where(y, 1.0, 0.0)", "xy")
    'x - ((1.0 if y else 0.0) if y.__class__ is float else where(y, 1.0, 0.0))'
    """
    if not re.search(rf"\bwhere\(({'|'.join(operands)}),", text):
        return ieee(text)
    return ast.unparse(ConstantChoices(operands).visit(ast.parse(text, mode="eval")))


class Calls(ast.NodeTransformer):
    """Writes the operators that raise in Python as calls."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """A division or a power, and what stands on its sides."""
        self.generic_visit(node)
        name = {ast.Div: "div", ast.Pow: "pow"}.get(type(node.op))
        return ast.Call(ast.Name(name), [node.left, node.right], []) if name else node


class Choices(Calls):
    """Writes choices as Python's own, too: a call costs more than what it chooses, and the other side is not computed."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A word of the table: `where` and `greater` are choices."""
        self.generic_visit(node)
        match ast.unparse(node.func), node.args:
            case "where", [condition, x, y]:
                return ast.IfExp(condition, x, y)
            case "greater", [x, y]:
                return ast.IfExp(ast.Compare(x, [ast.Gt()], [y]), ast.Constant(1.0), ast.Constant(0.0))
        return node


class ConstantChoices(Calls):
    """Writes `where(y, ...)` as Python's own choice for the case that the operand y is a constant."""

    def __init__(self, operands: Iterable[str]) -> None:
        self.operands = set(operands)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A word of the table: `where` may be decided already."""
        self.generic_visit(node)
        match node:
            case ast.Call(ast.Name("where"), [ast.Name(y) as condition, one, other]) if y in self.operands:
                is_constant = ast.Compare(ast.Attribute(condition, "__class__"), [ast.Is()], [ast.Name("float")])
                return ast.IfExp(is_constant, ast.IfExp(condition, one, other), node)
        return node


def register(name: str, forward: str, *partials: str, **facts: Any) -> Primitive:
    """Add a row to the table."""
    if name in TABLE:
        raise ValueError(f"the table has a primitive named {name!r} already")
    TABLE[name] = row = Primitive(name, forward, *partials, **facts)
    NUMBERS.setdefault(name, row.function)
    return row


# Arithmetic. `operator` is the name of Python's method, without the underscores.
register("add", "x + y", "1.0", "1.0", label="+", operator="add")
register("sub", "x - y", "1.0", "-1.0", label="-", operator="sub", aliases=["subtract"])
register("mul", "x * y", "y", "x", label="*", operator="mul", aliases=["multiply"])
register("div", "x / y", "1.0 / y", "-out / y", label="/", operator="truediv", aliases=["divide"])
# The slope of x ** y is y * x ** (y - 1), but at x = y = 0 it is 0 times a number, not times 0 ** -1: the exponent gives way
# there, and not the product, so that the path through y stays open.
register("pow", "x ** y", "y * x ** (y - where(y, 1.0, greater(abs(x), 0.0)))", "dpow(1.0, x, y)",
         label="**", operator="pow", aliases=["power", "float_power"], domain=[POSITIVE, REAL])
register("mod", "mod(x, y)", "1.0", "-floor_divide(x, y)", label="%", operator="mod", domain=[REAL, POSITIVE])
register("floor_divide", "floor_divide(x, y)", "None", "None", label="//", operator="floordiv", domain=[REAL, POSITIVE])
register("fmod", "fmod(x, y)", "1.0", "-round((x - out) / y)", domain=[REAL, POSITIVE])
register("neg", "-x", "-1.0", label="-", operator="neg", aliases=["negative"])
register("pos", "+x", "1.0", label="+", operator="pos", aliases=["positive"])
register("abs", "abs(x)", "sign(x)", operator="abs", aliases=["fabs", "absolute"], kinks=[(0.0,)])
register("copysign", "copysign(x, y)", "copysign(1.0, x) * copysign(1.0, y)", "None", kinks=[(0.0, 1.0)])

# Powers, exponentials and logarithms.
register("square", "x * x", "2.0 * x")
register("sqrt", "sqrt(x)", "0.5 / out", domain=[POSITIVE])
register("cbrt", "cbrt(x)", "square(1.0 / out) / 3.0", domain=[POSITIVE])
register("exp", "exp(x)", "out")
register("exp2", "exp2(x)", "0.6931471805599453 * out")
register("expm1", "expm1(x)", "exp(x)")
register("log", "log(x)", "1.0 / x", domain=[POSITIVE])
register("log2", "log2(x)", "1.4426950408889634 / x", domain=[POSITIVE])
register("log10", "log10(x)", "0.4342944819032518 / x", domain=[POSITIVE])
register("log1p", "log1p(x)", "1.0 / (1.0 + x)", domain=[(-0.99, 12.0)])

# Angles, and their hyperbolic relatives.
register("sin", "sin(x)", "cos(x)")
register("cos", "cos(x)", "-sin(x)")
register("tan", "tan(x)", "1.0 + out * out", domain=[(-1.5, 1.5)])
register("asin", "asin(x)", "1.0 / sqrt(one_minus_square(x))", aliases=["arcsin"], domain=[(-0.99, 0.99)])
register("acos", "acos(x)", "-1.0 / sqrt(one_minus_square(x))", aliases=["arccos"], domain=[(-0.99, 0.99)])
register("atan", "atan(x)", "square(1.0 / hypot(1.0, x))", aliases=["arctan"])
register("atan2", "atan2(x, y)", "cosine(y, x) / hypot(x, y)", "-cosine(x, y) / hypot(x, y)", aliases=["arctan2"])
register("hypot", "hypot(x, y)", "cosine(x, y)", "cosine(y, x)", kinks=[(0.0, 0.0)])
register("sinh", "sinh(x)", "cosh(x)")
register("cosh", "cosh(x)", "sinh(x)")
register("tanh", "tanh(x)", "sech2(x)")
register("asinh", "asinh(x)", "1.0 / hypot(1.0, x)", aliases=["arcsinh"])
register("acosh", "acosh(x)", "1.0 / sqrt(x - 1.0) / sqrt(x + 1.0)", aliases=["arccosh"], domain=[(1.01, 12.0)])
register("atanh", "atanh(x)", "1.0 / one_minus_square(x)", aliases=["arctanh"], domain=[(-0.99, 0.99)])
register("sinc", "dsinc(0.0, x)", "dsinc(1.0, x)")
register("degrees", "57.29577951308232 * x", "57.29577951308232", aliases=["rad2deg"])
register("radians", "0.017453292519943295 * x", "0.017453292519943295", aliases=["deg2rad"])

# Derivatives that have no text in other words which can be differentiated again without losing digits or a path.
# dsinc and dpow: the x-th derivatives of sinc(y), and of y ** z with respect to z; 0 ** z is flat.
register("dsinc", "dsinc(x, y)", "None", "dsinc(x + 1.0, y)", public=False)
register("dpow", "y ** z * log(where(y, y, 1.0)) ** x", "None",
         "(z * dpow(x, y, z - where(z, 1.0, greater(abs(y), 0.0)))"
         " + where(x, x * dpow(x - 1.0, y, z - where(z, 1.0, greater(abs(y), 0.0))), 0.0))",
         "dpow(x + 1.0, y, z)", domain=[(0.0, 3.0), POSITIVE, REAL], public=False)
# 1 - x ** 2 near 1, and its slope near 0; 1 / cosh(x) ** 2, as 1 - tanh(x) ** 2 has no digits left where tanh(x) is nearly 1.
register("one_minus_square", "(1.0 - x) * (1.0 + x)", "-2.0 * x", public=False)
register("sech2", "sech2(x)", "-2.0 * out * tanh(x)", public=False)
# The cosine of the angle between (x, y) and the first axis: x / hypot(x, y), whose slope is the square of a sine over the length.
register("cosine", "where(hypot(x, y), x / hypot(x, y), 0.0)",
         "where(hypot(x, y), cosine(y, x) * (cosine(y, x) / hypot(x, y)), 0.0)",
         "where(hypot(x, y), -cosine(x, y) * (cosine(y, x) / hypot(x, y)), 0.0)", kinks=[(0.0, 0.0)], public=False)
# exp(x) / (exp(x) + exp(y)); equal infinities have equal shares.
register("share", "share(x, y)", "0.25 * sech2(0.5 * (x - y))", "-0.25 * sech2(0.5 * (x - y))", public=False)

# Special functions.
register("erf", "erf(x)", "1.1283791670955126 * exp(-x * x)")
register("erfc", "erfc(x)", "-1.1283791670955126 * exp(-x * x)")
register("lgamma", "lgamma(x)", "polygamma(0.0, x)", domain=[POSITIVE])
register("digamma", "polygamma(0.0, x)", "polygamma(1.0, x)", domain=[POSITIVE])
register("polygamma", "polygamma(x, y)", "None", "polygamma(x + 1.0, y)", domain=[(0.0, 3.0), POSITIVE])

# Choices. An operand that is not chosen passes nothing back; a tie of maximum or minimum is split in halves.
register("greater", "greater(x, y)", "None", "None", label=">", public=False)
register("where", "where(x, y, z)", "None", "where(x, 1.0, 0.0) or None", "where(x, 0.0, 1.0) or None")
register("maximum", "maximum(x, y)", "0.5 * (1.0 + greater(x, y) - greater(y, x)) or None",
         "0.5 * (1.0 + greater(y, x) - greater(x, y)) or None", label="max", kinks=[(0.0, 0.0), (1.0, 1.0)])
register("minimum", "minimum(x, y)", "0.5 * (1.0 + greater(y, x) - greater(x, y)) or None",
         "0.5 * (1.0 + greater(x, y) - greater(y, x)) or None", label="min", kinks=[(0.0, 0.0), (1.0, 1.0)])
register("stop_gradient", "x", "None", label="stop")

# Steps: flat, so no path leads through them.
register("sign", "sign(x)", "None", kinks=[(0.0,)])
register("floor", "floor(x)", "None", kinks=[(1.0,)])
register("ceil", "ceil(x)", "None", kinks=[(1.0,)])
register("round", "round(x)", "None", aliases=["rint"], kinks=[(0.5,)])
register("trunc", "trunc(x)", "None", kinks=[(1.0,)])
register("heaviside", "where(x, 0.5 + 0.5 * sign(x), y)", "None", "where(x, 0.0, 1.0) or None", kinks=[(0.0, 0.5)])

# Activations, in forms that neither overflow nor cancel.
register("sigmoid", "exp(minimum(x, 0.0)) / (1.0 + exp(-abs(x)))", "0.25 * sech2(0.5 * x)")
register("relu", "maximum(x, 0.0)", "greater(x, 0.0) or None", label="ReLU", kinks=[(0.0,)])
register("leaky_relu", "where(greater(x, 0.0), x, y * x)", "where(greater(x, 0.0), 1.0, y)", "where(greater(x, 0.0), 0.0, x)",
         kinks=[(0.0, 0.01)], defaults=[0.01], keyword="negative_slope")
register("elu", "where(greater(x, 0.0), x, y * expm1(minimum(x, 0.0)))", "where(greater(x, 0.0), 1.0, y * exp(x))",
         "where(greater(x, 0.0), 0.0, expm1(x))", kinks=[(0.0, 0.5)], defaults=[1.0], keyword="alpha")
register("softplus", "maximum(x, 0.0) + log1p(exp(-abs(x)))", "sigmoid(x)")
register("logaddexp", "logaddexp(x, y)", "share(x, y)", "share(y, x)")
register("logaddexp2", "logaddexp2(x, y)", "share(0.6931471805599453 * x, 0.6931471805599453 * y)",
         "share(0.6931471805599453 * y, 0.6931471805599453 * x)")
register("silu", "x * sigmoid(x)", "sigmoid(x) * (1.0 + x * sigmoid(-x))")
register("gelu", "0.5 * x * erfc(-0.7071067811865476 * x)",
         "0.5 * erfc(-0.7071067811865476 * x) + 0.3989422804014327 * x * exp(-0.5 * x * x)")

# Any number of operands, in one node; one text gives all partials, in order. The operands of `dot` are x1 ... xn y1 ... yn.
register("sum", "sum(xs)", "[1.0] * len(xs)", label="sum")
register("dot", "dot(xs)", "[*xs[len(xs) // 2:], *xs[:len(xs) // 2]]", label="dot")
register("prod", "prod(xs)", "others(xs)")
register("max", "max(xs)", "ties(xs, out)")
register("min", "min(xs)", "ties(xs, out)")
register("norm", "norm(xs)", "[where(out, x / out, 0.0) for x in xs]")
register("logsumexp", "logsumexp(xs)", "shares(xs, out)")

BUILT_IN = frozenset(TABLE)  # the rows of the package; users add their own
