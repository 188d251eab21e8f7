"""The room of what a function finds outside: globals, closures, defaults, and the object that a method belongs to."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

from autograd.compiler.signature import is_standard

__all__ = ["surroundings"]


def surroundings(*things: Any) -> dict[str, Callable[[], Any]]:
    """How to look up each name from outside that functions, or the methods of classes, use, and the functions that they call.

    Of functions of the standard library, of NumPy and of this library only closures count, such as f in grad(f): the rest of them
    does not change.
    """
    found: dict[str, Callable[[], Any]] = {}
    seen: set[int] = set()

    def add(name: str, look: Callable[[], Any], names: Sequence[str], around: tuple[ModuleType, ...] = ()) -> None:
        while name in found:
            name += "'"
        found[name] = look
        thing = look()
        if isinstance(thing, ModuleType) and not is_standard(thing) and thing not in around:  # config.scale
            for part in names:
                if part in vars(thing):
                    add(f"{name}.{part}", partial(getattr, thing, part, None), names, (*around, thing))
        visit(thing)

    def visit(thing: Any) -> None:
        thing = getattr(thing, "__func__", thing)
        if isinstance(thing, property):
            thing = thing.fget
        if id(thing) in seen:
            return
        seen.add(id(thing))
        if isinstance(thing, type) and not is_standard(thing):
            for part in vars(thing).values():
                visit(part)
            for base in thing.__bases__:
                visit(base)
        if not isinstance(thing, FunctionType):
            return
        names = list(dict.fromkeys(all_names(thing.__code__)))  # attributes among them: config.scale
        for name, cell in zip(thing.__code__.co_freevars, thing.__closure__ or ()):
            add(name, partial(content, cell), names)
        if is_standard(thing):
            return
        for name, is_imported in dict.fromkeys(global_names(thing.__code__)):
            if is_imported and name in sys.modules:
                add(name, partial(sys.modules.get, name), names)
            elif not is_imported and name in thing.__globals__:
                add(name, partial(thing.__globals__.get, name), names)
        for name, value in (thing.__kwdefaults__ or {}).items():
            add(name, partial(same, value), names)
        for k, value in enumerate(thing.__defaults__ or ()):
            add(f"default {k} of {thing.__name__}", partial(same, value), names)

    for thing in things:
        visit(thing)
    return found


def same(thing: Any) -> Any:
    return thing


def content(cell: Any) -> Any:
    """What a closure holds; None while it holds nothing."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def global_names(code: CodeType) -> Iterator[tuple[str, bool]]:
    """The names that a function looks up outside, and whether it imports them; those of the functions inside it included."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "IMPORT_NAME"):
            yield step.argval, step.opname == "IMPORT_NAME"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from global_names(constant)


def all_names(code: CodeType) -> Iterator[str]:
    """The names that a function looks up outside or in something else, those of the functions inside it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from all_names(constant)
