"""The room of kinds: what a thing that a compiled function depends on is, and what it is made of."""

from __future__ import annotations

import enum
import marshal
import random
import sys
import weakref
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, partial
from types import BuiltinFunctionType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

from autograd.floats import MANTISSA
from autograd.trees import is_array
from autograd.value import Value, current, note

__all__ = [
    "EXACT",
    "FLAT",
    "MISSING",
    "OPAQUE",
    "OWN",
    "PROXIES",
    "Behind",
    "Form",
    "Identity",
    "Written",
    "class_state",
    "functions_of",
    "is_constant",
    "is_generator",
    "is_installed",
    "is_object",
    "is_standard",
    "kind_of",
    "unravel",
]  # fmt: skip

OPAQUE = (type, FunctionType, MethodType, BuiltinFunctionType, ModuleType)  # compared by identity
EXACT = frozenset({bool, int, float, complex, str, bytes, type(None), list, tuple, dict, set, frozenset})  # have no attributes
FLAT = frozenset({bool, int, float, complex, str, bytes, type(None)})  # what is compared as it is written to a file
# Numbers that a function may ask for their type, and what holds no numbers: the function gets these as they are.
WHOLE = (Value, bool, str, bytes, type(None), *OPAQUE, enum.Enum, complex, Fraction, Decimal, range, slice)
PROXIES = (weakref.ProxyType, weakref.CallableProxyType)  # have the class, and most attributes, of what they refer to
OWN = ("autograd", "numpy", "builtins", "functools", "logging")  # objects of these are compared by identity too
STANDARD = {*sys.stdlib_module_names, *OWN, "nn"} - {"__main__"}


class Missing:
    """What a name means that nothing has."""

    def __repr__(self) -> str:
        return "nothing"


MISSING = Missing()


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


class Behind(list[Any]):
    """A list behind other things, which are counted but not kept."""

    def __init__(self, head: int) -> None:
        super().__init__()
        self.head = head

    def __getitem__(self, k: Any) -> Any:
        return super().__getitem__(k - self.head)


def kind_of(x: Any) -> str:
    """How an argument is taken apart.

    'float', 'integer', 'array', and lists of nothing but 'floats' or 'integers' are inputs; 'list', 'tuple', 'dict' and
    'elements', an array of anything else, are taken apart further; 'number' is one inside something without dimensions; 'foreign'
    is a number that is no float, as mpmath's are. All else is 'outside': the function gets it as it is, and its numbers are
    compared. Raises TypeError for arrays that are no containers of numbers, such as masked ones.
    """
    kind = type(x)
    if kind is float:
        return "float"
    if kind is int:
        return "integer" if -MANTISSA < x < MANTISSA else "outside"
    if kind is list or kind is tuple:
        kinds = set(map(type, x))
        if kinds == {float}:
            return "floats"
        return "integers" if kinds == {int} and min(x) > -MANTISSA and max(x) < MANTISSA else kind.__name__
    if is_array(x):
        return "array" if x.dtype.kind in "fiu" else "elements" if x.dtype.kind == "O" else "outside"
    if isinstance(x, WHOLE):
        return "foreign" if kind is complex else "outside"
    for one in (list, tuple, dict):
        if isinstance(x, one):
            return one.__name__
    return kind_of_other(x, kind)


def kind_of_other(x: Any, kind: type) -> str:
    """The same for what is no container and no plain number of Python's."""
    if kind.__module__.startswith("mpmath"):
        return "foreign"
    if (np := sys.modules.get("numpy")) is not None and isinstance(x, np.generic):
        return {"f": "float", "i": "integer", "u": "integer"}.get(x.dtype.kind, "outside")
    if is_tensor(x):
        dtype = numpy_of(x).dtype.kind
        return "number" if not x.ndim else "array" if dtype in "fiu" else "outside"
    if isinstance(x, (int, float)) or (is_object(x) and not hasattr(kind, "__float__")):
        return "outside"
    if np is not None and isinstance(x, np.ndarray):  # without dimensions
        return "number"
    return "integer" if hasattr(kind, "__index__") else "float" if hasattr(kind, "__float__") else "outside"


def is_tensor(x: Any) -> bool:
    """Whether this is an array of another library, such as JAX or PyTorch, that can be made one of NumPy."""
    kind = type(x)
    return not hasattr(kind, "setflags") and hasattr(kind, "__array__") and hasattr(kind, "device") and hasattr(kind, "dtype")


def numpy_of(x: Any) -> Any:
    """An array of NumPy, or of another library, as one of NumPy."""
    if not is_tensor(x):
        return x
    import numpy as np

    return np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)


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


def is_installed(module: ModuleType) -> bool:
    """Whether a module is a package that was installed, of which only what is named in a program is looked at."""
    return "site-packages" in (getattr(module, "__file__", None) or "")


def class_state(kind: type) -> dict[str, Any]:
    """What the user's classes of an object define for it beside methods: numbers, say, and descriptors with a state."""
    classes = [part for part in reversed(kind.__mro__) if not is_standard(part)]
    parts = [item for one in classes for item in vars(one).items()]
    return {name: part for name, part in parts if name[:2] != "__" and (not hasattr(part, "__get__") or is_object(part))}


class Written:
    """A long list of floats, as it was when it was walked."""

    def __init__(self, numbers: list[float]) -> None:
        self.numbers = numbers.copy()
        self.digest = hash(marshal.dumps(self.numbers, 2))  # of 64 bits, with a key of this process
        self.places = [k for k, number in enumerate(self.numbers) if number == round(number, 0)]  # where 1.0 may become True

    def is_same(self, numbers: list[Any]) -> bool:
        """Whether a list is the same, without a walk: equal numbers, no Values, and where they are whole the very same things.

        Python compares lists by identity first, which is fast. That leaves other kinds of numbers that are equal to floats which
        are not whole, as Fraction(1, 2) to 0.5, in place of those; the results are the same.
        """
        met: list[Any] = []
        token = note.set(current().but(read=lambda *facts: met.append(facts)))
        try:
            is_equal = self.numbers == numbers
        finally:
            note.reset(token)
        return is_equal and not met and all(self.numbers[k] is numbers[k] for k in self.places)


class Form:
    """What objects of a class are made of."""

    def __init__(self, kind: type) -> None:
        custom = getattr(kind, "__getstate__", None)
        self.is_standard = is_standard(kind)
        self.shared = {} if self.is_standard else class_state(kind)
        self.slots = slots(kind)
        self.is_hookable = hasattr(kind, "register_forward_hook")
        # what a module of this library does not pickle does not belong to its state
        self.is_pickled = isinstance(custom, FunctionType) and is_standard(custom)

    def state(self, x: Any) -> dict[str, Any]:
        """The attributes of an object, and what its class defines, by name."""
        found: dict[str, Any] = x.__getstate__() if self.is_pickled else getattr(x, "__dict__", {})
        if not isinstance(found, dict):
            found = {}
        if not self.slots and not self.shared:
            return found
        return self.shared | {name: getattr(x, name) for name in self.slots if hasattr(x, name)} | found


def functions_of(part: Any) -> tuple[Any, ...]:
    """The functions in a member of a class, or in what wraps a function."""
    if isinstance(part, property):
        return (part.fget, part.fset, part.fdel)
    if isinstance(part, partial):
        return (part.func,)
    if isinstance(part, cached_property):
        return (part.func,)
    return (part.__func__,) if isinstance(part, (MethodType, staticmethod, classmethod)) else (part,)


def slots(kind: type) -> list[str]:
    """The names of attributes that objects of a class of the user's have, but not in a dictionary."""
    parts = [item for one in kind.__mro__ if one is not Value for item in vars(one).items()]
    return [name for name, part in parts if name[:2] != "__" and isinstance(part, MemberDescriptorType)]


def is_object(x: Any) -> bool:
    """Whether something is taken apart into its attributes: an object of the user's, or a module of `nn`."""
    kind = type(x)
    return (
        not isinstance(x, OPAQUE) and kind.__module__.split(".")[0] not in OWN and (hasattr(x, "__dict__") or bool(slots(kind)))
        and not is_generator(x)
    )  # fmt: skip


def is_generator(x: Any) -> bool:
    """Whether this draws random numbers: Python's generators, NumPy's, and NumPy's older kind."""
    kind = type(x)
    return issubclass(kind, random.Random) or hasattr(kind, "bit_generator") or hasattr(kind, "_bit_generator")


def unravel(place: int, shape: Iterable[int]) -> list[int]:
    """The index in each dimension: place 5 of shape (2, 3) is [1, 2]."""
    found: list[int] = []
    for size in reversed(list(shape)):
        place, rest = divmod(place, size)
        found.append(rest)
    return found[::-1]
