"""What NumPy's words mean on arrays of jets: the table's words element by element, and reductions over them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from autograd.ops import Primitive

__all__ = ["numpy_words"]

Words = dict[str, Callable[..., Any]]


class Numpy:
    """NumPy, except for the words that are given."""

    def __init__(self, words: dict[str, Any]) -> None:
        self.__dict__.update(words)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def elementwise(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A function of numbers as one of arrays."""
    ufunc: Callable[..., Any] = np.frompyfunc(function, count, 1)
    return ufunc


def reduction(function: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """A function of a list as one of an array, along an axis or over all of it."""

    def reduced(array: Any, axis: int | None = None) -> Any:
        array = np.asarray(array, dtype=object)
        if axis is None:
            return function(list(array.flat))
        lines = np.moveaxis(array, axis, -1)
        out = np.empty(lines.shape[:-1], dtype=object)
        for place in np.ndindex(out.shape):
            out[place] = function(list(lines[place]))
        return out

    return reduced


def numpy_words(rows: list[Primitive], words: Words) -> Numpy:
    """NumPy for programs on jets, from the words that jets have."""
    found: dict[str, Any] = {}
    for row in rows:
        for name in (row.name, *row.aliases):
            if row.arity in (1, 2) and hasattr(np, name):
                found[name] = elementwise(words[name], row.arity)
    found["abs"] = found["absolute"]
    found["where"] = elementwise(lambda c, x, y: words["where"](1.0 if c else 0.0, x, y), 3)
    found["clip"] = elementwise(words["clip"], 3)
    found["max"] = found["amax"] = reduction(words["max"])
    found["min"] = found["amin"] = reduction(words["min"])
    found["var"] = reduction(words["var"])
    found["std"] = reduction(lambda xs: words["sqrt"](words["var"](xs)))
    found["linalg"] = SimpleNamespace(norm=reduction(words["norm"]))
    return Numpy(found)
