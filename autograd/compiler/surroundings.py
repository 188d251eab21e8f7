"""The room of what a function finds outside: globals, closures, defaults, and the object that a method belongs to."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from autograd.compiler.signature import is_object, is_standard

__all__ = ["surroundings"]


def surroundings(*things: Any) -> dict[str, Callable[[], Any]]:
    """How to look up each name from outside that functions, or the methods of classes, use, and the functions that they call.

    The functions of the standard library, of NumPy and of this library are left out: they do not change.
    """
    found: dict[str, Callable[[], Any]] = {}
    seen: set[int] = set()

    def add(name: str, look: Callable[[], Any]) -> None:
        while name in found:
            name += "'"
        found[name] = look
        visit(look())

    def visit(thing: Any) -> None:
        owner = getattr(thing, "__self__", None)
        if is_object(owner) and id(owner) not in seen:
            seen.add(id(owner))
            found[f"self of {getattr(thing, '__name__', 'a method')}"] = lambda: owner
        thing = inspect.unwrap(getattr(thing, "__func__", thing)) if callable(thing) else thing
        if isinstance(thing, property):
            thing = thing.fget
        if id(thing) in seen or is_standard(thing):
            return
        if isinstance(thing, type):
            seen.add(id(thing))
            for part in vars(thing).values():
                visit(getattr(part, "__func__", part))
            for base in thing.__bases__:
                visit(base)
        if not isinstance(thing, FunctionType):
            return
        seen.add(id(thing))
        for name, cell in zip(thing.__code__.co_freevars, thing.__closure__ or ()):
            add(name, lambda cell=cell: content(cell))  # type: ignore[misc]
        names = dict.fromkeys(global_names(thing.__code__))
        for name in names:
            if name in thing.__globals__:
                add(name, lambda space=thing.__globals__, name=name: space.get(name))  # type: ignore[misc]
                holder = thing.__globals__[name]
                if isinstance(holder, (type, ModuleType)) and not is_standard(holder):  # config.scale, Settings.scale
                    for part in names:
                        if part in vars(holder):
                            add(f"{name}.{part}", lambda holder=holder, part=part: getattr(holder, part, None))  # type: ignore[misc]
        for name, value in (thing.__kwdefaults__ or {}).items():
            add(name, lambda value=value: value)  # type: ignore[misc]
        for k, value in enumerate(thing.__defaults__ or ()):
            add(f"default {k} of {thing.__name__}", lambda value=value: value)  # type: ignore[misc]

    for thing in things:
        visit(thing)
    return found


def content(cell: Any) -> Any:
    """What a closure holds; None while it holds nothing."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def global_names(code: CodeType) -> Iterator[str]:
    """The names that a function looks up outside, those of the functions inside it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from global_names(constant)
