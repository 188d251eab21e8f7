"""The room of copies: Values go through `copy` and `pickle` without recursion, however deep their graph is.

A copy has the numbers, gradients, labels and scopes of the original, and the class and attributes of a subclass. Hooks stay
behind, and a gradient that is itself a Value keeps only its number. While a derivative is being taken, a copy is the result of an
operation, so that no path is cut: f(x) and grad(f)(x) mean the same copy.
"""

from __future__ import annotations

from typing import Any

from autograd.ops import Primitive
from autograd.value import Note, Operand, Value, current, topological

__all__: list[str] = []

Row = tuple[float, float, Primitive | None, tuple[Any, ...], tuple[float | None, ...], dict[str, Any]]


def facts(node: Value) -> dict[str, Any]:
    """What else a copy keeps of a node: facts of its note, and what a subclass of Value adds."""
    kept = {name: getattr(node._note, name) for name in ("label", "line", "scope") if getattr(node._note, name)}
    if node.__class__ is not Value:
        kept |= {"kind": node.__class__, "attributes": dict(getattr(node, "__dict__", {}))}
    return kept


def build(row: Row) -> Value:
    """A node from its parts."""
    data, grad, primitive, operands, local, kept = row
    kind, attributes = kept.get("kind", Value), kept.get("attributes", {})
    node: Value = kind.__new__(kind)
    node._data, node._grad, node._primitive, node._operands, node._locals = data, grad, primitive, operands, local
    node._note = Note().but(**{name: fact for name, fact in kept.items() if name not in ("kind", "attributes")})
    for name, attribute in attributes.items():
        setattr(node, name, attribute)
    return node


def parts(node: Value, operands: tuple[Any, ...]) -> Row:
    """A node in parts, with other operands."""
    return node._data, float(node._grad), node._primitive, operands, node._locals, facts(node)


def restore(leaves: list[Value], rows: list[Row]) -> Value:
    """The last node of a pickled graph; operands are given as positions among the leaves and the nodes so far, or as floats."""
    nodes = list(leaves)
    for data, grad, primitive, operands, local, kept in rows:
        found = tuple([nodes[x] if isinstance(x, int) else x for x in operands])
        nodes.append(build((data, grad, primitive, found, local, kept)))
    return nodes[-1]


def reduce(self: Value) -> tuple[Any, ...]:
    """How pickle takes a Value apart: the leaves, which several Values may share, and a flat list of the rest."""
    if (read := current().read) is not None:
        read("pickle", self)
    if not self._operands:
        return build, (parts(self, ()),)
    order = topological(self)
    leaves = [node for node in order if not node._operands]
    inner = [node for node in order if node._operands]
    position = {node: i for i, node in enumerate(leaves + inner)}
    rows = [parts(node, tuple([x if isinstance(x, float) else position[x] for x in node._operands])) for node in inner]
    return restore, (leaves, rows)


def is_operation() -> bool:
    """Whether a copy is an operation: while a derivative is being taken, which passes through it."""
    around = current()
    return around.nested > 0 if around.trace is None else around.trace.around.nested > 0 or around.nested > 1


def told(node: Value, copied: Value) -> Value:
    """The copy, of which a trace must know: its number is that of the node."""
    if (trace := current().trace) is not None:
        trace.copied(node, copied)
    return copied


def copy(self: Value) -> Value:
    """Another node with the same operands."""
    return +self if is_operation() else told(self, build(parts(self, self._operands)))


def deepcopy(self: Value, memo: dict[int, Any]) -> Value:
    """The whole graph again; what the memo knows is shared."""
    if is_operation():
        return memo.setdefault(id(self), +self)  # type: ignore[no-any-return]
    for node in topological(self):
        if id(node) not in memo:
            operands: tuple[Operand, ...] = tuple([x if isinstance(x, float) else memo[id(x)] for x in node._operands])
            memo[id(node)] = told(node, build(parts(node, operands)))
    return memo[id(self)]  # type: ignore[no-any-return]


for name, method in {"__reduce__": reduce, "__copy__": copy, "__deepcopy__": deepcopy}.items():
    setattr(Value, name, method)
