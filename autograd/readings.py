"""The room of readings: what reads the number of a Value while a derivative is being taken, and so loses the derivative."""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType
from typing import Any

from autograd.controls import user_frame, warn
from autograd.value import ORDER, Value, current

__all__ = ["Readings"]


class Readings:
    """Listens to a function that is being differentiated: it warns of each line that loses a derivative by reading a number.

    `math.sin(x)`, `float(x)`, `np.array(xs, float)` and writing into an array of floats all call `float()` on a Value. `.data`,
    `.item()` and formatting read on purpose, and comparisons, `int()` and `round()` have no derivative to lose.
    """

    def __init__(self, inputs: Sequence[Value], outer: Readings | None) -> None:
        self.outer = outer  # who listens to the function inside which this one is differentiated
        self.inputs: set[Value] = {*inputs, *(outer.inputs if outer else ())}
        self.apart: set[Value] = set()  # nodes that depend on no input
        self.lines: set[tuple[str, int]] = outer.lines if outer else set()  # that were warned of
        self.deliberate: set[tuple[CodeType, int]] = set()  # instructions that read on purpose
        self.unfinished: list[Value] = []  # results of operations by closure, whose `_backward` is set later
        self.may_be_constant = False  # the program compared numbers, or took a derivative: either may leave a constant
        if outer:
            outer.may_be_constant = True

    def __call__(self, kind: str, value: Value, *_: Any) -> None:
        """A program reads the number in a Value."""
        if kind in ORDER:
            listener: Readings | None = self
            while listener is not None:
                listener.may_be_constant, listener = True, listener.outer
        elif kind == "operation":
            self.unfinished.append(value)
        elif kind == "float()" and current().recording:
            frame = user_frame()
            line, instruction = (frame.f_code.co_filename, frame.f_lineno), (frame.f_code, frame.f_lasti)
            if line in self.lines or instruction in self.deliberate or not self.depends(value):
                return
            from autograd.doing import doing_of  # not needed before a number is read

            doing = doing_of(frame)
            if doing.is_deliberate:
                self.deliberate.add(instruction)
                return
            self.lines.add(line)
            warn(
                f"{doing.text or 'an expression'} at {line[0]}, line {line[1]}, reads the number of a Value: no derivative leads "
                f"back through it; use {doing.instead}, or x.data where a constant is meant",
                frame,
            )

    def depends(self, value: Value) -> bool:
        """Whether a node depends on an input; what does not is remembered, so that no node is looked at twice."""
        seen: set[Value] = set()
        stack: list[Any] = [value]
        while stack:
            node = stack.pop()
            if node.__class__ is float or node in seen or node in self.apart:
                continue
            if node in self.inputs:
                return True
            seen.add(node)
            stack += node._operands
        self.apart |= seen
        return False

    def returned(self) -> None:
        """The function has returned: nodes are kept no longer. Warn of operations that pass nothing back by mistake."""
        self.apart.clear()
        for node in self.unfinished:
            if node._note.closure is None:
                warn(f"the operation {node._op!r} has no _backward, so no derivative leads back through it", user_frame())
        self.unfinished.clear()

    def result(self, name: str, inputs: Sequence[Value], order: Sequence[Value]) -> None:
        """Warn if a result, of which `order` is the graph, comes from none of the inputs, and nothing explains that."""
        if inputs and not self.may_be_constant and not self.lines and set(inputs).isdisjoint(order):
            warn(
                f"the result of {name} does not depend on the inputs with respect to which it is differentiated: every "
                "derivative is 0; was it computed from .data, from other Values, or under no_grad?",
                user_frame(),
            )
