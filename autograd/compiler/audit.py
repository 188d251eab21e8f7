"""The room of audits: whether a compiled function still does what its program does.

No list of what a function may depend on is complete. So a compiled function is traced again now and then, beside the program
that was written down first, before anything was simplified: every operation must be the next one that stands there. The first
that is not is the difference, and the line that is running then is where it is.
"""

from __future__ import annotations

import math
import struct
import sys
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b
from itertools import accumulate, chain
from time import perf_counter
from typing import Any, NamedTuple

from autograd.chain import pullback
from autograd.compiler.changing import NotAlike
from autograd.compiler.draws import Draws
from autograd.compiler.program import ADD, DOT, MUL, NEG, SUM, Guard, Program
from autograd.compiler.stand_ins import Index
from autograd.controls import is_users, user_line
from autograd.ops import TABLE, Primitive
from autograd.trees import leaves
from autograd.value import Value, current, note, topological

__all__ = ["Auditor", "CompileMismatch", "Follower", "Record", "Report", "audit", "untouched"]

SHARE = 0.02  # of the time, at most, goes to audits
AT_ONCE = 1000  # operations up to which the second call is audited, whatever its share
ROUNDING = 1e-12  # of what a number is made of: a few thousand units in the last place
TIE = 1e-9  # relative distance of two numbers whose comparison rounding may tip
SUBTRACT = TABLE["sub"]
UNORDERED = {MUL, *(TABLE[name] for name in ("prod", "max", "min", "maximum", "minimum", "norm", "logsumexp", "hypot"))}


class CompileMismatch(RuntimeError):  # noqa: N818 - what it is, rather than that it is one
    """A compiled function does not do any more what its program does; the message says what changed, and where."""


class Report(NamedTuple):
    """What an audit found; true if the function still does what its program does."""

    name: str
    was: str = ""
    now: str = ""
    line: str = ""
    is_plain: bool = False  # whether it differs on plain numbers, rather than from what it was

    def __bool__(self) -> bool:
        return not self.line

    def __str__(self) -> str:
        if self:
            return f"{self.name} does what its program does"
        if self.is_plain:
            return (
                f"{self.name} gives {self.now} for plain numbers, and {self.was} for the Values that stand for them while it is "
                "compiled: does it ask for their type? Use the functions of autograd, which take both, or do not compile it"
            )
        return (
            f"{self.name} does not do any more what was compiled: at {self.line}, the program has {self.was}, and the function "
            f"now has {self.now}. What it depends on changed without being noticed: pass it as an argument"
        )

    def raise_if_wrong(self) -> None:
        """Raise CompileMismatch unless the report is true."""
        if not self:
            raise CompileMismatch(str(self))


class Record:
    """A program as it was traced, packed: its operations, constants, results and comparisons, in their order."""

    def __init__(self, program: Program) -> None:
        self.rows = program.rows.copy()
        self.operands = array("q", chain.from_iterable(program.operands))
        self.ends = array("q", accumulate(map(len, program.operands)))
        self.constants = array("d", program.constants)
        self.names = dict(zip(program.inputs, program.names))
        self.outputs, self.guards = list(program.outputs), list(program.guards)

    def operands_of(self, k: int) -> tuple[int, ...]:
        """What operation k is applied to."""
        return tuple(self.operands[self.ends[k - 1] if k else 0 : self.ends[k]])

    def number(self, ref: int) -> float:
        """The constant that a reference means."""
        return self.constants[-1 - ref]

    def name_of(self, ref: int) -> str:
        """A constant, the name of an input, or the operation that made a result."""
        return repr(self.number(ref)) if ref < 0 else self.names.get(ref) or f"{self.rows[ref].name}(...)"  # type: ignore[union-attr]

    def described(self, k: int) -> str:
        """Operation k in words."""
        return described(self.rows[k], self.operands_of(k), self) if k < len(self.rows) else "no more operations"


def described(row: Primitive | None, operands: Sequence[int], program: Record | Follower) -> str:
    """An operation in words: mul(x, 2.0)."""
    if row is None:
        return "an input"
    names = program.names if isinstance(program, Record) else dict(zip(program.inputs, program.names))
    shown = [repr(program.number(ref)) if ref < 0 else names.get(ref, "...") for ref in operands[:8]]
    return f"{row.name}({', '.join(shown)}{', ...' if len(operands) > 8 else ''})"


class Follower(Program):
    """A program that is written down beside the record of another, and notices where it first differs."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.record = record
        self.difference: tuple[str, str, str] | None = None  # what was, what is, and the line
        self.tipped: Guard | None = None  # a comparison with another outcome than before, where the difference begins

    def _append(self, row: Primitive | None, operands: tuple[int, ...], depth: int) -> int:
        k = super()._append(row, operands, depth)
        if self.difference is None and not self.is_same(k, row, operands):
            self.differ(self.record.described(k), described(row, operands, self))
        return k

    def is_same(self, k: int, row: Primitive | None, operands: tuple[int, ...]) -> bool:
        """Whether operation k of the record is this one."""
        record = self.record
        if k >= len(record.rows) or record.rows[k] is not row:
            return False
        return record.operands_of(k) == operands and self.same_constants(operands)

    def same_constants(self, operands: Sequence[int]) -> bool:
        """Whether the constants among some operands have the numbers that they had, to the bit."""
        return all(ref >= 0 or bits(self.number(ref)) == bits(self.record.number(ref)) for ref in operands)

    def same_guard(self, before: Guard, now: Guard) -> bool:
        """Whether a comparison is the one that stood there, with the same outcome."""
        return before[:4] == now[:4] and self.same_constants((now.left, now.right))

    def differ(self, was: str, now: str, line: str = "") -> None:
        """Note the first difference: a comparison before this operation, if there is one."""
        for before, guard in zip(self.record.guards, self.guards):
            if not self.same_guard(before, guard):
                self.tipped = guard if before[:3] == guard[:3] else None
                was, now, line = before.told(self.record), guard.told(self), guard.line  # type: ignore[arg-type]
                break
        self.difference = was, now, line or user_line()

    def finish(self) -> None:
        """Compare what is left when the function has returned: comparisons, then results."""
        alike = len(self.guards) == len(self.record.guards) and all(map(self.same_guard, self.record.guards, self.guards))
        if self.difference is None and not alike:
            self.differ(f"{len(self.record.guards)} comparisons", f"{len(self.guards)} comparisons", "its end")
        if self.difference is None and len(self.rows) < len(self.record.rows):
            self.differ(self.record.described(len(self.rows)), "no more operations", "its end")
        if self.difference is None and (self.outputs != self.record.outputs or not self.same_constants(self.outputs)):
            self.differ(self.results(self.record), self.results(self), "its end")

    def results(self, program: Record | Follower) -> str:
        """The results in words."""
        shown = [
            repr(program.number(ref)) if ref < 0 else described(program.rows[ref], program.operands_of(ref), program)
            for ref in program.outputs[:4]
        ]  # fmt: skip
        return f"the results {', '.join(shown)}{', ...' if len(program.outputs) > 4 else ''}"

    def operands_of(self, k: int) -> tuple[int, ...]:
        """What operation k is applied to."""
        return self.operands[k]


def bits(number: float) -> bytes:
    return struct.pack("d", number if number == number else float("nan"))


def digests(program: Record | Follower, sources: Sequence[Any]) -> tuple[list[int], set[Any]]:
    """What results and comparisons mean, whatever the order in which sums were added up and unordered operands were written.

    A sum is the sum of the digests of its terms, so that it is the same in every order; everything else is hashed.
    """
    inputs = iter(sources)
    found: list[int] = []

    def digest(ref: int) -> int:
        return found[ref] if ref >= 0 else hashed("constant", bits(program.number(ref)))

    for k, row in enumerate(program.rows):
        if row is None:
            source = next(inputs)
            found.append(hashed("input", source if isinstance(source, (int, tuple)) else id(source)))
            continue
        parts = [digest(ref) for ref in program.operands_of(k)]
        if row is ADD or row is SUM:
            found.append(sum(parts) & MASK)
        elif row is SUBTRACT:
            found.append((parts[0] - parts[1]) & MASK)
        elif row is NEG:
            found.append(-parts[0] & MASK)
        elif row is DOT:
            half = len(parts) // 2
            found.append(sum([hashed("mul", *sorted(pair)) for pair in zip(parts[:half], parts[half:])]) & MASK)
        else:
            found.append(hashed(row.name, *(sorted(parts) if row in UNORDERED else parts)))
    guards = {(guard.sign, digest(guard.left), digest(guard.right), guard.answer) for guard in program.guards}
    return [digest(ref) for ref in program.outputs], guards


MASK = (1 << 128) - 1


def hashed(*things: Any) -> int:
    return int.from_bytes(blake2b(repr(things).encode(), digest_size=16).digest(), "little")


def audit(name: str, variant: Any, retrace: Callable[[Callable[[], Follower]], Any]) -> Report:
    """Trace a function again beside the record of a variant. `retrace` runs it, and gives the `Tracing`."""
    try:
        run = retrace(partial(Follower, variant.record))
    except Exception as error:
        cause = error.__cause__ if isinstance(error, NotAlike) and error.__cause__ is not None else error
        return Report(name, "a program", f"{type(cause).__name__}: {cause}", line_of(cause))
    if run.found.key != variant.key:
        return Report(name)  # what has changed since was noticed: the next call will run another program
    follower = run.program
    follower.finish()
    was, now = variant.sources, run.trace.sources
    if follower.difference is None and not (len(was) == len(now) and all(map(same_source, was, now))):
        follower.difference = "other Values from outside", "these", "its end"
    if variant.layout != run.layout:
        follower.difference = f"results in {variant.layout}", f"results in {run.layout}", "its end"
    elif follower.difference is None or is_tie(follower.tipped, run) or digests(variant.record, was) == digests(follower, now):
        found = on_plain_numbers(run)
        return Report(name) if found is None else found
    return Report(name, *follower.difference)


def on_plain_numbers(run: Any, *, always: bool = False) -> Report | None:
    """A report on the first result that is another for plain numbers than for Values, if that is no rounding.

    With `always`, only if it is the same other one again: what differs from call to call is found by the next audit, which
    knows the line. Python's sum of floats and NumPy's functions round otherwise than the engine. What they may come to is
    estimated; where a comparison may come out otherwise because of it, nothing is said.
    """
    results = leaves(run.output)
    if run.plain is None or len(run.plain) != len(results):
        return None
    for x, plain in zip(results, run.plain):
        was, now = primal_of(x), primal_of(plain)
        is_same = was == now or not (math.isfinite(was) and math.isfinite(now))
        if not is_same and abs(was - now) > uncertainty(x) and all(is_clear(guard, run) for guard in run.program.guards):
            if always and list(map(primal_of, run.plainly() or ())) != list(map(primal_of, run.plain)):
                return None
            return Report(run.name, repr(was), repr(now), "its end", is_plain=True)
    return None


def primal_of(x: Any) -> float:
    """The number of a result; nan for what is none, as a complex number."""
    if isinstance(x, Value):
        return x._data
    try:
        return float(x.number if type(x) is Index else x)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def uncertainty(x: Any) -> float:
    """How far rounding may move a number, to the first order and with a margin; behind a jump, nobody knows."""
    if not isinstance(x, Value):
        return 0.0
    order = topological(x)
    if any(is_jump(node._primitive) for node in order if node._primitive is not None):
        return math.inf
    token = note.set(current().but(listened=False))
    try:
        cotangents = pullback(order, {x: 1.0})
    finally:
        note.reset(token)
    total = sum([abs(cotangent * node._data) for node, cotangent in cotangents.items()])
    return ROUNDING * total if total == total else math.inf


def is_jump(row: Primitive) -> bool:
    """Whether a row is not continuous everywhere, or hides a derivative."""
    return row.name in ("mod", "fmod", "atan2") or "None" in row.partials


def is_clear(guard: Guard, run: Any) -> bool:
    """Whether rounding cannot give a comparison another outcome."""
    values = {ref: value for value, ref in run.trace.refs.items() if ref in (guard.left, guard.right)}
    left, right = (run.program.number(ref) if ref < 0 else values[ref] for ref in (guard.left, guard.right))
    return abs(primal_of(left) - primal_of(right)) > uncertainty(left) + uncertainty(right)


def same_source(one: Any, other: Any) -> bool:
    """Whether two inputs are the same: by their place among the arguments, or the same Value."""
    return one is other or (isinstance(one, (int, tuple)) and one == other)


def is_tie(guard: Guard | None, run: Any) -> bool:
    """Whether a comparison has another outcome only because the program rounds otherwise than the engine."""
    if guard is None:
        return False
    numbers = {ref: value._data for value, ref in run.trace.refs.items() if ref in (guard.left, guard.right)}
    left, right = (run.program.number(ref) if ref < 0 else numbers[ref] for ref in (guard.left, guard.right))
    return bool(abs(left - right) <= TIE * max(abs(left), abs(right)))


def line_of(error: BaseException) -> str:
    """The innermost line of the user's program that an error came through."""
    found = ""
    trace = error.__traceback__
    while trace is not None:
        if is_users(trace.tb_frame):
            found = f"{trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return found or "its start"


class Auditor:
    """When a compiled function audits itself: at its second call, and then so rarely that it costs 2 % of the time at most.

    The time is that which has gone by since the last audit, by the clock. A first audit of many operations waits until then.
    """

    def __init__(self, requested: bool | None) -> None:
        self.requested = requested
        self.due = float("-inf") if requested else float("inf")  # by the clock

    def is_due(self) -> bool:
        """Whether this call is to be audited."""
        return perf_counter() >= self.due

    def wait(self, seconds: float) -> None:
        """The next audit is so long from now, unless every call is audited, or none."""
        if self.requested is None:
            self.due = perf_counter() + seconds

    def traced(self, operations: int, seconds: float) -> None:
        """The function was traced for the first time, or again: an audit would take about as long."""
        if self.due == float("inf"):
            self.wait(0.0 if operations <= AT_ONCE else seconds / SHARE)

    def audited(self, seconds: float) -> None:
        """The function was audited."""
        self.wait(seconds / SHARE)

    def failed(self) -> None:
        """The function does not do what its program does: the next call is audited too, also if it is traced anew."""
        self.wait(0.0)


class Muted:
    """Stands for a stream, and drops what one thread writes."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.thread = stream, threading.get_ident()

    def write(self, text: str) -> int:
        """Write, unless this is the thread that is muted."""
        return len(text) if threading.get_ident() == self.thread else self.stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def untouched(draws: Draws) -> Iterator[None]:
    """Random states are as they were, afterwards, unless other threads have drawn; and nothing is printed by this thread."""
    kept: list[tuple[Callable[[Any], Any], Any]] = []
    for generator in draws.generators:  # Python's own and NumPy's are among them
        if hasattr(generator, "getstate"):
            kept.append((generator.setstate, generator.getstate()))
        elif hasattr(generator, "bit_generator"):
            kept.append((partial(setattr, generator.bit_generator, "state"), generator.bit_generator.state))
        else:
            kept.append((generator.set_state, generator.get_state(legacy=False)))
    stdout = sys.stdout
    sys.stdout = Muted(stdout)
    try:
        yield
    finally:
        if isinstance(sys.stdout, Muted):
            sys.stdout = stdout
        for put_back, state in kept if draws.are_own else ():
            put_back(state)
