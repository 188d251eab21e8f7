"""Programs without any structure compile in steps that grow with their size, not with its square."""

from __future__ import annotations

import random
import sys

import pytest

import autograd as ag


def unrelated(count):
    """A function of `count` operations of which no two are alike: the operands are earlier results, at random."""
    draw = random.Random(count)
    rows = [ag.sin, ag.tanh, lambda x: 0.5 * x, lambda x: x - 0.25, ag.square]
    pairs = [ag.maximum, ag.hypot, lambda x, y: 0.5 * (x + y), lambda x, y: x - y]
    plan = [(draw.random(), draw.random(), draw.randrange(len(rows)), draw.randrange(len(pairs))) for _ in range(count // 3)]

    def function(xs):
        results = list(xs)
        for near, far, row, pair in plan:
            x, y = (results[-1 - int(where * min(limit, len(results)))] for where, limit in ((near, 9), (far, 999)))
            results.append(rows[row](pairs[pair](x, y)))
        return ag.sum(results[-999:])

    return function


def steps(action):
    """How many functions Python calls, in C too, while this runs."""
    count = 0

    def watch(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        action()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_steps_grow_with_the_size_of_the_program(backend):
    counts, sizes = [], []
    for n in (500, 2000):
        compiled = ag.compile(unrelated(n), backend=backend)
        found = [steps(lambda: compiled.value_and_grad([0.3, 0.7])), steps(compiled.to_c)]  # noqa: B023
        counts.append(found)
        sizes.append([len(compiled.source), len(compiled.latest.latest.written.function.__code__.co_code), len(compiled.to_c())])
    # What no count of calls shows: for every comprehension, Python's compiler copies the names of the function around it.
    assert compiled.source.count(" for ") < 20
    for small, large in zip(*counts):
        assert large < 5.0 * small
    for small, large in zip(*sizes):
        assert large < 5.0 * small
