"""The room of calls of batches: a call taken apart into its examples and what is the same for all; a trace of one example."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from autograd.compiler.blocks import Blocks
from autograd.compiler.examples import Examples
from autograd.compiler.shadows import numbers_in
from autograd.compiler.signature import Signature
from autograd.compiler.tracing import Call
from autograd.compiler.variant import Variant, element
from autograd.trees import leaves
from autograd.value import Value

__all__ = ["Task", "Traced"]

Column = tuple[int, int]


class Traced(Variant):
    """One trace of a function of an example. `columns` tells of the things that vary, where their numbers are."""

    def __init__(
        self, function: Callable[..., Any], name: str, call: Call, sign: Callable[[], Signature], columns: Mapping[int, Column],
        backend: str, audited: bool,
    ) -> None:  # fmt: skip
        super().__init__(function, name, call, sign, backend, audited=audited)
        self.spans: dict[tuple[int, ...], dict[int, list[int]]] = {}  # by what was differentiated: the inputs of each argument
        self.programs: dict[Any, Blocks] = {}
        self.varying = {  # for each input that varies, the matrix and the column of its numbers
            place: column_of(source, columns)
            for place, source in enumerate(self.sources) if thing_of(source) in columns
        }  # fmt: skip

    def same(self, things: Sequence[Any], head: Any) -> Any:
        """The numbers of the inputs, of which those that are the same for all examples count: maybe `head` has all of them."""
        is_whole = head is not None and len(head) + len(self.varying) == len(self.sources)
        return head if is_whole else self.inputs(things, head)

    def blocks(self, key: Any, find: Callable[[], tuple[Sequence[int], Sequence[int]]], **options: Any) -> Blocks:
        """The program with derivatives with respect to the inputs that `find` finds; the options are those of `Blocks`."""
        found = self.programs.get(key)
        if found is None:
            found = self.programs[key] = Blocks(self.program, self.varying, *find(), backend=self.backend, **options)
        self.latest = found  # type: ignore[assignment]
        return found


class Task:
    """One call: its examples, and the numbers that are the same for all of them."""

    def __init__(
        self, owner: Any, call: Call, *, floats: Sequence[int] = (), skip: int = -1, head: Any = None,
        start: tuple[Signature, Callable[[], Signature]] | None = None, values: Sequence[Value] = (),
    ) -> None:  # fmt: skip
        self.owner, self.start, self.skip, self.head, self.values = owner, start, skip, head, values
        self.examples = Examples(owner.__name__)
        self.trees: dict[int, Any] = {}
        self.whole = call
        spans: list[tuple[int, int, int]] = []
        names = list(call.keywords)
        for k in owner.batch:
            name = owner.name_of(k)
            place = k if k < len(call.arguments) else len(call.arguments) + names.index(name) if name in names else -1
            if place < 0:
                raise TypeError(f"{owner.__name__} is batched by {name}, but was called without it")
            x = call.arguments[k] if k < len(call.arguments) else call.keywords[name]
            begin = len(self.examples.columns)
            self.trees[k] = self.examples.enter(x, name, as_floats=k in floats)
            spans.append((place, begin, len(self.examples.columns)))
        self.call = self.at(0)
        self.found = self.signature(self.call, named=False)
        self.places: dict[int, Column] = {}  # of things that vary: a matrix, and their first column in there
        for place, begin, end in spans:
            things = range(self.found.starts[place], self.found.starts[place + 1])
            self.places |= dict(zip(things, self.examples.columns[begin:end]))

    def at(self, k: int) -> Call:
        """The call with example k in place of all."""
        arguments, keywords = list(self.whole.arguments), dict(self.whole.keywords)
        for place, tree in self.trees.items():
            example = self.examples.example(tree, k)
            if place < len(arguments):
                arguments[place] = example
            else:
                keywords[self.owner.name_of(place)] = example
        return Call(tuple(arguments), keywords)

    def signature(self, call: Call, *, named: bool) -> Signature:
        """What must be as it was at the trace."""
        start = None if self.start is None else self.start[1]() if named else self.start[0]
        found: Signature = self.owner.signature(call, named=named, start=start, skip=self.skip)
        return found

    def traced(self, k: int) -> Traced:
        """A program for example k."""
        audited = self.owner.auditor.requested is not False
        variant: Traced = self.trace(k, partial(Traced, columns=self.places, backend=self.owner.asked, audited=audited))
        variant.check_unchanged()
        self.owner.auditor.traced(variant.size, variant.seconds)
        return variant

    def trace(self, k: int, make: Callable[..., Any]) -> Any:
        """Run the function on example k, by a class that traces."""
        call = self.at(k)
        with numbers_in(self.values, () if self.head is None else self.head.tolist()):
            return make(self.owner.function, self.owner.__name__, call, lambda: self.signature(call, named=True))

    def results(self, k: int) -> list[float]:
        """What the function returns for example k, by the engine."""
        call = self.at(k)
        with numbers_in(self.values, () if self.head is None else self.head.tolist()):
            return [float(x) for x in leaves(self.owner.function(*call.arguments, **call.keywords))]

    def check_limits(self, variant: Variant, rows: Any) -> None:
        """Raise IndexError if an integer does not index what the function indexes with it."""
        for k, limit, sources in variant.limits:
            for source in sources if k in self.places else ():
                numbers = self.numbers(source, rows)
                if numbers.min() < 0 or numbers.max() >= limit:
                    wrong = int(((numbers < 0) | (numbers >= limit)).argmax())
                    variant.check_index(source, numbers[wrong], limit, f" in example {wrong if rows is None else rows[wrong]}")

    def numbers(self, source: Any, rows: Any) -> Any:
        """The numbers of these examples (None: of all)."""
        matrix, column = column_of(source, self.places)
        numbers = self.examples.matrices[matrix][:, column]
        return numbers if rows is None else numbers[rows]

    def fitting(self, variant: Variant, rows: Any) -> Any:
        """Which examples have the integers that a trace has fixed; None for all."""
        import numpy as np

        fits = None
        for source, (_, number) in variant.fixed.items():
            if thing_of(source) in self.places:
                same = self.numbers(source, rows) == number
            else:
                same = np.full(self.examples.size if rows is None else len(rows), element(self.found.things, source) == number)
            fits = same if fits is None else fits & same
        return None if fits is None or fits.all() else fits


def thing_of(source: Any) -> Any:
    """Which thing of the signature an input is, or is a part of."""
    return source[0] if isinstance(source, tuple) else source


def column_of(source: Any, columns: Mapping[int, Column]) -> Column:
    """The matrix and the column of the numbers of an input that varies."""
    matrix, first = columns[thing_of(source)]
    return matrix, first + (source[1] if isinstance(source, tuple) else 0)
