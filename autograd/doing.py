"""The room of what a frame is doing: the kind of its instruction, and the source of it."""

from __future__ import annotations

import linecache
import re
from itertools import islice
from opcode import opname
from types import FrameType
from typing import NamedTuple

from autograd.functions import FUNCTIONS

__all__ = ["Doing", "doing_of"]

FLAT = {"isnan", "isinf", "isfinite", "isclose"}  # functions that have no derivative to lose, whoever computes them
CONTAINERS = {"array", "asarray", "fromiter"}  # NumPy's functions in place of which autograd.array keeps the Values


class Doing(NamedTuple):
    """What a frame is just doing: the kind of its instruction, and the source of it."""

    kind: str  # "call", "operator", or "" for anything else
    text: str

    @property
    def called(self) -> list[str]:
        """The names of the functions that are called, the one that runs first: ['sin'] for 'math.sin(x)'."""
        return re.findall(r"(\w+)\(", self.text)

    @property
    def is_deliberate(self) -> bool:
        """Whether it formats a number, or asks a question that has no derivative: an operator reads numbers for text alone."""
        return self.kind == "operator" or (self.kind == "call" and bool(self.called) and FLAT.issuperset(self.called[:1]))

    @property
    def instead(self) -> str:
        """What to write in its place."""
        name = self.called[0] if self.kind == "call" and self.called else ""
        if name in FUNCTIONS:
            return f"autograd.{name}"
        return "autograd.array" if name in CONTAINERS or self.kind == "" else "the functions of autograd"


def doing_of(frame: FrameType) -> Doing:
    """What a frame is doing: the source of its instruction where Python knows it (since 3.11) and it is a call, else the line."""
    code, place = frame.f_code, frame.f_lasti
    while opname[code.co_code[place]] == "CACHE":  # of the instruction before
        place -= 2
    name = opname[code.co_code[place]]
    kind = "call" if "CALL" in name else "operator" if name.startswith("BINARY") else ""
    lines = linecache.getlines(code.co_filename, frame.f_globals)
    if frame.f_lineno > len(lines):
        return Doing(kind, "")
    if kind == "call" and hasattr(code, "co_positions"):
        first, last, start, end = next(islice(code.co_positions(), place // 2, None))
        if first and last and start is not None and end is not None:
            text = "".join(lines[first - 1 : last]).encode()
            text = text[start : len(text) - len(lines[last - 1].encode()) + end]
            return Doing(kind, " ".join(text.decode().split()))
    return Doing(kind, lines[frame.f_lineno - 1].strip())
