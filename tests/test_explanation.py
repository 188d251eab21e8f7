"""Explanations of gradients: every path, its numbers, and counts too large to walk."""

import random
import re

import pytest

import autograd
from autograd import Value, explain


def test_paths_are_listed_with_their_products():
    x, w = Value(3.0, "x"), Value(-2.0, "w")
    y = (x * w + x).tanh()
    found = explain(y, x)
    assert found.count == len(found.paths) == 2
    assert sum(path.product for path in found.paths) == pytest.approx(found.gradient, rel=1e-15)
    assert all(path.nodes[0] is x and path.nodes[-1] is y for path in found.paths)
    assert "dy/dx = -0.00986604: the sum over 2 paths" in str(found)
    assert "(-2) * 1 * 0.00986604" in str(found)
    assert "x -> v1 -> v2 -> y" in str(found)


def test_it_is_the_gradient_and_leaves_grad_alone():
    for seed in range(50):
        draw = random.Random(seed)
        nodes = [Value(draw.uniform(0.5, 2.0)) for _ in range(3)]
        for _ in range(6):
            a, b = draw.choices(nodes, k=2)
            nodes.append(draw.choice([lambda a, b: a * b, lambda a, b: a + b, lambda a, b: (a / b).sin()])(a, b))
        found = explain(nodes[-1], nodes[0], max_paths=10**4)
        assert nodes[0].grad == 0.0
        nodes[-1].backward()
        assert found.gradient == pytest.approx(nodes[0].grad)
        assert sum(path.product for path in found.paths) == pytest.approx(found.gradient, abs=1e-12)
        assert found.count == len(found.paths)


def test_latex():
    x = Value(3.0, "x")
    y = x * x
    y.label = "loss_2"
    assert explain(y, x).latex() == (
        r"\frac{\partial \text{loss\_2}}{\partial x} = \frac{\partial \text{loss\_2}}{\partial x} + "
        r"\frac{\partial \text{loss\_2}}{\partial x} = 3 + 3 = 6"
    )
    small = explain(x * -1e-9, x)
    assert r"(-1 \cdot 10^{-9})" in small.latex()
    assert re.fullmatch(r"\$\\displaystyle .*\$", small._repr_latex_())


def test_latex_is_understood_by_matplotlib():
    mathtext = pytest.importorskip("matplotlib.mathtext")
    x = Value(0.5, "x")
    y = x * x.sin() + (x * -2.0).exp()
    mathtext.MathTextParser("path").parse(f"${explain(y, x).latex()}$")


def test_too_many_paths_are_counted_and_grouped():
    x = Value(1.0, "x")
    y = x
    for _ in range(300):
        y = y * 0.5 + y * 0.5
    found = explain(y, x)
    assert found.count == 2**300
    assert found.paths == []
    assert [group.paths for group in found.groups] == [2**299, 2**299]
    assert sum(group.local * group.upstream for group in found.groups) == found.gradient == 1.0
    assert "about 2.0e90 paths, grouped by the first step" in str(found)
    assert r"\frac{\partial v_{1}}{\partial x}\frac{\partial y}{\partial v_{1}}" in found.latex()


def test_counts_of_thousands_of_digits_and_long_paths_print():
    x = Value(1.0)
    y = z = x
    for _ in range(20_000):
        y, z = y * 0.5 + y * 0.5, z + 1.0
    assert "about 3.9e6020 paths" in str(explain(y, x))
    assert len(str(explain(z, x))) < 300
    assert explain(z, x).count == 1


def test_no_path_and_the_whole_path():
    x, y = Value(1.0, "x"), Value(2.0, "y") * 3.0
    assert str(explain(y, x)) == "dy/dx = 0: no path leads from x to y"
    assert explain(y, x).latex() == r"\frac{\partial y}{\partial x} = 0"
    assert explain(x, x).gradient == 1.0
    assert "1 path" in str(explain(x, x))
    assert explain(autograd.relu(x - 5.0), x).count == 0  # a dead branch is no path


def test_numbers_are_refused():
    with pytest.raises(TypeError, match=r"explain\(y, x\) needs Values, but x is float 3.0"):
        explain(Value(1.0), 3.0)
