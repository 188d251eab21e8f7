"""The room of containers: lists, tuples, dictionaries and arrays of numbers, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["is_array", "leaves", "rebuild", "transform"]


def is_array(tree: Any) -> bool:
    """Whether this is a NumPy array (without importing NumPy): it has dimensions, and elements in a flat order."""
    return bool(getattr(tree, "ndim", 0)) and hasattr(tree, "flat")


def leaves(tree: Any) -> list[Any]:
    """The leaves of nested containers in order (dictionaries: as they stand); None is an empty container.

    >>> leaves({"w": [1.0, 2.0], "b": (3.0, None)})
    [1.0, 2.0, 3.0]
    """
    found: list[Any] = []
    transform(found.append, tree)
    return found


def transform(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same containers with `function` of every leaf.

    >>> transform(lambda x: 2 * x, {"w": [1.0, 2.0], "b": (3.0, None)})
    {'w': [2.0, 4.0], 'b': (6.0, None)}
    """
    if tree is None:
        return None
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[transform(function, branch) for branch in tree])
    if isinstance(tree, (list, tuple)):
        return type(tree)([transform(function, branch) for branch in tree])
    if isinstance(tree, Mapping):
        return type(tree)({key: transform(function, branch) for key, branch in tree.items()})  # type: ignore[call-arg]
    if is_array(tree):
        results = [transform(function, leaf) for leaf in tree.flat]
        return array_of(results, tree.shape)
    return function(tree)


def rebuild(tree: Any, new_leaves: Iterator[Any]) -> Any:
    """The containers of `tree`, filled with new leaves in the order of `leaves`."""
    return transform(lambda _: next(new_leaves), tree)


def array_of(elements: list[Any], shape: tuple[int, ...]) -> Any:
    """A NumPy array: of floats if all elements are, else of objects."""
    import numpy as np

    if all(isinstance(element, float) for element in elements):
        return np.array(elements, dtype=float).reshape(shape)
    array = np.empty(len(elements), dtype=object)
    array[:] = elements
    return array.reshape(shape)
