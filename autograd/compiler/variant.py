"""The room of variants: one trace of a function, and where the numbers of a call go in its program."""

from __future__ import annotations

import gc
import warnings
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from autograd.calculus import grad
from autograd.compiler.audit import CompileMismatch, Record, on_plain_numbers, untouched
from autograd.compiler.changing import Changing, NotAlike
from autograd.compiler.executable import Executable
from autograd.compiler.program import Hint, Program, sums_of_products
from autograd.compiler.runs import Numbers, has_nan
from autograd.compiler.signature import Signature
from autograd.compiler.stand_ins import Index
from autograd.compiler.trace import TraceError
from autograd.compiler.tracing import Call, Tracing
from autograd.functions import apply
from autograd.ops import TABLE, Primitive
from autograd.trees import is_array, rebuild, transform
from autograd.value import Value, current, record

__all__ = ["Variant", "Variants", "element"]

VARIANTS = 16  # programs that are kept for one signature
SIGNATURES = 128  # signatures that are kept

FEW = 16  # results whose derivatives a compiled call finds at once; of more, the engine replays the program


@contextmanager
def collector_paused() -> Iterator[None]:
    """The cyclic collector would walk through a growing program again and again, and find nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Variant:
    """One trace of a function: valid for calls of one signature, where its guards hold."""

    varying: Mapping[int, tuple[int, int]] = {}  # inputs that vary with the example of a batch, and where their numbers are

    def __init__(
        self, function: Callable[..., Any], name: str, call: Call, sign: Callable[[], Signature], backend: str = "numpy", *,
        audited: bool = True,
    ) -> None:  # fmt: skip
        self.name, self.backend, self.edition = name, backend, TABLE.edition
        run = Tracing(function, name, call, sign, plainly=untouched if audited else None)
        if (differs := on_plain_numbers(run, always=True)) is not None:
            raise CompileMismatch(str(differs))
        trace, program, output = run.trace, run.program, run.output
        self.indices = run.indices
        self.hidden, self.changed = run.found.hidden, run.changed
        self.key, self.record, self.layout, self.seconds = run.found.key, Record(program), run.layout, run.seconds  # for audits
        self.is_scalar = isinstance(output, Value) or (hasattr(output, "__float__") and not hasattr(output, "__len__"))
        self.structure = transform(lambda _: 0.0, output)
        self.constants, self.chose = trace.constants, trace.chose
        self.nested = trace.around.nested > 0 if trace.copies else None
        self.is_undecided = False
        self.fixed = {source: (index.value.label, index.number) for source, index in self.indices.items() if index.fixed}
        self.limits = limits(self.indices)
        self.size = sum(scalar_size(row, len(refs)) for row, refs in zip(program.rows, program.operands) if row is not None)
        self.sources = trace.sources
        self.segments = segments(self.sources, run.found.head)
        self.place = {source: k for k, source in enumerate(self.sources)}  # of a thing among the inputs
        program.hints = {
            ref: Hint(value._note.scope, value._note.label)
            for value, ref in trace.refs.items() if ref >= 0 and (value._note.scope or value._note.label)
        }  # fmt: skip
        self.program = sums_of_products(program).new
        self.executables: dict[tuple[int, ...], Executable] = {}
        self.latest: Executable | None = None

    def check_unchanged(self, own: Collection[str] = ()) -> None:
        """Raise TraceError if the function changes containers of the caller, of which `own` are made for it alone."""
        if changed := [name for name in self.changed if name not in own]:
            raise TraceError(
                f"{self.name} changes its argument {changed[0]} while it runs, which its program would not do; work on a copy of "
                "it, and return what is new"
            )

    def fits(self, things: Sequence[Any]) -> bool:
        """Whether the integers that the trace has fixed are the same; and if it copies Values, whether a derivative is taken."""
        if self.nested is not None and self.nested != (current().nested > 0):
            return False
        return not self.fixed or all(element(things, source) == number for source, (_, number) in self.fixed.items())

    def inputs(self, things: Sequence[Any], head: Numbers = None) -> Numbers:
        """The numbers of all inputs, in the order of the program; `head` may stand for those of the first things."""
        return joined(self.parts(things, head))

    def parts(self, things: Sequence[Any], head: Numbers = None) -> list[Numbers]:
        """The same in parts, to be joined.

        Raises IndexError if an integer does not index what the function indexes with it.
        """
        for k, limit, sources in self.limits:
            found: Any = flat(things[k]) if isinstance(sources[0], tuple) else (things[k],)
            low, high = (found.min(), found.max()) if is_array(found) else (min(found), max(found))
            if low < 0 or high >= limit:
                for source in sources:
                    self.check_index(source, element(things, source), limit)
        parts = [
            flat(things[part]) if kind == "array" else [primal(things[k]) for k in part] if kind == "things" else
            [value._data for value in part]
            for kind, part in (self.segments if head is None else self.segments[1:])
        ]  # fmt: skip
        return parts if head is None else [head, *parts]

    def numbers(self) -> list[int]:
        """The inputs that are numbers, not integers that index: there are derivatives with respect to these."""
        return [k for k, source in enumerate(self.sources) if source not in self.indices]

    def check_index(self, source: Any, number: int, limit: int, where: str = "") -> None:
        """Raise IndexError if an integer does not index what the function indexes with it."""
        if not 0 <= number < limit:
            raise IndexError(
                f"{self.indices[source].value.label} is {number}{where}, but {self.name} indexes {limit} rows with it: "
                f"it must be from 0 to {limit - 1}"
            )

    def executable(self, wanted: tuple[int, ...]) -> Executable:
        """The program that computes the results, and the derivatives with respect to these inputs."""
        latest = self.latest  # which another thread may replace
        if latest is not None and latest.wanted is wanted:
            return latest  # without a hash of thousands of places
        found = self.executables.get(wanted)
        if found is None:
            with collector_paused():
                found = self.executables[wanted] = Executable(self.program, wanted, backend=self.backend)
        self.latest = found
        return found

    def run(self, things: Sequence[Any], wanted: tuple[int, ...] = (), head: Numbers = None) -> tuple[Numbers, Numbers] | None:
        """The results and their derivatives with respect to these inputs; None if a guard does not hold.

        None also where choices were differentiated and a result is nan: it may come from the side that was not taken. Then
        `is_undecided` says that no other program would know better; the engine does.
        """
        return self.run_parts(self.parts(things, head), wanted)

    def runner(self, wanted: tuple[int, ...]) -> Callable[[Sequence[Numbers]], tuple[Numbers, Numbers] | None]:
        """`run_parts` for these inputs, in as few steps as possible."""
        return partial(self.run_parts, wanted=wanted) if self.chose else self.executable(wanted).run

    def run_parts(self, parts: Sequence[Numbers], wanted: tuple[int, ...] = ()) -> tuple[Numbers, Numbers] | None:
        """The same for the numbers of all inputs in parts."""
        found = self.executable(wanted).run(parts)
        self.is_undecided = found is not None and self.chose and has_nan(found[0])
        return None if self.is_undecided else found

    def nodes(self, things: Sequence[Any]) -> dict[int, Value]:
        """The inputs that are Values."""
        found = {}
        for k, source in enumerate(self.sources):
            thing = things[source] if source.__class__ is int else source
            if isinstance(thing, Value):
                found[k] = thing
        return found

    def result(self, parts: Sequence[Numbers], nodes: dict[int, Value]) -> tuple[Any] | None:
        """What the function returns, with Values if there are some among the inputs; None if a guard does not hold."""
        if nodes:
            return self.as_nodes(parts, nodes)
        found = self.run_parts(parts)
        return None if found is None else (self.rebuilt(found[0]),)

    def rebuilt(self, numbers: Sequence[Any]) -> Any:
        """The results in the containers of the function."""
        if self.structure.__class__ is float:
            return numbers[0].item() if hasattr(numbers, "item") else numbers[0]
        return rebuild(self.structure, iter(numbers.tolist() if hasattr(numbers, "tolist") else numbers))

    def as_nodes(self, parts: Sequence[Numbers], nodes: dict[int, Value]) -> tuple[Any] | None:
        """The results as Values, whose operands are the Values among the inputs; None if a guard does not hold."""
        numbers = joined(parts)
        is_replayed = not current().recording or len(self.program.outputs) > FEW
        found = self.run_parts([numbers], () if is_replayed else tuple(nodes))
        if found is None:
            return None
        values, slopes = (part.tolist() if hasattr(part, "tolist") else part for part in found)
        if not current().recording:
            return (self.rebuilt(list(map(Value, values))),)
        if is_replayed:
            given = [nodes.get(k, number) for k, number in enumerate(numbers)]
            return (self.rebuilt(replay(self.program, given)),)
        return (self.recorded(nodes, numbers, values, slopes),)

    def recorded(self, nodes: dict[int, Value], numbers: Numbers, values: Sequence[float], slopes: Sequence[float]) -> Any:
        """Results with these derivatives as nodes."""
        wanted, used, width = tuple(nodes), tuple(nodes.values()), len(nodes)
        return self.rebuilt([
            record(value, Replay(self, row, numbers, wanted), used, tuple(slopes[row * width : (row + 1) * width]))
            for row, value in enumerate(values)
        ])  # fmt: skip


class Variants:
    """The programs of a function by signature; where one does not fit, a new one is traced, within bounds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.known: OrderedDict[Any, list[Variant]] = OrderedDict()
        self.edition = TABLE.edition
        self.warned: set[str] = set()
        self.prepared: list[Any] = []  # calls that run these programs without looking for them

    def forget(self) -> None:
        """Drop all programs."""
        self.known.clear()
        for ready in self.prepared:
            ready.clear()

    def fitting(self, found: Signature, trace: Callable[[], Variant], changing: Changing) -> Iterator[Variant]:
        """The programs that may fit, the latest first, and in the end a new one, unless there are too many.

        There is none either where a trace fails with numbers from outside as inputs: they are none from then on.
        """
        known = self.of(found)
        for variant in list(known):
            if variant.fits(found.things):
                if known[0] is not variant:
                    known.remove(variant)
                    known.insert(0, variant)
                yield variant
        if self.is_full(known):
            return
        try:
            with collector_paused():
                known.insert(0, trace())
        except NotAlike:
            changing.give_up()
            return
        yield known[0]

    def of(self, found: Signature) -> list[Variant]:
        """The programs of a signature, to which others may be added."""
        if self.edition != TABLE.edition:  # a primitive was registered again, and programs hold what it was
            self.edition = TABLE.edition
            self.forget()
        key = tuple(found.key)
        known = self.known.get(key)
        if known is None:
            known = self.known[key] = []
            if len(self.known) > SIGNATURES:
                self.known.popitem(last=False)
                self.warn(
                    f"{self.name} was compiled for {SIGNATURES} kinds of arguments and keeps getting others (other lengths, or "
                    "something it uses from outside that keeps changing); the oldest programs are dropped"
                )
        elif len(self.known) > 1:
            self.known.move_to_end(key)
        return known

    def is_full(self, known: Sequence[Variant]) -> bool:
        """Whether there are as many programs as are kept; then it is said once."""
        if len(known) < VARIANTS:
            return False
        guards = known[0].program.guards
        if len({tuple(variant.fixed.values()) for variant in known}) > 1:
            label, _ = next(iter(known[0].fixed.values()))
            cause = f"the integer {label} keeps changing"
            way = "pass numbers to compute with as floats, and index with autograd.take"
        else:
            cause = f"the comparison at {guards[0].line} keeps coming out otherwise"
            way = "use autograd.where, maximum or take instead"
        self.warn(f"{self.name} was compiled {VARIANTS} times, because {cause}, and runs without compilation from now on; {way}")
        return True

    def warn(self, message: str) -> None:
        """Warn once."""
        if message not in self.warned:
            self.warned.add(message)
            warnings.warn(message, RuntimeWarning, stacklevel=5)


class Replay(Primitive):
    """The operation of a compiled call: its derivatives of higher order are those of the program, on the engine."""

    __slots__ = ("numbers", "places", "row", "variant")
    is_exact = False  # arrays add up in another order than the engine

    def __init__(self, variant: Variant, row: int, numbers: Numbers, places: Sequence[int]) -> None:
        super().__init__(variant.name, "program(xs)", "slopes(xs)", public=False)
        self.variant, self.row, self.numbers, self.places = variant, row, numbers, places

    def evaluate(self, text: str, namespace: dict[str, Any], *names: str) -> Callable[..., Any]:  # noqa: ARG002 - as a row
        """The program on any operands; or its derivatives with respect to them."""
        return self.slopes if names else self.value

    def value(self, xs: Sequence[Any]) -> Any:
        """One result, by the engine."""
        given = [float(number) for number in self.numbers]
        for k, x in zip(self.places, xs):
            given[k] = x
        return replay(self.variant.program, given)[self.row]

    def slopes(self, xs: Sequence[Any], _: Any) -> list[Any]:
        """Its derivatives, by the engine.

        Raises RuntimeError if a Value has another number than when it was called, or a primitive another rule.
        """
        if self.variant.edition != TABLE.edition:
            raise RuntimeError(f"{self.variant.name} was computed before a primitive was registered again; call it again")
        for k, x in zip(self.places, xs):
            now, then = primal(x), float(self.numbers[k])
            if now != then and (now == now or then == then):
                raise RuntimeError(
                    f"{self.variant.name} was computed at another point: input {self.variant.program.names[k]} was {then!r} and "
                    f"is now {now!r}; call it again after changing .data, or differentiate before"
                )
        return grad(self.value)(list(xs))  # type: ignore[no-any-return]


def replay(program: Program, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of a program on Values, by the engine."""
    given, found = iter(inputs), []
    for row, refs in zip(program.rows, program.operands):
        if row is None:
            found.append(next(given))
        else:
            found.append(apply(row, *[found[ref] if ref >= 0 else program.number(ref) for ref in refs]))
    return [found[ref] if ref >= 0 else program.number(ref) for ref in program.outputs]


def segments(sources: Sequence[Any], head: int) -> list[tuple[str, Any]]:
    """The sources of inputs in runs: one array, several things, or several Values from outside; `head` things come first."""
    found: list[tuple[str, Any]] = []
    for source in sources:
        if isinstance(source, tuple):
            if source[1] == 0:
                found.append(("array", source[0]))
            continue
        kind = "values" if isinstance(source, Value) else "things"
        if not found or found[-1][0] != kind or (kind == "things" and source == head > 0):
            found.append((kind, []))
        found[-1][1].append(source)
    return found or [("things", [])]


def limits(indices: Mapping[Any, Index]) -> list[tuple[int, int, list[Any]]]:
    """The integers that index: of which thing, how many rows, and which of its numbers."""
    found: dict[tuple[int, int], list[Any]] = {}
    for source, index in indices.items():
        if index.limit is not None:
            k = source[0] if isinstance(source, tuple) else source
            found.setdefault((k, index.limit), []).append(source)
    return [(k, limit, sources) for (k, limit), sources in found.items()]


def joined(parts: Sequence[Numbers]) -> Numbers:
    """The numbers of all parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    for part in parts:
        if is_array(part):
            import numpy as np

            return np.concatenate(parts)
    return [number for part in parts for number in part]


def flat(thing: Any) -> Any:
    """The numbers of an array in order; those of a list as they are."""
    return thing.ravel() if is_array(thing) else thing


def element(things: Sequence[Any], source: Any) -> Any:
    """The number that a source means."""
    return flat(things[source[0]])[source[1]] if isinstance(source, tuple) else things[source]


def primal(thing: Any) -> Any:
    return thing._data if isinstance(thing, Value) else thing


def scalar_size(row: Primitive, count: int) -> int:
    """How many operations on two numbers an operation of the table stands for: a `dot` of n products is 2n - 1 of them."""
    return count - 1 if row.arity is None and count > 1 else 1
