"""The room of functions: the methods of Value and the functions of the package, written out from the table."""

from __future__ import annotations

import linecache
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any

from autograd import floats
from autograd.floats import MANTISSA, number, unboxed
from autograd.numbers import words_for
from autograd.ops import NUMBERS, TABLE, Primitive, on_floats
from autograd.value import Operand, Value, current, primal, record

__all__ = ["FUNCTIONS", "NUMBERS", "ON_FLOATS", "ON_VALUES", "apply", "define", "dot", "local_derivatives", "sequence"]


KNOWN = {Value, float}
texts = count(1)  # of generated source


def apply(primitive: Primitive, *operands: Any) -> Any:
    """Carry out a primitive on any operands: numbers give a number, Values a Value, NumPy arrays an array.

    Complex and mpmath's numbers give their own kind: checks of derivatives by other means use them.
    """
    kinds = set(map(type, operands))
    if not kinds <= KNOWN:
        if any(unboxed(x) is not x for x in operands):
            return apply(primitive, *map(unboxed, operands))
        if primitive.arity is not None and any(getattr(x, "ndim", 0) for x in operands):
            return apply_to_arrays(primitive, *operands)
        if (words := words_for(kinds)) is not None:
            function = primitive.evaluate(primitive.forward, ON_VALUES.words | words)
            return function(operands) if primitive.arity is None else function(*operands)
        operands = tuple([x if isinstance(x, Value) else number(x, f"autograd.{primitive.name}") for x in operands])
        kinds = {float if x.__class__ is float else Value for x in operands}
    if float in kinds:
        primals = [x if x.__class__ is float else x._data for x in operands]
    else:
        primals = [x._data for x in operands]
    out = primitive.function(*((primals,) if primitive.arity is None else primals))
    if Value not in kinds:
        return out
    if not current().recording:
        return record(out, primitive, (), ())
    return record(out, primitive, operands, local_derivatives(primitive, operands, primals, out, ON_FLOATS))


def local_derivatives(
    primitive: Primitive, operands: tuple[Operand, ...], arguments: Sequence[Operand], out: Operand, rules: Rules
) -> tuple[Any, ...]:
    """The partial derivative with respect to each operand that is a Value, and None for constants.

    `rules` are over floats or over Values.
    """
    if primitive.arity is None:
        partials = rules[primitive][0](arguments, out)
        if float not in map(type, operands):
            return tuple(partials)
        return tuple([None if x.__class__ is float else partial for x, partial in zip(operands, partials)])
    return tuple([None if x.__class__ is float else rule(*arguments, out) for x, rule in zip(operands, rules[primitive])])


def apply_to_arrays(primitive: Primitive, *operands: Any) -> Any:
    """NumPy's own function for arrays of numbers where it has one; element by element otherwise."""
    import numpy as np

    arrays = [np.asarray(x) for x in operands]
    if not any(x.dtype == object for x in arrays):
        numbers = [x.astype(float) if x.dtype.kind in "biu" else x for x in arrays]  # integers would overflow
        for name in (primitive.name, *primitive.aliases):
            if hasattr(np, name):
                with np.errstate(all="ignore"):  # IEEE 754, as on single numbers
                    return getattr(np, name)(*numbers)
    with np.errstate(all="ignore"):
        result = np.frompyfunc(lambda *xs: apply(primitive, *xs), len(operands), 1)(*operands)
    return result if any(isinstance(x, Value) for x in result.flat) else result.astype(float)


# The source of a method, a reflected operator and a function. x and y are the numbers of the operands.

UNARY = '''
    def {name}(self):
        """{forward}, with the partial derivative {partials}."""
        x = self._data
        out = {value}
        return record(out, {row}, (self,), ({local_x},))
'''

BINARY = '''
    def {name}(self, {second}{default}):
        """{forward}, with the partial derivatives {partials}."""
        x = self._data
        if {second}.__class__ is not Value:
            y = {second} if {second}.__class__ is float else partner({second}, "Value.{name}", {foreign})
            if y.__class__ is float:
                out = {value}
                return record(out, {row}, (self, y), ({local_x}, None))
            if y is NotImplemented:
                return y
            {second} = y
        y = {second}._data
        out = {value}
        return record(out, {row}, (self, {second}), ({local_x}, {local_y}))
'''

REFLECTED = '''
    def {name}(self, other):
        """{forward}, self being y: x is a number."""
        y = self._data
        x = other if other.__class__ is float else partner(other, "Value.{name}", NotImplemented)
        if x.__class__ is not float:
            return x if x is NotImplemented else apply({row}, x, self)
        out = {value}
        return record(out, {row}, (x, self), (None, {local_y}))
'''

FUNCTION = '''
def {name}({parameters}):
    """{forward}, of numbers, Values or NumPy arrays; partial derivatives: {partials}."""
    return apply({row}, {arguments})
'''


def partner(x: Any, where: str, foreign: Any) -> Any:
    """The other operand of a method, if it is not simply a Value: a float, a Value of a subclass, or what `number` answers."""
    if x.__class__ is int and -MANTISSA < x < MANTISSA:  # the common case, without a second call
        return float(x)
    x = unboxed(x)
    return x if isinstance(x, Value) else number(x, where, foreign)


class Rules(dict[Primitive, list[Callable[..., Any]]]):
    """The partials of the table as Python functions, compiled when first needed."""

    def __init__(self, words: dict[str, Any]) -> None:
        self.words = words  # what the words of the texts mean

    def __missing__(self, primitive: Primitive) -> list[Callable[..., Any]]:
        self[primitive] = rules = [primitive.evaluate(text, self.words, "out") for text in primitive.partials]
        return rules


def shares(xs: Sequence[Operand], out: Value) -> list[Any]:
    """What `shares` is in the room of floats, on Values: an infinity has no slope. A trace must serve other numbers too."""
    if not is_traced():
        return floats.shares([primal(x) for x in xs], out._data) if math.isinf(out._data) else softmax(xs)
    greater, where = FUNCTIONS["greater"], FUNCTIONS["where"]
    attained = [1.0 - (greater(x, out) + greater(out, x)) for x in xs]
    count, is_infinite = FUNCTIONS["sum"](attained), greater(abs(out), sys.float_info.max)
    return [where(is_infinite, hit / count, share) for hit, share in zip(attained, softmax(xs))]


def softmax(xs: Sequence[Operand]) -> list[Any]:
    """exp(x) over the sum of all of them, for each x."""
    powers = [FUNCTIONS["exp"](x) for x in distances(xs)]
    size = FUNCTIONS["sum"](powers)
    return [power / size for power in powers]


def distances(xs: Sequence[Operand]) -> list[Any]:
    """The operands less the largest, which changes neither shares nor their derivatives and keeps the powers small.

    The largest is at the distance 0 whatever it is, and moves the others. So the derivative of a share p that is nearly 1 is the
    sum of those of the others; written as p - p * p it would have no digits left. A trace must serve whichever is the largest,
    and makes do with that.
    """
    if is_traced() or len(xs) == 1:
        top = FUNCTIONS["stop_gradient"](FUNCTIONS["max"](xs))
        return [x - top for x in xs]
    sizes: list[Any] = [getattr(x, "_data", x) for x in xs]
    largest = max(range(len(xs)), key=lambda k: sizes[k].real)  # the first; checks by other means ask with complex numbers
    none = sizes[largest] - sizes[largest]  # 0, but nan for an infinity
    return [FUNCTIONS["where"](1.0, none, x) if k == largest else x - xs[largest] for k, x in enumerate(xs)]


def is_traced() -> bool:
    """Whether operations are written down for other numbers, too, so that these may decide nothing."""
    return getattr(current(), "trace", None) is not None


FUNCTIONS: dict[str, Callable[..., Any]] = {}  # the functions of the package by name
ON_FLOATS, ON_VALUES = Rules(NUMBERS), Rules({"others": floats.others, "ties": floats.ties, "shares": shares})


def sequence(xs: Iterable[Any], name: str) -> tuple[Any, ...]:
    """The operands of an operation on any number of them."""
    if getattr(xs, "ndim", 1) > 1:
        raise TypeError(
            f"autograd.{name} needs a flat sequence of numbers, not an array of shape {xs.shape}; write "  # type: ignore[attr-defined]
            f"autograd.{name}(a.ravel()), or NumPy's function for one along axes"
        )
    try:
        return tuple(xs)
    except TypeError:
        raise TypeError(f"autograd.{name} needs a sequence of numbers, not {type(xs).__name__} {xs!r}") from None


def define(*rows: Primitive) -> None:
    """Give Value its methods, and the package its functions, for these rows."""
    with_methods = [row for row in rows if row.public and row.arity in (1, 2)]
    if operators := [row for row in with_methods if row.operator]:
        write_methods(*operators)
    for row in with_methods:
        for name in () if row.operator else (row.name, *row.aliases):
            setattr(Value, name, Unwritten(row, name))
    words: dict[str, Any] = {"__name__": "autograd", "apply": apply, "sequence": sequence}  # where pickle finds them
    words |= {f"row_{row.name}": row for row in rows}
    execute("".join([FUNCTION.format(name=row.name, **facts_of(row)) for row in rows]), words)
    for row in rows:
        for name in (row.name, *row.aliases):
            FUNCTIONS[name] = ON_VALUES.words[name] = words[row.name]


class Unwritten:
    """A method of Value that is written when it is first looked up: no program needs them all, and importing stays light."""

    def __init__(self, row: Primitive, name: str) -> None:
        self.row, self.name = row, name

    def __get__(self, value: Value | None, kind: type[Value]) -> Any:
        write_methods(self.row)
        return vars(Value)[self.name].__get__(value, kind)


def write_methods(*rows: Primitive) -> None:
    """Give Value the methods of these rows, each under all its names."""
    words = NUMBERS | {"__name__": __name__, "Value": Value, "partner": partner, "record": record, "apply": apply}
    words |= {f"row_{row.name}": row for row in rows}
    methods = vars(execute("class Methods:" + "".join(map(source_of, rows)), words)["Methods"])
    for name, method in methods.items():
        if hasattr(method, "__code__"):
            method.__qualname__ = f"Value.{name}"
            setattr(Value, name, method)
    for row in rows:
        if row.arity == 1 or not row.operator:  # NumPy's fabs asks for v.fabs(), say
            for name in (row.name, *row.aliases):
                setattr(Value, name, methods[f"__{row.operator}__" if row.operator else row.name])


def source_of(row: Primitive) -> str:
    """The source of the methods of a row: of an operator of two operands also the reflected one."""
    facts = facts_of(row) | {"value": on_floats(row.forward)}
    facts |= {f"local_{operand}": on_floats(text) for operand, text in zip(row.operands, row.partials)}
    template = UNARY if row.arity == 1 else BINARY
    if not row.operator:
        return template.format(name=row.name, foreign=None, **facts)
    # An operator leaves it to an operand of a foreign type to answer; a method that is called by its name refuses it.
    source = template.format(name=f"__{row.operator}__", foreign="NotImplemented", **facts)
    return source + REFLECTED.format(name=f"__r{row.operator}__", **facts) if row.arity == 2 else source


def facts_of(row: Primitive) -> dict[str, str]:
    """What the templates say of a row."""
    default = f"={row.defaults[0]}" if row.defaults else ""
    operands = f"x, {row.keyword}" if row.keyword else ", ".join(row.operands)
    return {
        "row": f"row_{row.name}", "forward": row.forward, "partials": ", ".join(row.partials),
        "parameters": operands + default, "arguments": f"*sequence(xs, {row.name!r})" if row.arity is None else operands,
        "second": row.keyword or "other", "default": default,
    }  # fmt: skip


def execute(source: str, words: dict[str, Any]) -> dict[str, Any]:
    """Run generated source, and keep it where the debugger and `inspect` look for it."""
    name = f"<autograd {next(texts)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), words)
    return words


def dot(xs: Iterable[Any], ys: Iterable[Any]) -> Any:
    """The sum of the products of two equally long sequences, in one node.

    >>> float(dot([Value(1.0), Value(2.0)], [3.0, 4.0]))
    11.0
    """
    left, right = sequence(xs, "dot"), sequence(ys, "dot")
    if len(left) != len(right):
        raise ValueError(f"autograd.dot needs two sequences of one length, not {len(left)} and {len(right)}")
    return apply(TABLE["dot"], *left, *right)


def divmod(x: Any, y: Any) -> Any:
    """The floor of x / y, which is flat, and the remainder: x // y and x % y, as Python's divmod and NumPy's.

    >>> divmod(Value(7.0), 2.0)
    (Value(data=3.0, grad=0.0, op='//'), Value(data=1.0, grad=0.0, op='%'))
    """
    return FUNCTIONS["floor_divide"](x, y), FUNCTIONS["mod"](x, y)


def pair(whole: str, rest: str) -> Callable[[Value, Any], Any]:
    """A method for Python's divmod; an operand of a foreign type may answer, as for `//`."""

    def method(self: Value, other: Any) -> Any:
        quotient = getattr(self, whole)(other)
        return quotient if quotient is NotImplemented else (quotient, getattr(self, rest)(other))

    return method


define(*TABLE.values())
FUNCTIONS["dot"], FUNCTIONS["divmod"] = dot, divmod
setattr(Value, "__divmod__", pair("__floordiv__", "__mod__"))  # noqa: B010 - the methods above are made, too
setattr(Value, "__rdivmod__", pair("__rfloordiv__", "__rmod__"))  # noqa: B010
