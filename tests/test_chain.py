"""The chain rule: every path is counted once, in a fixed order, backward as forward."""

from __future__ import annotations

import math

import autograd as ag
from autograd import Value
from autograd.chain import pullback, pushforward, sum_of_products
from autograd.value import topological


def test_operands_come_before_results_and_every_node_once():
    x = Value(2.0)
    square = x * x
    first, second = square + x, square.sin()
    order = topological(first, second)
    assert len(order) == len(set(order)) == 4
    place = {node: i for i, node in enumerate(order)}
    assert all(place[parent] < place[node] for node in order for parent in node._prev)
    assert order == topological(first, second)


def test_paths_are_counted_with_their_multiplicity():
    x = Value(1.0)
    node = x
    for _ in range(200):  # 2 ** 200 paths
        node = node + node
    assert pullback(topological(node), {node: 1.0})[x] == 2.0**200
    assert pushforward(topological(node), {x: 1.0})[node] == 2.0**200


def test_seeds_of_many_roots_and_of_interior_nodes():
    x = Value(3.0)
    inner = x * x
    outer = inner * 5.0
    found = pullback(topological(outer), {outer: 1.0, inner: 100.0})
    assert found[inner] == 105.0
    assert found[x] == 105.0 * 6.0
    assert pushforward(topological(outer), {inner: 1.0})[outer] == 5.0


def test_what_no_path_reaches_is_absent():
    x, condition = Value(-1.0), Value(0.0)
    out = ag.where(condition, ag.log(x), x * 2.0)
    found = pullback(topological(out), {out: 1.0})
    assert condition not in found
    assert found[x] == 2.0
    assert all(not math.isnan(cotangent) for cotangent in found.values())


def test_sums_go_left_to_right():
    terms = [1.0, 1.0, 1e16, 1.0, -1e16, 1.0]
    assert sum_of_products(terms) == (1.0 + 1e16) - 1e16 == 0.0
    assert float(sum_of_products([Value(1.0), *terms[1:]])) == 0.0


def test_pullback_over_values_has_the_numbers_of_the_pullback_over_floats():
    x, y = Value(0.7), Value(-1.3)
    out = ag.exp(x * y) / (1.0 + ag.hypot(x, y)) - x**3 * ag.tanh(y)
    order = topological(out)
    plain, recorded = pullback(order, {out: 1.0}), pullback(order, {out: 1.0}, create_graph=True)
    assert {node: float(cotangent) for node, cotangent in recorded.items()} == plain
