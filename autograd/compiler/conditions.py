"""The room of conditions: what must hold for a call to be like one that went before, as expressions of Python.

The signature of a call takes everything apart that a function depends on. Where everything is the very same as it was, the
signature is the same, and that is seen in a fraction of the time. So the walk is done once more while conditions are written
down: every container that it looks into holds the very same things, and the arguments are of the same kinds and lengths.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import chain
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from autograd.compiler.kinds import MISSING, Form, is_standard, is_tensor, kind_of
from autograd.compiler.signature import BIG, Signature
from autograd.compiler.surroundings import content
from autograd.value import Value

__all__ = ["FLOATS", "Conditions", "Splice", "Unprepared"]

PARTS = 256  # numbers or containers in one argument, each with conditions of its own
FLOATS = {float}


class Unprepared(Exception):  # noqa: N818 - nobody sees it
    """A call depends on something that cannot be told by identity."""


class Splice(NamedTuple):
    """Things that come one after the other: how they are written in a list, how many they are, and how many numbers they have.

    An array is one thing, and so is a list of integers: that is written as it is, by name.
    """

    text: str
    things: int = 1
    numbers: int = 1
    is_array: bool = False
    is_list: bool = False


class Conditions(Signature):
    """A signature that writes down what must be the very same for it to come out the same again.

    `lines` are expressions over `words`, which hold every container that was looked into, and everything in it.
    """

    def __init__(self, around: Any, start: Signature | None = None) -> None:
        super().__init__(around=around, start=start)
        self.lines: list[str] = []
        self.words: dict[str, Any] = {}
        self.names: dict[int, str] = {}  # of things, by their identity; `words` keeps them alive
        self.noted: set[tuple[str, str]] = set()
        self.watched: list[str] = []  # further conditions, which no Value must be read for
        self.ids: list[str] = []  # the identities of the containers in the arguments

    # Words

    def word(self, thing: Any) -> str:
        """The name of a thing."""
        name = self.names.get(id(thing))
        if name is None:
            name = self.names[id(thing)] = f"c{len(self.words)}"
            self.words[name] = thing
        return name

    def same(self, text: str, thing: Any) -> None:
        """One more condition: this is the very same thing."""
        self.lines.append(f"{text} is {'None' if thing is None else self.word(thing)}")

    def is_new(self, x: Any, what: str) -> bool:
        """Whether nothing is written yet about what a container holds, or about the attributes of an object."""
        key = what, self.word(x)
        is_new = key not in self.noted
        self.noted.add(key)
        return is_new

    def listed(self, x: list[Any]) -> None:
        """A list holds the very same things.

        Equality looks at identity first, which is fast. A Value that is equal without being the same says that it was read, and
        whole numbers are looked at one by one, since 1.0 is True too.
        """
        if not self.is_new(x, "contents"):
            return
        if all(type(part) in (float, Value) for part in x):
            self.watched.append(f"{self.word(x)} == {self.word(x.copy())}")
            for k, part in enumerate(x):
                if type(part) is float and part == round(part, 0):
                    self.same(f"{self.word(x)}[{k}]", part)
        else:
            self.every(f"{self.word(x)}", tuple(x))

    def every(self, text: str, things: tuple[Any, ...]) -> None:
        """As many things as there were, all the very same."""
        self.lines.append(f"len({text}) == {len(things)} and all(map(is_, {text}, {self.word(things)}))")

    def keyed(self, x: Mapping[Any, Any], ignored: Sequence[str] = ()) -> None:
        """A dictionary has the same names in the same order, and the very same things under them, but for ignored ones."""
        if not self.is_new(x, "contents"):
            return
        name, keys = self.word(x), tuple(x)
        if all(type(key) is str for key in keys):
            self.lines.append(f"(*{name},) == {self.word(keys)}")
            for key in keys:
                if key not in ignored:
                    self.same(f"{name}[{key!r}]", x[key])
        else:
            self.every(name, keys)
            self.every(f"{name}.values()", tuple(x.values()))

    # What the walk looks into

    def value(self, x: Value, path: str) -> None:
        """A Value of the user's class may have a state."""
        if type(x) is not Value:
            raise Unprepared
        super().value(x, path)

    def reference(self, x: Any, kind: type, path: str) -> None:  # noqa: ARG002 - as in a signature
        """What it refers to may change without any sign."""
        raise Unprepared

    def other(self, x: Any, kind: type, path: str) -> None:
        """What is not known to stay the same by itself."""
        if isinstance(x, (memoryview, bytearray, Mapping, Sequence)) and kind is not range:
            raise Unprepared
        super().other(x, kind, path)

    def array_outside(self, x: Any, kind: type, path: str) -> None:
        """An array has the same numbers, to the bit."""
        if is_tensor(x) or x.dtype.kind == "O" or hasattr(x, "__dict__"):
            raise Unprepared
        if self.is_new(x, "contents"):
            self.lines.append(f"{self.word(x)}.shape == {self.word(x.shape)}")
            self.lines.append(f"{self.word(x)}.dtype is {self.word(x.dtype)}")
            written = x.tobytes()
            is_small = len(written) < BIG
            self.lines.append(
                f"{self.word(x)}.tobytes() == {self.word(written)}" if is_small else
                f"hash({self.word(x)}.tobytes()) == {hash(written)}"
            )  # fmt: skip
        super().array_outside(x, kind, path)

    def outside(self, x: Any, path: str) -> None:
        """Sets and queues hold the very same things, in the order in which they are found."""
        if isinstance(x, (set, frozenset, deque)) and self.is_new(x, "contents"):
            self.every(self.word(x), tuple(x))
        super().outside(x, path)

    def sequence(self, x: Sequence[Any], kind: type, path: str) -> None:
        """A list holds the very same things; a tuple does so by itself."""
        if issubclass(kind, list):
            self.listed(x)  # type: ignore[arg-type]
        elif not issubclass(kind, (tuple, set, frozenset, deque)):
            raise Unprepared  # `x` is a copy
        super().sequence(x, kind, path)

    def mapping(self, x: Mapping[Any, Any], path: str) -> None:
        """A dictionary has the very same entries."""
        if not isinstance(x, dict):
            raise Unprepared
        self.keyed(x)
        super().mapping(x, path)

    def code(self, x: Any, path: str) -> None:
        """A function has the very same attributes."""
        if isinstance(x, FunctionType) and not (is_standard(x) and "registry" in vars(x)):
            self.keyed(vars(x))
        super().code(x, path)

    def module(self, x: ModuleType, path: str) -> None:
        """A module has the very same things under the names that occur in the functions."""
        if not is_standard(x) and self.is_new(x, "names"):
            if self.around.is_dynamic:
                raise Unprepared
            table = vars(x)
            for name in sorted(self.around.names & table.keys()):
                self.same(f"{self.word(table)}[{name!r}]", table[name])
            missing = self.around.names - table.keys()
            self.lines.append(f"{self.word(missing)}.isdisjoint({self.word(table)})")
        super().module(x, path)

    def object(self, x: Any, path: str) -> None:
        """An object has the very same attributes, and the same class."""
        if self.is_new(x, "attributes"):
            form: Form = self.around.form(type(x))
            if form.is_pickled and not form.is_hookable:
                raise Unprepared  # only a module of this library is known to keep what it does not pickle out of its results
            self.same(f"{self.word(x)}.__class__", type(x))
            for name in form.slots:
                if not hasattr(x, name):
                    raise Unprepared
                self.same(f"{self.word(x)}.{name}", getattr(x, name))
            if hasattr(x, "__dict__"):
                self.same(f"{self.word(x)}.__dict__", vars(x))
                self.keyed(vars(x), ["_seen"] if form.is_pickled else [])
        super().object(x, path)

    # All that surrounds a function

    def surroundings(self, function: Any, changing: Any) -> list[Splice]:
        """Everything outside; what it gives are numbers that are inputs."""
        around, before = self.around, self.count
        self.key.append(around.state)
        self.outside(function, "")
        splices = self.values_since(before)
        for name, look in around.looks.items():
            text, x = self.looked(look)
            if (type(x) is float or type(x) is int) and changing.is_input(name, x, around):
                self.enter_changing(x, name)
                self.lines.append(f"{text}.__class__ is {self.word(type(x))}")
                splices.append(Splice(text))
            else:
                self.same(text, x)
                before = self.count
                self.outside(x, "")
                splices += self.values_since(before)
        for each, code, defaults, keywords in around.codes:
            for part, thing in (("__code__", code), ("__defaults__", defaults), ("__kwdefaults__", keywords)):
                self.same(f"{self.word(each)}.{part}", thing)
        for kind, (bases, members) in around.classes.items():
            self.same(f"{self.word(kind)}.__bases__", bases)
            self.lines.append(f"(*{self.word(vars(kind))},) == {self.word(tuple(members))}")
            self.every(f"{self.word(vars(kind))}.values()", tuple(members.values()))
        for get, name, thing in around.fixed:
            table = get.__self__  # type: ignore[attr-defined]
            if thing is MISSING:
                self.lines.append(f"{name!r} not in {self.word(table)}")
            else:
                self.same(f"{self.word(table)}[{name!r}]", thing)
        return splices

    def looked(self, look: Any) -> tuple[str, Any]:
        """How to look up what stands outside, a cell of a closure or a name in a table, and what stands there now."""
        if look.func is content:
            return f"{self.word(look.args[0])}.cell_contents", look()
        if isinstance(table := getattr(look.func, "__self__", None), dict) and look.args[0] in table:
            return f"{self.word(table)}[{look.args[0]!r}]", look()
        return f"{self.word(look)}()", look()

    def values_since(self, before: int) -> list[Splice]:
        """The Values that were found since then, which are inputs."""
        found = list(self.things)[before - self.head :]
        if not all(type(x) is Value for x in found):
            raise Unprepared
        if not found:
            return []
        return [Splice(f"*[v._data for v in {self.word(tuple(found))}]", len(found), len(found))]

    # Arguments

    def given(self, text: str, x: Any) -> list[Splice]:
        """An argument, or a part of one: conditions on it, and its things."""
        kind, before = kind_of(x), self.count
        if kind == "outside":
            self.argument(x, "")
            if type(x) is str:
                self.lines.append(f"{text}.__class__ is str and {text} == {x!r}")
            else:
                self.same(text, x)
            return self.values_since(before)
        if type(x) is float or type(x) is int:
            self.lines.append(f"{text}.__class__ is {self.word(type(x))}")
            self.argument(x, "")
            return [Splice(text)]
        if kind == "array" and type(x).__module__ == "numpy" and not hasattr(x, "__dict__"):
            self.lines.append(f"{text}.__class__ is {self.word(type(x))}")
            self.lines.append(f"{text}.dtype is {self.word(x.dtype)}")
            self.lines.append(f"{text}.shape == {self.word(x.shape)}")
            self.ids.append(f"id({text})")
            self.argument(x, "")
            return [Splice(text if x.ndim == 1 else f"{text}.ravel()", 1, x.size, is_array=True)]
        if type(x) not in (list, tuple, dict) or (len(x) > PARTS and kind not in ("floats", "integers")):
            raise Unprepared
        return self.contained(text, x, kind)

    def contained(self, text: str, x: Any, kind: str) -> list[Splice]:
        """A container of arguments."""
        self.lines.append(f"{text}.__class__ is {self.word(type(x))} and len({text}) == {len(x)}")
        self.ids.append(f"id({text})")
        if kind in ("floats", "integers"):
            self.argument(x, "")
            if kind == "floats":
                self.lines.append(f"{{*map(type, {text})}} == FLOATS")
                return [Splice(f"*{text}", len(x), len(x))]
            self.lines.append(f"{{*map(type, {text})}} == {{int}}")
            return [Splice(text, 1, len(x), is_list=True)]
        self.containers.append(id(x))
        self.key += (type(x), len(x))
        if type(x) is dict:
            if not all(type(name) is str for name in x):
                raise Unprepared
            self.lines.append(f"(*{text},) == {self.word(tuple(x))}")
            parts = []
            for name, part in x.items():
                self.key.append(name)
                parts += self.given(f"{text}[{name!r}]", part)
            return parts
        if rows := self.rows(x):
            return self.regular(text, rows)
        return [splice for k, part in enumerate(x) for splice in self.given(f"{text}[{k}]", part)]

    def rows(self, x: Any) -> list[Any]:
        """The rows of a list that holds nothing but lists, or tuples, of as many floats each."""
        if x and type(x[0]) in (list, tuple) and len(x) > 2:
            shapes = {(type(row), len(row)) if type(row) in (list, tuple) else None for row in x}
            if len(shapes) == 1 and set(map(type, chain(*x))) == FLOATS:
                return list(x)
        return []

    def regular(self, text: str, rows: Sequence[Any]) -> list[Splice]:
        """Such a list, with conditions on all rows at once."""
        for row in rows:
            self.argument(row, "")
        kind, width = self.word(type(rows[0])), len(rows[0])
        self.lines.append(f"{{*map(type, {text})}} == {{{kind}}} and {{*map(len, {text})}} == {{{width}}}")
        self.lines.append(f"{{*map(type, chain(*{text}))}} == FLOATS")
        self.ids.append(f"*map(id, {text})")
        return [Splice(f"*chain(*{text})", len(rows) * width, len(rows) * width)]
