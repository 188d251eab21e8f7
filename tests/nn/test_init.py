import random
import statistics

import pytest

import nn
from nn import init


@pytest.mark.parametrize(("name", "variance"), [
    ("uniform", 1 / 3), ("zeros", 0.0), ("xavier_uniform", 2 / 60), ("xavier_normal", 2 / 60),
    ("he_uniform", 2 / 20), ("he_normal", 2 / 20),
])  # fmt: skip
@pytest.mark.parametrize("rng", ["random", "numpy"])
def test_mean_and_variance(name, variance, rng):
    generator = random.Random(1) if rng == "random" else pytest.importorskip("numpy").random.default_rng(1)
    draws = [init.named(name)(20, 40, generator) for _ in range(20_000)]
    assert statistics.fmean(draws) == pytest.approx(0.0, abs=0.02)
    assert statistics.pvariance(draws) == pytest.approx(variance, rel=0.03)


def test_layers_hand_on_both_fans():
    seen = set()
    nn.MLP(3, [5, 2], init=lambda fan_in, fan_out, rng: seen.add((fan_in, fan_out)) or rng.random())
    assert seen == {(3, 5), (5, 2)}


def test_an_unknown_initialiser():
    with pytest.raises(ValueError, match="no initialiser is named 'glorot'; there are uniform, zeros, xavier_uniform"):
        nn.Neuron(1, init="glorot")
