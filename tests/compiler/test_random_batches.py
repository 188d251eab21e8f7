"""Random programs over the whole table on batches: parameters that are the same for all examples and inputs that are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from tests.compiler.test_random_programs import ROWS, programs, run

# Sums over examples are added up in another order: of numbers that are neither huge nor tiny, that changes the last digits.
USUAL = st.integers(-2000, 2000).map(lambda k: k / 1000.0)
NUMBERS = st.lists(USUAL, min_size=2, max_size=2)


def eager(steps, ws, batch):
    """The sum over the examples, its gradient with respect to the parameters, and to the numbers of each."""
    parameters = [Value(w) for w in ws]
    examples = [[Value(x) for x in xs] for xs in batch]
    out = ag.sum([run(steps, [*parameters, *xs]) for xs in examples])
    out.backward()
    return out.data, [w.grad for w in parameters], [[x.grad for x in xs] for xs in examples]


@settings(deadline=None, max_examples=150)
@given(programs(ROWS, USUAL), NUMBERS, st.lists(NUMBERS, min_size=1, max_size=4))
def test_batches_agree_with_the_sum_over_examples(steps, ws, batch):
    value, slopes, each = eager(steps, ws, batch)
    assume(all(abs(g) < 1e6 for g in [value, *slopes, *np.ravel(each)]))
    compiled = ag.compile(lambda ws, xs: run(steps, [*ws, *xs]), batch="xs", reduce="sum")
    found, (by_weights, by_examples) = compiled.value_and_grad(ws, np.array(batch), argnums=(0, 1))
    assert found == pytest.approx(value, rel=1e-9, abs=1e-12)
    assert by_weights == pytest.approx(slopes, rel=1e-7, abs=1e-8)
    np.testing.assert_allclose(by_examples, each, rtol=1e-7, atol=1e-8)
    for blocks in compiled.latest.programs.values():
        blocks.program.check()
        blocks.tensors.check()
    alone = ag.compile(lambda ws, xs: run(steps, [*ws, *xs]), batch="xs", reduce=None)(ws, np.array(batch))
    np.testing.assert_allclose(alone.sum(), value, rtol=1e-9, atol=1e-12)
