"""The room of points: a function at the point where it is checked, every number there by name, and lines through it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from statistics import median
from typing import Any

from autograd.arguments import argument_names, is_module, parameters_of, paths
from autograd.calculus import matching
from autograd.chain import pullback
from autograd.controls import no_grad, watched
from autograd.evaluation import differentiating
from autograd.report import Coordinate
from autograd.trees import copied, leaves, number_in, outer, rebuild, shape_of, transform
from autograd.value import Value, topological

__all__ = ["Line", "Point", "unheard"]


class Line:
    """A line through a point: one coordinate for each output, and by how much each number moves along it."""

    def __init__(self, coordinates: Sequence[Coordinate], weights: Mapping[int, float]) -> None:
        self.coordinates, self.weights = coordinates, weights

    def slope(self, derivatives: Sequence[float]) -> float:
        """The derivative along this line, from those with respect to every number."""
        terms = [derivatives[i] * weight for i, weight in self.weights.items()]
        return terms[0] if len(terms) == 1 else math.fsum(terms) if all(map(math.isfinite, terms)) else sum(terms)


class Point:
    """A function at a point: every number in its inputs by name, and the function with other numbers in their places.

    Each evaluation is given containers of its own, and parameters of modules are put back after it: whatever the function does
    to its inputs, every evaluation sees the same point, and the caller's containers stay as they are. Raises ValueError if two
    evaluations differ all the same.
    """

    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any], kind: Callable[[float], Any]) -> None:
        self.f, self.inputs, self.kind = f, inputs, kind  # the kind of number that f is given to evaluate it: Value or float
        self.arguments = argument_names(f, len(inputs))
        self.trees: list[Any] = []  # the numbers of each input in its containers; the parameters of a module
        self.names: list[str] = []
        known: set[Value] = set()
        for argument, x in zip(self.arguments, inputs):
            if is_module(x):
                fresh = {p: name for p, name in zip(parameters_of(x), paths(argument, x)) if p not in known}
                known.update(fresh)  # a module that is given twice is checked once
                self.trees.append(list(fresh))
                self.names += fresh.values()
            else:
                names = paths(argument, x)
                self.trees.append(rebuild(x, [plain(leaf, f"gradcheck, for {name},") for leaf, name in zip(leaves(x), names)]))
                self.names += names
        self.numbers = [plain(x) for x in leaves(self.trees)]
        self.has_modules = any(map(is_module, inputs))
        self.line: Any = None  # the line that is being evaluated, and the results on it
        self.seen: dict[float, list[float]] = {}
        with no_grad():
            self.output = transform(plain, results(self.call(self.numbers, kind)))
        self.first: list[float] = leaves(self.output)
        self.outputs = paths("f", self.output)
        self.is_scalar = self.outputs == ["f"]
        for what, numbers in (("the inputs have no numbers", self.numbers), ("f returns no numbers", self.first)):
            if not numbers:
                raise ValueError(f"gradcheck has nothing to check: {what}")
        self.require_steady()

    def call(self, numbers: Iterable[Any], kind: Callable[[Any], Any]) -> Any:
        """What f returns for these numbers, each made a `kind`."""
        supply = iter(numbers)
        arguments: list[Any] = []
        parameters: list[tuple[Value, Any]] = []
        for x, tree in zip(self.inputs, self.trees):
            if is_module(x):
                parameters += [(p, number) for p, number in zip(tree, islice(supply, len(tree))) if p._data != number]
                arguments.append(x)
            else:
                arguments.append(transform(kind, rebuild(tree, supply)))
        before = [(parameter, parameter._data) for parameter, _ in parameters]
        try:
            move(parameters)
            with watched(read=unheard):
                return self.f(*arguments)
        finally:
            move(before)

    def values(self, numbers: Iterable[Any]) -> list[float]:
        """The results of f for these numbers, in a row."""
        with no_grad():
            found = [plain(y) for y in leaves(results(self.call(numbers, self.kind)))]
        if len(found) != len(self.first):
            raise ValueError(f"f returns {len(self.first)} numbers at the point, and {len(found)} near it")
        return found

    def require_steady(self, times: int = 1) -> None:
        """Evaluate f again at the point itself. Raises ValueError if the results are others: no derivative explains that."""
        for _ in range(times):
            for name, before, now in zip(self.outputs, self.first, self.values(self.numbers)):
                nothing = before != before and now != now
                if not (nothing or before == now or abs(before - now) <= 1e-12 * abs(before) < math.inf):
                    raise ValueError(
                        f"{name} gives different results at the same point: {before!r} and {now!r}; if it draws random numbers, "
                        "seed its generator in every call (or switch dropout off: model.eval()), and let it keep nothing from "
                        "call to call"
                    )

    def record(self) -> tuple[list[Any], list[Value]]:
        """The results of f on Values, recorded, and the Values that stand for the numbers."""
        places = [tree if is_module(x) else transform(Value, tree) for x, tree in zip(self.inputs, self.trees)]
        with differentiating():
            returned = self.f(*[x if is_module(x) else copied(place) for x, place in zip(self.inputs, places)])
        return leaves(results(returned)), leaves(places)

    def reverse_mode(self) -> list[list[float]]:
        """The derivatives of every output with respect to every number, by the chain rule."""
        with watched(read=unheard):
            outputs, places = self.record()
        order = topological(*[y for y in outputs if isinstance(y, Value)])
        rows = []
        for y in outputs:
            cotangents = pullback(order, {y: 1.0}) if isinstance(y, Value) else {}
            rows.append([cotangents.get(place, 0.0) for place in places])
        return rows

    def handwritten(self, gradient: Callable[..., Any]) -> list[list[float]]:
        """The same, as a gradient written by hand returns them: in the containers of the inputs, or those of `jacobian`."""
        given = gradient(*[x if is_module(x) else copied(tree) for x, tree in zip(self.inputs, self.trees)])
        if given is None:
            raise TypeError("the gradient must return derivatives, not None; is a return missing?")
        count = len(self.numbers)
        marks = iter(range(count))  # where each number stands
        parts = [rebuild(tree, marks) for tree in self.trees]
        structure = parts[0] if len(parts) == 1 else tuple(parts)
        if self.is_scalar and len(parts) > 1 and isinstance(given, Mapping):
            structure = dict(zip(self.arguments, parts))
        if self.is_scalar and len(parts) == 1 and isinstance(given, (list, tuple)) and shape_of(structure) == ():
            given = given[0] if len(given) == 1 else given  # one entry per argument
        like = outer(rebuild(self.output, range(len(self.first))), structure, lambda k, i: k * count + i)
        names = ("the gradient", "the inputs have") if self.is_scalar else ("the Jacobian", "outputs times inputs are")
        try:
            derivatives = matching(given, like, *names)
        except ValueError as error:
            hint = "" if len(parts) == 1 else "; give one entry per argument, in a tuple or in a dictionary by their names"
            if not self.is_scalar:
                hint = "; the outputs stand outside and the inputs inside, as autograd.jacobian gives them"
            raise ValueError(f"{error}{hint}") from None
        found = dict(zip(leaves(like), map(plain, derivatives)))
        return [[found[k * count + i] for i in range(count)] for k in range(len(self.first))]

    def lines(self, sample: int | None, seed: int) -> Iterator[Line]:
        """One line for every number, or for some of them, drawn by the seed."""
        chosen: Sequence[int] = range(len(self.numbers))
        if sample is not None and sample < len(chosen):
            chosen = sorted(random.Random(seed).sample(chosen, sample))
        for i in chosen:

            def at(x: Any, i: int = i) -> list[Any]:
                return [*self.numbers[:i], x, *self.numbers[i + 1 :]]

            name = self.names[i]
            names = [(name, f"with respect to {name}")]
            if not self.is_scalar:
                names = [(f"{output} w.r.t. {name}", f"of {output} with respect to {name}") for output in self.outputs]
            yield Line(self.coordinates(names, self.numbers[i], at), {i: 1.0})

    def directions(self, count: int, seed: int) -> Iterator[Line]:
        """Lines along which all numbers move at once, in random directions.

        By turns, all numbers move about as fast, or each in proportion to its size: the function may vary on either scale.
        """
        draw = random.Random(seed)
        sizes = [abs(x) if math.isfinite(x) and x else 1.0 for x in self.numbers]
        for k in range(1, count + 1):
            start, speeds = (median(sizes), [1.0] * len(sizes)) if k % 2 else (1.0, sizes)
            direction = [draw.choice((-1.0, 1.0)) * draw.uniform(0.5, 1.5) * speed for speed in speeds]

            def at(t: Any, start: float = start, direction: list[float] = direction) -> list[Any]:
                return [x + (t - start) * d for x, d in zip(self.numbers, direction)]

            names = [(f"direction {k}", f"along direction {k}")]
            if not self.is_scalar:
                names = [(f"{output} along direction {k}", f"of {output} along direction {k}") for output in self.outputs]
            yield Line(self.coordinates(names, start, at), dict(enumerate(direction)))

    def coordinates(self, names: Sequence[tuple[str, str]], start: float, at: Callable[[Any], list[Any]]) -> list[Coordinate]:
        """Each output as a function along a line; an evaluation serves all of them."""

        def along(k: int) -> Callable[[float], float]:
            def value(x: float) -> float:
                if self.line is not at:
                    self.line, self.seen = at, {}
                if x not in self.seen:
                    self.seen[x] = self.values(at(x))
                return self.seen[x][k]

            return value

        def on(k: int) -> Callable[[Any], Any]:
            return lambda x: leaves(self.call(at(x), lambda number: number))[k]

        continued = self.kind is Value and not self.has_modules  # f may take complex and mpmath's numbers
        return [
            Coordinate(name, start, along(k), on(k) if continued else None, phrase)
            for k, (name, phrase) in enumerate(names)
        ]


def results(returned: Any) -> Any:
    """What f returned, every leaf a Value or a float."""
    if returned is None:
        raise TypeError("gradcheck needs a function that returns numbers, not NoneType; is a return missing?")
    return transform(lambda y: number_in(y, "gradcheck, for every result of f,"), returned)


def plain(x: Any, where: str = "gradcheck") -> float:
    """The number of a leaf."""
    found = number_in(x, where)
    return found._data if isinstance(found, Value) else found


def unheard(*_: Any) -> None:
    """Readings of numbers are no warnings in here: the report says by itself which line loses a derivative."""


def move(parameters: Iterable[tuple[Value, Any]]) -> None:
    """Give parameters these numbers."""
    for parameter, x in parameters:
        parameter.data = x
