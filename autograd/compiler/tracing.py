"""The room of tracing: one run of a function on what stands for the numbers of a call."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

from autograd.compiler.changing import NotAlike, Placed
from autograd.compiler.draws import Draws
from autograd.compiler.given import Given, as_array
from autograd.compiler.kinds import unravel
from autograd.compiler.program import Program
from autograd.compiler.signature import Signature
from autograd.compiler.stand_ins import Index
from autograd.compiler.trace import Trace, TraceError
from autograd.floats import number, unboxed
from autograd.trees import is_array, leaves, transform
from autograd.value import Value, current, note

__all__ = ["Call", "Tracing"]


class Call(NamedTuple):
    """What a function is called with."""

    arguments: Sequence[Any]
    keywords: Mapping[str, Any]


class Tracing:
    """A function that was run on Values, and what it did: written down in a `program`, inside the context `around`.

    With `plainly`, it is run on the numbers themselves too, inside that context.
    """

    def __init__(
        self, function: Callable[..., Any], name: str, call: Call, sign: Callable[[], Signature], *,
        program: Callable[[], Program] = Program, around: Callable[[Draws], AbstractContextManager[Any]] = nullcontext,
        plainly: Callable[[Draws], AbstractContextManager[Any]] | None = None,
    ) -> None:  # fmt: skip
        started = perf_counter()
        found = sign()
        if found.hooked:
            raise TraceError(f"{found.hooked} has a forward hook, which a program would not call; remove it, or do not compile")
        self.name, self.make, self.around = name, program, around
        self.indices: dict[int | tuple[int, int], Index] = {}  # the integers by their sources
        numbers = list(map(primal, found.things))
        trace, output = self.traced(function, call, found, sign)
        if trace.draws.happened:  # or another thread has: look again
            trace, output = self.traced(function, call, found, sign, alone=True)
        found.owners.clear()  # weak references tell whether somebody keeps an object
        if (changed := found.change(numbers, sign())) is not None:
            raise TraceError(
                f"{name} changes {changed} while it runs, which its program would not do; return what is new instead, or change "
                f"{changed} outside"
            )
        self.trace, self.output, self.found, self.program = trace, output, found, trace.program
        self.program.outputs = [
            trace.reference(x) if isinstance(x, Value) else self.program.constant(number(x, f"a result of {name}"))
            for x in [x.value if type(x) is Index else x for x in leaves(output)]
        ]  # fmt: skip
        self.plainly = None if plainly is None else partial(self.on_plain_numbers, function, call, found, plainly)
        self.plain = None if self.plainly is None else self.plainly()
        self.seconds = perf_counter() - started

    @property
    def layout(self) -> str:
        """The containers of the results, as text."""
        return repr(transform(lambda _: 0.0, self.output))

    def traced(
        self, function: Callable[..., Any], call: Call, found: Signature, sign: Callable[[], Signature], *, alone: bool = False
    ) -> tuple[Trace, Any]:
        """A trace of the function, and what it returns; `alone` as in `Draws`.

        Integers are inputs first. A function that asks for their type, keeps a cache of what it was called with, or fails on what
        stands for them, gets them as they are.
        Raises NotAlike if it fails on numbers from outside that are inputs.
        """
        around, numbers = found.around, list(map(primal, found.things))
        is_asking = "type" in around.names or around.has_cache
        for is_exact in (True,) if is_asking else (False, True):
            try:
                return self.run_once(function, call, found, is_exact=is_exact, alone=alone)
            except Exception as error:
                if found.change(numbers, sign()) is not None:  # to run it again would change that again
                    raise
                if is_exact or not self.indices:
                    if found.changing:
                        raise NotAlike from error
                    raise
        raise AssertionError  # one of them has returned or raised

    def run_once(
        self, function: Callable[..., Any], call: Call, found: Signature, *, is_exact: bool, alone: bool
    ) -> tuple[Trace, Any]:
        """The same in one go; with `is_exact`, integers are what they are, and fixed."""
        paths = found.paths or []
        trace = Trace(
            lambda x: (found.seen[x], paths[found.seen[x]]) if x in found.seen else None, found.generators, self.make()
        )
        self.indices.clear()
        stand_ins = list(self.entered(trace, found, is_exact=is_exact))
        outside = {
            path: self.number(trace, k, found.things[k], path, integer=found.kinds[k] == "integer")
            for path, k in found.changing.items()
        }  # fmt: skip
        placed = Placed(found, outside)
        given = Given(iter(stand_ins), placed.objects)
        arguments = [given.of(x, found.marks[k][1]) for k, x in enumerate(call.arguments)]
        keywords = {name: given.of(x, name) for name, x in call.keywords.items()}
        with self.around(trace.draws):
            output = unboxed(trace.run(placed.around(function), arguments, keywords, alone=alone))
        self.changed = given.changed()
        if not placed.is_unchanged() or any(self.indices[k].fixed for k in found.changing.values() if k in self.indices):
            raise NotAlike(f"{self.name} needs {', '.join(found.changing)} as it is")
        return trace, output

    def on_plain_numbers(
        self, function: Callable[..., Any], call: Call, found: Signature, around: Callable[[Draws], AbstractContextManager[Any]]
    ) -> list[Any] | None:
        """The results for the numbers themselves, by the engine; None where the function does not take them."""
        given = Given(None, {})
        arguments = [given.of(x, "") for x in call.arguments]
        keywords = {name: given.of(x, name) for name, x in call.keywords.items()}
        np = sys.modules.get("numpy")
        token = note.set(current().but(watch=ignored))  # whoever is watched is not compiled
        try:
            with around(Draws(found.generators)), nullcontext() if np is None else np.errstate(all="ignore"):
                return leaves(unboxed(function(*arguments, **keywords)))
        except Exception:  # it asks for what Values alone have, or divides by 0
            return None
        finally:
            note.reset(token)

    def entered(self, trace: Trace, found: Signature, *, is_exact: bool) -> Iterator[Any]:
        """Make inputs of the arguments, and give what the function gets in place of each number and array."""
        for k in range(found.starts[-1]):
            kind, thing, path = found.kinds[k], found.things[k], (found.paths or [])[k]
            if kind == "Value":
                trace.enter(thing, k, path, parameter=True)
            elif kind in ("array", "integers"):
                shape = thing.shape if is_array(thing) else (len(thing),)
                values: list[Any] = []
                for j, number in enumerate(thing.ravel().tolist() if is_array(thing) else thing):
                    name = f"{path}.{'.'.join(map(str, unravel(j, shape)))}"
                    values.append(self.number(trace, (k, j), number, name, integer=kind == "integers"))
                    if is_exact and kind == "integers":
                        values[-1].fix()
                if is_exact and kind == "integers":
                    yield copy(thing)
                else:
                    yield as_array(values, shape) if is_array(thing) else type(thing)(values)
            else:
                found_number = self.number(trace, k, thing, path, integer=kind == "integer")
                yield found_number.fix() if is_exact and kind == "integer" else found_number

    def number(self, trace: Trace, source: Any, number: Any, name: str, *, integer: bool) -> Any:
        """What the function gets in place of a number."""
        value = trace.input(source, float(number), name)
        if not integer:
            return value
        value.label = name
        self.indices[source] = Index(number, value)
        return self.indices[source]


def ignored(node: Value) -> None:
    """Nobody looks at an operation."""


def primal(thing: Any) -> Any:
    return thing._data if isinstance(thing, Value) else thing
