"""The room of requests: what a caller differentiates with respect to, and in which containers the derivatives come back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from autograd.calculus import grad, value_and_grad
from autograd.compiler.signature import Signature
from autograd.compiler.variant import Variant
from autograd.evaluation import differentiating
from autograd.floats import number
from autograd.trees import is_array, leaves, rebuild, transform
from autograd.value import Value, current

__all__ = [
    "as_floats", "check_scalar", "contained", "inputs_of", "is_module", "is_observed",
    "parameter_names", "positions", "value_and_gradient",
]  # fmt: skip


def is_observed() -> bool:
    """Whether somebody wants to see every operation: a trace, of which a call is a part, `detect_anomaly` or `lint`."""
    around = current()
    return around.watch is not None or around.storing is not None


def positions(name: str, argnums: int | Sequence[int], arguments: Sequence[Any]) -> list[int]:
    """The arguments to differentiate with respect to; -1 is the last. Raises TypeError for one that there is not."""
    chosen: list[int] = list(argnums) if isinstance(argnums, Iterable) else [argnums]
    if not all(isinstance(k, int) for k in chosen):
        given = f"{type(argnums).__name__} {argnums!r}"
        raise TypeError(f"argnums is the place of an argument, or several, not {given}: the first is 0")
    for k in chosen:
        if not -len(arguments) <= k < len(arguments):
            raise TypeError(
                f"{name} is differentiated with respect to argument {k}, but was called with {len(arguments)} arguments"
            )
    return [k % len(arguments) for k in chosen]


def check_scalar(variant: Variant) -> None:
    """Raise TypeError if a function that is to be differentiated returns more than one number."""
    if not variant.is_scalar:
        kind = type(variant.structure).__name__
        raise TypeError(f"{variant.name} must return one number to be differentiated, not {kind}")


def inputs_of(variant: Variant, found: Signature, k: int, x: Any) -> list[int]:
    """The inputs that belong to argument k."""
    if is_module(x):
        return [variant.place[found.seen[value]] for value in x.named_parameters().values()]
    things = range(found.starts[k], found.starts[k + 1])
    owners = [source[0] if isinstance(source, tuple) else source for source in variant.sources]
    return [place for place, thing in enumerate(owners) if thing in things]


def contained(x: Any, slopes: Any) -> Any:
    """Derivatives in the containers of the argument; those by a module in a dictionary of its parameters by name."""
    if is_array(x) and x.dtype.kind == "f" and hasattr(slopes, "reshape"):
        return slopes.reshape(x.shape)
    slopes = slopes.tolist() if hasattr(slopes, "tolist") else slopes
    if is_module(x):
        return dict(zip(x.named_parameters(), slopes))
    if len(slopes) != len(leaves(x)):
        raise TypeError(
            f"a compiled function is differentiated with respect to numbers in lists, tuples, dictionaries and arrays, not in a "
            f"{type(x).__name__}; use autograd.value_and_grad for deques and dataclasses"
        )
    return rebuild(x, iter(slopes))


def as_floats(x: Any) -> Any:
    """An argument with respect to which a function is differentiated: its integers and Values are numbers."""
    if is_module(x) or (is_array(x) and x.dtype.kind == "f"):
        return x
    return transform(partial(number, where="an argument of value_and_grad"), x)


def is_module(x: Any) -> bool:
    """Whether this is a module, with respect to whose parameters a function can be differentiated."""
    return hasattr(x, "named_parameters")


def parameter_names(function: Callable[..., Any]) -> list[str]:
    """The names of the positional parameters of a function; none if it does not tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def value_and_gradient(
    function: Callable[..., Any], name: str, argnums: int | Sequence[int], arguments: Sequence[Any], keywords: dict[str, Any]
) -> tuple[Any, Any]:
    """The value of a function and its gradient by the engine, also with respect to modules."""
    chosen = positions(name, argnums, arguments)
    modules = {k: list(arguments[k].named_parameters().values()) for k in chosen if is_module(arguments[k])}
    if not modules:
        return value_and_grad(function, argnums)(*arguments, **keywords)  # type: ignore[no-any-return]
    others = [k for k in dict.fromkeys(chosen) if k not in modules]
    given = list(arguments)
    with differentiating(nested=False):
        for k in others:
            given[k] = transform(fresh, arguments[k])
        root = function(*given, **keywords)
    if not isinstance(root, Value):
        root = Value(number(root, f"the result of {name}"))
    trees = {**modules, **{k: leaves(given[k]) for k in others}}
    slopes = iter(grad(root, [value for tree in trees.values() for value in tree]))
    results = {k: contained(arguments[k], [next(slopes) for _ in tree]) for k, tree in trees.items()}
    value = root if current().nested else root._data
    return value, results[chosen[0]] if isinstance(argnums, int) else tuple([results[k] for k in chosen])


def fresh(x: Any) -> Value:
    """A Value of its own for a number, with respect to which a function is differentiated."""
    return +x if isinstance(x, Value) else Value(float(x))
