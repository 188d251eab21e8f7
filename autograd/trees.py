"""The room of containers: lists, tuples, dictionaries and arrays of numbers, taken apart and put together again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["is_array", "leaves", "paired", "rebuild", "transform"]


def is_array(tree: Any) -> bool:
    """Whether this is a NumPy array (without importing NumPy): it has dimensions. Arrays of other libraries are none."""
    return hasattr(type(tree), "setflags") and tree.ndim > 0


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
    if isinstance(tree, defaultdict):
        return defaultdict(tree.default_factory, {key: transform(function, branch) for key, branch in tree.items()})
    if isinstance(tree, Mapping):
        return type(tree)({key: transform(function, branch) for key, branch in tree.items()})  # type: ignore[call-arg]
    if is_array(tree):
        results = [transform(function, leaf) for leaf in tree.flat]
        return array_of(results, tree.shape)
    return function(tree)


def rebuild(tree: Any, new_leaves: Iterator[Any]) -> Any:
    """The containers of `tree`, filled with new leaves in the order of `leaves`."""
    return transform(lambda _: next(new_leaves), tree)


def paired(tree: Any, like: Any) -> list[Any]:
    """The leaves of `tree` in the order of `like`: dictionaries pair up by their keys, whatever order they were written in.

    Raises ValueError where the keys differ.

    >>> paired({"b": 1.0, "w": 2.0}, {"w": 0.0, "b": 0.0})
    [2.0, 1.0]
    """
    if isinstance(like, Mapping):
        if not isinstance(tree, Mapping) or tree.keys() != like.keys():
            raise ValueError(f"{tree!r} must have the keys {list(like)}")
        return [leaf for key, branch in like.items() for leaf in paired(tree[key], branch)]
    if isinstance(like, (list, tuple)) and isinstance(tree, (list, tuple)) and len(tree) == len(like):
        return [leaf for branch, alike in zip(tree, like) for leaf in paired(branch, alike)]
    return leaves(tree)


def array_of(elements: list[Any], shape: tuple[int, ...]) -> Any:
    """A NumPy array: of floats if all elements are, else of objects."""
    import numpy as np

    if all(isinstance(element, float) for element in elements):
        return np.array(elements, dtype=float).reshape(shape)
    array = np.empty(len(elements), dtype=object)
    array[:] = elements
    return array.reshape(shape)
