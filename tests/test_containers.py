"""Containers: functions that change their own, what comes back in which, what is no container, and Jacobians of arrays."""

from __future__ import annotations

import re
from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.trees import branches, leaves, outer, paired, rebuild, transform

Point = namedtuple("Point", "x y")


@dataclass(frozen=True)
class Frozen:
    w: Any
    b: Any


@dataclass
class Checked:
    scale: Any
    rest: Any = field(default=None, repr=False)

    def __post_init__(self):
        if self.scale <= 0:
            raise ValueError("the scale must be positive")


@dataclass(slots=True)
class Slotted:
    w: Any


class Named(dict):
    """A dictionary with an attribute, whose constructor wants more than its contents."""

    def __init__(self, name, contents):
        super().__init__(contents)
        self.name = name


# Functions that change their own containers: x0**2 * x1 * x2 of the numbers they were given, in the order of the keys.


def formula(x, y, z):
    return x**2 * y * z


def pops_the_first(p):
    x = p.pop(0)
    return formula(x, *p)


def pops_the_last(p):
    z = p.pop()
    return formula(*p, z)


def clears(p):
    x, y, z = p
    p.clear()
    return formula(x, y, z)


def deletes(p):
    x, y, z = p
    del p[1:]
    return formula(x, y, z)


def appends(p):
    p.append(p[0] * 2.0)
    return formula(*p[:3])


def extends(p):
    p[:0] = [7.0, 8.0]
    return formula(*p[2:])


def sorts(p):
    x, y, z = p
    p.sort(reverse=True)
    return formula(x, y, z)


def reverses(p):
    x, y, z = p
    p.reverse()
    return formula(x, y, z)


def reassigns(p):
    p[0] = p[0] * p[0]
    p[1] *= p[2]
    return p[0] * p[1]


def replaces_by_containers(p):
    x, y, z = p
    p[0], p[2] = [x, x], None
    return formula(x, y, z)


LISTS = [pops_the_first, pops_the_last, clears, deletes, appends, extends, sorts, reverses, reassigns, replaces_by_containers]


def pops_a_key(p):
    x = p.pop("x")
    return formula(x, p["y"], p["z"])


def pops_an_item(p):
    x, y = p["x"], p["y"]
    return formula(x, y, p.popitem()[1])


def puts_a_key_back(p):
    x = p.pop("x")
    p["x"] = x
    return formula(*[p[key] for key in "xyz"])


def adds_a_key(p):
    p["a"] = p["x"] * 2.0
    return formula(*[p[key] for key in "xyz"])


def updates(p):
    p.update(x=p["x"] ** 2, y=[p["y"]])
    return p["x"] * p["y"][0] * p["z"]


def reorders(p):
    contents = dict(sorted(p.items(), reverse=True))
    p.clear()
    p.update(contents)
    return formula(*[p[key] for key in "xyz"])


DICTIONARIES = [pops_a_key, pops_an_item, puts_a_key_back, adds_a_key, updates, reorders]
NUMBERS = [2.0, 3.0, 5.0]
GRADIENT = [60.0, 20.0, 12.0]
HESSIAN = [[30.0, 20.0, 12.0], [20.0, 0.0, 4.0], [12.0, 4.0, 0.0]]


def named(values):
    return dict(zip("xyz", values))


@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
@pytest.mark.parametrize("change", [*LISTS, *DICTIONARIES], ids=lambda change: change.__name__)
def test_the_answer_has_the_structure_that_was_passed_in(change, nested):
    shape = named if change in DICTIONARIES else list
    wrap = (lambda tree: {"outer": [1.0, tree]}) if nested else (lambda tree: tree)
    f = (lambda p: change(p["outer"].pop())) if nested else change
    point, gradient = wrap(shape(NUMBERS)), wrap(shape(GRADIENT))
    if nested:
        gradient["outer"][0] = 0.0
    before = repr(point)
    assert repr(grad(f)(point)) == repr(gradient)
    assert repr(value_and_grad(f)(point)) == repr((60.0, gradient))
    assert repr(jacobian(f)(point)) == repr(gradient)
    assert repr(grad(lambda a, p: a * f(p), (1, 0))(2.0, point)) == repr((doubled(gradient), 60.0))
    assert repr(grad(lambda a, p: a * f(p), -1)(2.0, point)) == repr(doubled(gradient))
    value, pull = vjp(f, point)
    assert (value, repr(pull(1.0))) == (60.0, repr((gradient,)))
    assert jvp(f, (point,), (transform(lambda _: 1.0, point),)) == (60.0, 92.0)
    assert leaves(hvp(f)(point, transform(lambda _: 1.0, point)))[-3:] == [62.0, 24.0, 16.0]
    assert len(leaves(hessian(f)(point))) == len(leaves(point)) ** 2
    assert repr(grad(lambda p: ag.sum(leaves(grad(f)(p))))(point)) == repr(hvp(f)(point, transform(lambda _: 1.0, point)))
    assert ag.gradcheck(f, point)
    assert repr(point) == before


def doubled(tree):
    return transform(lambda x: 2.0 * x, tree)


def test_hessians_of_functions_that_change_their_containers():
    for change in LISTS:
        assert hessian(change)(list(NUMBERS)) == HESSIAN
    for change in DICTIONARIES:
        assert hessian(change)(named(NUMBERS)) == named([named(row) for row in HESSIAN])


def test_the_examples_of_the_kind():
    assert grad(lambda p: p.pop("lr") * p["w"] ** 2)({"lr": 2.0, "w": 3.0}) == {"lr": 9.0, "w": 12.0}
    assert grad(lambda x: x.pop(0) * x[0] ** 2)([2.0, 3.0]) == [9.0, 12.0]
    appended = lambda x: x.append(1.0) or x[0] ** 2  # noqa: E731
    assert list(map(grad(appended), [[2.0], [3.0]])) == [[4.0], [6.0]]


def test_arrays_may_be_written_into():
    def writes(x):
        x[0] = x[0] * x[1]
        x[1:] = x[1:] * 2.0
        return x[0] + x.sum()

    point = np.array([2.0, 3.0, 5.0])
    assert grad(writes)(point).tolist() == [6.0, 6.0, 2.0]
    assert jacobian(writes)(point).tolist() == [6.0, 6.0, 2.0]
    assert point.tolist() == [2.0, 3.0, 5.0]


def test_a_changed_output_does_not_confuse_its_cotangents():
    kept = []

    def f(x):
        kept[:] = [x, x * x]
        return kept

    _, pull = vjp(f, 3.0)
    kept.clear()
    assert pull([1.0, 1.0]) == (7.0,)


def test_one_list_given_twice_is_two_lists():
    x = [2.0, 3.0]
    assert grad(lambda a, b: a.pop() * b[1] * b[0], (0, 1))(x, x) == ([0.0, 6.0], [9.0, 6.0])
    assert grad(lambda p: p[0].pop() * p[1][1])([x, x]) == [[0.0, 3.0], [0.0, 3.0]]
    assert x == [2.0, 3.0]


def test_one_argument_named_twice_has_its_gradient_twice():
    assert grad(lambda x: x**2, (0, -1))(3.0) == (6.0, 6.0)
    with ag.no_grad():
        assert grad(lambda x: x**2, (0, -1))(3.0) == (6.0, 6.0)


def test_argnums_are_whole_numbers():
    with pytest.raises(TypeError, match="argnums are whole numbers, not str 'x'"):
        grad(lambda x: x, "x")(1.0)


# What is a container.

CONTAINERS = [
    [2.0, 3.0, 5.0], (2.0, 3.0, 5.0), deque([2.0, 3.0, 5.0], maxlen=4), Point(2.0, (3.0, 5.0)),
    {"a": 2.0, "b": [3.0, 5.0]}, OrderedDict(z=2.0, y=3.0, x=5.0), defaultdict(list, a=2.0, b=3.0, c=5.0),
    UserDict({"a": 2.0, "b": 3.0, "c": 5.0}), MappingProxyType({"a": 2.0, "b": 3.0, "c": 5.0}), Counter(a=2.0, b=3.0, c=5.0),
    Frozen(2.0, [3.0, 5.0]), Checked(2.0, (3.0, 5.0)), Slotted({"a": 2.0, "b": Slotted((3.0, 5.0))}),
    {"a": [2.0, {"b": (3.0, deque([5.0]))}], "none": None}, ChainMap({"a": 2.0}, {"b": 3.0, "c": 5.0}),
]  # fmt: skip


@pytest.mark.parametrize("point", CONTAINERS, ids=repr)
def test_containers_come_back(point):
    f = lambda p: formula(*leaves(p))  # noqa: E731
    gradient = grad(f)(point)
    assert type(gradient) is type(point)
    order = leaves(point)
    expected = [2 * order[0] * order[1] * order[2], order[0] ** 2 * order[2], order[0] ** 2 * order[1]]
    assert leaves(gradient) == expected
    assert [place for place, _ in branches(gradient)] == [place for place, _ in branches(point)]
    y, tangent = jvp(lambda p: p, (point,), (point,))
    assert leaves(y) == leaves(tangent) == order
    assert type(tangent) is type(point)
    assert vjp(lambda p: p, point)[1](point) == (point,) or type(point) is deque
    assert ag.gradcheck(f, point)
    assert len(leaves(jacobian(lambda p: p)(point))) == 9


def test_what_else_a_container_has_is_kept():
    assert grad(lambda p: p[0] ** 2)(deque([3.0], maxlen=5)).maxlen == 5
    gradient = grad(lambda p: p["w"] ** 2)(Named("layer", {"w": 3.0}))
    assert (gradient, gradient.name) == ({"w": 6.0}, "layer")
    assert grad(lambda p: p["a"])(defaultdict(list, a=3.0)).default_factory is list


def test_a_gradient_is_no_point_and_its_dataclass_does_not_check_it():
    assert grad(lambda p: 1.0 / p.scale)(Checked(2.0)).scale == -0.25


REFUSED = {
    "set": lambda x: {x},
    "frozenset": lambda x: frozenset([x]),
    "generator": lambda x: (y for y in [x]),
    "map": lambda x: map(ag.exp, [x]),
    "zip": lambda x: zip([x]),
    "dict_values": lambda x: {"a": x}.values(),
    "dict_items": lambda x: {"a": x}.items(),
    "dict_keys": lambda x: {"a": x}.keys(),
    "list_iterator": lambda x: iter([x]),
    "str": lambda x: "text",
    "complex": lambda x: 1j,
    "object": lambda x: object(),
    "NoneType": lambda x: None,
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("inside", [False, True], ids=["alone", "inside a list"])
def test_results_that_are_no_numbers_are_refused(kind, inside):
    make = REFUSED[kind]
    f = (lambda x: [x, make(x)]) if inside else make
    said = re.escape(kind) if kind != "complex" else "1j"
    calls = {
        "grad": lambda: grad(make)(2.0),
        "jacobian": lambda: jacobian(f)(2.0),
        "jvp": lambda: jvp(f, (2.0,), (1.0,)),
        "vjp": lambda: vjp(f, 2.0),
        "gradcheck": lambda: ag.gradcheck(f, 2.0),
    }
    for name, call in calls.items():
        if inside and kind == "NoneType" and name != "grad":
            assert call()  # None in a list is an empty container
            continue
        with pytest.raises(TypeError, match="complex" if (kind, name) == ("complex", "grad") else said):
            call()


def test_what_is_refused_says_the_way_out():
    with pytest.raises(TypeError, match=r"the result of .* needs a number, not generator: containers are lists, .*write list\("):
        jacobian(lambda x: (y for y in [x]))(1.0)
    with pytest.raises(TypeError, match=r"an argument of .* needs a number, not set: containers are lists"):
        grad(lambda x: 1.0)({1.0, 2.0})
    with pytest.raises(TypeError, match=r"an argument of .* needs a number, not map"):
        grad(lambda x: 1.0)(map(float, "12"))
    with pytest.raises(TypeError, match=r"must return numbers, not NoneType; is a return missing\?"):
        jacobian(lambda x: None)(1.0)
    with pytest.raises(TypeError, match=r"primals with one entry per argument, not \{'a': 1.0\}"):
        jvp(lambda p: p["a"], {"a": 1.0}, {"a": 1.0})


def boxed(x):
    array = np.empty((), dtype=object)
    array[()] = x
    return array


def test_an_array_of_no_dimensions_is_the_value_in_it():
    f = lambda x: boxed(x * x)  # noqa: E731
    assert grad(f)(3.0) == 6.0
    assert jacobian(f)(3.0) == 6.0
    assert jacobian(lambda x: [f(x), {"a": f(x)}])(3.0) == [6.0, {"a": 6.0}]
    assert jvp(f, (3.0,), (1.0,)) == (9.0, 6.0)
    assert vjp(f, 3.0)[1](1.0) == (6.0,)
    assert hessian(f)(3.0) == 2.0
    assert ag.gradcheck(f, 3.0)
    x = Value(3.0)
    assert grad(grad(lambda t: t**3)(boxed(x)), [x]) == [18.0]
    assert grad(lambda t: t**2)(np.array(3.0)) == 6.0
    assert grad(lambda p: p[0] ** 2)([np.array(3.0)]) == [6.0]


def test_iterators_that_end_too_early_are_an_error_not_the_end_of_a_loop():
    with pytest.raises(ValueError, match="fewer new leaves than places"):
        rebuild([1.0, 2.0], iter([1.0]))


# Pairs of containers.


@pytest.mark.parametrize(
    ("tree", "like", "message"),
    [
        ({"a": 1.0}, {"a": 1.0, "b": 2.0}, r"v must have the keys \['a', 'b'\], not the keys \['a'\]"),
        ([1.0], {"a": 1.0}, r"v must have the keys \['a'\], not the shape \(1,\)"),
        ({"w": [1.0, 2.0]}, {"w": [1.0]}, r"v\['w'\] must have the shape \(1,\), not the shape \(2,\)"),
        ([[1.0, 2.0], [3.0]], [[1.0, 2.0], [3.0, 4.0]], r"v\[1\] must have the shape \(2,\), not the shape \(1,\)"),
        (np.ones((3, 2)), np.ones((2, 3)), r"v must have the shape \(2, 3\), not the shape \(3, 2\)"),
        ([[1.0] * 2] * 3, np.ones((2, 3)), r"v must have the shape \(2, 3\), not the shape \(3, 2\)"),
        (np.ones(6), np.ones((2, 3)), r"v must have the shape \(2, 3\), not the shape \(6,\)"),
        (np.ones((2, 3)), [[1.0] * 2] * 3, r"v must have the shape \(3, 2\), not the shape \(2, 3\)"),
        (1.0, [1.0], r"v must have the shape \(1,\), not the float 1.0"),
        ([1.0], 1.0, r"v must be one number, not the shape \(1,\)"),
        (None, 1.0, r"v must be one number, not None"),
        ([None, 1.0], [1.0, 2.0], r"v\[0\] must be one number, not None"),
        ([1.0, 2.0], Frozen(1.0, 2.0), r"v must have the fields \['w', 'b'\], not the shape \(2,\)"),
        (Slotted(1.0), Frozen(1.0, 2.0), r"v must have the fields \['w', 'b'\], not the fields \['w'\]"),
    ],
)
def test_containers_that_do_not_pair(tree, like, message):
    with pytest.raises(ValueError, match=message):
        paired(tree, like, "v")


def test_containers_that_pair():
    assert paired(np.array([[1.0, 2.0], [3.0, 4.0]]), [(0.0, 0.0), [0.0, 0.0]]) == [1.0, 2.0, 3.0, 4.0]
    assert paired([[1.0, 2.0]], np.zeros((1, 2))) == [1.0, 2.0]
    assert paired({"b": (1.0, None), "a": 2.0}, {"a": 0.0, "b": [0.0, None]}) == [2.0, 1.0]
    assert paired(deque([1.0, 2.0]), Point(0.0, 0.0)) == [1.0, 2.0]


def test_transposed_directions_and_cotangents_are_refused():
    x, f = np.ones((2, 3)), lambda x: (x**2).sum()
    with pytest.raises(ValueError, match=r"v must have the shape \(2, 3\), not the shape \(3, 2\)"):
        hvp(f)(x, np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"tangents\[0\] must have the shape \(2, 3\)"):
        jvp(f, (x,), (np.ones((3, 2)),))
    with pytest.raises(ValueError, match=r"cotangent must have the shape \(2, 3\)"):
        vjp(lambda x: x * x, x)[1](np.ones((3, 2)))


# Jacobians: the containers of the output, in them those of the input; arrays count as one.


def test_jacobians_of_arrays_are_those_of_jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    a = np.arange(6.0).reshape(2, 3) / 7.0
    x, z, matrix = np.array([0.3, -0.2, 0.5]), np.array([1.5, 2.5]), np.array([[1.0, 2.0], [3.0, 4.0]])
    cases = [
        (lambda x, z: (a @ x) * z, (x, z), (0, 1)),
        (lambda x, z: (a @ x) * z, (x, z), (-1, 0)),
        (lambda x, z: {"y": (a @ x) * z, "s": [x[0] * z[1]]}, (x, z), (0, 1)),
        (lambda p: a @ p["x"] * p["s"], ({"s": 2.0, "x": x},), 0),
        (lambda p, z: a @ p["x"] * p["s"] * z, ({"s": 2.0, "x": x}, z), (0, 1)),
        (lambda m, x: m * m + x, (matrix, 2.0), (0, 1)),
        (lambda m: m @ m, (matrix,), 0),
        (lambda t: a * t, (3.0,), 0),
        (lambda t, xs: a[0] * t * xs[1] + xs[0] ** 2, (3.0, [1.0, 2.0]), (0, 1)),
        (lambda x: (x * x, x[0]), (x,), 0),
    ]
    for f, arguments, argnums in cases:
        argnums_of_jax = argnums if isinstance(argnums, int) else tuple(i % len(arguments) for i in argnums)
        expected = jax.jacobian(f, argnums_of_jax)(*transform(jnp.asarray, arguments, whole=True))
        found = jacobian(f, argnums)(*arguments)
        assert jax.tree.structure(found) == jax.tree.structure(expected)
        for got, right in zip(jax.tree.leaves(found), jax.tree.leaves(expected)):
            assert np.shape(got) == right.shape
            np.testing.assert_allclose(got, right, rtol=1e-12)


def test_hessians_of_several_arguments_are_those_of_jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    x, z = np.array([0.3, -0.2]), {"w": np.array([1.5, 2.5, 0.5]), "b": 2.0}
    f = lambda x, z: (x[0] * z["w"] ** 2).sum() * z["b"] + x[1] ** 3  # noqa: E731
    for argnums in (0, 1, (0, 1), (1,)):
        found = hessian(f, argnums)(x, z)
        expected = jax.hessian(f, argnums)(*transform(jnp.asarray, (x, z), whole=True))
        for path, right in jax.tree_util.tree_flatten_with_path(expected)[0]:
            got = found
            for step in path:
                got = got[step.key if hasattr(step, "key") else step.idx]
            np.testing.assert_allclose(got, right, rtol=1e-12, atol=1e-15)


def test_empty_arrays_have_empty_jacobians():
    assert jacobian(lambda x: x * 2.0)(np.zeros(0)).shape == (0, 0)
    assert jacobian(lambda x: x[:0])(np.zeros(3)).shape == (0, 3)


def test_jacobians_in_jacobians():
    x = np.array([1.0, 2.0])
    second = jacobian(jacobian(lambda x: x**3))(x)
    assert second.shape == (2, 2, 2)
    assert (second[0, 0, 0], second[1, 1, 1]) == (6.0, 12.0)


def test_blocks():
    assert outer([1, 2], {"a": 3}, lambda y, x: (y, x)) == [{"a": (1, 3)}, {"a": (2, 3)}]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (lambda: np.ma.array([1.0, 2.0], mask=[0, 1]), r"a masked array is no container of numbers here; write a\.filled"),
        (lambda: np.asmatrix([[1.0, 2.0]]), r"a numpy\.matrix is no container of numbers here; write np\.asarray"),
        (lambda: np.array([(1.0, 2.0)], dtype=[("a", float), ("b", float)]), r"an array with named columns .* a\['a'\]"),
    ],
    ids=["masked", "matrix", "named columns"],
)
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_arrays_of_other_kinds_are_refused(array, message):
    for transformation in (ag.grad, ag.jacobian, ag.hessian):
        with pytest.raises(TypeError, match=message):
            transformation(lambda a: a[0])(array())


class Positive(dict):
    """A dictionary that checks what it is given."""

    def __init__(self, entries):
        super().__init__(entries)
        if any(entry is None for entry in entries.values()):
            raise TypeError("not a number: None")


def test_containers_that_check_what_they_are_given():
    assert ag.grad(lambda p: p["a"] ** 2)(Positive({"a": 3.0})) == {"a": 6.0}


def test_a_model_is_no_container_of_numbers():
    import nn

    with pytest.raises(TypeError, match=r"needs numbers, not a MLP; call backward\(\) on the result"):
        ag.grad(lambda model: model([1.0, 2.0]))(nn.MLP(2, [1]))


class Answering:
    """Settings with a default for every name."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return 1.0


def test_an_object_that_answers_to_every_name_is_no_array():
    assert leaves([Answering(), 2.0])[1] == 2.0
    assert grad(lambda settings, x: settings.rate * x * x, 1)(Answering(), 3.0) == 6.0
    assert ag.gradcheck(lambda x: Answering().rate * x, 3.0)
    with pytest.raises(TypeError, match="an argument of"):
        grad(lambda settings: settings.rate)(Answering())
