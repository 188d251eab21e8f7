"""The room of examples: arguments with an axis of examples in front, taken apart into one example and columns of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from autograd.trees import is_array
from autograd.value import Value

__all__ = ["Examples", "Part", "example_of", "length_of"]


class Part(NamedTuple):
    """An array of examples: which of the matrices (a row for each example) it is, and what one example of it looks like."""

    matrix: int
    shape: tuple[int, ...]
    is_list: bool  # whether an example is a list of numbers rather than an array


class Examples:
    """The batched arguments of a call.

    An array, or a list of numbers or of equally long lists, has the examples along its first axis; a tuple or a dictionary has
    batched parts. A list of tuples, dictionaries or arrays is a list of examples too.
    """

    def __init__(self, name: str) -> None:
        self.name = name  # of the function
        self.matrices: list[Any] = []
        self.size = 0  # how many examples there are
        self.path = ""  # the first part that tells
        self.columns: list[tuple[int, int]] = []  # for each thing that a trace sees: a matrix, and its first column in there

    def enter(self, x: Any, path: str, *, as_floats: bool = False) -> Any:
        """Take a batched argument apart. Returns it with a `Part` in place of every array; see `example` and `filled`.

        Raises TypeError for what has no axis of examples, and ValueError where their numbers or sizes differ.
        """
        if isinstance(x, Mapping):
            return {key: self.enter(part, f"{path}.{key}", as_floats=as_floats) for key, part in x.items()}
        if isinstance(x, tuple):
            parts = [self.enter(part, f"{path}.{k}", as_floats=as_floats) for k, part in enumerate(x)]
            return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)
        if isinstance(x, list) and x and isinstance(x[0], (Mapping, tuple)):
            return self.enter(self.turned(x, path), path, as_floats=as_floats)
        if not is_array(x) and not isinstance(x, list):
            raise TypeError(
                f"{path} of {self.name} is batched: it must be an array or a list with the examples along its first axis, "
                f"not {type(x).__name__} {x!r}"
            )
        return self.array(x, path, as_floats=as_floats)

    def turned(self, x: list[Any], path: str) -> Any:
        """A list of containers as a container of lists."""
        first = x[0]
        keys = list(first) if isinstance(first, Mapping) else range(len(first))
        for k, example in enumerate(x):
            alike = type(example) is type(first) and len(example) == len(first)
            if not alike or (isinstance(first, Mapping) and example.keys() != first.keys()):
                raise ValueError(f"{path}.{k} of {self.name} is {example!r}, but the first example is {first!r}")
        parts = [[example[key] for example in x] for key in keys]
        if isinstance(first, Mapping):
            return dict(zip(keys, parts))
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)

    def array(self, x: Any, path: str, *, as_floats: bool) -> Part:
        """One more array."""
        try:
            import numpy as np
        except ImportError:
            raise ImportError("a batch needs NumPy: install numpy, or call the function example by example") from None
        if isinstance(x, list) and contains_value(x):
            raise TypeError(f"{path} of {self.name} is batched, so it must be plain numbers, not Values; write Value.data")
        try:
            array = np.asarray(x)
        except ValueError:
            raise ValueError(f"the examples in {path} of {self.name} are of different lengths; a batch has equal ones") from None
        kind = array.dtype.kind
        if kind not in "fiub":
            raise TypeError(f"{path} of {self.name} is batched, so it must be numbers, not {array.dtype}")
        if kind == "f" or as_floats:
            array = np.asarray(array, dtype=float)
        elif kind == "b":
            array = array.astype(int)
        if not len(array):
            raise ValueError(f"{path} of {self.name} is an empty batch; it must have at least one example")
        if self.matrices and len(array) != self.size:
            raise ValueError(f"{self.path} of {self.name} has {self.size} examples, but {path} has {len(array)}")
        if not self.matrices:
            self.size, self.path = len(array), path
        matrix, shape = len(self.matrices), array.shape[1:]
        is_list = isinstance(x, list) and not (x and is_array(x[0]))
        self.matrices.append(array.reshape(len(array), -1))
        count = self.matrices[-1].shape[1]
        width = count if shape and not is_list else shape[-1] if shape and array.dtype.kind in "iu" else 1
        self.columns += [(matrix, j) for j in range(0, count, max(width, 1))]
        return Part(matrix, shape, is_list)

    def example(self, tree: Any, k: int) -> Any:
        """Example k of an argument that `enter` has taken apart."""
        return mapped(lambda part: self.one(part, k), tree)

    def one(self, part: Part, k: int) -> Any:
        """Example k of one array."""
        row = self.matrices[part.matrix][k]
        if not part.shape:
            return row[0].item()
        return row.reshape(part.shape).tolist() if part.is_list else row.reshape(part.shape)

    def filled(self, tree: Any, numbers: Any, scale: float) -> Any:
        """The containers of an argument, with the rows of numbers for its columns, one for each example, times `scale`."""
        start = 0

        def fill(part: Part) -> Any:
            nonlocal start
            width = self.matrices[part.matrix].shape[1]
            rows = numbers[start : start + width]
            rows = rows if scale == 1.0 else rows * scale
            start += width
            return rows.T.reshape(-1, *part.shape)

        return mapped(fill, tree)


def mapped(function: Callable[[Part], Any], tree: Any) -> Any:
    """Containers with something in place of every part."""
    if isinstance(tree, Part):
        return function(tree)
    if isinstance(tree, dict):
        return {key: mapped(function, part) for key, part in tree.items()}
    parts = [mapped(function, part) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)


def contains_value(x: Any) -> bool:
    """Whether the first number of nested lists is a Value."""
    while isinstance(x, (list, tuple)) and x:
        x = x[0]
    return isinstance(x, Value)


def length_of(x: Any) -> int:
    """How many examples a batched argument has, whatever they are made of."""
    while isinstance(x, (Mapping, tuple)):
        x = next(iter(x.values() if isinstance(x, Mapping) else x))
    return len(x)


def example_of(x: Any, k: int) -> Any:
    """Example k of a batched argument, whatever it is made of."""
    if isinstance(x, Mapping):
        return {key: example_of(part, k) for key, part in x.items()}
    if isinstance(x, tuple):
        parts = [example_of(part, k) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)
    return x[k]
