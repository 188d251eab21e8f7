"""Compiled training comes to the numbers of the engine: every layer, loss and optimiser, whatever happens on the way."""

from __future__ import annotations

import functools
import math
import random

import pytest

import autograd
import nn
from autograd import Value
from autograd.compiler import executable
from nn import schedules
from tests.compiler.native import needs_compiler

np = pytest.importorskip("numpy", reason="compiled training needs numpy")

DRAW = random.Random(5)


def numbers(*shape):
    return [numbers(*shape[1:]) for _ in range(shape[0])] if shape else DRAW.uniform(-1.5, 1.5)


def parameters(model):
    return [p.data for p in model.parameters()]


def both(make, inputs, targets, **options):
    """The same training by the engine and compiled: the same losses and parameters up to the order of additions."""
    found = []
    compiled = options.pop("compile", True)
    optimizer = options.pop("optimizer", lambda p: nn.Adam(p, lr=0.02))
    for compile in (False, compiled):
        model = make()
        chosen = {"loss": nn.mse_loss, "epochs": 3, "progress": False} | options
        history = nn.fit(model, inputs, targets, optimizer=optimizer(model.parameters()), compile=compile, **chosen)
        found.append((model, history))
    (model, history), (twin, other) = found
    assert other.loss == pytest.approx(history.loss, rel=1e-9, abs=1e-12)
    assert parameters(twin) == pytest.approx(parameters(model), rel=1e-7, abs=1e-8)
    assert [p.grad for p in twin.parameters()] == pytest.approx([p.grad for p in model.parameters()], rel=1e-6, abs=1e-9)
    return found


def last(outputs):
    return outputs[0][-1]


def image(pixels):
    return [[pixels[i : i + 6] for i in range(0, len(pixels), 6)]]


NETWORKS = {
    "mlp": (lambda: nn.MLP(3, [4, 4, 2], activation="tanh", seed=1), (3,)),
    "linear": (lambda: nn.Sequential(nn.Linear(3, 4, seed=1), "relu", nn.Linear(4, 2, bias=False, seed=2)), (3,)),
    "norms": (lambda: nn.Sequential(nn.LayerNorm(3), nn.Linear(3, 4, seed=1), nn.RMSNorm(4), nn.Linear(4, 2, seed=2)), (3,)),
    "convolution": (
        lambda: nn.Sequential(
            image, nn.Conv2d(1, 2, 3, padding=1, seed=1), nn.MaxPool2d(2), "relu", nn.AvgPool2d(2), nn.flatten,
            nn.Linear(2, 2, seed=3),
        ), (30,),
    ),
    "sequences": (
        lambda: nn.Sequential(nn.Conv1d(2, 3, 2, stride=2, seed=1), nn.MaxPool1d(2), nn.AvgPool1d(2), nn.flatten,
                              nn.Linear(3, 2, seed=3)), (2, 8),
    ),
    "rnn": (lambda: nn.Sequential(nn.RNN(2, 3, seed=1), last, nn.Linear(3, 2, seed=2)), (4, 2)),
    "lstm": (lambda: nn.Sequential(nn.LSTM(2, 3, seed=1), last, nn.Linear(3, 2, seed=2)), (4, 2)),
    "gru": (lambda: nn.Sequential(nn.GRU(2, 3, seed=1), last, nn.Linear(3, 2, seed=2)), (4, 2)),
    "attention": (lambda: nn.Sequential(nn.CausalSelfAttention(4, 2, seed=1), nn.flatten, nn.Linear(12, 2, seed=2)), (3, 4)),
}  # fmt: skip


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_layer(kind):
    make, shape = NETWORKS[kind]
    both(make, numbers(5, *shape), numbers(5, 2), batch_size=3)
    both(make, numbers(5, *shape), [0, 1, 1, 0, 1], loss=nn.cross_entropy)


class Embedded(nn.Module):
    def __init__(self):
        self.table, self.out = nn.Embedding(6, 3, seed=1), nn.Linear(6, 4, seed=2)

    def forward(self, pair):
        return self.out(self.table(pair[0]) + self.table(pair[1]))


def test_integers_index_or_are_numbers():
    pairs = [[0, 1], [5, 5], [2, 3], [4, 0], [1, 1]]
    both(Embedded, pairs, [0, 3, 2, 1, 1], loss=nn.cross_entropy, batch_size=2)
    make = functools.partial(nn.MLP, 2, [3, 1], seed=1)
    both(make, pairs, [1, 0, 2, 4, 3], batch_size=2)
    both(functools.partial(nn.MLP, 2, [3, 6], seed=1), pairs, [1, 0, 2, 4, 5], loss=nn.cross_entropy, batch_size=2)
    both(make, np.array(pairs), np.array([True, False, True, True, False]), loss=nn.bce_with_logits, batch_size=2)


LOSSES = {
    "mse": (nn.mse_loss, numbers(6)), "mae": (nn.mae_loss, numbers(6)), "hinge": (nn.hinge_loss, [1, -1, -1, 1, -1, 1]),
    "huber": (functools.partial(nn.huber_loss, delta=0.3), numbers(6)), "bce": (nn.bce_with_logits, [1, 0, 0.5, 0, 1, 0]),
    "sum": (functools.partial(nn.mse_loss, reduction="sum"), numbers(6)),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOSSES)
def test_every_loss(kind):
    loss, targets = LOSSES[kind]
    make = functools.partial(nn.MLP, 2, [4, 1], seed=1)
    both(make, numbers(6, 2), targets, loss=loss, batch_size=4)
    both(make, numbers(6, 2), targets, loss=lambda p, t: loss(p, t), batch_size=4)


OPTIMISERS = {
    "sgd": lambda p: nn.SGD(p, lr=0.1), "decay": lambda p: nn.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p: nn.SGD(p, lr=0.05, momentum=0.8, nesterov=True),
    "rmsprop": lambda p: nn.RMSprop(p, lr=0.01, weight_decay=0.01), "adam": lambda p: nn.Adam(p, lr=0.02, weight_decay=0.01),
    "adamw": lambda p: nn.AdamW(p, lr=0.02), "schedule": lambda p: nn.Adam(p, lr=schedules.warmup(10, schedules.cosine(0.1, 40))),
}


@pytest.mark.parametrize("kind", OPTIMISERS)
def test_every_optimiser_over_fifty_steps(kind):
    make = functools.partial(nn.MLP, 2, [3, 1], activation="tanh", seed=1)
    found = both(make, numbers(6, 2), numbers(6), optimizer=OPTIMISERS[kind], batch_size=3, epochs=25)
    assert found[1][1].loss[-1] < found[1][1].loss[0]


def test_clipping_and_penalties():
    make = functools.partial(nn.MLP, 2, [4, 1], seed=1)
    options = {"penalty": lambda model: nn.l2_penalty(model, 0.1), "clip_norm": 0.5, "batch_size": 4}
    (_, clipped), _ = both(make, numbers(6, 2), numbers(6), **options)
    assert clipped.loss != both(make, numbers(6, 2), numbers(6), **options | {"clip_norm": None})[0][1].loss
    both(make, numbers(6, 2), numbers(6), loss=lambda p, t: nn.mse_loss(p, t), **options)
    both(make, numbers(6, 2), numbers(6), loss=functools.partial(nn.mse_loss, reduction="sum"), **options)


def test_a_loss_of_ones_own_may_be_a_mean_over_samples():
    def crooked(predictions, targets):
        return sum(abs(p - t) ** 1.5 for p, t in zip(predictions, targets)) / len(predictions)

    make = functools.partial(nn.MLP, 2, [4, 1], seed=1)
    for compile in (True, "mean"):
        both(make, numbers(6, 2), numbers(6), loss=crooked, batch_size=4, compile=compile)


class Counting(nn.Module):
    """What an LSTM remembers of a text of any length."""

    def __init__(self):
        self.table, self.lstm, self.out = nn.Embedding(5, 2, seed=1), nn.LSTM(2, 3, seed=2), nn.Linear(3, 2, seed=3)

    def forward(self, text):
        return self.out(self.lstm([self.table(i) for i in text])[0][-1])


def test_samples_of_several_lengths():
    texts = [[0, 1, 2], [3], [4, 4, 1], [2, 0], [1], [2, 3, 3]]
    both(Counting, texts, [0, 1, 0, 1, 1, 0], loss=nn.cross_entropy, batch_size=4)
    both(Counting, texts, [0, 1, 0, 1, 1, 0], loss=lambda p, t: nn.cross_entropy(p, t), batch_size=1)
    both(Counting, texts, [0, 1, 0, 1, 1, 0], loss=lambda p, t: nn.cross_entropy(p, t), batch_size=2, compile="mean")


def squares(predictions, targets):
    return nn.mse_loss(predictions, targets)


def test_too_many_programs_warn():
    texts = [[DRAW.uniform(-1, 1)] * DRAW.randrange(1, 9) for _ in range(200)]

    class Mean(nn.Module):
        def __init__(self):
            self.w = Value(1.0)

        def forward(self, xs):
            return self.w * autograd.mean(xs)

    model = Mean()
    with pytest.warns(RuntimeWarning, match=r"has made 32 programs, one for every order of shapes.*compile='mean'"):
        nn.fit(model, texts, [0.0] * 200, loss=squares, batch_size=2, compile=True, epochs=1, progress=False)


def dropping(seed=1):
    rng = random.Random(seed)
    return nn.Sequential(
        nn.Linear(2, 6, rng=rng), "tanh", nn.Dropout(0.4, rng=rng), nn.Dropout(0.2, seed=3), nn.Linear(6, 1, rng=rng)
    )


def by_list(predictions, targets):
    return nn.mse_loss([p[0] for p in predictions], targets)


def test_dropout_draws_what_the_engine_draws():
    both(dropping, numbers(7, 2), [[y] for y in numbers(7)], batch_size=3)
    both(dropping, numbers(7, 2), numbers(7), loss=by_list, batch_size=3)
    (model, _), (twin, _) = both(dropping, numbers(7, 2), numbers(7), loss=by_list, batch_size=3)
    assert parameters(twin.train()) == pytest.approx(parameters(model))
    assert [float(y) for y in twin([1.0, 2.0])] == pytest.approx([float(y) for y in model([1.0, 2.0])], rel=1e-6)


def test_compiling_dropout_by_hand_is_refused():
    model = dropping()
    with pytest.raises(autograd.TraceError, match="random"):
        autograd.compile(lambda x: model(x)[0])([1.0, 2.0])


def test_validation_metrics_and_callbacks_see_the_model():
    seen = []

    def make():
        return nn.MLP(2, [3, 1], activation="tanh", seed=1)

    inputs, targets = numbers(7, 2), numbers(7)
    metrics = {"worst": lambda found, wanted: max(abs(a - b) for a, b in zip(found, wanted))}
    found = []
    for compile in (False, True):
        model = make()
        optimizer = nn.Adam(model.parameters(), lr=0.05)
        recorder = nn.Recorder(model, inputs[:2])
        history = nn.fit(
            model, inputs, targets, loss=nn.mse_loss, optimizer=optimizer, epochs=4, batch_size=3, metrics=metrics,
            compile=compile, validation=([[1.0, 2.0]], [0.5]), progress=False,
            callbacks=[recorder, lambda _, model=model: seen.append(model([1.0, 2.0]).data)],
        )  # fmt: skip
        found.append((history, recorder))
    (history, recorder), (other, second) = found
    assert other.metrics["worst"] == pytest.approx(history.metrics["worst"], rel=1e-8)
    assert other.validation["loss"] == pytest.approx(history.validation["loss"], rel=1e-8)
    assert seen[4:] == pytest.approx(seen[:4], rel=1e-8)
    for kind in ("weights", "gradients", "activations"):
        for name in recorder.layers:
            ours, theirs = getattr(second, kind)[name], getattr(recorder, kind)[name]
            assert nn.flatten(ours) == pytest.approx(nn.flatten(theirs), rel=1e-6, abs=1e-9)


def test_a_callback_may_change_the_model():
    models = [nn.MLP(2, [3, 1], seed=1) for _ in range(2)]
    inputs, targets = numbers(5, 2), numbers(5)
    for compile, model in zip((False, True), models):

        def halve(_, model=model):
            for p in model.parameters():
                p.data *= 0.5

        nn.fit(model, inputs, targets, loss=nn.mse_loss, epochs=3, callbacks=[halve], compile=compile, progress=False)
    assert parameters(models[1]) == pytest.approx(parameters(models[0]))


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupt_loses_no_step(error):
    class Stopping(nn.SGD):
        def next_rate(self):
            if self.steps == 5:
                raise error
            return super().next_rate()

    inputs, targets = numbers(6, 2), numbers(6)
    models = [nn.MLP(2, [3, 1], seed=1) for _ in range(2)]
    for compile, model in zip((False, True), models):
        optimizer = Stopping(model.parameters(), lr=0.05, momentum=0.9)
        options = {"loss": nn.mse_loss, "optimizer": optimizer, "batch_size": 2, "compile": compile, "progress": False}
        if error is KeyboardInterrupt:
            assert nn.fit(model, inputs, targets, **options).stopped == "interrupted"
        else:
            with pytest.raises(RuntimeError):
                nn.fit(model, inputs, targets, **options)
        assert optimizer.steps == 5
        assert isinstance(optimizer.state["velocity"], list)
    assert parameters(models[1]) == pytest.approx(parameters(models[0]), rel=1e-10)


def test_a_resumed_training_comes_to_the_same_numbers_bit_for_bit(tmp_path):
    inputs, targets = numbers(7, 2), numbers(7)

    def run(model, epochs, **options):
        optimizer = nn.Adam(model.parameters(), lr=0.05)
        options = {"loss": by_list, "batch_size": 3, "progress": False, "compile": True} | options
        return nn.fit(model, inputs, targets, optimizer=optimizer, epochs=epochs, **options)

    whole, resumed = dropping(), dropping(seed=9)
    expected = run(whole, 6)
    run(dropping(), 4, checkpoint=tmp_path / "run.json")
    history = run(resumed, 6, checkpoint=tmp_path / "run.json")
    assert history.loss == expected.loss
    assert parameters(resumed) == parameters(whole)


def test_frozen_layers_and_an_optimiser_of_some_parameters():
    def frozen():
        model = nn.MLP(2, [3, 1], seed=1)
        model.layers[0].freeze()
        return model

    both(frozen, numbers(5, 2), numbers(5))
    inputs, targets, models = numbers(5, 2), numbers(5), [nn.MLP(2, [3, 1], seed=1) for _ in range(2)]
    for compile, model in zip((False, True), models):
        some = nn.Adam(model.parameters()[5:1:-1], lr=0.1)
        nn.fit(model, inputs, targets, loss=nn.mse_loss, clip_norm=0.1, optimizer=some, compile=compile, progress=False)
    assert parameters(models[1]) == pytest.approx(parameters(models[0]), rel=1e-7)
    model = nn.MLP(2, [3, 1], seed=1)
    with pytest.raises(ValueError, match=r"the optimizer has 1 others, such as Value\(data=3.0"):
        nn.fit(model, [[1.0, 2.0]], [1.0], loss=nn.mse_loss, optimizer=nn.SGD([*model.parameters(), Value(3.0)]), compile=True)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_bad_data_is_named(bad):
    model = nn.MLP(2, [3, 1], seed=1)
    before = parameters(model)
    with pytest.raises(FloatingPointError, match=r"the loss is (nan|inf)"):
        nn.fit(model, [[1.0, bad], [2.0, 1.0]], [1.0, 2.0], loss=nn.mse_loss, progress=False, compile=True)
    assert parameters(model) == before


def test_errors_are_those_of_the_engine():
    def run(inputs, targets, loss=nn.mse_loss, model=None, **options):
        model = model or nn.MLP(2, [3, 1], seed=1)
        nn.fit(model, inputs, targets, loss=loss, compile=options.pop("compile", True), progress=False, **options)

    with pytest.raises(ValueError, match="a neuron of 2 weights got 3 inputs"):
        run([[1.0, 2.0, 3.0]], [1.0])
    with pytest.raises(ValueError, match="mse_loss got"):
        run([[1.0, 2.0]], [[1.0, 2.0]], model=nn.MLP(2, [3, 3], seed=1))
    with pytest.raises(ValueError, match="hinge_loss needs targets -1 and 1, not 0"):
        run([[1.0, 2.0]], [0], nn.hinge_loss)
    with pytest.raises(ValueError, match="bce_with_logits needs targets from 0 to 1, not 2"):
        run([[1.0, 2.0]], [2], nn.bce_with_logits)
    with pytest.raises(IndexError, match="3"):
        run([[1.0, 2.0], [0.0, 1.0]], [0, 3], nn.cross_entropy, model=nn.MLP(2, [3, 3], seed=1))
    with pytest.raises(ValueError, match="fit needs compile of True, 'mean' or 'sum', not 'fast'"):
        run([[1.0, 2.0]], [1.0], compile="fast")


def test_numpy_is_needed(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(ImportError, match="keeps the parameters in arrays: pip install numpy"):
        nn.fit(nn.Neuron(1), [[1.0]], [1.0], loss=nn.mse_loss, compile=True)


@needs_compiler
@pytest.mark.parametrize(("epochs", "built"), [(100, [2]), (20, [])])
def test_machine_code_is_made_at_once_if_it_pays_in_this_training(monkeypatch, epochs, built):
    monkeypatch.setattr(executable, "worth", lambda *_: 50)
    calls, build = [], executable.Chosen.build
    monkeypatch.setattr(executable.Chosen, "build", lambda self, parts: calls.append(self.calls) or build(self, parts))
    model = nn.Linear(2, 1, seed=0)
    samples = [[0.1 * k, 0.3 * k] for k in range(8)], [[0.2 * k] for k in range(8)]
    nn.fit(model, *samples, loss=lambda found, wanted: nn.mse_loss(found, wanted), epochs=epochs, compile=True, progress=False)
    assert calls == built
