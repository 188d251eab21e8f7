"""The room of shadows: Values have other numbers while a function runs, but only for the thread that runs it.

A function of a model is traced at weights that are given as an array. Where other threads run, they may read the model meanwhile,
so its own numbers stay where they are: for as long as somebody has others, a number is looked up for the thread that asks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from autograd.value import Value

__all__ = ["numbers_in"]

NOTHING: Mapping[Value, float] = {}
slot: Any = Value.__dict__["_data"]  # where a Value has its own number
numbers: ContextVar[Mapping[Value, float]] = ContextVar("numbers", default=NOTHING)  # that Values have in here
lock = threading.Lock()
blocks = 0  # in all threads


@contextmanager
def numbers_in(values: Sequence[Value], others: Sequence[float]) -> Iterator[None]:
    """Values have other numbers in this block, and nowhere else."""
    if values:
        with looked_up_in(values, others) if threading.active_count() > 1 else written(values, others):
            yield
    else:
        yield


@contextmanager
def written(values: Sequence[Value], others: Sequence[float]) -> Iterator[None]:
    """The same where no other thread runs: nobody looks."""
    before = [value._data for value in values]
    try:
        for value, number in zip(values, others):
            value._data = number
        yield
    finally:
        for value, number in zip(values, before):
            value._data = number


@contextmanager
def looked_up_in(values: Sequence[Value], others: Sequence[float]) -> Iterator[None]:
    """The same where other threads run. Changing a class, as here, is slower for all of them, so it is not done for nothing."""
    global blocks
    token = numbers.set({**numbers.get(), **dict(zip(values, others))})
    with lock:
        blocks += 1
        setattr(Value, "_data", looked_up)  # noqa: B010 - type checkers know it as a slot
    try:
        yield
    finally:
        with lock:
            blocks -= 1
            if not blocks:
                setattr(Value, "_data", slot)  # noqa: B010
        numbers.reset(token)


def number_of(value: Value) -> Any:
    """The number that a Value has in here."""
    found = numbers.get().get(value)
    return own(value) if found is None else found


own = slot.__get__
looked_up = property(number_of, slot.__set__)
