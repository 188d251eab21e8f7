"""The room of calls: the functions of a program run one after the other, and what repeats itself is a loop."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

__all__ = ["Call", "called"]

PERIOD = 24  # so many calls at most are the body of a loop


class Call(NamedTuple):
    """A call of a nest: the places that it is given, each a buffer and where it begins there, and tables."""

    name: str
    buffers: tuple[str, ...]
    starts: tuple[int, ...]


def called(calls: Sequence[Call]) -> list[str]:
    """Lines that run calls: runs of the same calls whose places move by constant steps are loops."""
    lines, i = [], 0
    while i < len(calls):
        found = [(repeats(calls, i, period), period) for period in range(1, PERIOD + 1)]
        times, period = max([pair for pair in found if pair[0] >= 3], key=prod, default=(1, 1))
        body = [written(calls[k], calls[k + period] if times > 1 else calls[k]) for k in range(i, i + period)]
        if times > 1:
            body = [f"for (long t = 0; t < {times}; t++) {{", *[f"    {line}" for line in body], "}"]
        lines += body
        i += times * period
    return lines


def written(call: Call, later: Call) -> str:
    """A call at step t of a loop, if another one is what it is a step later."""
    places = []
    for buffer, start, step in zip(call.buffers, call.starts, moved(call, later)):
        steps = "t" if step == 1 else f"{step} * t"
        places.append(" + ".join([buffer, *([str(start)] if start else []), *([steps] if step else [])]))
    return f"{call.name}({', '.join(places)});"


def repeats(calls: Sequence[Call], i: int, period: int) -> int:
    """How many times the calls from the i-th on are repeated, `period` at a time."""
    times = 1
    while i + (times + 1) * period <= len(calls):
        for j in range(i, i + period):
            first, second, last, new = (calls[j + k * period] for k in (0, 1, times - 1, times))
            if new[:2] != first[:2] or moved(last, new) != moved(first, second):
                return times
        times += 1
    return times


def moved(one: Call, two: Call) -> tuple[int, ...]:
    """How far the places of a call are from those of another."""
    return tuple([b - a for a, b in zip(one.starts, two.starts)])
