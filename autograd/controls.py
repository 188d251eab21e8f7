"""The room of controls: what is recorded, under which name, and what is watched, for a block of code."""

from __future__ import annotations

import math
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ContextDecorator
from contextvars import Token
from functools import cache
from types import FrameType, TracebackType
from typing import Any

from autograd.closures import Closure
from autograd.value import Note, Value, current, note

__all__ = [
    "GradientWarning", "detect_anomaly", "enable_grad", "is_users", "lint", "no_grad", "scope", "user_frame", "user_line", "warn",
    "watched",
]  # fmt: skip

ALIKE = 1e-9  # relative difference of sums in another order


class block(ContextDecorator):  # noqa: N801 - used as a word, `with no_grad():`
    """A block of code, or a decorated function, under a changed note."""

    def __init__(self) -> None:
        self.tokens: list[Token[Note]] = []

    def changed(self, around: Note) -> Note:
        """The note for the block, made from the one around it."""
        return around

    def __enter__(self) -> None:
        self.tokens.append(note.set(self.changed(current())))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        note.reset(self.tokens.pop())


class no_grad(block):  # noqa: N801
    """Compute without recording: results are leaves, and no graph is kept.

    >>> x = Value(2.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y
    Value(data=4.0, grad=0.0)
    """

    def changed(self, around: Note) -> Note:
        """The note for the block: nothing is recorded."""
        return around.but(recording=False)


class enable_grad(block):  # noqa: N801
    """Record again, inside `no_grad`."""

    def changed(self, around: Note) -> Note:
        """The note for the block: operations are recorded."""
        return around.but(recording=True)


class scope(ContextDecorator):  # noqa: N801
    """Name a block of code: Values made inside belong to this scope, and pictures can fold it into one box.

    >>> with scope("loss"):
    ...     y = Value(2.0) ** 2
    >>> y.scope
    'loss'
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.tokens: list[Token[Note]] = []

    def __enter__(self) -> None:
        around = current()
        inner = Note(around.recording, around.watch, around.hooks)
        inner.__dict__ = {**around.__dict__, "scope": (*around.scope, self.name)}  # written out: modules do this at every call
        self.tokens.append(note.set(inner))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        note.reset(self.tokens.pop())

    @staticmethod
    def path() -> tuple[str, ...]:
        """The names of the scopes we are in, outermost first."""
        return current().scope


class watched(block):  # noqa: N801
    """Call `watch(value)` for every Value that an operation makes, after whoever watches already; `read` as in a Note."""

    def __init__(self, watch: Callable[[Value], None] | None = None, read: Callable[..., None] | None = None) -> None:
        super().__init__()
        self.watch, self.read = watch, read

    def changed(self, around: Note) -> Note:
        """The note for the block: one more watches."""
        first, second = around.watch, self.watch

        def both(node: Value) -> None:
            first(node)  # type: ignore[misc]
            second(node)  # type: ignore[misc]

        watch = both if first is not None and second is not None else first or second
        return around.but(watch=watch, read=self.read or around.read)


class detect_anomaly(watched):  # noqa: N801
    """Raise at the first nan or infinity, forward or backward.

    FloatingPointError names the operation, its operands with their labels, and the line of the program that made the node.
    Operations are several times slower under it; off, it costs nothing.

    >>> x = Value(0.0, label="x")
    >>> with detect_anomaly():  # doctest: +ELLIPSIS
    ...     y = x.log()
    Traceback (most recent call last):
    FloatingPointError: log(x = 0.0) is -inf, made at ..., line ...
    """

    def __init__(self) -> None:
        super().__init__(self.check_forward)

    def changed(self, around: Note) -> Note:
        """The note for the block: nodes and gradients are checked."""
        if around.trace is not None:
            raise around.trace.refuse(
                f"detect_anomaly at {user_line()} would look at the numbers of one call only, while a function is compiled; "
                "write it around the call of the compiled function"
            )
        return super().changed(around).but(carried=self.check_backward)

    @staticmethod
    def check_forward(node: Value) -> None:
        """Keep the line that made this node, and raise if the number is nan or infinite."""
        node._note = node._note.but(line=user_line())
        if not math.isfinite(node._data):
            raise FloatingPointError(f"{told(node)} is {node._data}, made at {node._note.line}")

    @staticmethod
    def check_backward(order: Sequence[Value], cotangents: Mapping[Value, Any]) -> None:
        """Raise at the first node, in the order of the backward pass, that sends on what is not finite."""
        for node in reversed(order):
            cotangent = cotangents.get(node)
            if cotangent is None:
                continue
            if not math.isfinite(cotangent):
                raise FloatingPointError(f"the gradient of {told(node)} = {node._data} is {float(cotangent)}{made(node)}")
            for operand, local in zip(node._operands, node._locals):
                if local is not None and isinstance(operand, Value) and not math.isfinite(local * float(cotangent)):
                    raise FloatingPointError(
                        f"the gradient that {told(node)} = {node._data} sends to {named(operand)} is "
                        f"{local} * {float(cotangent)} = {local * float(cotangent)}{made(node)}"
                    )


class lint(block):  # noqa: N801
    """Warn about the usual mistakes of a training loop, at each `backward()` inside.

    A GradientWarning says that gradients of an earlier `backward()` are added to (a forgotten `zero_grad()`), that the result
    is not finite, that it remembers no operands (a leaf), that `.data` was changed between forward and backward, or that some of
    `parameters` get no gradient: a list, or a dictionary by name, such as `model.named_parameters()`.

    >>> w = Value(3.0, label="w")
    >>> with lint(), warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     for step in range(2):
    ...         (w * w).backward()
    >>> print(caught[0].message)
    w = 3.0 has the gradient 6.0 already, and backward() adds to it; call zero_grad()
    """

    def __init__(self, parameters: Iterable[Value] | Mapping[str, Value] = ()) -> None:
        super().__init__()
        names = dict(parameters) if isinstance(parameters, Mapping) else {}
        self.parameters = list(names.values() or parameters)
        self.names = {value: name for name, value in names.items()}
        self.said: set[str] = set()

    def changed(self, around: Note) -> Note:
        """The note for the block: every `backward()` is looked at."""
        return around.but(storing=self.check)

    def check(self, order: Sequence[Value], cotangents: Mapping[Value, Any]) -> None:
        """Look at a backward pass before its gradients are stored."""
        root = order[-1]
        if not math.isfinite(root._data):
            self.warn(f"backward() starts at {told(root)} = {root._data}: gradients will not be finite")
        for node in order:
            if not node._operands and node in cotangents and node.grad != 0.0:
                self.warn(f"{named(node)} has the gradient {node.grad} already, and backward() adds to it; call zero_grad()")
                break
        for node in order:
            if node._primitive is not None and recomputed(node) != node._data == node._data:
                self.warn(
                    f"{told(node)} was {node._data} in the forward pass and is {recomputed(node)} now: .data was changed before "
                    "backward(), whose gradients are those of the forward pass"
                )
                break
        if not root._operands:
            self.warn(f"backward() starts at {named(root)}, which remembers no operands: nothing leads back from it")
            return
        lost = [self.names.get(x) or named(x) for x in self.parameters if x not in cotangents]
        if lost:
            self.warn(f"{len(lost)} of {len(self.parameters)} parameters get no gradient, the first is {lost[0]}")

    def warn(self, message: str) -> None:
        """Warn at the line of the user's program, once."""
        if message in self.said:
            return
        self.said.add(message)
        warn(message, user_frame())


class GradientWarning(UserWarning):
    """A program does what is most likely not meant: its derivatives are not those that one would expect."""


def recomputed(node: Value) -> float:
    """What the operation of this node gives on its operands as they are now."""
    row = node._primitive
    if isinstance(row, Closure):
        return node._data  # only the program knows how it was computed
    primals = [x._data if isinstance(x, Value) else x for x in node._operands]
    found = row.function(primals) if row.arity is None else row.function(*primals)  # type: ignore[union-attr]
    is_alike = not row.is_exact and math.isclose(found, node._data, rel_tol=ALIKE)  # type: ignore[union-attr]
    return node._data if is_alike else found  # a compiled call adds up in another order


def told(node: Value) -> str:
    """A node as an expression: log(x = 0.0)."""
    if node._primitive is None:
        return named(node)
    shown = [named(x) if isinstance(x, Value) else repr(x) for x in node._operands[:8]]
    label = f"{node.label} = " if node.label else ""
    return f"{label}{node._primitive.name}({', '.join(shown)}{', ...' if len(node._operands) > 8 else ''})"


def named(node: Value) -> str:
    return f"{node.label} = {node._data}" if node.label else repr(node._data)


def made(node: Value) -> str:
    return f", made at {node._note.line}" if node._note.line else ""


def is_own(frame: FrameType) -> bool:
    """Whether a frame belongs to this library."""
    return frame.f_globals.get("__name__", "").partition(".")[0] in (__name__.partition(".")[0], "contextlib")


def is_users(frame: FrameType) -> bool:
    """Whether a frame belongs to neither this library nor another."""
    return not is_own(frame) and not frame.f_code.co_filename.startswith(libraries())


@cache
def libraries() -> tuple[str, ...]:
    """Where Python's own library and installed packages lie."""
    import sysconfig  # not needed before somebody asks

    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return ("<frozen", *{os.path.join(sysconfig.get_path(name), "") for name in names})


def user_frame() -> FrameType:
    """The innermost frame of the user's program: of no library; where there is none, the innermost that is not of this one."""
    innermost = sys._getframe(1)
    while innermost.f_back is not None and is_own(innermost):
        innermost = innermost.f_back
    frame: FrameType | None = innermost
    while frame is not None and not is_users(frame):
        frame = frame.f_back
    return frame or innermost


def user_line() -> str:
    """The innermost line of the user's program that is running: 'train.py, line 12'."""
    frame = user_frame()
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}"


def warn(message: str, frame: FrameType) -> None:
    """Give a GradientWarning at the line that a frame is at, as if that line had called `warnings.warn`."""
    words, file = frame.f_globals, frame.f_code.co_filename
    registry = words.setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, GradientWarning, file, frame.f_lineno, words.get("__name__", file), registry)
