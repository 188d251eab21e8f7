"""The room of what a traced function is given: its arguments, with stand-ins in place of their numbers."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autograd.compiler.kinds import EXACT, kind_of, numpy_of

__all__ = ["Given", "as_array"]


class Given:
    """Arguments with their numbers and arrays replaced, in the order in which `Signature.argument` finds them.

    Containers become others of their kind, with the same attributes; one that comes twice is one again. Without `stand_ins`, the
    numbers are what they are.
    """

    def __init__(self, stand_ins: Iterator[Any] | None, objects: Mapping[int, Any]) -> None:
        self.stand_ins, self.objects = stand_ins, objects  # `objects`: what takes the place of objects, by their identity
        self.made: dict[int, tuple[Any, str, list[Any]]] = {}  # by the container: what it became, its argument, and its parts

    def of(self, x: Any, name: str) -> Any:
        """What stands for an argument, or for a part of it."""
        kind = "float" if x.__class__ is float else kind_of(x)
        if kind == "outside":
            return self.objects.get(id(x), x)
        if kind in ("float", "integer"):
            return self.stand_in(x)
        if kind == "number":
            return self.of(numpy_of(x).item(), name)
        found = self.container(x, kind, name)
        if id(x) in self.made:
            known, other, parts = self.made[id(x)]
            self.made[id(x)] = known, f"{other} and {name}", parts
            return known
        self.made[id(x)] = (found, name, parts_of(found))
        return found

    def stand_in(self, x: Any) -> Any:
        """What stands for the next number or array."""
        return copy.copy(x) if self.stand_ins is None else next(self.stand_ins)

    def container(self, x: Any, kind: str, name: str) -> Any:
        """A container like another."""
        if kind == "integers":
            return self.stand_in(x)
        if kind == "floats":
            return type(x)([self.stand_in(part) for part in x])
        if kind == "array":
            return like(self.stand_in(x), x)
        if kind == "elements":
            return like(as_array([self.of(part, name) for part in x.ravel().tolist()], x.shape), x)
        if kind == "dict":
            made = {key: self.of(part, name) for key, part in x.items()}
            if type(x) is dict:
                return made
            found = copy.copy(x)
            for key, part in made.items():
                dict.__setitem__(found, key, part)
            return found
        parts = [self.of(part, name) for part in x]
        if type(x) in EXACT:
            return parts if type(x) is list else tuple(parts)
        if kind == "list":
            found = copy.copy(x)
            list.__setitem__(found, slice(None), parts)
            return found
        found = tuple.__new__(type(x), parts)
        vars(found).update(vars(x)) if hasattr(x, "__dict__") else None
        return found

    def changed(self) -> list[str]:
        """The arguments whose containers the function has changed."""
        names = []
        for found, name, parts in self.made.values():
            now = parts_of(found)
            if len(now) != len(parts) or any(part is not other for part, other in zip(now, parts)):
                names.append(name)
        return names


def parts_of(x: Any) -> list[Any]:
    """What is in a container, keys included."""
    if isinstance(x, dict):
        return [*x.keys(), *x.values()]
    return x.ravel().tolist() if hasattr(x, "ravel") else list(x)


def like(array: Any, x: Any) -> Any:
    """An array of stand-ins as one of the same class."""
    import numpy as np

    if type(x) is np.ndarray or not isinstance(x, np.ndarray):
        return array
    found = array.view(type(x))
    if hasattr(x, "__dict__"):
        vars(found).update(vars(x))
    return found


def as_array(values: list[Any], shape: Sequence[int]) -> Any:
    """An array of things, on which NumPy's words mean the table's."""
    from autograd.arrays.elements import filled
    from autograd.arrays.protocols import Array

    return filled(values, shape).view(Array)
