"""The room of numbers outside that keep changing, such as a learning rate: soon they are inputs, not a new program each.

A number in a closure or a global is one from its second value on; one in an attribute of an object that is an argument, or has a
name outside, from its third. Nobody else ever sees what stands for it: the function is traced as a copy of itself that finds it
under the name, or finds a copy of the object. That is the same function only if it alone reads the name, or the object is reached
in one way only, and if it treats numbers alike. Where a trace shows that it does not, its numbers are compared as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import CellType, FunctionType
from typing import Any

from autograd.compiler.kinds import MISSING, is_standard, slots
from autograd.compiler.signature import Signature
from autograd.compiler.surroundings import HERE, Surroundings, names_in
from autograd.floats import MANTISSA

__all__ = ["Changing", "NotAlike", "Placed"]

# A function that asks what kind of thing a number is must not get another.
ASKING = frozenset({"isinstance", "type", "issubclass", "__class__"})

HEAP = 1 << 9  # the flag of classes that a program has made


class NotAlike(Exception):  # noqa: N818 - nobody sees it
    """A function was traced with numbers from outside as inputs, but needs the numbers themselves."""


class Changing:
    """Which numbers outside have changed between the calls of a function: by the name, or 'name.attribute'."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.first: dict[str, Any] = {}  # the number that was seen first
        self.names: set[str] = set()  # these are inputs
        self.attributes: dict[str, set[str]] = {}  # by the name of the object, these attributes are inputs
        self.traced: dict[str, dict[str, Any]] = {}  # by the name of an object, its numbers at the latest trace
        self.steady: set[str] = set()  # what cannot be an input: each number is compiled for itself

    def is_input(self, name: str, number: Any, around: Surroundings) -> bool:
        """Whether the number of a closure or global is an input, which it becomes at its second value."""
        if name in self.names:
            return True
        if name not in self.steady and self.is_new(name, number):
            (self.names if is_alone(self.function, name, around) else self.steady).add(name)
        return name in self.names

    def is_new(self, path: str, number: Any) -> bool:
        """Whether a number differs from the first that was seen there."""
        first = self.first.setdefault(path, number)
        return first is not number and first != number and (first == first or number == number)

    def skip(self, found: Signature, objects: Mapping[str, Any]) -> list[tuple[Any, str]]:
        """The attributes of these objects that are inputs, which a signature does not compare."""
        numbers = []
        skipped: dict[int, tuple[Any, set[str]]] = {}
        for name, attributes in self.attributes.items():
            owner = objects.get(name)
            for attribute in attributes if is_plain(type(owner)) else ():
                number = vars(owner).get(attribute, MISSING)
                if is_number(number) and id(owner) not in found.before:
                    skipped.setdefault(id(owner), (owner, set()))[1].add(attribute)
                    numbers.append((number, f"{name}.{attribute}"))
        found.skipped = skipped
        return numbers

    def remember(self, found: Signature, around: Surroundings) -> None:
        """The numbers in attributes at a trace, of which `found` is the named signature."""
        if not around.names.isdisjoint(ASKING):
            return
        for name, owner in found.owners.items():
            if "." in name or id(owner) in found.shared or not is_plain(type(owner)):
                continue
            if name in around.looks and (around.looks[name]() is not owner or not is_alone(self.function, name, around)):
                continue
            numbers = {attribute: number for attribute, number in vars(owner).items() if is_number(number)}
            self.traced[name] = {attribute: self.first.setdefault(f"{name}.{attribute}", n) for attribute, n in numbers.items()}

    def notice(self, objects: Mapping[str, Any]) -> None:
        """Look for attributes that have changed since, at the call after a trace."""
        for name, numbers in self.traced.items():
            now = getattr(objects.get(name), "__dict__", {})
            for attribute in numbers:
                path = f"{name}.{attribute}"
                if is_number(now.get(attribute)) and path not in self.steady and self.is_new(path, now[attribute]):
                    self.attributes.setdefault(name, set()).add(attribute)
        self.traced = {}

    def check(self, around: Surroundings) -> None:
        """Give up where the surroundings have changed so that others read the names of inputs too."""
        names = self.names | (self.attributes.keys() & around.looks.keys())
        if not all(is_alone(self.function, name, around) for name in names):
            self.give_up()

    def give_up(self) -> None:
        """The function cannot be traced so: it needs the numbers themselves."""
        self.steady |= self.names
        self.steady.update(f"{name}.{attribute}" for name, found in self.attributes.items() for attribute in found)
        self.names.clear()
        self.attributes.clear()


class Placed:
    """What stands for numbers outside, placed where a traced function finds it."""

    def __init__(self, found: Signature, stand_ins: Mapping[str, Any]) -> None:
        self.names: dict[str, Any] = {}  # what names outside mean
        self.objects: dict[int, Any] = {}  # by the identity of an argument, the copy in its place
        self.before: list[tuple[dict[str, Any], dict[str, Any]]] = []
        owners = {name: found.owners[name] for path in stand_ins for name, dot, _ in [path.partition(".")] if dot}
        if not found.shared.isdisjoint(map(id, owners.values())):
            raise NotAlike
        copies = {name: copied(owner) for name, owner in owners.items()}
        for path, stand_in in stand_ins.items():
            name, _, attribute = path.partition(".")
            if attribute:
                vars(copies[name])[attribute] = stand_in
            else:
                self.names[name] = stand_in
        for name, owner in owners.items():
            self.before.append((vars(copies[name]), dict(vars(copies[name]))))
            self.objects[id(owner)] = copies[name]
            if name in found.around.looks:
                self.names[name] = copies[name]

    def is_unchanged(self) -> bool:
        """Whether the function has left the copies as they were."""
        return all(now.keys() == then.keys() and all(now[name] is then[name] for name in then) for now, then in self.before)

    def around(self, function: Any) -> Any:
        """The function, in which some names of its closure and its globals mean something else."""
        if not self.names:
            return function
        code, cells = function.__code__, function.__closure__ or ()
        closure = tuple([
            CellType(self.names[name]) if name in self.names else cell for name, cell in zip(code.co_freevars, cells)
        ])  # fmt: skip
        outside = {name: thing for name, thing in self.names.items() if name not in code.co_freevars}
        words = function.__globals__ | outside if outside else function.__globals__
        made = FunctionType(code, words, function.__name__, function.__defaults__, closure)
        made.__kwdefaults__ = function.__kwdefaults__
        vars(made).update(vars(function))
        return made


def copied(owner: Any) -> Any:
    """Another object with the same attributes."""
    made = object.__new__(type(owner))
    vars(made).update(vars(owner))
    return made


def is_plain(kind: type) -> bool:
    """Whether objects of a class are nothing but their attributes."""
    return kind.__flags__ & HEAP != 0 and all(one is object or not (is_standard(one) or slots(one)) for one in kind.__mro__)


def is_number(x: Any) -> bool:
    return type(x) is float or (type(x) is int and -MANTISSA < x < MANTISSA)


def is_alone(function: Any, name: str, around: Surroundings) -> bool:
    """Whether a function only reads what a name means, is alone in reading it, and treats any kind of number alike."""
    if not isinstance(function, FunctionType) or around.readers.get(name) != [function]:
        return False
    used = names_in(function.__code__)
    is_recursive = any(look() is function for look in around.looks.values())
    return not is_recursive and name not in used.stored and used.all.isdisjoint(HERE) and around.names.isdisjoint(ASKING)
