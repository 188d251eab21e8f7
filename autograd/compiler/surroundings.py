"""The room of what a function finds outside: globals, closures, defaults, modules, and the classes whose methods it calls.

Part of it is looked at by value at every call: numbers, containers, objects. What can only be replaced as a whole (the code of a
function, a method, a builtin, a function of NumPy) must stay the very same thing, which is faster to see.
"""

from __future__ import annotations

import builtins
import dis
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from operator import is_
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from autograd.compiler.kinds import FLAT, MISSING, PROXIES, Form, Identity, Written, functions_of, is_constant, is_standard

__all__ = ["CACHED", "HERE", "Surroundings", "names_in"]

# Names by which a function may find others that are not written in it: in itself, in modules, and modules themselves.
HERE = frozenset({"globals", "eval", "exec"})
DYNAMIC = HERE | {"vars", "getattr", "dir", "__dict__", "attrgetter", "__getattribute__"}
IMPORTING = frozenset({"modules", "import_module", "__import__"})
BUILTINS = vars(builtins)
CACHED = type(lru_cache(abs))
MOST = 64  # long lists that are remembered


class Surroundings:
    """What functions, the methods of classes, and the functions that they call find outside.

    `looks` says how to look up each name whose thing is compared by value, `names` what may be looked up in modules. Of functions
    of the standard library, of NumPy and of this library only closures count, such as f in grad(f): the rest does not change.
    """

    def __init__(self, *things: Any) -> None:
        self.looks: dict[str, Callable[[], Any]] = {}
        self.codes: list[tuple[FunctionType, CodeType, Any, Any]] = []  # functions, and what they are made of
        self.classes: dict[type, tuple[Any, dict[str, Any]]] = {}  # the bases and members of classes
        self.fixed: list[tuple[Callable[..., Any], str, Any]] = []  # names, where they are looked up, and what they mean
        self.forms: dict[type, Form] = {}  # what objects are made of, as long as their classes stay the same
        self.state = 0  # a number that tells surroundings apart
        self.lists: dict[int, Written] = {}  # long lists of floats, by their identities
        self.seen: set[int] = set()
        self.has_cache = False  # whether a function remembers what it was called with, and what it gave
        self.readers: dict[str, list[FunctionType]] = {}  # the functions that look up each name, or write it
        self.known = dict.fromkeys(things)  # functions and classes that were seen
        found: set[str] = set()
        for thing in things:
            self.visit(thing)
        for _, code, _, _ in self.codes:
            found |= names_in(code).all
        self.names = frozenset(found)
        self.is_dynamic = not DYNAMIC.isdisjoint(found)

    def hold(self) -> bool:
        """Whether everything that must stay the very same thing has stayed so."""
        for function, code, defaults, keywords in self.codes:
            if function.__code__ is not code or function.__defaults__ is not defaults or function.__kwdefaults__ is not keywords:
                return False
        for kind, (bases, members) in self.classes.items():
            now = vars(kind)
            if kind.__bases__ is not bases:
                return False
            if len(now) != len(members) or not all(map(is_, now.values(), members.values())):
                if not same(code_of(now), code_of(members)):
                    return False
                self.classes[kind] = (bases, dict(now))  # other numbers, which are compared by value
                self.forms.clear()
        for get, name, thing in self.fixed:  # noqa: SIM110 - all() would take twice the time
            if get(name, MISSING) is not thing:
                return False
        return True

    def form(self, kind: type) -> Form:
        """What objects of a class are made of."""
        found = self.forms.get(kind)
        if found is None:
            found = Form(kind)
            if found.is_standard or self.classes.keys() >= {one for one in kind.__mro__ if not is_standard(one)}:
                self.forms[kind] = found
        return found

    def digest(self, numbers: list[Any]) -> int | None:
        """What a long list of floats is compared by, None for other lists; it is walked only where it is not as it was before."""
        known = self.lists.get(id(numbers))
        if known is None or not known.is_same(numbers):
            if set(map(type, numbers)) != {float}:
                return None
            if len(self.lists) > MOST:
                self.lists.clear()
            known = self.lists[id(numbers)] = Written(numbers)
        return known.digest

    def identity(self) -> tuple[Any, ...]:
        """All these things; equal to those of other surroundings where they are the very same."""
        found: list[Any] = [part for parts in self.codes for part in parts]
        for kind, (bases, members) in self.classes.items():
            code = code_of(members)
            found += [kind, bases, *code.values()]
            found.append(tuple(code))
        found += [thing for _, _, thing in self.fixed]
        found.append(tuple([name for _, name, _ in self.fixed]))
        return tuple([part if isinstance(part, tuple) and set(map(type, part)) <= {str} else Identity(part) for part in found])

    def add(self, name: str, look: Callable[[], Any]) -> None:
        """One more name whose thing is compared by value."""
        while name in self.looks:
            name += "'"
        self.looks[name] = look
        self.visit(look())

    def fix(self, table: Mapping[str, Any], name: str) -> None:
        """One more name whose thing must stay the very same."""
        self.fixed.append((table.get, name, table.get(name, MISSING)))

    def visit(self, thing: Any) -> None:
        """Find what a function or class uses."""
        for part in () if type(thing) in PROXIES else functions_of(thing):
            if id(part) in self.seen:
                continue
            self.seen.add(id(part))
            if isinstance(part, CACHED):
                self.has_cache = True
                self.visit(part.__wrapped__)
            if isinstance(part, FunctionType):
                self.function(part)
            elif isinstance(part, type) and not is_standard(part):
                self.classes[part] = (part.__bases__, dict(vars(part)))
                for member in (*vars(part).values(), *part.__bases__, type(part)):
                    self.visit(member)

    def function(self, thing: FunctionType) -> None:
        """A function: its closure, its defaults, and the names that it looks up."""
        if is_standard(thing) and thing.__qualname__.startswith("singledispatch."):
            return  # a cache of what it has found
        for name, cell in zip(thing.__code__.co_freevars, thing.__closure__ or ()):
            self.add(name, partial(content, cell))
            self.readers.setdefault(name, []).append(thing)
        if is_standard(thing):
            return
        self.codes.append((thing, thing.__code__, thing.__defaults__, thing.__kwdefaults__))
        table, used = thing.__globals__, names_in(thing.__code__)
        names = list(used.outside)
        if not HERE.isdisjoint(used.all):  # globals()["scale"]
            names += [name for name, part in table.items() if name in used.all or (name[:2] != "__" and type(part) in FLAT)]
        for name in dict.fromkeys(names):
            self.outside(table, name)
        for name in {*names, *used.stored}.difference(thing.__code__.co_freevars):
            self.readers.setdefault(name, []).append(thing)
        self.modules(table, used)
        keywords = thing.__kwdefaults__ or {}
        for name, value in keywords.items():
            self.add(name, partial(keywords.get, name, value))
        for k, value in enumerate(thing.__defaults__ or ()):
            self.add(f"default {k} of {thing.__name__}", partial(itself, value))

    def outside(self, table: dict[str, Any], name: str) -> None:
        """A name that a function looks up in its module: one that nothing has may appear later, or hide a builtin."""
        if name not in table:
            self.fix(table, name)
            self.fix(BUILTINS, name)
            if not is_fixed(BUILTINS.get(name)):
                self.add(name, partial(BUILTINS.get, name, MISSING))
        elif is_fixed(table[name]):
            self.fix(table, name)
        else:
            self.add(name, partial(table.get, name, MISSING))

    def modules(self, table: dict[str, Any], used: Names) -> None:
        """Modules that a function imports, or finds by their names."""
        package = str(table.get("__package__") or "")
        around = [package.rsplit(".", k)[0] for k in range(package.count(".") + 1)] if package else []
        names = [*used.imported, *[f"{one}.{name}".strip(".") for one in around for name in used.imported]]
        if not IMPORTING.isdisjoint(used.all):
            names += [name for name in used.all if name in sys.modules]
        for name in dict.fromkeys(names):
            if name not in sys.modules or is_standard(sys.modules[name]):
                self.fix(sys.modules, name)
            else:
                self.add(name, partial(sys.modules.get, name, MISSING))


class Names:
    """The names in the code of a function, and in that of the functions inside it."""

    def __init__(self, code: CodeType) -> None:
        self.outside: dict[str, None] = {}  # what it looks up outside
        self.imported: dict[str, None] = {}
        self.stored: set[str] = set()  # what it writes outside
        self.all: set[str] = set()  # attributes and texts too
        for one in codes_in(code):
            self.all.update(one.co_names, [text for text in one.co_consts if isinstance(text, str) and text.isidentifier()])
            for step in dis.get_instructions(one):
                if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                    self.outside[step.argval] = None
                elif step.opname == "IMPORT_NAME":
                    self.imported[step.argval] = None
                elif step.opname in ("STORE_GLOBAL", "STORE_DEREF", "DELETE_GLOBAL", "DELETE_DEREF"):
                    self.stored.add(step.argval)


@lru_cache(maxsize=1024)
def names_in(code: CodeType) -> Names:
    """The names in the code of a function."""
    return Names(code)


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """A code and all that is inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_in(constant)


def is_fixed(thing: Any) -> bool:
    """Whether nothing inside a thing changes, so that only another thing would make a difference."""
    if isinstance(thing, ModuleType):
        return is_standard(thing)
    if isinstance(thing, BuiltinFunctionType):
        return thing.__self__ is None or isinstance(thing.__self__, ModuleType)
    return isinstance(thing, (FunctionType, type)) and is_constant(thing)


def code_of(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a class that are code: methods, properties, operators. All others are compared by value."""
    return {name: part for name, part in members.items() if name[:2] == "__" or hasattr(type(part), "__get__")}


def same(these: dict[str, Any], those: dict[str, Any]) -> bool:
    """Whether two dictionaries hold the very same things."""
    return these.keys() == those.keys() and all(part is those[name] for name, part in these.items())


def itself(thing: Any) -> Any:
    return thing


def content(cell: Any) -> Any:
    """What a closure holds."""
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING
