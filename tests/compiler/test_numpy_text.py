"""The printer of NumPy text: strides as slices, reshapes and transposes, products as matrices, and masks."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.compiler.printers.expressions import ATOM, Name, call, lines, literal, pair, written
from autograd.compiler.printers.views import EACH, STEP, Loop, stored, view

SHAPES = [(), (1,), (6,), (4, 6), (1, 6), (6, 1), (3, 4, 5), (2, 3, 2, 4)]


def text_of(tree):
    return written(tree, lambda name: (name, ATOM))[0]


def loops_of(shape, draw):
    """Loops through an array of this shape: slices of some of its axes, in parts, in any order, forward or back."""
    total = math.prod(shape)
    places, loops = np.arange(total).reshape(shape), []
    for axis, size in enumerate(shape):
        step = math.prod(shape[axis + 1 :])
        first = draw.randrange(size)
        count = draw.randint(1, size - first)
        stride = draw.choice([1, 1, 2]) if count > 2 else 1
        count = -(-count // stride)
        if count > 1 and draw.random() < 0.3:
            first, stride = first + stride * (count - 1), -stride
        loops.append((first * step, Loop(count, stride * step)))
    start = sum(first for first, _ in loops)
    return places, start, [loop for _, loop in draw.sample(loops, len(loops)) if loop.size > 1]


@pytest.mark.parametrize("shape", SHAPES)
def test_views_of_any_slices(shape):
    draw = random.Random(0)
    for _ in range(60):
        places, start, loops = loops_of(shape, draw)
        found = view(stored("x", shape), start, loops)
        assert found is not None
        grids = np.indices([loop.size for loop in loops])
        expected = start + sum(loop.stride * grid for loop, grid in zip(loops, grids))
        text = text_of(found.arranged(range(len(loops))))
        np.testing.assert_array_equal(eval(text, {"x": places}), expected, err_msg=text)


@pytest.mark.parametrize(
    ("shape", "start", "loops", "expected"),
    [
        ((4, 6), 0, [(4, 6), (6, 1)], "x"),
        ((4, 6), 0, [(6, 1), (4, 6)], "x.T"),
        ((4, 6), 6, [(6, 1)], "x[1]"),
        ((4, 6), 2, [(4, 6)], "x[:, 2]"),
        ((4, 6), 0, [(24, 1)], "x.ravel()"),
        ((4, 4), 0, [(4, 5)], "x.ravel()[0:16:5]"),
        ((7, 16), 0, [(4, 4), (7, 16), (4, 1)], "x.reshape(7, 4, 4).swapaxes(0, 1)"),
        ((4, 6), 8, [(3, 6), (2, 1)], "x[1:4, 2:4]"),
        ((12,), 1, [(3, 3), (3, 1)], "x[1:10].reshape(3, 3)"),
        ((12,), 11, [(12, -1)], "x[::-1]"),
    ],
)
def test_views_read_as_one_writes_them(shape, start, loops, expected):
    found = view(stored("x", shape), start, [Loop(*loop) for loop in loops])
    assert text_of(found.arranged(range(len(loops)))) == expected


def test_the_axis_of_examples_stays_whole():
    found = view(stored("x", (4, 6), batched=True), 6, [Loop(6, 1), Loop(EACH, STEP)])
    assert (text_of(found.tree), found.order) == ("x[1]", [0, 1])


def test_windows_that_overlap_are_no_slices():
    assert view(stored("x", (8, 8)), 0, [Loop(6, 8), Loop(6, 1), Loop(3, 8), Loop(3, 1)]) is None


def test_brackets_stand_where_they_are_needed():
    a, b, c = map(Name, "abc")
    assert text_of(pair("-", a, pair("-", b, c))) == "a - (b - c)"
    assert text_of(pair("-", pair("-", a, b), c)) == "a - b - c"
    assert text_of(pair("*", literal(-2.0), pair("+", a, b))) == "-2.0 * (a + b)"
    assert text_of(pair("**", literal(-2.0), literal(-0.5))) == "(-2.0) ** -0.5"
    assert text_of(call("np.exp", pair(">", a, b))) == "np.exp(a > b)"


def test_what_is_used_once_is_written_where_it_is_used_and_what_is_not_used_is_left_out():
    statements = [("a", call("np.exp", Name("x"))), ("b", pair("*", Name("a"), Name("a"))), ("c", Name("x")), ("d", Name("b"))]
    assert lines(statements, Name("d")) == ([("a", "np.exp(x)"), ("d", "a * a")], "d")
    long = call("np.hypot", *[Name("y" * 30)] * 2)
    found, _ = lines([("a", long), ("b", pair("+", Name("a"), long))], Name("b"))
    assert [name for name, _ in found] == ["a", "b"]


def agrees(f, *arguments):
    """Whether compiled code and the engine have the same value and gradient; returns the text."""
    compiled = ag.compile(f, backend="numpy")
    argnums = tuple(range(len(arguments)))
    value, slopes = compiled.value_and_grad(*arguments, argnums=argnums)
    expected, gradient = ag.value_and_grad(f, argnums=argnums)(*arguments)
    assert value == pytest.approx(expected, rel=1e-12, nan_ok=True)
    for found, wanted in zip(slopes, gradient):
        np.testing.assert_allclose(np.array(found, dtype=float), np.array(wanted, dtype=float), rtol=1e-9, atol=1e-12)
    return compiled.source


def random_rows(*shape):
    return np.random.default_rng(0).normal(size=shape).tolist()


def test_pairwise_distances_broadcast():
    def f(xs, ys):
        return ag.sum([ag.exp(-ag.sum([(a - b) ** 2 for a, b in zip(x, y)])) for x in xs for y in ys])

    source = agrees(f, random_rows(20, 3), random_rows(30, 3))
    assert "[I" not in source
    assert "None]" in source


def test_causal_attention_has_masks_and_no_gathers():
    model = nn.CausalSelfAttention(8, heads=2, seed=0)
    compiled = ag.compile(lambda model, xs: ag.mean([y * y for row in model(xs) for y in row]), backend="numpy")
    compiled.value_and_grad(model, np.array(random_rows(6, 8)))
    assert "masked(M1, " in compiled.source
    assert "where=M1" in compiled.source
    assert "reduceat" not in compiled.source
    assert "[I" not in compiled.source


@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan, 0.0, -0.0, 5e-324])
def test_terms_that_are_left_out_do_not_count_be_they_infinite(odd):
    def f(weights, values):  # sums of several lengths: the first k values, for all columns
        return [ag.dot(weights[i][: i + 1], [row[d] for row in values[: i + 1]]) for i in range(4) for d in range(3)]

    weights, values = random_rows(4, 4), random_rows(4, 3)
    values[3][1] = odd
    weights[1][3] = odd
    found = np.array(ag.compile(f, backend="numpy")(weights, values), dtype=float)
    expected = np.array(f(weights, values), dtype=float)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.isfinite(found[:9]).all()


def test_parts_of_one_sum_are_summed_by_array():
    def f(xs, ys, zs):
        return ag.sum([x * x for part in (xs, ys, zs) for x in part])

    assert agrees(f, *[random_rows(9) for _ in range(3)]).count("np.vdot") == 3


def test_powers_of_several_exponents_are_powers_of_one_each():
    source = agrees(lambda xs: ag.sum([x**p for x in xs for p in (2.0, 3.0)]), [0.5, 1.5, 2.5])
    assert " ** 2.0" in source
    assert " ** 3.0" in source


def test_constant_results_of_any_shape():
    compiled = ag.compile(lambda p: 0.0 * p["lr"] * 0.0 + p["lr"], backend="numpy")
    value, slopes = compiled.value_and_grad({"lr": 2.0, "deep": [[1.0], [2.0, 3.0]]})
    assert value == 2.0
    assert slopes == {"lr": 1.0, "deep": [[0.0], [0.0, 0.0]]}


def test_interleaved_blocks_are_joined_block_by_block():
    def f(xs, ys):
        pairs = [z for x, y in zip(xs, ys) for z in (ag.exp(x), ag.tanh(y))]
        return ag.logsumexp(pairs)

    assert agrees(f, random_rows(12), random_rows(12)).count("[0]") == 0


def test_sums_of_lengths_far_apart_take_no_more_room_than_they_need():
    def f(xs, ys):
        return [ag.dot(xs[:k], ys[:k]) for k in (*range(2, 300), 3000)]

    xs, ys = random_rows(3000), random_rows(3000)
    compiled = ag.compile(f, backend="numpy")
    np.testing.assert_allclose(compiled(xs, ys), [np.dot(xs[:k], ys[:k]) for k in (*range(2, 300), 3000)], rtol=1e-12)
    tables = compiled.latest.latest.text.tables
    assert sum(table.size for table in tables.values()) < 6 * sum((*range(2, 300), 3000))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_numbers_that_repeat_are_read_in_the_order_of_the_loops(order):
    """A table of which each number is returned twice, its axes turned: a view that has fewer axes than the result."""
    table = np.arange(24.0).reshape(2, 3, 4)

    def f(x):
        return [[[[x[i][j][k] * 2.0, x[i][j][k] * 2.0] for _, k in by_last] for _, j in by_middle] for _, i in by_first]

    by_first, by_middle, by_last = (list(enumerate(range(n))) for n in table.shape)
    turned = np.transpose(table, order)

    def g(x):
        return [part for number in np.transpose(x, order).reshape(-1) for part in (number + 0.0, number + 0.0)]

    assert np.array_equal(ag.compile(g, backend="numpy")(table), np.repeat(turned.ravel(), 2))
    assert np.array_equal(ag.compile(f, backend="numpy")(table), np.repeat(table[..., None] * 2.0, 2, -1))
