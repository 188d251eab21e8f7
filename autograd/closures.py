"""The room of closures: results that a program computes itself, with the derivatives it gives, as programs for micrograd do.

`out = Value(math.tanh(x.data), (x,), "tanh")` and then `out._backward = f`, where f adds to `x.grad` its share of `out.grad`; or
`Value(t, (x,), (1 - t * t,))`, with the local derivatives themselves. Either is an ordinary node whose local derivatives are
known as numbers at this point: enough for first derivatives, in reverse and forward mode, and for pictures. A second
derivative, or a program to compile, needs them as functions, which `autograd.primitive` takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from types import FunctionType, ModuleType
from typing import Any

from autograd.floats import number
from autograd.ops import Primitive
from autograd.value import EMPTY, Value

__all__ = ["Closure"]

TRIALS = (-2.0, 1e3, -1e-3)  # gradients with which a closure is called, besides 1, to see that it is proportional


class Closure(Primitive):
    """An operation of the program's own: it has a name, and no texts that could be read again."""

    __slots__ = ()
    is_exact = False

    def __init__(self, name: str) -> None:
        super().__init__(name, "xs", "xs", public=False)

    def evaluate(self, text: str, namespace: dict[str, Any], *names: str) -> Callable[..., Any]:  # noqa: ARG002 - as the row
        """What raises TypeError when it is called: the local derivatives are numbers, which are good for one point."""
        return self.refuse

    def refuse(self, *_: Any) -> Any:
        """Raise TypeError, with the way out."""
        raise TypeError(
            f"the operation {self.name!r} was given as a closure or as numbers: it has first derivatives at this point, and no "
            "more; autograd.primitive defines an operation that can be differentiated again, compiled and pickled"
        )

    __reduce__ = refuse


def make_result(self: Value, operands: Any, operation: Any, label: Any) -> None:
    """Make a new Value what its constructor says: one with a label, or the result of an operation of the program's own."""
    operands = EMPTY if operands is None else operands  # None says nothing
    operation, label = ("" if x is None else x for x in (operation, label))
    if isinstance(operands, str) and operation == "":
        operands, label = EMPTY, label or operands  # Value(2.0, "x")
    if not isinstance(operands, Iterable) or (operands and operation == ""):
        raise TypeError(
            f"the label of a Value is text, not {type(operands).__name__} {operands!r}; "
            "the result of an operation of your own is Value(number, operands, 'name')"
        )
    self.label = label
    operands = tuple(operands)
    if not operands:
        return
    for operand in operands:
        if not isinstance(operand, Value):
            raise TypeError(f"the operands of a Value are Values, not {type(operand).__name__} {operand!r}")
    slopes: tuple[float | None, ...] = (None,) * len(operands)  # until `_backward` is set no derivative leads back
    if not isinstance(operation, str):
        slopes = tuple([number(slope, "a local derivative") for slope in operation])
        if len(slopes) != len(operands):
            raise ValueError(f"Value got {len(operands)} operands and {len(slopes)} local derivatives; it needs one for each")
        operation = "given"
    if self._note.recording:
        self._primitive, self._operands, self._locals = Closure(operation), operands, slopes
    if self._note.watch is not None:
        self._note.watch(self)
    if self._note.read is not None and self._locals == (None,) * len(operands):
        self._note.read("operation", self)


def backward_of(self: Value) -> Callable[[], None]:
    """What adds to the gradients of the operands what they get from the gradient of this node: micrograd's `_backward`."""
    if self._note.closure is not None:
        return self._note.closure

    def add_to_operands() -> None:
        for operand, local in zip(self._operands, self._locals):
            if local is not None:
                operand._grad += local * self._grad  # type: ignore[union-attr]

    return add_to_operands


def set_backward(self: Value, closure: Callable[[], None]) -> None:
    """Let a closure say how the gradient of this node goes back; its local derivatives are found here, by calling it.

    Raises ValueError if what it adds is not proportional to the gradient of the node: then there are no local derivatives; and if
    it adds to the gradient of a Value that is no operand.
    """
    if not callable(closure):
        raise TypeError(f"_backward is a function without arguments, not {type(closure).__name__} {closure!r}")
    if not self._note.recording:
        return
    if not self._operands:
        raise TypeError(
            f"{self!r} has no operands to carry a gradient back to; give them, Value(number, operands, 'name'), "
            "or listen to its gradient with register_hook"
        )
    once = slopes_at(self, closure, 1.0)
    for gradient in TRIALS:
        for one, other in zip(once, slopes_at(self, closure, gradient)):
            if not math.isclose(gradient * one, other, rel_tol=1e-9) and one == one:
                raise ValueError(
                    f"the _backward of {self._op!r} adds {one!r} for a gradient of 1 and {other!r} for one of {gradient!r}: that "
                    "is no derivative; register_hook changes a gradient on its way, and autograd.primitive defines an operation"
                )
    seen: set[Value] = set()
    slopes: list[float | None] = []
    for operand, slope in zip(self._operands, once):  # an operand that is used twice has its whole slope at the first place
        slopes.append(None if operand.__class__ is float or operand in seen else slope)
        seen.add(operand)  # type: ignore[arg-type]
    self._primitive, self._locals = Closure(self._op), tuple(slopes)
    self._note = self._note.but(closure=closure)


def slopes_at(node: Value, closure: Callable[[], None], gradient: float) -> list[float]:
    """What a closure adds to the gradient of each operand, for this gradient of the node; all gradients are put back."""
    parents = set(node._prev)
    others = [value for value in values_of(closure) if value is not node and value not in parents]
    kept = [(value, value.grad) for value in (node, *parents, *others)]
    try:
        for value, _ in kept:
            value.grad = 0.0
        node.grad = gradient
        closure()
        for value in others:
            if value.grad != 0.0:
                raise ValueError(
                    f"the _backward of {node._op!r} adds to the gradient of {value.label or 'a Value'} = {value._data!r}, which "
                    "is not among its operands; name it there, Value(number, operands, 'name')"
                )
        return [0.0 if operand.__class__ is float else float(operand.grad) for operand in node._operands]  # type: ignore[union-attr]
    finally:
        for value, grad in kept:
            value.grad = grad


def values_of(closure: Callable[[], None]) -> list[Value]:
    """The Values that a function finds outside: in its closure, among its globals, and in containers and objects of these."""
    from inspect import getclosurevars, isfunction  # not needed before a program defines an operation

    if not isfunction(closure):
        return []
    variables = getclosurevars(closure)
    found = [*variables.nonlocals.values(), *variables.globals.values()]
    for _ in range(2):  # objects, and lists in them
        for thing in list(found):
            if isinstance(thing, (list, tuple)):
                found += thing
            elif isinstance(thing, dict):
                found += thing.values()
            elif hasattr(thing, "__dict__") and not isinstance(thing, (type, ModuleType, FunctionType)):
                found += vars(thing).values()
    return list({id(value): value for value in found if isinstance(value, Value)}.values())


setattr(Value, "_make_result", make_result)  # noqa: B010 - Value's room comes before this one
setattr(Value, "_backward", property(backward_of, set_backward))  # noqa: B010
