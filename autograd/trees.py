"""The room of containers: lists, tuples, dictionaries and arrays of numbers, taken apart and put together again.

A container is a list, a tuple (a named one too), a deque, a mapping, a dataclass or an array; None is an empty one. Everything
else is a leaf: a number, or a mistake, which `number_in` names. What can be read only once (generators, `map`), and what has no
places (sets), is not put together again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

from autograd.floats import number, unboxed
from autograd.value import Value

__all__ = ["branches", "copied", "is_array", "leaves", "number_in", "outer", "paired", "places", "rebuild", "transform"]

STRANGE = (("filled", "a masked array", "a.filled(0.0), or a.compressed()"), ("getA", "a numpy.matrix", "np.asarray(m)"))
LEAVES = (float, Value, int)  # the usual ones, which need no further questions


def is_array(tree: Any) -> bool:
    """Whether this is a NumPy array (without importing NumPy): it has dimensions. Arrays of other libraries are none.

    Raises TypeError for arrays of other kinds, whose masks, names of columns or shapes would get lost.
    """
    kind_of = type(tree)  # an object may answer to every name: its class says what it is
    if kind_of in LEAVES or not hasattr(kind_of, "setflags") or not tree.ndim:
        return False
    for mark, kind, way_out in STRANGE:
        if hasattr(kind_of, mark):
            raise TypeError(f"{kind} is no container of numbers here; write {way_out}")
    if names := getattr(getattr(tree, "dtype", None), "names", None):
        raise TypeError(f"an array with named columns is no container of numbers here; write one of them, a[{names[0]!r}]")
    return True


def branches(tree: Any) -> list[tuple[str, Any]] | None:
    """What a container holds, each with its place as it is written after the name of the container; None for a leaf.

    >>> branches({"w": [1.0, 2.0], "b": 3.0})
    [("['w']", [1.0, 2.0]), ("['b']", 3.0)]
    """
    if tree is None:
        return []
    if isinstance(tree, Mapping):
        return [(f"[{key!r}]", branch) for key, branch in tree.items()]
    if isinstance(tree, (list, tuple, deque)) or is_array(tree):
        return [(f"[{i}]", branch) for i, branch in enumerate(tree)]
    if hasattr(type(tree), "__dataclass_fields__"):
        return [(f".{name}", getattr(tree, name)) for name in fields_of(tree)]
    return None


def places(tree: Any, name: str) -> list[str]:
    """The places of the leaves of nested containers in order, as they are written.

    >>> places({"w": [1.0, 2.0], "b": 3.0}, "p")
    ["p['w'][0]", "p['w'][1]", "p['b']"]
    """
    found = branches(tree)
    return [name] if found is None else [place for step, branch in found for place in places(branch, name + step)]


def contents(tree: Any) -> list[Any] | None:
    """What a container that is no array holds, in order; None for a leaf."""
    if tree is None:
        return []
    if isinstance(tree, (list, tuple, deque)):
        return list(tree)
    if isinstance(tree, Mapping):
        return list(tree.values())
    if hasattr(type(tree), "__dataclass_fields__"):
        return [getattr(tree, name) for name in fields_of(tree)]
    return None


def leaves(tree: Any) -> list[Any]:
    """The leaves of nested containers in order (dictionaries: as they stand); None is an empty container.

    >>> leaves({"w": [1.0, 2.0], "b": (3.0, None)})
    [1.0, 2.0, 3.0]
    """
    if tree.__class__ in LEAVES:
        return [tree]
    if is_array(tree):
        elements = tree.ravel().tolist()
        return elements if tree.dtype.kind in "fiu" else [leaf for element in elements for leaf in leaves(element)]
    if (inside := unboxed(tree)) is not tree:
        return leaves(inside)
    parts = contents(tree)
    return [tree] if parts is None else [leaf for part in parts for leaf in leaves(part)]


def transform(function: Callable[[Any], Any], tree: Any, *, whole: bool = False) -> Any:
    """The same containers with `function` of every leaf; with `whole`, arrays are leaves as well.

    >>> transform(lambda x: 2 * x, {"w": [1.0, 2.0], "b": (3.0, None)})
    {'w': [2.0, 4.0], 'b': (6.0, None)}
    """
    if tree.__class__ in LEAVES:
        return function(tree)
    if tree is None:
        return None
    if is_array(tree):
        return function(tree) if whole else array_of([transform(function, leaf) for leaf in tree.ravel().tolist()], tree.shape)
    if (inside := unboxed(tree)) is not tree:
        return transform(function, inside, whole=whole)
    parts = contents(tree)
    return function(tree) if parts is None else refilled(tree, [transform(function, part, whole=whole) for part in parts])


def refilled(tree: Any, contents: list[Any]) -> Any:
    """A container of the same kind with other contents."""
    if type(tree) is list:
        return contents
    if type(tree) is dict:
        return dict(zip(tree, contents))
    if isinstance(tree, tuple):
        return tree._make(contents) if hasattr(tree, "_make") else type(tree)(contents)
    from copy import copy  # seldom needed

    if isinstance(tree, (list, deque)):
        filled: Any = copy(tree)  # keeps what else it has: the longest length of a deque, attributes of a class of one's own
        filled.clear()
        filled.extend(contents)
        return filled
    if isinstance(tree, MutableMapping):
        filled = copy(tree)  # keeps a default factory, say
        for key, content in zip(list(tree), contents):
            filled[key] = content
        return filled
    if isinstance(tree, Mapping):
        return type(tree)(dict(zip(tree, contents)))  # type: ignore[call-arg]
    # A dataclass; its __init__ may check or convert what it is given, which is meant for points, not for derivatives.
    filled = object.__new__(type(tree))
    for name, content in zip(fields_of(tree), contents):
        object.__setattr__(filled, name, content)
    return filled


def fields_of(tree: Any) -> list[str]:
    """The names of the fields of a dataclass."""
    from dataclasses import fields  # whoever has a dataclass has opened it

    return [field.name for field in fields(tree)]


def copied(tree: Any) -> Any:
    """The same leaves in containers of their own."""
    return transform(lambda leaf: leaf, tree)


def rebuild(tree: Any, new_leaves: Iterable[Any]) -> Any:
    """The containers of `tree`, filled with new leaves in the order of `leaves`; an iterator may hold more.

    Raises ValueError if there are too few (a StopIteration would end a loop around this without a word).
    """
    supply = iter(new_leaves)

    def place(_: Any) -> Any:
        for leaf in supply:
            return leaf
        raise ValueError("there are fewer new leaves than places in the containers")

    return transform(place, tree)


def number_in(leaf: Any, where: str) -> Any:
    """A leaf as a float, or as the Value that it is. Raises TypeError, and says how to write what can be no container."""
    if leaf.__class__ is float or isinstance(leaf, Value):
        return leaf
    if callable(getattr(leaf, "parameters", None)):
        raise TypeError(
            f"{where} needs numbers, not a {type(leaf).__name__}; call backward() on the result, or write "
            "autograd.compile(f).value_and_grad(model, ...), which names the gradient of every parameter"
        )
    if isinstance(leaf, Iterable) and not isinstance(leaf, (str, bytes)) and getattr(leaf, "ndim", None) != 0:
        raise TypeError(
            f"{where} needs a number, not {type(leaf).__name__}: containers are lists, tuples, deques, dictionaries, dataclasses "
            "and arrays; write list(...), or make a Value of each element"
        )
    return number(leaf, where)


def paired(tree: Any, like: Any, name: str = "tree") -> list[Any]:
    """The leaves of `tree` in the order of `like`: dictionaries pair up by key, dataclasses by field, the others by place.

    Lists, tuples and arrays may stand for each other where they have the same shape. Raises ValueError where keys, fields or
    shapes differ; `name` is what the message calls the tree.

    >>> paired({"b": 1.0, "w": (2.0, 3.0)}, {"w": [0.0, 0.0], "b": 0.0})
    [2.0, 3.0, 1.0]
    """
    expected, given = branches(like), branches(tree)
    if is_array(like) and is_array(tree) and like.shape == tree.shape:
        return leaves(tree)
    if expected is None:
        if given is not None:
            raise ValueError(f"{name} must be one number, not {described(tree)}")
        return leaves(tree)
    if isinstance(like, Mapping):
        if not isinstance(tree, Mapping) or tree.keys() != like.keys():
            raise ValueError(f"{name} must have the keys {list(like)}, not {described(tree)}")
        return [leaf for key, branch in like.items() for leaf in paired(tree[key], branch, f"{name}[{key!r}]")]
    apart = given is None or isinstance(tree, Mapping) or [place for place, _ in given] != [place for place, _ in expected]
    if apart or ((is_array(tree) or is_array(like)) and shape_of(tree) != shape_of(like)):
        raise ValueError(f"{name} must have {described(like)}, not {described(tree)}")
    return [leaf for (place, branch), (_, alike) in zip(given or [], expected) for leaf in paired(branch, alike, name + place)]


def described(tree: Any) -> str:
    """What is said of a container that does not fit: its keys, its fields or its shape."""
    parts = branches(tree)
    if tree is None or parts is None:
        return "None" if tree is None else f"the {type(tree).__name__} {tree!r}"
    if isinstance(tree, Mapping):
        return f"the keys {list(tree)}"
    if parts and parts[0][0].startswith("."):
        return f"the fields {[place[1:] for place, _ in parts]}"
    return f"the shape {shape_of(tree)}"


def shape_of(tree: Any) -> tuple[int, ...]:
    """The shape of nested sequences, as far as all branches agree."""
    if is_array(tree):
        return tuple(tree.shape)
    if not isinstance(tree, (list, tuple, deque)):
        return ()
    shapes = {shape_of(branch) for branch in tree}
    return (len(tree), *(shapes.pop() if len(shapes) == 1 else ()))


def outer(outputs: Any, inputs: Any, entry: Callable[[Any, Any], Any]) -> Any:
    """The containers of `outputs`, in place of each number those of `inputs`, in place of each number there `entry(y, x)`.

    Arrays count as one, as in JAX: an array and an array give one of both shapes, `y.shape + x.shape`.

    >>> outer({"f": 1.0}, (2.0, [3.0]), lambda y, x: f"d{y}/d{x}")
    {'f': ('d1.0/d2.0', ['d1.0/d3.0'])}
    """

    def block(y: Any, x: Any) -> Any:
        if not is_array(y) and not is_array(x):
            return entry(y, x)
        shape = (*getattr(y, "shape", ()), *getattr(x, "shape", ()))
        return array_of([entry(a, b) for a in leaves(y) for b in leaves(x)], shape)

    return transform(lambda y: transform(lambda x: block(y, x), inputs, whole=True), outputs, whole=True)


def array_of(elements: list[Any], shape: tuple[int, ...]) -> Any:
    """A NumPy array of floats if all elements are, else an Array."""
    import autograd.arrays.protocols as protocols

    return protocols.array_of(elements, shape)
