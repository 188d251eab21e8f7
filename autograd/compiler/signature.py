"""The room of arguments: what a compiled function depends on, taken apart into numbers and everything else.

A program is valid for every call with an equal signature. Numbers, Values and arrays in the arguments are inputs of the program;
Values in modules and other objects are inputs too. Everything else is compared: the containers, the lengths, and the plain
numbers and texts in objects, classes, closures and globals.
"""

from __future__ import annotations

import inspect
import marshal
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import partial
from itertools import zip_longest
from types import BuiltinFunctionType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

from autograd.numbers import words_for
from autograd.trees import is_array
from autograd.value import Value

__all__ = ["OPAQUE", "Signature", "are_integers", "is_generator", "parameter_names"]

OPAQUE = (type, FunctionType, MethodType, BuiltinFunctionType, ModuleType)  # compared by identity
WHOLE = (Value, bool, str, bytes, type(None), *OPAQUE)  # arguments that are not taken apart into numbers
FLAT = {bool, int, float, complex, str, bytes, type(None)}  # what is compared as it is written to a file
OWN = ("autograd", "numpy", "builtins", "functools", "logging")  # objects of these are compared by identity too
STANDARD = {*sys.stdlib_module_names, *OWN, "nn"} - {"__main__"}


class Signature:
    """The numbers of a call in order (`things`), and what must be equal for a program to fit (`key`).

    `things` holds Values, floats, integers (which may index) and arrays. With `named`, `paths` holds the path of each:
    'model.layers.0.w.3'. What `start` has comes first; without `named`, its things are not copied, but left empty.
    """

    def __init__(self, *, named: bool = False, start: Signature | None = None) -> None:
        self.head = 0 if start is None else start.count  # how many things `start` had
        self.count: int = self.head  # how many there are
        self.things: list[Any] = [] if start is None else list(start.things) if named else Behind(self.head)
        self.kinds: list[str] = list(start.kinds) if start is not None and named else []  # Value, float, integer, array, integers
        self.paths: list[str] | None = None if not named else [] if start is None else list(start.paths or [])
        self.seen: dict[Any, int] = dict(start.seen) if start is not None and named else {}
        self.before = {} if start is None or named else start.seen  # what was seen in `start`
        self.objects: int = 0 if start is None else start.objects  # what comes again is the same thing, or the same object
        self.key: list[Any] = []
        self.inside: list[int] = []  # the containers around what is taken apart
        self.starts: list[int] = []  # where the things of each argument begin, and where they all end
        self.is_foreign = False  # whether there are numbers that are no floats: complex ones, or mpmath's
        self.used: dict[Any, None] = {} if start is None else dict(start.used)  # functions, and classes of objects, in all this
        self.hooked: str = "" if start is None else start.hooked  # the path of a module with a forward hook
        self.marks: list[tuple[int, str]] = []  # with `named`, where in the key something begins, and its path
        self.generators: list[Any] = []  # of random numbers, which must not be drawn from while a function is traced
        if named and start is not None:
            self.key, self.marks = list(start.key), list(start.marks)

    def enter(self, kind: str, thing: Any, path: str) -> None:
        """One more thing."""
        self.things.append(thing)
        self.count += 1
        self.kinds.append(kind)
        if self.paths is not None:
            self.paths.append(path)

    def begin(self, name: str) -> None:
        """One more argument, or all that comes after them."""
        self.starts.append(self.count)
        self.mark(name)

    def place(self, key: Any) -> int | None:
        """Where something was seen before."""
        found = self.seen.get(key)
        return self.before.get(key) if found is None else found

    def mark(self, path: str) -> None:
        """What comes now belongs to this path."""
        if self.paths is not None:
            self.marks.append((len(self.key), path))

    def change(self, numbers: Sequence[Any], now: Signature) -> str | None:
        """The path of the first thing that has changed since this named signature, if any; `numbers` were inside its things."""
        for k, (before, after) in enumerate(zip_longest(self.key, now.key)):
            if before != after:
                return [path for place, path in self.marks if place <= k][-1]
        for k, (number, before, after) in enumerate(zip(numbers, self.things, now.things)):
            if isinstance(before, Value) and (before is not after or after._data is not number):
                return (self.paths or [])[k]
        return None

    def argument(self, x: Any, path: str) -> None:
        """Take an argument apart: its numbers are inputs."""
        kind = x.__class__
        if kind is float:
            self.enter("float", x, path)
            self.key.append(float)
        elif isinstance(x, WHOLE):
            self.outside(x, path)
        elif are_integers(x):
            self.enter("integers", x, path)
            self.key += (kind, len(x), int)
        elif isinstance(x, (list, tuple)):
            self.key += (kind, len(x))
            if self.paths is None:
                for part in x:
                    self.argument(part, "")
            else:
                for k, part in enumerate(x):
                    self.argument(part, f"{path}.{k}")
        elif is_array(x):
            self.array(x, path)
        elif isinstance(x, Mapping):
            self.key += (kind, len(x))
            for name, part in x.items():
                self.key.append(key_of(name))
                self.argument(part, f"{path}.{name}")
        elif getattr(x, "shape", None) == ():
            self.argument(x.item(), path)
        elif words_for({kind}) is not None:
            self.is_foreign = True
        elif is_object(x) and not hasattr(x, "__float__"):
            self.object(x, path)
        elif hasattr(x, "__index__"):
            self.enter("integer", x.__index__(), path)
            self.key.append(int)
        elif hasattr(x, "__float__"):
            self.enter("float", float(x), path)
            self.key.append(float)
        else:
            self.outside(x, path)

    def array(self, x: Any, path: str) -> None:
        """Arrays of floats or integers are one thing; others are taken element by element."""
        self.key += ("array", x.shape, x.dtype.kind)
        if x.dtype.kind in "fiu":
            self.enter("array" if x.dtype.kind == "f" else "integers", x, path)
            return
        for k, part in enumerate(x.ravel().tolist()):
            self.argument(part, f"{path}.{'.'.join(map(str, unravel(k, x.shape)))}" if self.paths is not None else "")

    def outside(self, x: Any, path: str) -> None:
        """Take apart what a function finds outside or in an object: its Values are inputs, and its numbers are compared."""
        kind = x.__class__
        if kind is Value or isinstance(x, Value):
            place = self.before[x] if x in self.before else self.seen.setdefault(x, self.count)
            self.key.append(place)
            if place == self.count:
                self.enter("Value", x, path)
                if kind is not Value:  # a subclass of the user's, with attributes
                    self.used[kind] = None
                    self.state(class_state(kind) | added(x), path)
        elif x is None or isinstance(x, (bool, int, str, bytes, range)):
            self.key += (kind, x)
        elif isinstance(x, OPAQUE):
            self.opaque(x, path)
        elif isinstance(x, (float, complex)):
            self.key += (kind, marshal.dumps(x, 2))  # nan equals itself, and -0.0 is not 0.0
        elif isinstance(x, (list, tuple)):
            self.sequence(x, path)
        elif isinstance(x, Mapping):
            self.mapping(x, path)
        elif is_array(x) and x.dtype.kind != "O":
            self.key += ("array", x.shape, x.dtype.str, x.tobytes())
        elif is_array(x):
            self.key += ("array", x.shape)
            self.sequence(x.ravel().tolist(), path)
        elif is_object(x):
            self.object(x, path)
        elif isinstance(x, (Sequence, Set)):
            self.sequence(list(x), path)
        elif isinstance(x, partial):
            self.key.append(kind)
            self.outside((x.func, x.args, x.keywords), path)
        else:
            self.identity(x, path)

    def opaque(self, x: Any, path: str) -> None:
        """A function, class or module: it stays the same, but what a function uses, or a class defines, may change."""
        self.key += (x.__class__, x)
        if isinstance(x, (BuiltinFunctionType, MethodType)):
            owner = x.__self__
            if is_generator(owner):
                self.generators.append(owner)
            if isinstance(x, MethodType):
                self.outside(owner, path)
                x = x.__func__
        if isinstance(x, (FunctionType, type)) and self.place(id(x)) is None and not is_constant(x):
            self.seen[id(x)] = 0
            self.used[x] = None
            self.state(class_state(x) if isinstance(x, type) else vars(x), path)

    def sequence(self, x: Sequence[Any], path: str) -> None:
        """A list outside: plain numbers are compared as they are written to a file, which is fast."""
        self.key += (x.__class__, len(x))
        if FLAT.issuperset(map(type, x)):
            self.key.append(marshal.dumps(list(x), 2))
            return
        if id(x) in self.inside:  # a list that contains itself
            return
        self.inside.append(id(x))
        for k, part in enumerate(x):
            self.outside(part, f"{path}.{k}" if self.paths is not None else "")
        self.inside.pop()

    def mapping(self, x: Mapping[Any, Any], path: str) -> None:
        """A dictionary outside, in its order."""
        self.key += (x.__class__, len(x))
        if id(x) in self.inside:
            return
        self.inside.append(id(x))
        for name, part in x.items():
            self.key.append(key_of(name))
            self.outside(part, f"{path}.{name}" if self.paths is not None else "")
        self.inside.pop()

    def object(self, x: Any, path: str) -> None:
        """A module or another object: what it is made of. What is not pickled does not belong to its state."""
        place = self.place(id(x))
        if place is not None:  # it was taken apart before
            self.key += (x.__class__, place)
            return
        self.objects += 1
        self.seen[id(x)] = -self.objects
        self.key += (x.__class__, -self.objects)
        state = attributes(x)
        custom = getattr(type(x), "__getstate__", None)
        if custom is not getattr(object, "__getstate__", None) and isinstance(found := x.__getstate__(), dict):
            state = found
        if (hooks := getattr(x, "_hooks", None)) and hasattr(x, "register_forward_hook"):  # which are no part of its state
            self.hooked = path or type(x).__name__
            self.key.append(Identity(hooks))
        if not is_standard(type(x)):
            self.used[type(x)] = None
            state = class_state(type(x)) | state
        self.state(state, path)

    def state(self, state: Mapping[str, Any], path: str) -> None:
        """What something is made of, by name."""
        self.key.append(len(state))
        for name, part in state.items():
            self.key.append(name)
            if self.paths is None:
                self.outside(part, "")
            else:
                self.mark(f"{path}.{name}")
                self.outside(part, f"{path}.{name}")

    def identity(self, x: Any, path: str) -> None:
        """Something that is compared by identity. The key keeps it alive, so that no other thing gets its identity.

        Raises TypeError for an iterator, because it is not the same after a call.
        """
        if isinstance(x, Iterator):
            name = f" {path}" if path else ""
            raise TypeError(f"a compiled function uses the iterator{name} {x!r}, which a call uses up; make a list of it first")
        self.key.append(Identity(x))
        if hasattr(x, "__wrapped__"):
            self.outside(x.__wrapped__, path)
        if is_generator(x):
            self.generators.append(x)


class Behind(list[Any]):
    """A list behind other things, which are counted but not kept."""

    def __init__(self, head: int) -> None:
        super().__init__()
        self.head = head

    def __getitem__(self, k: Any) -> Any:
        return super().__getitem__(k - self.head)


def key_of(name: Any) -> Any:
    """What a key of a dictionary is compared by: a Value is a key by its identity, not by its number."""
    if isinstance(name, Value):
        return Identity(name)
    return name if name.__hash__ is not None else repr(name)


class Identity:
    """Equal where the thing is the same, whatever the thing's own `==` says."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and other.thing is self.thing

    def __repr__(self) -> str:
        return f"the same {type(self.thing).__name__}"


def is_standard(thing: Any) -> bool:
    """Whether a class, function or module belongs to what does not change under a program: Python, NumPy, this library."""
    if isinstance(thing, FunctionType):  # a decorator of this library gives it the name of another module
        name = str(thing.__globals__.get("__name__"))
    else:
        name = str(getattr(thing, "__module__", None) or getattr(thing, "__name__", ""))
    return name.partition(".")[0] in STANDARD


def is_constant(thing: Any) -> bool:
    """Whether a function or class does not change and has nothing of the user's inside, as grad(f) has f."""
    return is_standard(thing) and not getattr(thing, "__closure__", None)


def class_state(kind: type) -> dict[str, Any]:
    """What the user's classes of an object define for it beside methods."""
    classes = [part for part in reversed(kind.__mro__) if not is_standard(part)]
    parts = [item for one in classes for item in vars(one).items()]
    return {name: part for name, part in parts if name[:2] != "__" and not hasattr(part, "__get__")}


def attributes(x: Any) -> dict[str, Any]:
    """The attributes of an object by name, those in slots included."""
    return {name: getattr(x, name) for name in slots(type(x)) if hasattr(x, name)} | getattr(x, "__dict__", {})


def added(x: Value) -> dict[str, Any]:
    """The attributes that a subclass of Value adds."""
    return {name: part for name, part in attributes(x).items() if name not in Value.__slots__}


def slots(kind: type) -> list[str]:
    """The names of attributes that objects of a class of the user's have, but not in a dictionary."""
    parts = [item for one in kind.__mro__ for item in vars(one).items()]
    return [name for name, part in parts if name[:2] != "__" and isinstance(part, MemberDescriptorType)]


def is_object(x: Any) -> bool:
    """Whether something is taken apart into its attributes: an object of the user's, or a module of `nn`."""
    kind = type(x)
    return (
        not isinstance(x, OPAQUE) and kind.__module__.split(".")[0] not in OWN and (hasattr(x, "__dict__") or bool(slots(kind)))
        and not is_generator(x)
    )  # fmt: skip


def are_integers(x: Any) -> bool:
    """Whether this is a list or tuple of nothing but integers, which is one thing, as an array is."""
    return x.__class__ in (list, tuple) and set(map(type, x)) == {int}


def is_generator(x: Any) -> bool:
    """Whether this draws random numbers: Python's generators, NumPy's, and NumPy's older kind."""
    return isinstance(x, random.Random) or hasattr(x, "bit_generator") or hasattr(x, "_bit_generator")


def parameter_names(function: Callable[..., Any]) -> list[str]:
    """The names of the positional parameters of a function; none if it does not tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def unravel(place: int, shape: tuple[int, ...]) -> list[int]:
    """The index in each dimension: place 5 of shape (2, 3) is [1, 2]."""
    found: list[int] = []
    for size in reversed(shape):
        place, rest = divmod(place, size)
        found.append(rest)
    return found[::-1]
