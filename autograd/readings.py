"""The room of readings: what reads the number of a Value while a derivative is being taken, and so loses the derivative."""

from __future__ import annotations

import linecache
import re
from collections.abc import Sequence
from itertools import islice
from types import FrameType
from typing import Any

from autograd.controls import user_frame, warn
from autograd.functions import FUNCTIONS
from autograd.value import ORDER, Value, current, topological

__all__ = ["Readings"]

FLAT = {"isnan", "isinf", "isfinite", "isclose"}  # functions that have no derivative to lose, whoever computes them
FORMATS = re.compile(r"""["']\s*%|^[\w.]+\s*%""")  # "%.3f" % x, or layout % x


class Readings:
    """Listens to a function that is being differentiated: it warns of each line that loses a derivative by reading a number.

    `math.sin(x)`, `float(x)`, `np.array(xs, float)` and writing into an array of floats all call `float()` on a Value. `.data`,
    `.item()` and formatting read on purpose, and comparisons, `int()` and `round()` have no derivative to lose.
    """

    def __init__(self, inputs: Sequence[Value], outer: Readings | None) -> None:
        self.outer = outer  # who listens to the function inside which this one is differentiated
        self.inputs: set[Value] = {*inputs, *(outer.inputs if outer else ())}
        self.lines: set[tuple[str, int]] = outer.lines if outer else set()  # that were warned of
        self.may_be_constant = False  # the program compared numbers, or took a derivative: either may leave a constant
        if outer:
            outer.may_be_constant = True

    def __call__(self, kind: str, value: Value, *_: Any) -> None:
        """A program reads the number in a Value."""
        if kind in ORDER:
            listener: Readings | None = self
            while listener is not None:
                listener.may_be_constant, listener = True, listener.outer
        elif kind == "float()" and current().recording:
            frame = user_frame()
            line = frame.f_code.co_filename, frame.f_lineno
            if line not in self.lines and not self.inputs.isdisjoint(topological(value)):
                self.lost(frame, *line)

    def lost(self, frame: FrameType, file: str, line: int) -> None:
        """Warn that a derivative is lost on this line, unless that is meant."""
        text = expression(frame)
        name = called(text)
        if name in FLAT or FORMATS.search(text):
            return
        self.lines.add((file, line))
        instead = f"autograd.{name}" if name in FUNCTIONS else "the functions of autograd"
        warn(
            f"{text or 'an expression'} at {file}, line {line}, reads the number of a Value: no derivative leads back through "
            f"it; use {instead}, or x.data where a constant is meant",
            frame,
        )

    def result(self, name: str, inputs: Sequence[Value], order: Sequence[Value]) -> None:
        """Warn if a result, of which `order` is the graph, comes from none of the inputs, and nothing explains that."""
        if inputs and not self.may_be_constant and not self.lines and set(inputs).isdisjoint(order):
            warn(
                f"the result of {name} does not depend on the inputs with respect to which it is differentiated: every "
                "derivative is 0; was it computed from .data, from other Values, or under no_grad?",
                user_frame(),
            )


def expression(frame: FrameType) -> str:
    """The source of the call that a frame is in, such as 'math.sin(x)'; else its whole line; '' where there is no source."""
    code = frame.f_code
    lines = linecache.getlines(code.co_filename, frame.f_globals)
    if frame.f_lineno > len(lines):
        return ""
    if hasattr(code, "co_positions"):  # since Python 3.11
        first, last, start, end = next(islice(code.co_positions(), frame.f_lasti // 2, None))
        if first and last and start is not None and end is not None:
            text = "".join(lines[first - 1 : last]).encode()
            text = text[start : len(text) - len(lines[last - 1].encode()) + end]
            if text.endswith(b")"):
                return " ".join(text.decode().split())
    return lines[frame.f_lineno - 1].strip()


def called(text: str) -> str:
    """The name of the first function that is called: 'sin' for 'math.sin(x)'."""
    found = re.search(r"(\w+)\(", text)
    return found[1] if found else ""
