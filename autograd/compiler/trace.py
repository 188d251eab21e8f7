"""The room of traces: what a function does to Values, written down as a program while it does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograd.compiler.program import Guard, Program
from autograd.controls import user_line
from autograd.functions import apply
from autograd.ops import Primitive
from autograd.value import ORDER, Operand, Value, current, note

__all__ = ["TAKE", "Index", "Trace", "TraceError"]

WAYS_OUT = "use autograd.maximum, minimum or where to choose, autograd.take to index, stop_gradient to hold a number fixed"


class TraceError(TypeError):
    """A function cannot be compiled, because what it does depends on the number inside a Value."""


class Take(Primitive):
    """One of many operands, by an index that is the first operand."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("take", "take(xs)", "taken(xs)", public=False)

    def evaluate(self, text: str, namespace: dict[str, Any], *names: str) -> Callable[..., Any]:  # noqa: ARG002 - as the row
        """The operand, or the partial derivatives: 1 for the operand that was taken, and no path for the others."""
        return chosen if not names else lambda xs, _: taken(xs)


def chosen(xs: Sequence[Any]) -> Any:
    return xs[1 + int(xs[0])]


def taken(xs: Sequence[Any]) -> list[Any]:
    """1.0 for the operand that was taken; on terms of a program, whether it is the one."""
    index = xs[0]
    if isinstance(index, (float, Value)):
        at = int(index if isinstance(index, float) else index._data)
        return [None, *[1.0 if k == at else None for k in range(len(xs) - 1)]]
    return [None, *[type(index).words["where"](index - float(k), 0.0, 1.0) for k in range(len(xs) - 1)]]


TAKE = Take()


class Index:
    """An integer argument of a traced function: `autograd.take` makes it an input; any other use fixes its number."""

    def __init__(self, number: int, value: Value) -> None:
        self.number, self.value = number, value
        self.fixed = False  # whether the trace is valid for this number only
        self.limit: int | None = None  # the length of the shortest table that it indexes

    def __index__(self) -> int:
        self.fixed = True
        return self.number

    def __int__(self) -> int:
        return self.__index__()

    def __float__(self) -> float:
        return float(self.__index__())

    def __bool__(self) -> bool:
        return self.__index__() != 0

    def __hash__(self) -> int:
        return hash(self.__index__())

    def __eq__(self, other: object) -> bool:
        return self.__index__() == other

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__index__(), name)

    def row_of(self, rows: Any) -> Any:
        """One row, or the numbers of one row, taken by this index: what `autograd.take` asks for."""
        rows = rows.tolist() if hasattr(rows, "tolist") else list(rows)
        if not 0 <= self.number < len(rows):
            raise IndexError(f"autograd.take got index {self.number} for {len(rows)} rows: it must be from 0 to {len(rows) - 1}")
        self.limit = min(len(rows), self.limit or len(rows))
        if all(isinstance(row, (list, tuple)) for row in rows) and len(set(map(len, rows))) == 1:
            return [self.row_of(column) for column in zip(*rows)]
        return apply(TAKE, self.value, *rows)


def arithmetic(name: str) -> Callable[..., Any]:
    """A method of Index that works on its number, and fixes it."""
    return lambda self, *others: getattr(self.__index__(), name)(*[o.__index__() if isinstance(o, Index) else o for o in others])


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    for _method in (f"__{_name}__", f"__r{_name}__"):
        setattr(Index, _method, arithmetic(_method))
for _method in ("__lt__", "__le__", "__gt__", "__ge__", "__neg__", "__abs__"):
    setattr(Index, _method, arithmetic(_method))


class Trace:
    """Writes operations on Values into a program, in the order in which they are made."""

    def __init__(self) -> None:
        self.program = Program()
        self.refs: dict[Value, int] = {}
        self.captured: list[Value] = []  # Values from outside that the function used: they are inputs too
        self.names: dict[Value, str] = {}  # what is known of their names
        self.around = current()

    def input(self, number: float, name: str, *, parameter: bool = False) -> Value:
        """A Value that stands for an input."""
        value = Value(number, label=name)
        self.refs[value] = self.program.input(name, parameter=parameter)
        return value

    def run(self, function: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        """Call the function, and write down what it does."""
        token = note.set(
            self.around.but(recording=True, nested=True, watch=self.watch, read=self.read, storing=self.storing, trace=self)
        )
        try:
            return function(*arguments, **keywords)
        finally:
            note.reset(token)

    def watch(self, node: Value) -> None:
        """Write down an operation."""
        row = node._primitive
        if row is None:
            raise TraceError(
                f"an operation under no_grad leaves no trace to compile, at {user_line()}; use stop_gradient instead"
            )
        self.refs[node] = self.program.add(row, [self.reference(operand) for operand in node._operands])

    def reference(self, operand: Operand) -> int:
        """Where an operand is in the program."""
        if operand.__class__ is float:
            return self.program.constant(operand)
        ref = self.refs.get(operand)  # type: ignore[arg-type]
        if ref is None:
            ref = self.foreign(operand)  # type: ignore[arg-type]
        return ref

    def foreign(self, value: Value) -> int:
        """A Value that no operation of the trace made: a constant if it was written down in there, else an input."""
        if getattr(value._note, "trace", None) is self:
            ref: int = self.program.constant(value._data)
        else:
            ref = self.program.input(self.names.get(value) or value.label or f"value.{len(self.captured)}")
            self.captured.append(value)
        self.refs[value] = ref
        return ref

    def read(self, kind: str, *operands: Any) -> None:
        """A comparison becomes a guard; reading a number that depends on an input is an error."""
        left = self.reference(operands[0])
        if kind in ORDER:
            right = self.reference(operands[1])
            if left >= 0 or right >= 0:
                self.program.guards.append(Guard(kind, left, right, operands[2], user_line()))
        elif left >= 0:
            raise TraceError(f"the number inside a Value is read ({kind}) at {user_line()}, while it is compiled; {WAYS_OUT}")

    def storing(self, *_: Any) -> None:
        """Gradients in `grad` would be numbers of the trace."""
        line = user_line()
        raise TraceError(f"backward() at {line} stores numbers, which a compiled function does not have; use autograd.grad")


