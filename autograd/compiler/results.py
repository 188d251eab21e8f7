"""The room of results: what the programs of a batch find for parts of its examples, put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autograd.compiler.blocks import Found
from autograd.trees import is_array, leaves, transform
from autograd.value import Value

__all__ = ["Result", "in_arrays", "merged", "stacked"]


class Result:
    """Values and derivatives of parts of a batch, put together."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.variant: Any = None  # one of the programs
        self.values: Any = None
        self.slopes: Any = None
        self.each: Any = None

    def add(self, variant: Any, rows: Any, found: Found, *, summed: bool) -> None:
        """One part more."""
        import numpy as np

        if self.values is None:
            self.variant = variant
            if rows is None and not len(found.refused):
                self.values, self.slopes, self.each = found.values, found.slopes, found.each
                return
            self.values = np.zeros(len(found.values)) if summed else np.empty((len(found.values), self.size))
            self.slopes = 0.0
            self.each = np.empty((len(found.each), self.size))
        rows = np.arange(self.size) if rows is None else rows
        kept = np.setdiff1d(np.arange(len(rows)), found.refused)
        if summed:
            self.values = self.values + found.values
            self.slopes = self.slopes + found.slopes
        else:
            self.values[:, rows[kept]] = found.values[:, kept]
        self.each[:, rows[kept]] = found.each[:, kept]


def in_arrays(results: Sequence[Any]) -> Any:
    """What the function returned for every example, stacked."""
    import numpy as np

    columns = [np.array(list(map(float, column))) for column in zip(*map(leaves, results))]
    return stacked(transform(lambda _: 0.0, results[0]), iter(columns))


def merged(nodes: Sequence[Value], slopes: Any, others: Sequence[Value], more: Any) -> tuple[list[Value], Any]:
    """Derivatives by two lists of Values, added."""
    import numpy as np

    union = list(dict.fromkeys([*nodes, *others]))
    place = {node: k for k, node in enumerate(union)}
    found = np.zeros((len(slopes), len(union)))
    found[:, [place[node] for node in nodes]] += slopes
    found[:, [place[node] for node in others]] += more
    return union, found


def stacked(tree: Any, columns: Iterator[Any]) -> Any:
    """Results of all examples: an array in place of a number or a list of numbers."""
    import numpy as np

    if tree is None:
        return None
    if isinstance(tree, Mapping):
        return {key: stacked(part, columns) for key, part in tree.items()}
    if isinstance(tree, tuple):
        parts = [stacked(part, columns) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    if isinstance(tree, list) or is_array(tree):
        try:
            shape = np.array(tree, dtype=float).shape
        except (TypeError, ValueError):
            return [stacked(part, columns) for part in tree]
        return np.stack([next(columns) for _ in leaves(tree)], axis=-1).reshape(-1, *shape)
    return next(columns)
