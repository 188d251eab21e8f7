"""The room of stacks: boxes of a folded view that look the same and stand side by side, as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.graphs import CROWD, Fold, Graph

__all__ = ["columns", "stacks"]


def stacks(graph: Graph, fold: Fold, columns: Sequence[int], *, labelled: bool = True) -> list[list[int]]:
    """The boxes of a view, by their places, those of equal shape in one column together.

    Links lead from column to column, so stacks make no cycle. Single values are equal if their operations and, where
    `labelled`, their labels are. More than eight boxes of leaves that the same stacks use are one box too.
    """
    found: dict[Any, list[int]] = {}
    for i, box in enumerate(fold.boxes):
        node = graph.nodes[box.nodes[0]]
        key: Any = i
        if box.path:
            key = (len(box.path), box.shape, columns[i])
        elif box.single:
            key = (node.kind, node.op, node.label if labelled else "", columns[i])
        found.setdefault(key, []).append(i)
    groups = list(found.values())
    place = {i: at for at, group in enumerate(groups) for i in group}
    users: list[set[int]] = [set() for _ in groups]
    for link in fold.links:
        users[place[link.source]].add(place[link.target])
    crowds: dict[frozenset[int], list[int]] = {}
    for at, group in enumerate(groups):
        box = fold.boxes[group[0]]
        if not box.path and graph.nodes[box.nodes[0]].kind == "leaf":
            crowds.setdefault(frozenset(users[at]), []).append(at)
    first = {at: crowd[0] for crowd in crowds.values() if len(crowd) > CROWD for at in crowd}
    joined: dict[int, list[int]] = {}
    for at, group in enumerate(groups):
        joined.setdefault(first.get(at, at), []).extend(group)
    return list(joined.values())


def columns(fold: Fold) -> list[int]:
    """The column of every box: the longest path that leads to it; boxes without operands stand just before their first use.

    >>> from autograd import Value
    >>> columns(Graph(Value(1.0) * 2.0 + 3.0).fold())
    [0, 0, 1, 1, 2]
    """
    column = [0] * len(fold.boxes)
    first_use: dict[int, int] = {}
    made = {link.target for link in fold.links}
    for link in fold.links:  # in the order of their sources: those are settled
        column[link.target] = max(column[link.target], column[link.source] + 1)
    for link in fold.links:
        first_use[link.source] = min(column[link.target], first_use.get(link.source, column[link.target]))
    for place, use in first_use.items():
        if place not in made:
            column[place] = use - 1
    return column
