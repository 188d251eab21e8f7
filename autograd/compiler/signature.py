"""The room of arguments: what a compiled function was called with, taken apart into numbers and everything else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from autograd.trees import is_array
from autograd.value import Value

__all__ = ["Leaf", "flatten", "surroundings"]

MANY = 2000  # numbers of a list outside that are compared at every call; of longer ones, only identity and length
OWN = ("autograd", "nn", "numpy", "builtins")


class Leaf(NamedTuple):
    """A part of the arguments that has numbers: a float, Value, integer, array or module, and its path."""

    kind: str
    thing: Any
    path: str


def flatten(names: Sequence[str], arguments: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[list[Leaf], Any]:
    """The leaves of the arguments in order, and a hashable description of all the rest."""
    leaves: list[Leaf] = []

    def visit(x: Any, path: str) -> Any:
        if x.__class__ is float:
            leaves.append(Leaf("float", x, path))
            return "float"
        if isinstance(x, Value):
            leaves.append(Leaf("Value", x, path))
            return "Value"
        if x is None or isinstance(x, (bool, str, bytes)):
            return type(x), x
        if isinstance(x, Mapping):
            return type(x), tuple([(key, visit(part, f"{path}.{key}")) for key, part in x.items()])
        if isinstance(x, (list, tuple)):
            return type(x), tuple([visit(part, f"{path}.{k}") for k, part in enumerate(x)])
        if hasattr(x, "named_parameters") and not isinstance(x, type):
            leaves.append(Leaf("module", x, path))
            return id(x), modes(x)
        if is_array(x):
            kind = {"f": "array", "i": "integers", "u": "integers"}.get(x.dtype.kind, "")
            if kind == "integers" or not kind:
                return x.shape, x.dtype.str, tuple([visit(part, f"{path}.{k}") for k, part in enumerate(x.ravel().tolist())])
            leaves.append(Leaf(kind, x, path))
            return kind, x.shape
        if hasattr(x, "__index__"):
            leaves.append(Leaf("integer", x.__index__(), path))
            return "integer"
        if hasattr(x, "__float__"):
            leaves.append(Leaf("float", float(x), path))
            return "float"
        return frozen(x)

    parts = [visit(x, name) for name, x in zip(names, arguments)]
    parts += [(name, visit(x, name)) for name, x in keywords.items()]
    return leaves, tuple(parts)


def parameter_names(function: Callable[..., Any], count: int) -> list[str]:
    """The names of the positional parameters of a function."""
    try:
        parameters = inspect.signature(function).parameters.values()
        names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):
        names = []
    return [*names, *[f"argument{k}" for k in range(len(names), count)]][:count]


def modes(module: Any) -> tuple[bool, ...]:
    """Which modules in a module are in training."""
    if not hasattr(module, "modules"):
        return ()
    return tuple([part.training for part in module.modules()])


def frozen(x: Any) -> Any:
    """Something that compares equal as long as a constant from outside has not changed."""
    if x is None or isinstance(x, (bool, int, float, complex, str, bytes)):
        return type(x), x if x == x else "nan"
    if isinstance(x, (list, tuple)):
        return (type(x), tuple(map(frozen, x))) if len(x) <= MANY else (id(x), len(x))
    if isinstance(x, Mapping):
        return type(x), tuple([(key, frozen(part)) for key, part in x.items()])
    if is_array(x):
        return x.shape, x.tobytes() if x.size <= MANY and x.dtype.kind != "O" else id(x)
    if hasattr(x, "named_parameters") and not isinstance(x, type):
        return id(x), modes(x)
    return id(x)


def surroundings(function: Callable[..., Any]) -> dict[str, Callable[[], Any]]:
    """How to look up each name from outside that a function and its helpers use: globals, closures, attributes of self."""
    found: dict[str, Callable[[], Any]] = {}
    seen: set[int] = set()

    def visit(thing: Any) -> None:
        owner = getattr(thing, "__self__", None)
        plain = hasattr(owner, "__dict__") and not isinstance(owner, type) and not hasattr(owner, "named_parameters")
        if owner is not None and plain:
            found[type(owner).__name__] = lambda: tuple(vars(owner).items())
        thing = inspect.unwrap(getattr(thing, "__func__", thing))
        if not isinstance(thing, FunctionType) or id(thing) in seen or thing.__module__.split(".")[0] in OWN:
            return
        seen.add(id(thing))
        for name, cell in zip(thing.__code__.co_freevars, thing.__closure__ or ()):
            found[name] = lambda cell=cell: cell.cell_contents  # type: ignore[misc]
            visit(cell.cell_contents)
        for name in global_names(thing.__code__):
            if name in thing.__globals__:
                found[name] = lambda space=thing.__globals__, name=name: space.get(name)  # type: ignore[misc]
                visit(thing.__globals__[name])
        for value in (*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()):
            visit(value)

    visit(function)
    return found


def global_names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from global_names(constant)
