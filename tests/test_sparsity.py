"""Sparse derivatives: patterns from graphs, few passes, and the numbers of the dense ones."""

from __future__ import annotations

import builtins
import math
import pickle
import random
from collections import namedtuple
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array, issparse

import autograd as ag
from autograd import GradientWarning, Value
from autograd.chain import pullback
from autograd.functions import apply
from autograd.ops import TABLE
from autograd.trees import leaves, rebuild
from autograd.value import topological

RNG = random.Random(7)


def rosenbrock(x):
    return ag.sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in zip(x, x[1:])])


def heat(u, steps=1):
    for _ in range(steps):
        u = [b + 0.25 * (a - 2.0 * b + c) for a, b, c in zip([0.0, *u], u, [*u[1:], 0.0])]
    return u


def flattened(f, *arguments):
    """The function of all numbers in its arguments, in a row, and these numbers; its results are in a row, too."""

    def flat(x):
        found = leaves(f(*rebuild(arguments, iter(x))))
        return found if isinstance(found, list) else list(found)

    return flat, [float(x) for x in leaves(arguments)]


def dense(f, *arguments, order=1):
    """The matrix of all derivatives, by one pass each."""
    flat, x = flattened(f, *arguments)
    if order == 1:
        rows = ag.jacobian(flat)(x)
        return np.array(rows, float).reshape(len(rows), len(x))
    return np.array(ag.hessian(lambda x: flat(x)[0])(x), float).reshape(len(x), len(x))


def agree(f, *arguments, order=1, **options):
    """Assert that the sparse matrix is the dense one, and its structure the pattern; returns the pattern."""
    argnums = tuple(range(len(arguments)))
    found = (ag.jacobian if order == 1 else ag.hessian)(f, argnums, sparse=True)(*arguments)
    pattern = ag.pattern(f, argnums, order)(*arguments)
    assert issparse(found)
    assert isinstance(found, csr_array)
    assert found.has_canonical_format
    assert found.shape == pattern.shape
    rows = np.repeat(np.arange(found.shape[0]), np.diff(found.indptr))
    assert list(zip(rows, found.indices)) == list(pattern)
    expected = dense(f, *arguments, order=order)
    assert found.shape == expected.shape
    given = found.toarray()
    if pattern.mode == "reverse":
        assert np.array_equal(given, expected, equal_nan=True)  # the same sums, to the last bit
    else:
        np.testing.assert_allclose(given, expected, rtol=1e-9, atol=1e-12, **options)
    if pattern.symmetric:
        assert np.array_equal(given, given.T, equal_nan=True)
    return pattern


def drawn(row, count):
    """A point in the domain of a row."""
    if row.arity is None:
        return [RNG.uniform(0.5, 2.0) for _ in range(count)]
    counted = ("dsinc", "dpow", "polygamma", "where", "heaviside")  # their first operand is an order, or chooses
    return [float(RNG.randint(0, 2)) if k == 0 and row.name in counted else RNG.uniform(*row.domain[k]) for k in range(count)]


# What an operation is, and where it bends: the pattern is where a derivative is not 0 at some point.


@pytest.mark.parametrize("row", list(TABLE.values()), ids=lambda row: row.name)
def test_every_operation(row):
    count = row.arity or 4
    first, second = np.zeros((3, count + 1), bool), np.zeros((count + 1, count + 1), bool)
    points = [drawn(row, count) for _ in range(30)]
    for point in points:
        f = lambda x: [x[-1] * x[-1], apply(row, *x[:-1]), x[-1]]  # noqa: E731
        g = lambda x: apply(row, *x[:-1]) + x[-1]  # noqa: E731
        x = [*point, 0.5]
        agree(f, x)
        assert agree(g, x, order=2).symmetric == (row.name != "dpow")  # its order is no operand to differentiate with respect to
        first |= dense(f, x) != 0.0
        second |= dense(g, x, order=2) != 0.0
    assert np.array_equal(ag.pattern(f)(x), first)
    assert np.array_equal(ag.pattern(g, order=2)(x), second)


@pytest.mark.parametrize("row", [row for row in TABLE.values() if row.arity == 2], ids=lambda row: row.name)
def test_every_operation_with_a_constant_or_twice_the_same(row):
    for k in range(2):
        point = drawn(row, 2)
        with_constant = lambda x: apply(row, *[x[0] if i == k else point[i] for i in range(2)])  # noqa: B023, E731
        agree(lambda x: [x[1], with_constant(x)], [point[k], 2.0])  # noqa: B023
        agree(lambda x: with_constant(x) + x[1], [point[k], 2.0], order=2)  # noqa: B023
    x = RNG.uniform(1.0, 2.0)
    agree(lambda x: [apply(row, x[0], x[0]), x[1]], [x, 2.0])
    agree(lambda x: apply(row, x[0], x[0]) * x[1], [x, 2.0], order=2)


# Random graphs. The pattern of the Hessian is that of the paths in the graph of the gradient, found there in another way.

SMOOTH = [TABLE[name] for name in (
    "add", "sub", "mul", "div", "neg", "square", "sin", "exp", "tanh", "hypot", "logaddexp", "sum", "dot", "prod", "norm",
    "logsumexp", "sigmoid", "copysign", "sign", "floor", "stop_gradient", "atan2", "leaky_relu",
)]  # fmt: skip
CHOICES = [TABLE[name] for name in ("where", "maximum", "minimum", "max", "min", "relu", "heaviside", "greater", "abs", "elu")]


@st.composite
def graphs(draw, rows):
    """How many inputs there are; steps, each a row on earlier results or constants; and the places of the results."""
    count = draw(st.integers(1, 6))
    steps = []
    for k in range(draw(st.integers(1, 10))):
        row = draw(st.sampled_from(rows))
        pick = st.one_of(st.integers(0, count + k - 1), st.integers(0, count - 1), st.floats(0.25, 2.0))
        steps.append((row, [draw(pick) for _ in range(row.arity or 4)]))
    results = draw(st.lists(st.integers(0, count + len(steps) - 1), max_size=7))
    return count, steps, results


def run(steps, results, x):
    values = list(x)
    for row, picks in steps:
        y = apply(row, *[values[p] if isinstance(p, int) else p for p in picks])
        values.append(y if row.name in ("greater", "floor", "sign") else ag.tanh(y))
    return [values[k] for k in results]


def with_paths(results, inputs):
    """The pattern by a search from every result."""
    found = []
    for y in results:
        seen, stack = set(), [y]
        while stack:
            node = stack.pop()
            if isinstance(node, Value) and node not in seen:
                seen.add(node)
                texts = node._primitive.partials if node._primitive and node._primitive.arity else ["1"] * len(node._operands)
                stack += [x for x, text in zip(node._operands, texts) if text != "None"]
        found.append([x in seen for x in inputs])
    return np.array(found, bool).reshape(len(results), len(inputs))


POINTS = st.lists(st.floats(0.3, 1.7), min_size=6, max_size=6)


@pytest.mark.filterwarnings("ignore::autograd.GradientWarning")
@given(graphs(SMOOTH + CHOICES), POINTS)
def test_random_jacobians(graph, point):
    count, steps, results = graph
    x = point[:count]
    pattern = agree(lambda x: run(steps, results, x), x)
    inputs = [Value(number) for number in x]
    assert np.array_equal(pattern, with_paths(run(steps, results, inputs), inputs))


@pytest.mark.filterwarnings("ignore::autograd.GradientWarning")
@given(graphs(SMOOTH), POINTS)
def test_random_hessians(graph, point):
    count, steps, results = graph
    x = point[:count]
    f = lambda x: ag.sum(run(steps, results, x))  # noqa: E731
    pattern = agree(f, x, order=2)
    inputs = [Value(number) for number in x]
    root = f(inputs)
    gradient = pullback(topological(root), {root: 1.0}, create_graph=True) if isinstance(root, Value) else {}
    assert np.array_equal(pattern, with_paths([gradient.get(x, 0.0) for x in inputs], inputs))


@pytest.mark.filterwarnings("ignore::autograd.GradientWarning")
@given(graphs(SMOOTH + CHOICES), POINTS)
def test_random_hessians_with_choices(graph, point):
    count, steps, results = graph
    agree(lambda x: ag.sum(run(steps, results, x)), point[:count], order=2)


# Shapes of matrices.

N = 12
POINT = [0.3 + 0.1 * i for i in range(N)]
FAMILIES = {
    "dense": (lambda x: ag.prod(x), 12),
    "diagonal": (lambda x: ag.sum([ag.exp(a) for a in x]), 1),
    "linear": (lambda x: ag.sum(x), 0),
    "tridiagonal": (rosenbrock, 3),
    "arrow": (lambda x: ag.sum([x[0] * a * a for a in x]), 2),
    "arrow the other way": (lambda x: ag.sum([x[-1] * a * a for a in x]), 2),
    "blocks of three": (lambda x: ag.sum([ag.prod(x[k : k + 3]) for k in range(0, N, 3)]), 3),
    "pairs": (lambda x: ag.sum([a * b for a, b in zip(x[::2], x[1::2])]), 2),
    "periodic": (lambda x: ag.sum([ag.sin(a * b) for a, b in zip(x, [*x[1:], x[0]])]), 4),
    "a star without a diagonal": (lambda x: x[3] * ag.sum(x[:3] + x[4:]), 1),
    "one row": (lambda x: ag.sin(x[4]), 1),
}


@pytest.mark.parametrize(("f", "passes"), FAMILIES.values(), ids=FAMILIES)
def test_hessians_of_known_shapes(f, passes):
    pattern = agree(f, POINT, order=2)
    assert pattern.passes <= passes
    assert agree(ag.grad(f), POINT).passes >= pattern.passes  # as a Jacobian that is not known to be symmetric


JACOBIANS = {
    "dense": (lambda x: [ag.prod(x)] * N, "reverse", 12),
    "diagonal": (lambda x: [ag.exp(a) for a in x], "reverse", 1),
    "a full row": (lambda x: [ag.prod(x), *[ag.sin(a) for a in x]], "reverse", 2),
    "a full column": (lambda x: [x[0] * a for a in x], "forward", 2),
    "tridiagonal": (heat, "reverse", 3),
    "heat, four steps": (lambda x: heat(x, 4), "reverse", 9),
    "few outputs": (lambda x: [ag.sum(x), ag.prod(x)], "reverse", 2),
    "few inputs": (lambda x: [ag.sin(k * x[0]) * x[1] for k in range(30)], "forward", 2),
    "blocks": (lambda x: [y for k in range(0, N, 3) for y in ag.softmax(x[k : k + 3])], "reverse", 3),
    "a permutation": (lambda x: x[::-1], "reverse", 1),
    "the inputs": (lambda x: x, "reverse", 1),
    "a result and what it was made from": (lambda x: [x[0] * x[1], ag.sin(x[0] * x[1]), x[0], x[5]], "forward", 2),
}


@pytest.mark.parametrize(("f", "mode", "passes"), JACOBIANS.values(), ids=JACOBIANS)
def test_jacobians_of_known_shapes(f, mode, passes):
    pattern = agree(f, POINT)
    assert (pattern.mode, pattern.passes) == (mode, passes)


@pytest.mark.filterwarnings("ignore::autograd.GradientWarning")
@pytest.mark.parametrize("f", [
    lambda x: [], lambda x: [1.0, 2], lambda x: [x[0], 5.0, x[0] * 0.0], lambda x: [Value(3.0)], lambda x: 2.0 * x[0],
    lambda x: 7.0, lambda x: {"a": [x[0], None], "b": (x[1], x[1])}, lambda x: [x[0]] * 3,
    lambda x: [ag.sign(x[0]), x[1].floor()], lambda x: [ag.stop_gradient(x[0]) * x[1]],
    lambda x: np.array([x[0], 1.0]), lambda x: [x[0] * Value(2.0)],
])  # fmt: skip
def test_jacobians_of_constants_duplicates_and_nothing(f):
    agree(f, [2.0, 3.0])


@pytest.mark.filterwarnings("ignore::autograd.GradientWarning")
@pytest.mark.parametrize("f", [lambda x: 7.0, lambda x: x, lambda x: x * x, lambda x: Value(1.0), lambda x: ag.sign(x), ag.relu])
def test_one_by_one(f):
    assert agree(f, 2.0).shape == agree(f, 2.0, order=2).shape == (1, 1)


@pytest.mark.filterwarnings("ignore::autograd.GradientWarning")
def test_no_inputs():
    for x in ([], {}, None, np.zeros(0), ((), [])):
        assert ag.jacobian(lambda x: [1.0, 2.0], sparse=True)(x).shape == (2, 0)
        assert ag.jacobian(lambda x: [], sparse=True)(x).shape == (0, 0)
        assert ag.hessian(lambda x: 1.0, sparse=True)(x).shape == (0, 0)
        assert str(ag.pattern(lambda x: 1.0, order=2)(x)) == "0 x 0, 0 entries, 0 passes (star colouring)"


Pair = namedtuple("Pair", "a b")


def test_containers_are_taken_in_the_order_in_which_they_stand():
    f = lambda p, q: {"y": p["w"] * q[0, 1], "z": [ag.sin(p["b"].a) * p["b"].b, q[1, 0] ** 2]}  # noqa: E731
    arguments = {"w": 2.0, "b": Pair(3.0, 4.0)}, np.array([[1.0, 2.0], [3.0, 4.0]])
    pattern = agree(f, *arguments)
    assert list(pattern) == [(0, 0), (0, 4), (1, 1), (1, 2), (2, 5)]
    agree(lambda p, q: p["w"] ** 2 * p["b"].a + ag.sum(q.ravel()) * p["b"].b, *arguments, order=2)
    found = ag.jacobian(f, sparse=True)(*arguments)  # with respect to the first argument alone
    assert found.shape == (3, 3)
    assert ag.jacobian(f, 1, sparse=True)(*arguments).shape == (3, 4)
    assert ag.jacobian(f, -1, sparse=True)(*arguments).shape == (3, 4)
    assert ag.hessian(lambda x, y: x * y * y, np.int64(1), sparse=True)(2.0, 3.0).toarray().tolist() == [[4.0]]
    backward = ag.jacobian(f, (1, 0), sparse=True)(*arguments).toarray()
    assert backward.tolist() == np.hstack([dense(f, *arguments)[:, 3:], dense(f, *arguments)[:, :3]]).tolist()


def test_keywords_changed_containers_and_arguments_named_twice():
    assert ag.jacobian(lambda x, k=1.0: [k * a for a in x], sparse=True)([1.0, 2.0], k=3.0).toarray().tolist() == [[3, 0], [0, 3]]

    def pops(p):
        return p.pop("a") * p.pop("b") * len(p)

    given = {"a": 2.0, "b": 3.0, "c": 4.0}
    assert ag.hessian(pops, sparse=True)(given).toarray().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert len(given) == 3
    for twice in ((0, 0), (0, -1)):
        expected = np.array(ag.hessian(lambda x: ag.sin(x) * x, twice)(2.0))
        found = ag.hessian(lambda x: ag.sin(x) * x, twice, sparse=True)(2.0)
        np.testing.assert_allclose(found.toarray(), expected, rtol=1e-12)


# Numbers that are no numbers stay in their entries.


def same(f, x, order=1):
    found = (ag.jacobian if order == 1 else ag.hessian)(f, sparse=True)(x).toarray()
    assert np.array_equal(found, dense(f, x, order=order), equal_nan=True)
    return found


@pytest.mark.parametrize("bad", [0.0, math.inf, -math.inf, math.nan, -0.0])
def test_what_is_not_finite_stays_where_it_is(bad):
    point = [1.0, 2.0, bad, 3.0, 4.0]
    same(lambda x: [ag.sqrt(a) * b for a, b in zip(x, x[1:])], point)
    same(lambda x: [ag.log(a) for a in x] + [ag.sum(x)], point)
    same(lambda x: [x[0] * ag.log(a) for a in x], point)
    for f in (
        lambda x: ag.sum([ag.sqrt(a) * b for a, b in zip(x, x[1:])]),
        lambda x: ag.sum([ag.log(a) for a in x]),
        lambda x: x[2] * ag.sum([ag.sqrt(a) for a in x]),
        lambda x: x[0] * ag.sum([ag.sqrt(a) for a in x]),
    ):
        same(f, point, order=2)
    assert np.isfinite(same(lambda x: ag.sum([ag.log(a) * a for a in x]), point, order=2)[3:, 3:]).all()


def test_entries_that_are_zero_here_stay():
    f = lambda x: [x[0] * x[1], x[1] * 0.0]  # noqa: E731
    assert ag.jacobian(f, sparse=True)([0.0, 0.0]).nnz == 3
    assert ag.hessian(lambda x: x[0] ** 3 + 0.0 * x[1] ** 2, sparse=True)([0.0, 0.0]).nnz == 2


def test_choices_count_on_both_sides():
    for f in (
        lambda x: ag.where(x[0], x[1] * x[1], x[2] * x[3]),
        lambda x: ag.where(x[0] - 1.0, x[1] * x[1], x[2] * x[3]),
        lambda x: ag.maximum(x[1] * x[1], x[2] * x[3] - 100.0),
        lambda x: ag.minimum(x[1] * x[1], x[2] * x[3] - 100.0),
        lambda x: ag.max([x[1] * x[1], x[2] * x[3] - 100.0]),
        lambda x: ag.relu(x[1] * x[1] - 100.0) + x[2] * x[3],
        lambda x: ag.heaviside(x[0], x[1] * x[1]) + x[2] * x[3],
    ):
        assert set(agree(f, [1.0, 2.0, 3.0, 4.0], order=2)) == {(1, 1), (2, 3), (3, 2)}
        assert list(agree(f, [1.0, 2.0, 3.0, 4.0])) == [(0, 1), (0, 2), (0, 3)]
    root = lambda x: ag.where(x[0], ag.sqrt(x[1]), x[2] * x[2])  # noqa: E731
    assert np.array_equal(same(root, [0.0, 0.0, 3.0], 2), np.diag([0.0, 0.0, 2.0]))  # no nan of the side that was not taken


@pytest.mark.parametrize("flat", [
    lambda x, y: x * ag.sign(y), lambda x, y: x * ag.floor(y), lambda x, y: x * ag.stop_gradient(y), lambda x, y: x * (y // 2.0),
    lambda x, y: x * ag.copysign(2.0, y), lambda x, y: ag.copysign(x, y), lambda x, y: ag.where(y, x, 2.0 * x),
    lambda x, y: ag.heaviside(y, x) + x,
])  # fmt: skip
def test_what_comes_before_a_flat_operand_does_not_count(flat):
    f = lambda x: flat(ag.exp(x[0]), x[1] * x[2]) + x[2] * x[3]  # noqa: E731
    assert list(agree(f, [1.0, 2.0, 3.0, 4.0])) == [(0, 0), (0, 2), (0, 3)]
    assert set(agree(f, [1.0, 2.0, 3.0, 4.0], order=2)) == {(0, 0), (2, 3), (3, 2)}


# What has no second derivatives, what is no function, what is not there.


def test_operations_by_closure_have_first_derivatives_alone():
    def half(x):
        return Value(x.data / 2.0, (x,), (0.5,))

    agree(lambda x: [half(x[0]), x[1]], [1.0, 2.0])
    for what in (ag.hessian(lambda x: half(x[0]) * x[1], sparse=True), ag.pattern(lambda x: half(x[0]), order=2)):
        with pytest.raises(TypeError, match="was given as a closure or as numbers: it has first derivatives at this point"):
            what([1.0, 2.0])

    def never(x):
        out = Value(x.data / 2.0, (x,), "half")
        out._backward = lambda: None
        return out

    assert ag.pattern(lambda x: [never(x[0])])([1.0]).count in (0, 1)


def test_own_operations(own_rows):
    twice = ag.primitive("twice_times", "2.0 * x * y", "2.0 * y", "2.0 * x")
    agree(lambda x: [twice(x[0], x[1]), x[2]], [1.0, 2.0, 3.0])
    assert set(agree(lambda x: twice(x[0], x[1]) + x[2], [1.0, 2.0, 3.0], order=2)) == {(0, 1), (1, 0)}
    ag.primitive("twice_times", "2.0 * x + y * y", "2.0", "2.0 * y")  # the same operation means something else now
    assert set(agree(lambda x: twice(x[0], x[1]) + x[2], [1.0, 2.0, 3.0], order=2)) == {(1, 1)}
    slope = lambda x, y, out: 2.0 * x * y if x > 0.0 else 0.0 * y  # noqa: E731
    bent = ag.primitive("bent_times", lambda x, y: x * x * y, slope, lambda x, y, out: x * x)
    assert set(agree(lambda x: bent(x[0], x[1]), [1.0, 2.0], order=2)) == {(0, 0), (0, 1), (1, 0)}
    straight = ag.primitive("straight_through", "round(x)", "1.0")
    assert agree(lambda x: straight(x[0]) * x[1], [1.3, 2.0], order=2).count == 2
    gate = ag.primitive("gate_times", "where(x, y, 0.0)", "None", "where(x, 1.0, 0.0) or None")
    assert list(agree(lambda x: gate(x[0], ag.sin(x[1])), [0.0, 2.0], order=2)) == [(1, 1)]
    switched = ag.primitive("switched_square", "where(x, y * y, 0.0)", "None", "where(x, 2.0 * y, 0.0) or None")
    for x in ([0.0, 2.0], [1.0, 2.0], [1.0, 0.0]):
        assert list(agree(lambda x: switched(x[0], x[1]), x, order=2)) == [(1, 1)]
    weighted = ag.primitive("weighted_by", "x * x * y", "2.0 * x * y", "None")  # the weight is not differentiated
    pattern = agree(lambda x: weighted(x[0], x[1]), [3.0, 2.0], order=2)
    assert (pattern.symmetric, pattern.mode, list(pattern)) == (False, "reverse", [(0, 0), (0, 1)])


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: ag.jacobian(3.0, sparse=True), TypeError, "autograd.jacobian needs a function, not float 3.0"),
        (lambda: ag.hessian(3.0, sparse=True), TypeError, "autograd.hessian needs a function, not float 3.0"),
        (lambda: ag.pattern(3.0), TypeError, "autograd.pattern needs a function, not float 3.0"),
        (lambda: ag.pattern(ag.sin, order=3), ValueError, "order is 1 or 2, not 3"),
        (lambda: ag.pattern(ag.sin, order="2"), ValueError, "order is 1 or 2, not '2'"),
        (lambda: ag.hessian(lambda x: [x, x], sparse=True)(1.0), TypeError, "must return one number, not list; use autograd.jac"),
        (lambda: ag.jacobian(lambda x: None, sparse=True)(1.0), TypeError, "not NoneType; is a return missing?"),
        (lambda: ag.jacobian(lambda x: "x", sparse=True)(1.0), TypeError, "the result of <lambda> needs a number, not str"),
        (lambda: ag.jacobian(lambda x: x, 2, sparse=True)(1.0), TypeError, "with respect to argument 2, but was called with 1"),
        (lambda: ag.jacobian(lambda x: x, "x", sparse=True)(1.0), TypeError, "argnums are whole numbers, not str 'x'"),
        (lambda: ag.jacobian(lambda x: x, sparse=True)(["1"]), TypeError, r"needs a number, not str; .*; it is x\[0\]: leave it"),
        (lambda: ag.jacobian(ag.sin, sparse=True)(Value(1.0)), TypeError, "holds numbers and no Values"),
        (lambda: ag.grad(lambda x: ag.hessian(lambda y: x * y * y, sparse=True)(1.0)[0, 0])(2.0), TypeError, "no Values"),
        (lambda: ag.compile(ag.jacobian(lambda x: [x], sparse=True))(2.0), TypeError, "or compile f itself"),
    ],
)  # fmt: skip
def test_mistakes_are_named(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_hooks_are_refused():
    def f(x):
        y = x[0] * x[1]
        y.register_hook(lambda gradient: 2.0 * gradient)
        return [y, x[2]]

    with pytest.raises(TypeError, match=r"registers a hook, .*; leave sparse=True out, or remove the hook"):
        ag.jacobian(f, sparse=True)([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="registers a hook"):
        ag.hessian(lambda x: f(x)[0], sparse=True)([1.0, 2.0, 3.0])


def test_a_result_without_inputs_is_warned_of():
    with pytest.warns(GradientWarning, match="does not depend on the inputs"):
        assert ag.jacobian(lambda x: [5.0], sparse=True)([1.0]).nnz == 0


def test_scipy_is_optional(monkeypatch):
    original = builtins.__import__

    def without(name, *rest, **others):
        if name.startswith("scipy"):
            raise ImportError(name)
        return original(name, *rest, **others)

    monkeypatch.setattr(builtins, "__import__", without)
    for name in ("jacobian", "hessian"):
        with pytest.raises(ImportError, match=rf"autograd.{name}\(f, sparse=True\) returns SciPy's sparse arrays: pip install"):
            getattr(ag, name)(ag.sin, sparse=True)
    assert ag.pattern(lambda x: [x[0], x[1]])([1.0, 2.0]).count == 2


# The pattern itself.


def test_a_pattern_says_where_and_how():
    pattern = ag.pattern(lambda x: [x[0] * x[1], x[2], 3.0])([1.0, 2.0, 3.0])
    assert (pattern.shape, pattern.count) == ((3, 3), 3)
    assert (pattern.rows, pattern.columns) == ((0, 0, 1), (0, 1, 2))
    assert (pattern.mode, pattern.passes, pattern.colors) == ("reverse", 1, (0, 0, -1))
    assert list(pattern) == [(0, 0), (0, 1), (1, 2)]
    assert (np.int64(0), 1) in pattern
    assert (1, 1) not in pattern
    assert np.asarray(pattern).dtype == bool
    assert np.asarray(pattern, float).tolist() == [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    with pytest.raises(ValueError, match="makes a new one"):
        pattern.__array__(copy=False)
    assert repr(pattern) == "Pattern(shape=(3, 3), entries=[(0, 0), (0, 1), (1, 2)])"
    many = [ag.pattern(lambda x: x[k:] + x[:k])([1.0] * 30) for k in (0, 1, 0)]  # noqa: B023
    assert repr(many[0]).startswith("Pattern(shape=(30, 30), entries=[(0, 0), ..., (29, 29)], count=30, hash=")
    assert repr(many[0]) == repr(many[2]) != repr(many[1])
    again = ag.pattern(lambda x: [x[0] + x[1], ag.exp(x[2]), 3.0])([5.0, 6.0, 7.0])
    assert again == pattern
    assert len({again, pattern}) == 1
    assert pattern != ag.pattern(lambda x: [x[0]])([1.0])
    assert pattern != "a pattern"
    assert pickle.loads(pickle.dumps(pattern)) == pattern


def test_pictures_as_text():
    assert str(ag.pattern(lambda x: [x[0]])([1.0])) == "1 x 1, 1 entry, 1 pass (row colouring)\n■"
    wide = str(ag.pattern(lambda x: x)([1.0] * 160)).splitlines()
    assert wide[0] == "160 x 160, 160 entries, 1 pass (row colouring)"
    assert len(wide) == 41
    assert {len(line) for line in wide[1:]} == {80}
    assert wide[1].startswith("\u2811\u2884\u2800")  # two dots down to the right, and two more
    for n in (41, 42, 159, 161, 500):
        lines = str(ag.pattern(lambda x: x)([1.0] * n)).splitlines()[1:]
        assert max(map(len, lines)) <= 80
        assert len(lines) <= 40
        assert all(line.strip("\u2800") for line in lines)  # the diagonal runs through all of them


@pytest.mark.parametrize("n", [1, 3, 40, 41, 400])
def test_pictures_in_notebooks(n):
    for pattern in (ag.pattern(lambda x: x)([1.0] * n), ag.pattern(rosenbrock, order=2)([1.0] * (n + 1))):
        picture = pattern._repr_svg_()
        root = ElementTree.fromstring(picture)
        assert root.tag.endswith("svg")
        assert root[0].text == str(pattern).splitlines()[0]
        assert len(picture) < 20_000
        squares = sum(path.get("d").count("M") for path in root[2:])
        assert squares == pattern.count if max(pattern.shape) <= 40 else 0 < squares <= 160


@pytest.mark.filterwarnings("ignore::autograd.GradientWarning")
def test_pictures_of_nothing():
    for f in (lambda x: [], lambda x: [1.0]):
        for x in ([], [1.0]):
            pattern = ag.pattern(f)(x)
            assert ElementTree.fromstring(pattern._repr_svg_())[0].text == str(pattern).splitlines()[0]


# What stands around.


def test_numbers_that_are_read_are_warned_of():
    def sine(x):
        return [math.sin(x[0]), x[1]]

    def cosine(x):
        return [math.cos(x[0]), x[1]]

    for what in (ag.jacobian(sine, sparse=True), ag.pattern(cosine)):
        # Before Python 3.11 the whole line is named.
        with pytest.warns(GradientWarning, match=r"math.(sin|cos)\(x\[0\]\).* reads the number of a Value") as found:
            what([1.0, 2.0])
        assert [warning.filename for warning in found] == [__file__]


def test_under_no_grad_anomalies_and_values_of_others():
    f = lambda x: ag.sum([a * b for a, b in zip(x, x[1:])])  # noqa: E731
    plain = ag.hessian(f, sparse=True)(POINT).toarray()
    for around in (ag.no_grad(), ag.detect_anomaly(), ag.lint([]), ag.scope("here")):
        with around:
            assert np.array_equal(ag.hessian(f, sparse=True)(POINT).toarray(), plain)
    with ag.detect_anomaly(), pytest.raises(FloatingPointError):
        ag.jacobian(lambda x: [ag.log(x[0])], sparse=True)([0.0])
    weight = Value(3.0)
    found = ag.jacobian(lambda w, x: [w * a * weight for a in x], 1, sparse=True)(Value(2.0), [1.0, 1.0])
    assert found.toarray().tolist() == [[6.0, 0.0], [0.0, 6.0]]
    assert weight.grad == 0.0


def test_derivatives_inside():
    def curved(x):
        return ag.grad(rosenbrock)(x)

    assert agree(curved, POINT).count == ag.pattern(rosenbrock, order=2)(POINT).count
    agree(lambda x: ag.hvp(rosenbrock)(x, [1.0] * N), POINT)
    agree(lambda x: ag.sum(curved(x)), POINT, order=2)
    agree(lambda x: [ag.jvp(ag.sin, (a,), (a,))[1] for a in x], POINT)
