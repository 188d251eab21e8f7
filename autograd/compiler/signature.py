"""The room of arguments: what a compiled function depends on, taken apart into numbers and everything else.

A program is valid for every call with an equal signature. Numbers, Values and arrays in the arguments are inputs of the program;
Values in modules and other objects are inputs too. Everything else is compared: the containers, the lengths, and the plain
numbers and texts in objects, classes, closures and globals.
"""

from __future__ import annotations

import marshal
import operator
import weakref
from collections import deque
from collections.abc import ItemsView, Iterator, KeysView, Mapping, Sequence, Set, ValuesView
from contextvars import ContextVar
from functools import partial
from itertools import zip_longest
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

from autograd.compiler.kinds import (
    EXACT,
    FLAT,
    MISSING,
    OPAQUE,
    PROXIES,
    Behind,
    Identity,
    is_constant,
    is_generator,
    is_installed,
    is_object,
    is_standard,
    is_tensor,
    kind_of,
    numpy_of,
    unravel,
)
from autograd.compiler.surroundings import CACHED, Surroundings
from autograd.value import Value

__all__ = ["BIG", "Signature"]

LONG = 1000  # elements of a list from which on a digest is compared
BIG = 1 << 16  # bytes of an array from which on a digest is compared
IMMUTABLE = ("builtins", "datetime", "functools", "numpy", "autograd", "zoneinfo", "logging")  # modules of such things
VIEWS = (KeysView, ValuesView, ItemsView)
GETTERS = (operator.attrgetter, operator.itemgetter, operator.methodcaller)


class Signature:
    """The numbers of a call in order (`things`), and what must be equal for a program to fit (`key`).

    `things` holds Values, floats, integers (which may index) and arrays. With `named`, `paths` holds the path of each:
    'model.layers.0.w.3'. What `start` has comes first; without `named`, its things are not copied, but left empty.
    """

    def __init__(
        self, *, named: bool = False, start: Signature | None = None, around: Surroundings | None = None
    ) -> None:
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
        self.used: dict[Any, None] = {} if start is None else dict(start.used)  # functions, and classes of objects, in all this
        self.containers: list[int] = []  # the identities of the containers in the arguments
        self.around = around or Surroundings()  # of the function
        self.hooked: str = "" if start is None else start.hooked  # the path of a module with a forward hook
        if named:
            self.marks: list[tuple[int, str]] = []  # where in the key something begins, and its path
            self.owners: dict[str, Any] = {}  # the objects by their paths
            self.hidden: list[str] = []  # what is compared by identity alone
            self.shared: set[int] = set()  # objects that are reached in several ways
            if start is not None:
                self.key, self.marks, self.hidden = list(start.key), list(start.marks), list(start.hidden)
                self.generators = start.generators

    # What few signatures have.
    is_foreign = False  # whether there are numbers that are no floats: complex ones, or mpmath's
    generators: tuple[Any, ...] = ()  # of random numbers, which must not be drawn from while a function is traced
    changing: Mapping[str, int] = MappingProxyType({})  # numbers outside that are inputs: by the path, which thing
    skipped: Mapping[int, tuple[Any, set[str]]] = MappingProxyType({})  # objects, and which of their attributes these are

    def enter(self, kind: str, thing: Any, path: str) -> None:
        """One more thing."""
        self.things.append(thing)
        self.count += 1
        self.kinds.append(kind)
        if self.paths is not None:
            self.paths.append(path)

    def enter_changing(self, number: Any, path: str) -> None:
        """One more number outside that is an input."""
        self.changing = {**self.changing, path: self.count}
        self.enter("float" if type(number) is float else "integer", number, path)
        self.key += (MISSING, type(number))  # nothing else has this key

    def begin(self, name: str) -> None:
        """One more argument, or all that comes after them."""
        self.starts.append(self.count)
        self.mark(name)

    def end_arguments(self) -> None:
        """Which containers come twice in the arguments belongs to the key: a function may change one, or compare them."""
        if len(self.containers) > 1 and len(set(self.containers)) < len(self.containers):
            first: dict[int, int] = {}
            self.key.append(tuple([first.setdefault(one, k) for k, one in enumerate(self.containers)]))
        self.begin("self")

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
            if k in self.changing.values() and before is not after:
                return (self.paths or [])[k]
        return None

    def argument(self, x: Any, path: str) -> None:
        """Take an argument apart: its numbers are inputs."""
        if x.__class__ is float:
            self.enter("float", x, path)
            self.key.append(float)
            return
        kind = kind_of(x)
        if kind == "floats" or kind == "integers":
            self.containers.append(id(x))
            self.numbers(x, kind, path)
        elif kind in ("list", "tuple", "dict"):
            self.containers.append(id(x))
            self.container(x, kind, path)
        elif kind == "array" or kind == "elements":
            self.containers.append(id(x))
            self.array(x, kind, path)
        elif kind == "outside":
            self.outside(x, path)
        elif kind == "float" or kind == "integer":
            self.enter(kind, float(x) if kind == "float" else x, path)
            self.key.append(type(x))
        elif kind == "number":
            self.argument(numpy_of(x).item(), path)
        else:
            self.is_foreign = True

    def numbers(self, x: Sequence[Any], kind: str, path: str) -> None:
        """A list or tuple of nothing but floats, or integers, which are one thing, as an array is."""
        if kind == "integers":
            self.enter(kind, x, path)
            self.key += (type(x), len(x), int)
            return
        self.key += (type(x), len(x), float)
        if self.paths is not None:
            self.paths += [f"{path}.{k}" for k in range(len(x))]
        self.things += x
        self.kinds += ["float"] * len(x)
        self.count += len(x)

    def container(self, x: Any, kind: str, path: str) -> None:
        """A list, tuple or dictionary of arguments."""
        self.key += (type(x), len(x))
        is_named = self.paths is not None
        if kind == "dict":
            for name, part in x.items():
                self.name(name)
                self.argument(part, f"{path}.{name}" if is_named else "")
        elif is_named:
            for k, part in enumerate(x):
                self.argument(part, f"{path}.{k}")
        else:
            for part in x:
                self.argument(part, "")
        if type(x) not in EXACT:
            self.object(x, path)

    def array(self, x: Any, kind: str, path: str) -> None:
        """Arrays of floats or integers are one thing; others are taken element by element."""
        given, x = x, numpy_of(x)
        self.key += (type(given), x.shape, x.dtype.str if kind == "array" else "O")
        if kind == "array":
            self.enter("array" if x.dtype.kind == "f" else "integers", x, path)
        else:
            for k, part in enumerate(x.ravel().tolist()):
                self.argument(part, f"{path}.{'.'.join(map(str, unravel(k, x.shape)))}" if self.paths is not None else "")
        if given is x and hasattr(given, "__dict__"):
            self.object(given, path)

    def name(self, name: Any) -> None:
        """A key of a dictionary; a Value is one by its identity, not by its number."""
        if name.__class__ is str:
            self.key.append(name)
        elif isinstance(name, Value):
            self.key.append(Identity(name))
        else:
            self.outside(name, "")

    def outside(self, x: Any, path: str) -> None:
        """Take apart what a function finds outside or in an object: its Values are inputs, and its numbers are compared."""
        kind = type(x)
        if kind is Value:
            self.value(x, path)
        elif kind is FunctionType:
            self.key.append(x)
            self.code(x, path)
        elif kind in FLAT:
            self.key += (kind, x) if kind is not float and kind is not complex else (kind, marshal.dumps(x, 2))
        elif kind in PROXIES or kind is ContextVar or issubclass(kind, weakref.ref):
            self.reference(x, kind, path)
        elif isinstance(x, OPAQUE):
            self.opaque(x, path)
        elif isinstance(x, (bool, int, str, bytes, float, complex)):  # of a class of the user's, an enumeration or NumPy
            self.key += (kind, float.hex(x) if isinstance(x, float) else complex.__repr__(x) if isinstance(x, complex) else x)
            self.object(x, path)
        elif kind is list or kind is tuple:
            self.sequence(x, kind, path)
        elif kind is dict:
            self.mapping(x, path)
        elif isinstance(x, (list, tuple)):
            self.sequence(x, kind, path)
            self.object(x, path)
        elif isinstance(x, Value):
            self.value(x, path)
        elif isinstance(x, dict):
            self.mapping(x, path)
            self.object(x, path)
        elif isinstance(x, (set, frozenset, deque)):
            self.sequence(list(x), kind, path)
            self.key.append(x.maxlen if isinstance(x, deque) else None)
            if kind not in EXACT:
                self.object(x, path)
        elif hasattr(kind, "setflags") or is_tensor(x):
            self.array_outside(x, kind, path)
        elif is_object(x):
            self.object(x, path)
        else:
            self.other(x, kind, path)

    def value(self, x: Value, path: str) -> None:
        """A Value: an input, at its first occurrence."""
        place = self.before[x] if x in self.before else self.seen.setdefault(x, self.count)
        self.key.append(place)
        if place == self.count:
            self.enter("Value", x, path)
            if type(x) is not Value:  # a subclass of the user's, with attributes
                if type(x) not in self.around.known:
                    self.used[type(x)] = None
                self.state(self.around.form(type(x)).state(x), path)

    def reference(self, x: Any, kind: type, path: str) -> None:
        """A weak reference, or a context variable: what it refers to, if that is there."""
        self.key += (kind, Identity(x))
        try:
            thing = x.get(MISSING) if kind is ContextVar else x.__repr__.__self__ if kind in PROXIES else x()
        except ReferenceError:
            thing = MISSING
        self.outside(thing, path)

    def other(self, x: Any, kind: type, path: str) -> None:
        """The same for what is made by Python's library, NumPy, or in another language."""
        if kind is range or kind is slice:
            self.outside((kind, x.start, x.stop, x.step), path)
        elif isinstance(x, (memoryview, bytearray)):
            self.key += (kind, bytes(x))
        elif isinstance(x, Mapping):
            self.mapping(x, path)
        elif isinstance(x, (Sequence, Set, *VIEWS)) or hasattr(kind, "typecode"):  # array.array
            self.sequence(list(x), kind, path)
            self.key.append(getattr(x, "typecode", None))
        elif isinstance(x, partial):
            self.key.append(kind)
            self.outside((x.func, x.args, x.keywords), path)
        elif isinstance(x, GETTERS):
            self.outside(x.__reduce__(), path)
        else:
            self.identity(x, path)

    def array_outside(self, x: Any, kind: type, path: str) -> None:
        """An array outside. A big one is compared by a digest of 64 bits, with a key of this process."""
        array = numpy_of(x)
        self.key += (kind, array.shape)
        if array.dtype.kind == "O":
            self.sequence(array.ravel().tolist(), list, path)
        else:
            written = array.tobytes()
            self.key += (array.dtype.str, written if len(written) < BIG else hash(written))
        if not is_tensor(x) and hasattr(x, "__dict__"):
            self.object(x, path)

    def opaque(self, x: Any, path: str) -> None:
        """A function, class or module: it stays the same, but what a function uses, or a class defines, may change."""
        self.key.append(x)
        if isinstance(x, (BuiltinFunctionType, MethodType)):
            owner = x.__self__
            if is_generator(owner):
                self.generators += (owner,)
            if isinstance(x, MethodType) or not isinstance(owner, (ModuleType, type)):  # table.get, numbers.append
                self.outside(owner, path)
            if isinstance(x, MethodType):
                self.code(x.__func__, path)
        elif isinstance(x, ModuleType):
            self.module(x, path)
        else:
            self.code(x, path)

    def code(self, x: Any, path: str) -> None:
        """A function or class."""
        if self.place(id(x)) is not None:
            return
        if x not in self.around.known:
            if is_constant(x):
                return
            self.used[x] = None
        self.seen[id(x)] = 0
        if isinstance(x, type):
            self.state(self.around.form(x).shared, path)
            if type(x) is not type and not is_standard(type(x)):
                self.opaque(type(x), path)
        elif not (state := vars(x)):
            self.key.append(0)
        elif "registry" in state and is_standard(x):  # what singledispatch has found is a cache
            self.state({"registry": x.registry}, path)
        else:
            self.state(state, path)

    def module(self, x: ModuleType, path: str) -> None:
        """A module of the user's: what it has under the names that occur in the functions."""
        if is_standard(x) or self.place(id(x)) is not None:
            return
        self.seen[id(x)] = 0
        parts = vars(x)
        names = self.around.names
        is_dynamic = self.around.is_dynamic and not is_installed(x)  # then numbers and texts may be found by any name
        self.state({
            name: part for name, part in parts.items()
            if name in names or (is_dynamic and type(part) in FLAT and name[:2] != "__")
        }, path)  # fmt: skip

    def sequence(self, x: Sequence[Any], kind: type, path: str) -> None:
        """A list outside: plain numbers are compared as they are written to a file, which is fast."""
        self.key += (kind, len(x))
        if kind is list and len(x) > LONG and (digest := self.around.digest(x)) is not None:  # type: ignore[arg-type]
            self.key.append(digest)
            return
        if FLAT.issuperset(map(type, x)):
            self.key.append(marshal.dumps(list(x), 2))
            return
        if self.inside and id(x) in self.inside:  # a list that contains itself
            return
        self.inside.append(id(x))
        for k, part in enumerate(x):
            self.outside(part, f"{path}.{k}" if self.paths is not None else "")
        self.inside.pop()

    def mapping(self, x: Mapping[Any, Any], path: str) -> None:
        """A dictionary outside, in its order."""
        self.key += (type(x), len(x))
        if id(x) in self.inside:
            return
        self.inside.append(id(x))
        for name, part in x.items():
            self.name(name)
            self.outside(part, f"{path}.{name}" if self.paths is not None else "")
        self.inside.pop()

    def object(self, x: Any, path: str) -> None:
        """A module or another object: what it is made of. What is not pickled does not belong to its state."""
        place = self.place(id(x))
        if place is not None:  # it was taken apart before
            if self.paths is not None:
                self.shared.add(id(x))
            self.key += (type(x), place)
            return
        self.objects += 1
        self.seen[id(x)] = -self.objects
        form = self.around.form(type(x))
        self.key += (type(x), -self.objects)
        if form.is_hookable and (hooks := getattr(x, "_hooks", None)):
            self.hooked = path or type(x).__name__
            self.key.append(Identity(hooks))
        if not form.is_standard and type(x) not in self.around.known:
            self.used[type(x)] = None
        state = form.state(x)
        if self.paths is not None:
            self.owners[path] = x
        if self.skipped and id(x) in self.skipped:
            state = {name: part for name, part in state.items() if name not in self.skipped[id(x)][1]}
        self.state(state, path)

    def state(self, state: Mapping[str, Any], path: str) -> None:
        """What something is made of, by name."""
        self.key.append(len(state))
        if self.paths is None:
            for name, part in state.items():
                self.key.append(name)
                self.outside(part, "")
        else:
            for name, part in state.items():
                self.key.append(name)
                self.mark(f"{path}.{name}")
                self.outside(part, f"{path}.{name}")

    def identity(self, x: Any, path: str) -> None:
        """Something that is compared by identity. The key keeps it alive, so that no other thing gets its identity.

        Raises TypeError for an iterator, because it is not the same after a call.
        """
        if isinstance(x, Iterator):
            name = f" {path}" if path else ""
            raise TypeError(f"a compiled function uses the iterator{name} {x!r}, which a call uses up; make a list of it first")
        if str(getattr(x, "__name__", "")).endswith(" (vectorized)"):
            raise TypeError(
                f"a compiled function uses {x!r}, made by numpy.frompyfunc, which hides what it depends on; use numpy.vectorize, "
                "or call the function itself"
            )
        self.key.append(Identity(x))
        if self.paths is not None and type(x).__module__.split(".")[0] not in IMMUTABLE:
            self.hidden.append(f"{path} is the same {type(x).__name__}; what changes inside it is not noticed")
        self.around.has_cache |= isinstance(x, CACHED)
        for name in ("__wrapped__", "pyfunc", "func"):  # a cached function, np.vectorize
            if (inner := getattr(x, name, None)) is not None:
                self.outside(inner, path)
        if is_generator(x):
            self.generators += (x,)
