"""The room of dependence: which nodes of a graph depend on which inputs, and which inputs meet where an operation bends.

What counts are paths, whatever number their derivatives have at this point. Of a choice (`where`, `maximum`, `relu`) all sides
count. No path leads through an operand in which an operation is flat: that of `sign`, `floor` or `stop_gradient`, the condition
of `where`. Sets of inputs are whole numbers: bit i stands for input i.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, reduce
from operator import or_
from typing import Any

from autograd.closures import Closure
from autograd.colouring import members
from autograd.functions import ON_VALUES
from autograd.ops import BUILT_IN, TABLE, Primitive
from autograd.value import Note, Value, note, topological

__all__ = ["dependences", "interactions"]

Bits = int


def dependences(order: Iterable[Value], inputs: Mapping[Value, Bits]) -> dict[Value, Bits]:
    """The inputs on which every node of a topological order depends; nodes that depend on none are left out.

    >>> x, y = Value(2.0), Value(3.0)
    >>> z = x * y.sign() + 1.0
    >>> dependences(topological(z), {x: 0b01, y: 0b10})[z]
    1
    """
    found = dict(inputs)
    known: dict[Bits, Bits] = {}  # most nodes share their set with many others: it is kept once
    for node in order:
        bits = found.get(node, 0)
        for operand in leading(node):
            bits |= found.get(operand, 0)
        if bits:
            found[node] = known.setdefault(bits, bits)
    return found


def interactions(order: Sequence[Value], root: Value, found: Mapping[Value, Bits], count: int) -> list[Bits]:
    """For each of `count` inputs, those on which the derivative of the root with respect to it depends; `found` are dependences.

    Where the partial derivative of an operation with respect to one operand depends on another, the derivatives with respect to
    all inputs of the one depend on all inputs of the other. That is symmetric, unless an own operation says that no derivative
    leads through an operand which another partial derivative has in it.
    """
    partners = [0] * count
    reached = {root}  # from which a path leads to the root
    done: set[tuple[Bits, Bits]] = set()
    for node in reversed(order):
        if node not in reached or node not in found:
            continue
        reached.update(leading(node))
        if not any(bends := bends_of(node)):
            continue
        operands = [found.get(x, 0) if isinstance(x, Value) else 0 for x in node._operands]
        unions: dict[Bits, Bits] = {0: 0}  # of what sets of operands depend on; most partial derivatives have the same set
        for one, others in zip(operands, bends):
            if others not in unions:
                unions[others] = reduce(or_, [operands[place] for place in members(others)])
            pair = one, unions[others]
            if pair not in done:
                done.add(pair)
                for i in members(one):
                    partners[i] |= pair[1]
    return partners


def leading(node: Value) -> list[Value]:
    """The operands through which a path leads from a node back, once for each use."""
    row = node._primitive
    if row is None:
        return []
    if isinstance(row, Closure):
        return [x for x, local in zip(node._operands, node._locals) if local is not None]  # type: ignore[misc]
    if row.arity is None or "None" not in row.partials:
        return [x for x in node._operands if x.__class__ is not float]  # type: ignore[misc]
    return [x for x, text in zip(node._operands, row.partials) if x.__class__ is not float and text != "None"]  # type: ignore[misc]


def bends_of(node: Value) -> Sequence[Bits]:
    """For every operand of a node, the operands on which the partial derivative with respect to it depends.

    Of the rows of the package it is the same everywhere. An own row may be a Python function, which branches as it likes: it is
    asked at this point. Raises TypeError for an operation that has no second derivatives.
    """
    row, operands = node._primitive, node._operands
    if row is None:
        return ()
    if row.name in BUILT_IN and TABLE[row.name] is row:
        return bends_of_row(row, len(operands))
    return tuple(bends_at(row, operands, node._data))


@lru_cache(maxsize=512)
def bends_of_row(row: Primitive, count: int) -> Sequence[Bits]:
    """The same for a row of the package with so many operands; no text of these looks at a number, unless it is infinite."""
    points = [Value(0.5) for _ in range(count)]
    return tuple(bends_at(row, points, 0.5))


def bends_at(row: Primitive, operands: Sequence[Any], out: float) -> list[Bits]:
    """The same for a row at a point, by the graphs of its partial derivatives."""
    token = note.set(Note())  # nobody listens: these operations belong to no program
    try:
        xs = [Value(x._data) if isinstance(x, Value) else x for x in operands]
        result = Value(out)
        result._primitive, result._operands = row, tuple(xs)
        partials = partials_of(row, xs, result)
    finally:
        note.reset(token)
    inputs = {x: 1 << k for k, x in enumerate(xs) if isinstance(x, Value)}
    found = dependences(topological(*[x for x in partials if isinstance(x, Value)]), inputs)
    return [found.get(partial, 0) if isinstance(partial, Value) else 0 for partial in partials]


def partials_of(row: Primitive, operands: Sequence[Any], out: Value) -> list[Any]:
    """The partial derivatives on Values; None for constants and where the row is flat. Of a choice they hold on all sides."""
    rules = [
        None if text == "None" else row.evaluate(text.removesuffix(" or None"), ON_VALUES.words, "out") for text in row.partials
    ]
    if row.arity is None:
        return list(rules[0](operands, out))  # type: ignore[misc]
    return [None if rule is None or x.__class__ is float else rule(*operands, out) for x, rule in zip(operands, rules)]
