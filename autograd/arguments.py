"""The room of arguments: the numbers in what a function is called with, and what to call them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from autograd.trees import branches
from autograd.value import Value

__all__ = ["argument_names", "is_module", "parameters_of", "paths", "signature_of"]


def is_module(x: Any) -> bool:
    """Whether this has parameters of its own, as a module of `nn` has."""
    return hasattr(x, "parameters") and callable(x.parameters)


def parameters_of(module: Any) -> list[Value]:
    """The parameters of a module, in its order."""
    return list(module.parameters())


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """The names that f gives its arguments; x0, x1, ... where it does not say."""
    found = list(signature_of(f, count).parameters.values())
    if len(found) < count or any(parameter.kind is parameter.VAR_POSITIONAL for parameter in found[:count]):
        return [f"x{i}" for i in range(count)]
    return [parameter.name for parameter in found[:count]]


def signature_of(f: Callable[..., Any], count: int) -> inspect.Signature:
    """What f takes; `count` arguments without names where Python does not know."""
    try:
        return inspect.signature(f)
    except (TypeError, ValueError):
        kind = inspect.Parameter.POSITIONAL_ONLY
        return inspect.Signature([inspect.Parameter(f"x{i}", kind) for i in range(count)])


def paths(name: str, tree: Any) -> list[str]:
    """The names of the numbers in a tree: x[0], p['w'], model.layers.0.b."""
    if is_module(tree):
        named = getattr(tree, "named_parameters", None)
        names = {value: path for path, value in named().items()} if named else {}
        return [f"{name}.{names.get(parameter, i)}" for i, parameter in enumerate(parameters_of(tree))]
    found = branches(tree)
    if found is None:
        return [name]
    return [path for place, branch in found for path in paths(name + place, branch)]
