"""The room of stand-ins: what a traced function gets in place of the integers and floats that it is given."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any

from autograd.functions import FUNCTIONS, apply
from autograd.ops import Primitive
from autograd.value import Value, current

__all__ = ["TAKE", "Float", "Index"]

LIBRARY = frozenset({"autograd", "nn"})
# How an integer meets a float or a Value, with the result that its float has, and how it meets everything else.
ALIKE = ("add", "sub", "mul", "truediv")
OTHERS = ("floordiv", "mod", "and_", "or_", "xor", "lshift", "rshift", "matmul")
COMPARED = ("lt", "le", "gt", "ge", "eq", "ne")


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
    if isinstance(index, float) or (isinstance(index, Value) and current().trace is None):
        at = int(index if isinstance(index, float) else index._data)
        return [None, *[1.0 if k == at else None for k in range(len(xs) - 1)]]
    if isinstance(index, Value):
        return [None, *[FUNCTIONS["where"](index - float(k), 0.0, 1.0) for k in range(len(xs) - 1)]]
    return [None, *[type(index).words["where"](index - float(k), 0.0, 1.0) for k in range(len(xs) - 1)]]


TAKE = Take()


class Float(Value):
    """A Value that stands for a float: it is made of nothing but floats that a traced function was given.

    What floats can do beyond Values reads the number, which is refused: a key of a dictionary is found by it, say. Code of this
    library tells Values apart by identity.
    """

    __slots__ = ()

    def __hash__(self) -> int:
        if is_read():
            current().read("as a key of a dictionary or a member of a set", self)  # type: ignore[misc]
        return object.__hash__(self)

    def __repr__(self) -> str:
        if is_read():
            current().read("as text", self)  # type: ignore[misc]
        return super().__repr__()

    def __str__(self) -> str:
        if is_read():
            current().read("as text", self)  # type: ignore[misc]
        return super().__repr__()

    def __getattr__(self, name: str) -> Any:
        if hasattr(float, name) and name[:2] != "__" and current().read is not None:
            current().read(f"float.{name}", self)  # type: ignore[misc]
        raise AttributeError(f"'Value' object has no attribute {name!r}")


Float.__name__ = Float.__qualname__ = "Value"  # which it is to those who ask


def is_read() -> bool:
    """Whether a traced program, and not this library, asks for what depends on the number."""
    if current().trace is None:
        return False
    return str(sys._getframe(2).f_globals.get("__name__")).partition(".")[0] not in LIBRARY


class Index:
    """An integer that a traced function is given.

    It is an input where `autograd.take` indexes with it, where it meets floats and Values, and where it is compared; any other
    use fixes its number. It has no `__float__`, so that Values leave it to do the arithmetic.
    """

    def __init__(self, number: Any, value: Value) -> None:
        self.number, self.value = number, value  # an int, or an integer of NumPy
        self.fixed = False  # whether the trace is valid for this number only
        self.limit: int | None = None  # the length of the shortest table that it indexes

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # isinstance says that this is an integer
        return type(self.number)

    def fix(self) -> Any:
        """The number, for which alone the trace is valid from now on."""
        self.fixed = True
        return self.number

    def __index__(self) -> int:
        return int(self.fix())

    def __hash__(self) -> int:
        return hash(self.fix())

    def __pow__(self, other: Any, modulus: Any = None) -> Any:
        return pow(self.fix(), plain(other), plain(modulus))

    def __rpow__(self, other: Any) -> Any:
        return other**self.value if type(other) is float and other > 0.0 else other ** self.fix()

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.fix(), digits)

    def __format__(self, spec: str) -> str:
        return format(self.fix(), spec)

    def __copy__(self) -> Index:
        return self

    def __deepcopy__(self, _: Any) -> Index:
        return self

    def __reduce_ex__(self, _: Any) -> Any:
        return int, (int(self.fix()),)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(type(self.number), name):  # somebody asks what this is: NumPy, say
            raise AttributeError(f"an integer has no attribute {name!r}")
        return getattr(self.fix(), name)

    def row_of(self, rows: Any) -> Any:
        """One row, or the numbers of one row, taken by this index: what `autograd.take` asks for."""
        given, rows = rows, rows.tolist() if hasattr(rows, "tolist") else list(rows)
        at = int(self.number)
        if not 0 <= at < len(rows):
            raise IndexError(f"autograd.take got index {at} for {len(rows)} rows: it must be from 0 to {len(rows) - 1}")
        self.limit = min(len(rows), self.limit or len(rows))
        if all(map(is_number, rows)):
            return apply(TAKE, self.value, *rows)
        if all(isinstance(row, (list, tuple)) for row in rows) and len(set(map(len, rows))) == 1:
            return [self.row_of(column) for column in zip(*rows)]
        return given[self.__index__()]  # rows of several lengths, or of other things


def is_number(x: Any) -> bool:
    return hasattr(type(x), "__float__") and not getattr(x, "ndim", 0)


def plain(x: Any) -> Any:
    """The number of an operand, if it is an index."""
    return x.fix() if type(x) is Index else x


def alike(function: Callable[..., Any], kinds: tuple[type, ...]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """An operator of Index, and the reflected one: on the Value that stands for it where it meets these kinds."""

    def forward(self: Index, other: Any) -> Any:
        return function(self.value if isinstance(other, kinds) and type(other) is not Index else self.fix(), plain(other))

    def reflected(self: Index, other: Any) -> Any:
        return function(other, self.value if isinstance(other, kinds) else self.fix())

    return forward, reflected


def fixing(function: Callable[..., Any]) -> Callable[..., Any]:
    """An operator of Index that works on its number, and fixes it."""
    return lambda self, *others: function(self.fix(), *map(plain, others))


for _name in (*ALIKE, *OTHERS):
    _kinds = (float, Value, int) if _name == "truediv" else (float, Value) if _name in ALIKE else ()
    _forward, _reflected = alike(getattr(operator, _name), _kinds)
    setattr(Index, f"__{_name.strip('_')}__", _forward)
    setattr(Index, f"__r{_name.strip('_')}__", _reflected)
for _name in COMPARED:
    setattr(Index, f"__{_name}__", alike(getattr(operator, _name), (float, Value, int))[0])
for _name in ("neg", "pos", "abs", "invert"):
    setattr(Index, f"__{_name}__", fixing(getattr(operator, _name)))
CONVERSIONS: dict[str, Callable[..., Any]] = {
    "int": int, "bool": bool, "str": str, "repr": repr, "trunc": int, "divmod": divmod,
}  # fmt: skip
for _name, _function in CONVERSIONS.items():
    setattr(Index, f"__{_name}__", fixing(_function))
Index.__rdivmod__ = alike(divmod, ())[1]  # type: ignore[attr-defined]
