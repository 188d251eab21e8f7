"""The room of patterns: where the operands of a group lie in flat memory, as steps from a start wherever they do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

from autograd.compiler.printers.names import stem
from autograd.compiler.recover import Group, Shape, Tensors, prod
from autograd.ops import Primitive, ieee

__all__ = ["Steps", "block_names", "steps", "template"]


class Steps(NamedTuple):
    """Places that lie at `start + i * by[0] + j * by[1] + ...` for the indices i, j, ... of a shape."""

    start: int
    by: tuple[int, ...]


def steps(places: Sequence[int], shape: Shape) -> Steps | None:
    """The start and the steps of places in the order of a shape; None where they are irregular.

    >>> steps([2, 3, 12, 13], (2, 2))
    Steps(start=2, by=(10, 1))
    """
    start, found = places[0], []
    for k, size in enumerate(shape):
        found.append(places[prod(shape[k + 1 :])] - start if size > 1 else 0)
    at = product(*[range(0, size * by, by) if by else (0,) * size for size, by in zip(shape, found)])
    return Steps(start, tuple(found)) if all(start + sum(offsets) == p for offsets, p in zip(at, places)) else None


def block_names(tensors: Tensors, reserved: Iterable[str]) -> list[str]:
    """A name for every block, none twice and none that the language has: of the input or the scope, or a letter."""
    taken, counts, names = set(reserved), dict[str, int](), list[str]()
    for block in tensors.blocks:
        root = stem(tensors.program, block) if isinstance(block, Group) else re.sub(r"^(?=\d)|\W", "_", block.name) or "x"
        name = root if not isinstance(block, Group) or (len(root) > 1 and root[-1] != "_") else ""
        while not name or name in taken:
            counts[root] = counts.get(root, 0) + 1
            name = f"{root}{'_' if root[-1].isdigit() else ''}{counts[root]}"
        taken.add(name)
        names.append(name)
    return names


def template(row: Primitive) -> tuple[ast.expr, str]:
    """The forward text of a row as a tree and as text, its operands in braces, division and powers as calls.

    >>> from autograd.ops import TABLE
    >>> template(TABLE["div"])[1]
    'div({x}, {y})'
    """
    tree = ast.parse(ieee(row.forward), mode="eval").body
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in row.operands:
            node.id = f"{{{node.id}}}"
    return tree, ast.unparse(tree)
