"""The room of evaluations: a function run on fresh Values in place of its numbers, ready to be differentiated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any

from autograd.chain import pullback
from autograd.readings import Readings
from autograd.trees import branches, copied, leaves, number_in, places, transform
from autograd.value import Value, current, note, topological

__all__ = ["Argnums", "Evaluation", "Function", "chosen_by", "differentiating", "listener"]

Function = Callable[..., Any]
Argnums = int | Sequence[int]


class Evaluation:
    """A function evaluated on fresh Values, ready to be differentiated with respect to them."""

    def __init__(self, function: Function, arguments: Sequence[Any], argnums: Argnums, keywords: dict[str, Any]) -> None:
        self.name = getattr(function, "__name__", repr(function))
        arguments, chosen = list(arguments), chosen_by(argnums)
        for i in chosen:
            if not -len(arguments) <= i < len(arguments):
                raise TypeError(
                    f"{self.name} is differentiated with respect to argument {i}, but was called with {len(arguments)} arguments"
                )
        given = [leaf for i in chosen for leaf in leaves(arguments[i])]
        self.nested = current().nested > 0 or any(isinstance(leaf, Value) for leaf in given)
        self.inputs: list[Value] = []  # one fresh Value for every number, also where one Value was given twice
        picked = []
        with differentiating():
            for i in chosen:
                start = len(self.inputs)
                try:
                    picked.append(transform(self.fresh, arguments[i]))
                except (TypeError, OverflowError) as error:
                    raise type(error)(f"{error}{place_of(function, arguments, i, len(self.inputs) - start)}") from None
                arguments[i] = copied(picked[-1])  # the function's own, to change as it likes
        self.structure: Any = picked[0] if isinstance(argnums, Integral) else tuple(picked)
        self.readings = listener(self.inputs)
        with differentiating(read=self.readings or current().read):
            self.returned = function(*arguments, **keywords)
        if self.readings is not None:
            self.readings.returned()

    def fresh(self, leaf: Any) -> Value:
        """A Value in place of a number that is given."""
        x = number_in(leaf, f"an argument of {self.name}")
        self.inputs.append(+x if isinstance(x, Value) else Value(x))
        return self.inputs[-1]

    @property
    def scalar(self) -> Any:
        """The output, which must be one number."""
        output = copied(self.returned)  # an array of no dimensions is the Value in it
        if isinstance(output, Value):
            return output
        hint = "; use autograd.jacobian for several outputs" if branches(output) is not None else ""
        if output is None:
            hint = "; is a return missing?"
        if not hasattr(output, "__float__") or hint:
            raise TypeError(f"{self.name} must return one number, not {type(output).__name__}{hint}")
        return Value(output)

    def outputs(self) -> Any:
        """The output in containers of its own, every leaf a Value or a float."""
        if self.returned is None:
            raise TypeError(f"{self.name} must return numbers, not NoneType; is a return missing?")
        return transform(lambda y: number_in(y, f"the result of {self.name}"), self.returned)

    def graph(self, *outputs: Any) -> list[Value]:
        """What the outputs were made from, in order; a warning if no input is there, and nothing says why."""
        order = topological(*[y for y in outputs if isinstance(y, Value)])
        if self.readings is not None and outputs:
            self.readings.result(self.name, self.inputs, order)
        return order

    def cotangents(self, order: Sequence[Value], seeds: dict[Value, Any]) -> dict[Value, Any]:
        """The derivatives with respect to the inputs that are used."""
        with differentiating(self.nested):
            found = pullback(order, seeds, create_graph=self.nested)
        return {x: found[x] for x in self.inputs if x in found}

    def pull(self, order: Sequence[Value], seeds: dict[Value, Any]) -> Any:
        """The derivatives in the containers of the inputs as they were given; 0.0 for inputs that are not used."""
        found = self.cotangents(order, seeds)
        return transform(lambda x: found.get(x, 0.0), self.structure)

    def finish(self, tree: Any) -> Any:
        """A result as the caller sees it: Values if derivatives are nested, else floats."""
        return tree if self.nested else transform(lambda x: x._data if isinstance(x, Value) else x, tree)


def chosen_by(argnums: Argnums) -> list[int]:
    """The places of the arguments with respect to which a function is differentiated."""
    chosen = list(argnums) if isinstance(argnums, Iterable) and not isinstance(argnums, str) else [argnums]
    for i in chosen:
        if not isinstance(i, Integral):
            raise TypeError(f"argnums are whole numbers, not {type(i).__name__} {i!r}")
    return list(map(int, chosen))


def place_of(function: Function, arguments: Sequence[Any], i: int, k: int) -> str:
    """What a message says of the k-th entry of a container, the i-th argument; nothing of an argument that is no container."""
    from autograd.arguments import argument_names  # not needed before something is wrong

    name = argument_names(function, len(arguments))[i]
    place = places(arguments[i], name)[k]
    return "" if place == name else f"; it is {place}: leave it out, or pass it as an argument of its own"


@contextmanager
def differentiating(nested: bool = True, **facts: Any) -> Iterator[None]:
    """Operations are recorded in here, also under `no_grad`."""
    token = note.set(current().but(recording=True, nested=current().nested + nested, **facts))
    try:
        yield
    finally:
        note.reset(token)


def listener(inputs: Sequence[Value]) -> Readings | None:
    """Who warns of lost derivatives in here; None where somebody else, a trace say, listens already."""
    outer = current().read
    return Readings(inputs, outer) if outer is None or isinstance(outer, Readings) else None
