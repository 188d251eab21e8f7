"""The room of the chain rule: it stands here once, for floats and for Values, backward and forward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add, mul
from typing import Any

from autograd.floats import number
from autograd.functions import FUNCTIONS, ON_VALUES, local_derivatives
from autograd.value import Operand, Value, current, topological

__all__ = ["backward", "pullback", "pushforward"]


def pullback(order: Sequence[Value], seeds: Mapping[Value, Any], *, create_graph: bool = False) -> dict[Value, Any]:
    """Carry derivatives from results back to everything they were made from: reverse mode.

    `order` is a topological order and `seeds` holds the cotangents of the results. Every node, last first, tells each of its
    operands its local derivative and its own cotangent; the cotangent of a node is the sum of the products it was told,
    in that order, which fixes the last bit. With `create_graph` the local derivatives are Values themselves, so that the
    answer can be differentiated again.
    """
    told: dict[Any, list[Any]] = {node: [1.0, seed] for node, seed in seeds.items()}
    cotangents: dict[Value, Any] = {}
    choices = current().choices if create_graph else None
    for node in reversed(order):
        terms = told.pop(node, None)
        if terms is None:
            continue  # no path leads from here to a result
        cotangent = terms[0] * terms[1] if len(terms) == 2 else sum_of_products(terms)
        if node._note.hooks:
            cotangent = listened(node, cotangent)
        cotangents[node] = cotangent
        if choices is not None and (partials := choices(node)) is not None:
            for operand, local in zip(node._operands, partials):
                if local is not None:
                    told.setdefault(operand, []).extend((local, FUNCTIONS["where"](local, cotangent, 0.0)))
            continue
        for operand, local in zip(node._operands, locals_on_values(node) if create_graph else node._locals):
            if local is not None:
                terms = told.get(operand)
                if terms is None:
                    told[operand] = [local, cotangent]
                else:
                    terms += (local, cotangent)
    if (carried := current().carried) is not None:
        carried(order, cotangents)
    return cotangents


def pushforward(order: Sequence[Value], seeds: Mapping[Value, Any], *, create_graph: bool = False) -> dict[Value, Any]:
    """Carry derivatives from inputs on to everything made from them: forward mode.

    `seeds` holds the tangents of the inputs; the tangent of a node is the sum of the products of its local derivatives and the
    tangents of its operands.
    """
    tangents: dict[Value, Any] = dict(seeds)
    choices = current().choices if create_graph else None
    for node in order:
        if node in seeds:
            continue
        terms: list[Any] = []
        if choices is not None and (partials := choices(node)) is not None:
            for operand, local in zip(node._operands, partials):
                if local is not None and operand in tangents:
                    terms += (local, FUNCTIONS["where"](local, tangents[operand], 0.0))  # type: ignore[index]
            if terms:
                tangents[node] = sum_of_products(terms)
            continue
        for operand, local in zip(node._operands, locals_on_values(node) if create_graph else node._locals):
            if local is not None and operand in tangents:
                terms += (local, tangents[operand])  # type: ignore[index]
        if terms:
            tangents[node] = sum_of_products(terms)
    return tangents


def sum_of_products(terms: Sequence[Any]) -> Any:
    """l1 * c1 + l2 * c2 + ... for terms l1, c1, l2, c2, ..., left to right: a float, or one node if there are Values."""
    if Value in map(type, terms):
        return FUNCTIONS["dot"](terms[::2], terms[1::2])
    return reduce(add, map(mul, terms[::2], terms[1::2]))


def listened(node: Value, cotangent: Any) -> Any:
    """The cotangent after the hooks of the node, in the order of registration."""
    around = current()
    if not around.listened:
        return cotangent
    if around.read is not None:
        around.read("a hook", node)
    for hook in node._note.hooks:
        answer = hook(cotangent)
        cotangent = cotangent if answer is None else answer
    return cotangent


def locals_on_values(node: Value) -> tuple[Any, ...]:
    """The local derivatives of a node as functions of its operands; they must still have the numbers of the forward pass.

    Raises RuntimeError if `.data` was changed in between and a local derivative with it.
    """
    if node._primitive is None:
        return ()
    partials = local_derivatives(node._primitive, node._operands, node._operands, node, ON_VALUES)
    for partial, local in zip(partials, node._locals):
        now = partial._data if isinstance(partial, Value) else partial
        if local is not None and now != local and node._primitive.is_exact and (now == now or local == local):  # nan stays nan
            raise RuntimeError(
                f"{node!r} was computed at another point: its local derivative was {local!r} and is now {now!r}; "
                "compute it anew after changing .data, or differentiate before"
            )
    return tuple([None if local is None else partial for partial, local in zip(partials, node._locals)])


def backward(self: Value, gradient: Operand = 1.0, *, create_graph: bool = False) -> None:
    """Find the derivative of this Value by every Value it was made from, and leave it in their `grad`.

    Gradients of interior nodes are computed afresh; those of leaves accumulate, until `zero_grad()`. `gradient` is the
    derivative at this Value itself. With `create_graph`, gradients are Values that can be differentiated again; such a gradient
    refers to the graph that refers to it, so only the cyclic collector frees them (`grad(output, inputs)` makes no cycle).
    Raises RuntimeError for a result that was computed under `no_grad()`: nothing leads back from it.

    >>> x = Value(3.0)
    >>> (x * x).backward()
    >>> (x * x).backward()
    >>> x.grad
    12.0
    """
    if not self._operands and not self._note.recording:
        raise RuntimeError(f"{self!r} was made under no_grad(), so no graph leads back from it; compute it outside")
    order = topological(self)
    seed = gradient if isinstance(gradient, Value) else number(gradient, "backward(gradient)")
    cotangents = pullback(order, {self: seed}, create_graph=create_graph)
    if (storing := current().storing) is not None:
        storing(order, cotangents)
    for node in order:
        arrived = cotangents.get(node, 0.0)
        if node._operands or node._grad is None or (node._grad.__class__ is float and node._grad == 0.0):
            node._grad = arrived
        else:
            node._grad = node._grad + arrived


setattr(Value, "backward", backward)  # noqa: B010 - Value's room comes before this one
