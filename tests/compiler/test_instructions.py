"""Instructions: programs as loops over strided memory. What they compute, and that what is regular has strides."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd.compiler.program import Program, sums_of_products
from autograd.compiler.recover import recover
from autograd.compiler.reverse import differentiated
from autograd.compiler.tensors.access import axes, separated
from autograd.compiler.tensors.instructions import Affine, Code, Gather, Instruction, Number
from autograd.compiler.tensors.layout import Bodies
from autograd.compiler.tensors.lower import lowered
from autograd.ops import TABLE
from tests.compiler.test_random_programs import AT_EDGES, EDGES, INPUTS, ROWS, programs, traced


def executable(function, *arguments, wanted=0):
    """The program of a function with the derivatives with respect to an argument, and the numbers of its inputs."""
    compiled = ag.compile(function, audit=False)
    compiled.value_and_grad(*arguments, argnums=wanted)
    _, run = compiled.latest_run()
    return run, list(map(float, compiled.inputs(*arguments)))


def code_of(function, *arguments, wanted=0):
    run, inputs = executable(function, *arguments, wanted=wanted)
    code = lowered(run.tensors)
    code.check()
    expected = run.program.run(inputs)
    size = max(map(abs, expected))
    assert code.run(inputs) == pytest.approx(expected, rel=1e-12, abs=1e-15 * size)
    return code


def gathers(code):
    return [ins for ins in code.instructions if any(isinstance(x, Gather) for x in (*ins.operands, ins.limit))]


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.tuples(programs(ROWS), INPUTS), st.tuples(programs(ROWS, EDGES), AT_EDGES)))
def test_random_programs_and_their_derivatives(case):
    steps, xs = case
    program = differentiated(sums_of_products(traced(steps, xs)[0]).new, range(len(xs)))
    code = lowered(recover(program))
    code.check()
    for found, expected in zip(code.run(xs), program.run(xs)):
        if abs(expected) < 1e6:
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)
        else:
            assert math.isnan(found) == math.isnan(expected)


DRAW = np.random.default_rng(0)


def matrix(*shape):
    return DRAW.normal(size=shape).tolist()


def distances(points, centres):
    return sum(ag.log(1.0 + sum((x - c) ** 2 for x, c in zip(p, q))) for p in points for q in centres)


def convolution(kernels, images):
    total = 0.0
    for image in images:
        for kernel in kernels:
            for i in range(6):
                for j in range(6):
                    total = total + ag.tanh(sum(kernel[a][b] * image[i + a][j + b] for a in range(3) for b in range(3)))
    return total


def transposed(a, x):
    return sum(ag.exp(sum(a[i][j] * x[i] for i in range(5))) for j in range(7))


def batched_products(left, right):
    return sum(
        ag.sin(sum(a[i][k] * b[k][j] for k in range(4))) for a, b in zip(left, right) for i in range(3) for j in range(5)
    )  # fmt: skip


class Attention(nn.Module):
    def __init__(self):
        self.inner = nn.CausalSelfAttention(8, 2, bias=False, seed=0)

    def forward(self, xs):
        return sum(ag.sum(row) for row in self.inner(xs))


REGULAR = {
    "pairwise distances": (distances, (matrix(20, 3), matrix(6, 3)), 3),
    "convolution of nested lists": (convolution, (matrix(2, 3, 3), matrix(2, 8, 8)), 3),
    "a transposed matrix": (transposed, (matrix(5, 7), matrix(5)), 2),
    "products side by side": (batched_products, (matrix(6, 3, 4), matrix(6, 4, 5)), 3),
}


@pytest.mark.parametrize("name", REGULAR)
def test_what_is_regular_has_strides(name):
    function, arguments, dims = REGULAR[name]
    code = code_of(function, *arguments)
    assert gathers(code) == []
    assert len(code.instructions) < 40
    assert max(len(ins.sizes) for ins in code.instructions) >= dims


def test_causal_attention_ends_its_sums_with_a_limit():
    code = code_of(lambda model, xs: model(xs), Attention(), matrix(6, 8))
    assert any(isinstance(ins.limit, Affine) for ins in code.instructions)


def test_a_table_is_read_by_index():
    def picked(table, x, k):
        return ag.exp(ag.take(table, k)[0] * x)

    code = code_of(picked, matrix(4, 2), 0.5, 2)
    assert any(type(x).__name__ == "Taken" for ins in code.instructions for x in ins.operands)


def test_powers_with_exponents_in_turn():
    """Three of one exponent and three of another: the results of neither lie in loops."""
    code_of(lambda xs: sum(x ** (0.5 if k // 3 % 2 else 2.0) for k, x in enumerate(xs)), [1.0 + 0.1 * k for k in range(24)])
    code_of(lambda xs: sum(x ** (0.5 if k % 2 else 2.0) for k, x in enumerate(xs)), [1.0 + 0.1 * k for k in range(24)])


def test_ragged_sums_whose_terms_lie_in_two_loops():
    def sums(w, x):
        return sum(ag.tanh(sum(w[k] * x[k // 2 * 5 + k % 2] for k in range(n))) for n in range(1, 9))

    code_of(sums, [0.0, 0.0, 0.0, 0.0, 0.1, 0.2, 0.3, 0.4], [0.3 * k for k in range(30)])


@pytest.mark.parametrize("results", [[-1], [0], [0, -1, 0], []])
def test_results_that_nothing_computes(results):
    program = Program()
    if max(results, default=0) >= 0:
        program.input("x")
    program.constant(2.5)
    program.outputs = results
    code = lowered(recover(program))
    code.check()
    xs = [7.0] * len(program.inputs)
    assert code.run(xs) == program.run(xs)


def test_a_loss_with_everything_of_a_network():
    model = nn.MLP(4, [8, 3], seed=1)
    inputs, labels = matrix(10, 4), [k % 3 for k in range(10)]
    code = code_of(
        lambda model, xs, ys: nn.cross_entropy([model(x) for x in xs], ys) + nn.l2_penalty(model, 0.1), model, inputs, labels
    )
    assert len(code.instructions) < 40


# The parts.


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([0, 1, 2, 10, 11, 12], [(2, (10,)), (3, (1,))]),
        ([0, 1, 2, 1, 2, 3, 4, 5, 6, 5, 6, 7], [(2, (4,)), (2, (1,)), (3, (1,))]),
        ([5, 4, 3], [(3, (-1,))]),
        ([7, 7, 7], [(3, (0,))]),
        ([3], []),
        ([0, 1, 3], None),
        ([0, 1, 2, 3, 5], None),
    ],
)
def test_axes(places, expected):
    assert axes(np.array([places])) == expected


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(-9, 9)), min_size=1, max_size=4), st.integers(0, 9))
def test_the_places_of_any_loops_are_found_again(loops, start):
    places = np.array([start])
    for size, stride in loops:
        places = (places[:, None] + stride * np.arange(size)).ravel()
    found = axes(places[None])
    again = np.array([start])
    for size, (stride,) in found:
        again = (again[:, None] + stride * np.arange(size)).ravel()
    assert again.tolist() == places.tolist()


def test_holes_take_the_places_that_the_others_tell():
    known = np.array([[10, 11, 12], [20, -1, -1], [30, -1, -1]])
    start, offsets = separated(known)
    assert (start, [offset.tolist() for offset in offsets]) == (10, [[0, 10, 20], [0, 1, 2]])
    assert separated(np.array([[10, 11], [20, 22]])) is None
    assert separated(np.array([[-1, 11], [20, -1]])) is None


def test_blocks_that_are_read_together_lie_side_by_side():
    bodies = Bodies({1: 4, 2: 4, 3: 4})
    bodies.grant([(1, 0), (3, 0)])
    bodies.grant([(1, 0), (2, 0), (3, 0)])  # impossible now: 3 lies behind 1
    assert (bodies.spot[3] - bodies.spot[1], bodies.members) == (4, {1: [1, 3], 2: [2]})


EXP, ADD = TABLE["exp"], TABLE["add"]
GOOD = Instruction(EXP, (3,), 0, (Affine("in", 0, (1,)),), Affine("out", 0, (1,)), 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": (0,)}, "has the sizes"),
        ({"reduced": 2}, "has the sizes"),
        ({"reduced": 1}, "writes with 1 strides in 0 loops"),
        ({"out": Affine("in", 0, (1,))}, "writes into 'in'"),
        ({"out": Affine("out", 1, (1,))}, "reaches from 1 to 3"),
        ({"out": Affine("out", 0, (2,))}, "reaches from 0 to 4"),
        ({"operands": (Affine("in", 2, (-2,)),)}, "reaches from -2 to 2"),
        ({"operands": (Affine("in", 0, (1, 1)),)}, "reads with 2 strides"),
        ({"operands": (Gather("in", (0, 1)),)}, "gathers 2 numbers in loops of 3"),
        ({"operands": (Gather("in", (0, 1, 7)),)}, "reaches from 0 to 7"),
        ({"reads": frozenset({5})}, "reads the blocks"),
        ({"out": Affine("out", 0, (0,))}, "where something is written already"),
        ({"sizes": (2,), "operands": (Number(1.0),)}, "no instruction writes the results \\[2\\]"),
    ],
)
def test_mistakes_are_found(changes, message):
    Code(3, 3, [], 0, [GOOD]).check()
    with pytest.raises(ValueError, match=message):
        Code(3, 3, [], 0, [replace(GOOD, **changes)]).check()


def test_a_ragged_sum():
    total = Instruction(
        TABLE["sum"], (3, 3), 1, (Affine("in", 0, (3, 1)),), Affine("out", 0, (1,)), 1, limit=Affine("", 1, (1, 0))
    )
    assert Code(9, 3, [], 0, [total]).run([float(k) for k in range(9)]) == [0.0, 7.0, 21.0]
    table = replace(total, limit=Gather("", (2, 2, 2, 1, 1, 1, 3, 3, 3)))
    assert Code(9, 3, [], 0, [table]).run([float(k) for k in range(9)]) == [1.0, 3.0, 21.0]
