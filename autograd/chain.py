"""The room of the chain rule: it stands here once, for floats and for Values, backward and forward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autograd.floats import number
from autograd.functions import ON_VALUES, local_derivatives
from autograd.value import Operand, Value, primal, topological

__all__ = ["backward", "pullback", "pushforward"]


def pullback(
    order: Sequence[Value], cotangents: Mapping[Value, Operand], *, create_graph: bool = False
) -> dict[Value, Any]:
    """Carry derivatives from results back to everything they were made from: reverse mode.

    `order` is a topological order, `cotangents` holds the derivatives at the results. A node passes `local * cotangent` to
    each operand, last node first and operands in order; contributions are added as they arrive, which fixes the last bit.
    With `create_graph` the local derivatives are Values themselves, so that the answer can be differentiated again.
    """
    found: dict[Value, Any] = dict(cotangents)
    for node in reversed(order):
        if node not in found:
            continue  # no path leads from here to a result
        if node._note.hooks:
            for hook in node._note.hooks:
                replacement = hook(found[node])
                found[node] = found[node] if replacement is None else replacement
        cotangent = found[node]
        for operand, local in zip(node._operands, locals_on_values(node) if create_graph else node._locals):
            if local is not None:
                if operand in found:
                    found[operand] += local * cotangent
                else:
                    found[operand] = local * cotangent
    return found


def pushforward(
    order: Sequence[Value], tangents: Mapping[Value, Operand], *, create_graph: bool = False
) -> dict[Value, Any]:
    """Carry derivatives from inputs on to everything made from them: forward mode, the same sums of `local * tangent`."""
    found: dict[Value, Any] = dict(tangents)
    for node in order:
        if node in tangents:
            continue
        for operand, local in zip(node._operands, locals_on_values(node) if create_graph else node._locals):
            if local is not None and operand in found:
                if node in found:
                    found[node] += local * found[operand]
                else:
                    found[node] = local * found[operand]
    return found


def locals_on_values(node: Value) -> tuple[Any, ...]:
    """The local derivatives of a node as functions of its operands; they must still have the numbers of the forward pass."""
    if node._primitive is None:
        return ()
    partials = local_derivatives(node._primitive, node._operands, node._operands, node, ON_VALUES)
    for partial, local in zip(partials, node._locals):
        if partial is not None and local is not None and primal(partial) != local == local:
            raise RuntimeError(
                f"{node!r} was computed at another point: its local derivative was {local!r} and is now {primal(partial)!r}; "
                "compute it anew after changing .data, or differentiate before"
            )
    return tuple([None if local is None else partial for partial, local in zip(partials, node._locals)])


def backward(self: Value, gradient: Operand = 1.0, *, create_graph: bool = False) -> None:
    """Find the derivative of this Value by every Value it was made from, and leave it in their `grad`.

    Gradients of interior nodes are computed afresh; those of leaves accumulate, until `zero_grad()`. `gradient` is the
    derivative at this Value itself. With `create_graph`, gradients are Values that can be differentiated again.

    >>> x = Value(3.0)
    >>> (x * x).backward()
    >>> (x * x).backward()
    >>> x.grad
    12.0
    """
    order = topological(self)
    seed = gradient if isinstance(gradient, Value) else number(gradient, "backward(gradient)")
    found = pullback(order, {self: seed}, create_graph=create_graph)
    for node in order:
        arrived = found.get(node, 0.0)
        if node._operands or (node.grad.__class__ is float and node.grad == 0.0):
            node.grad = arrived
        else:
            node.grad = node.grad + arrived


setattr(Value, "backward", backward)  # noqa: B010 - Value's room comes before this one
