import math
import random
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autograd as ag
import nn

LINE = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]


def line(**options):
    neuron = nn.Neuron(1, nonlin=False, seed=0)
    options = {"loss": nn.mse_loss, "optimizer": nn.SGD(neuron.parameters(), lr=0.1), "epochs": 200, "progress": False} | options
    return neuron, nn.fit(neuron, *LINE, **options)


def test_a_line_is_found():
    neuron, history = line()
    assert (neuron.w[0].data, neuron.b.data) == pytest.approx((2.0, 1.0), abs=1e-3)
    assert len(history.loss) == 200
    assert history.loss[-1] < 1e-5 < history.loss[0]


def test_minibatches_follow_the_seed():
    runs = [line(batch_size=3, epochs=5, seed=seed)[1].loss for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_minibatches_visit_every_sample_once_an_epoch():
    seen = []

    class Spy(nn.Neuron):
        def forward(self, x):
            seen.append(x[0])
            return super().forward(x)

    nn.fit(Spy(1, nonlin=False), *LINE, loss=nn.mse_loss, epochs=2, batch_size=3, progress=False)
    assert sorted(seen[:4]) == sorted(seen[4:]) == [0.0, 1.0, 2.0, 3.0]


def test_it_stops_when_nothing_gets_better():
    _, history = line(epochs=5000, tolerance=1e-3, patience=5)
    assert len(history.loss) < 1000
    assert history.stopped.startswith("converged")


def test_metrics_are_recorded():
    _, history = line(epochs=3, metrics={"worst": lambda found, wanted: max(abs(a - b) for a, b in zip(found, wanted))})
    assert len(history.metrics["worst"]) == 3
    assert history.metrics["worst"][-1] >= math.sqrt(history.loss[-1])


def test_the_penalty_is_minimised_too():
    neuron, _ = line(penalty=lambda model: nn.l2_penalty(model, 1.0))  # ridge regression: (A + 1) x = c
    assert 4.5 * neuron.w[0].data + 1.5 * neuron.b.data == pytest.approx(8.5)
    assert 1.5 * neuron.w[0].data + 2.0 * neuron.b.data == pytest.approx(4.0)


def test_an_interrupt_ends_it_cleanly():
    neuron = nn.Neuron(1, nonlin=False, seed=0)
    optimizer = nn.SGD(neuron.parameters(), lr=0.1)

    def interrupting(predictions, targets):
        if optimizer.steps == 3:
            raise KeyboardInterrupt
        return nn.mse_loss(predictions, targets)

    history = nn.fit(neuron, *LINE, loss=interrupting, optimizer=optimizer, progress=False)
    assert len(history.loss) == 3
    assert history.stopped == "interrupted"
    assert [p.data for p in neuron.parameters()] == [p.data for p in line(epochs=3)[0].parameters()]


@pytest.mark.parametrize(("inputs", "targets", "message"), [
    ([], [], "got 0 inputs and 0 targets"), ([[1.0]], [1.0, 2.0], "got 1 inputs and 2 targets"),
])  # fmt: skip
def test_empty_or_unequal_data(inputs, targets, message):
    with pytest.raises(ValueError, match=message):
        nn.fit(nn.Neuron(1), inputs, targets, loss=nn.mse_loss)


def test_batch_size_must_be_positive():
    with pytest.raises(ValueError, match="the batch_size of fit is at least 1, not 0"):
        line(batch_size=0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_bad_data_is_named(bad):
    neuron = nn.Neuron(1, nonlin=False, seed=0)
    before = [p.data for p in neuron.parameters()]
    with pytest.raises(FloatingPointError, match=r"the loss is (nan|inf) in epoch 1"):
        nn.fit(neuron, [[bad]], [1.0], loss=nn.mse_loss, progress=False)
    assert [p.data for p in neuron.parameters()] == before


@pytest.mark.parametrize(
    "options", [{}, {"penalty": lambda model: model.parameters()[0] ** 2}, {"executor": ThreadPoolExecutor(1)}]
)
@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (lambda *_: 0.5, "not float 0.5: it was computed from the numbers in the predictions"),
        (lambda predictions, _: np.float64(predictions[0].data), "not float64 .*: it was computed from the numbers"),
        (lambda *_: None, r"not NoneType None; is a return missing\?"),
        (lambda predictions, _: predictions, r"not list .*; is a return missing\?"),
    ],
)
def test_a_loss_that_is_no_value_is_named(loss, said, options):
    with pytest.raises(TypeError, match=f"the loss must return a Value, {said}"):
        line(loss=loss, **options)


def test_the_progress_bar(capsys):
    pytest.importorskip("tqdm", reason="the progress bar needs tqdm")
    line(epochs=3, progress=True)
    shown = capsys.readouterr().err
    assert "3/3" in shown
    assert "loss=" in shown


def test_without_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert len(line(epochs=2, progress=None)[1].loss) == 2
    with pytest.raises(ImportError, match=r"the progress bar needs tqdm: pip install tqdm, or fit\(..., progress=False\)"):
        line(epochs=2, progress=True)


def noisy(seed=0):
    model = nn.Sequential(nn.Linear(1, 4, seed=seed), "tanh", nn.Linear(4, 1, seed=seed + 1))
    return model, nn.Adam(model.parameters(), lr=0.05)


def by_list(predictions, targets):
    return nn.mse_loss([p[0] for p in predictions], targets)


def test_validation_data_are_judged_and_not_learnt():
    model, optimizer = noisy()
    history = nn.fit(
        model, *LINE, loss=by_list, optimizer=optimizer, epochs=4, validation=([[9.0]], [0.0]), progress=False,
        metrics={"first": lambda found, _: found[0][0]},
    )  # fmt: skip
    assert history.validation["loss"][-1] == pytest.approx(model([9.0])[0].data ** 2)
    assert history.validation["first"][-1] == model([9.0])[0].data
    assert len(history.validation["loss"]) == len(history.loss) == 4
    twin, optimizer = noisy()
    assert nn.fit(twin, *LINE, loss=by_list, optimizer=optimizer, epochs=4, progress=False).loss == history.loss


def test_evaluation_mode_is_on_for_validation_and_the_mode_comes_back():
    modes = []

    class Spy(nn.Neuron):
        def forward(self, x):
            modes.append(self.training)
            return super().forward(x)

    model = Spy(1, nonlin=False).eval()
    nn.fit(model, [[1.0]], [1.0], loss=nn.mse_loss, epochs=2, validation=([[1.0]], [1.0]), progress=False)
    assert modes == [True, False, True, False]
    assert not model.training


def test_a_callback_may_end_it():
    seen = []
    _, history = line(callbacks=[lambda history: seen.append(len(history.loss)), lambda history: len(history.loss) == 3])
    assert seen == [1, 2, 3]
    assert history.stopped == "ended by a callback"


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_an_interrupted_training_goes_on_to_the_same_numbers(tmp_path, suffix):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors", reason="needs safetensors")
    options = {"epochs": 8, "batch_size": 3, "progress": False, "validation": LINE}
    whole, optimizer = noisy()
    expected = nn.fit(whole, *LINE, loss=by_list, optimizer=optimizer, **options)

    calls = 0

    def interrupting(predictions, targets):
        nonlocal calls
        calls += 1
        if calls == 14:  # in the middle of an epoch
            raise KeyboardInterrupt
        return by_list(predictions, targets)

    options["checkpoint"] = tmp_path / f"run{suffix}"
    model, optimizer = noisy()
    broken = nn.fit(model, *LINE, loss=interrupting, optimizer=optimizer, **options)
    assert broken.stopped == "interrupted"
    assert len(broken.loss) == 4
    model, optimizer = noisy(seed=7)
    resumed = nn.fit(model, *LINE, loss=by_list, optimizer=optimizer, **options)
    assert resumed.loss == expected.loss
    assert resumed.validation == expected.validation
    assert [p.data for p in model.parameters()] == [p.data for p in whole.parameters()]


def test_a_resumed_training_drops_what_would_have_been_dropped(tmp_path):
    def fresh(seed=0):
        rng = random.Random(seed)
        model = nn.Sequential(nn.Linear(1, 8, rng=rng), "tanh", nn.Dropout(0.3, rng=rng), nn.Linear(8, 1, rng=rng))
        return model, nn.Adam(model.parameters(), lr=0.05)

    def run(model, optimizer, epochs, **options):
        options = {"loss": by_list, "batch_size": 3, "progress": False} | options
        return nn.fit(model, *LINE, optimizer=optimizer, epochs=epochs, **options)

    whole = fresh()
    expected = run(*whole, 8)
    run(*fresh(), 5, checkpoint=tmp_path / "run.json")
    resumed = fresh(seed=9)
    assert run(*resumed, 8, checkpoint=tmp_path / "run.json").loss == expected.loss
    assert [p.data for p in resumed[0].parameters()] == [p.data for p in whole[0].parameters()]


def test_validation_lengths():
    with pytest.raises(ValueError, match="fit needs validation inputs, and as many targets; got 1 inputs and 2 targets"):
        line(validation=([[1.0]], [1.0, 2.0]))


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"loss": "mse"}, TypeError, "a loss that is a function, such as nn.mse_loss, not 'mse'"),
        ({"epochs": -1}, ValueError, "the number of epochs of fit is at least 0, not -1"),
        ({"epochs": 1.5}, TypeError, "the number of epochs of fit is a whole number, not float 1.5"),
        ({"batch_size": "8"}, TypeError, "the batch_size of fit is a whole number, not str '8'"),
        ({"targets": [[1.0]]}, ValueError, r"mse_loss got one number for the target \[1.0\]"),
        ({"inputs": [1.0]}, TypeError, "needs a list of 2 inputs, not float 1.0"),
        ({"optimizer": "adam"}, TypeError, r"an optimizer such as nn.Adam\(model.parameters\(\)\), not 'adam'"),
        ({"optimizer": nn.SGD}, TypeError, r"an optimizer such as nn.SGD\(model.parameters\(\)\), not <class"),
        ({"optimizer": nn.SGD(nn.MLP(2, [1]).parameters())}, ValueError, "the optimizer moves no parameter of this model"),
    ],
)
def test_mistakes_in_a_call_of_fit(changed, error, message):
    settings = {"inputs": [[1.0, 2.0]], "targets": [1.0], "loss": nn.mse_loss, "epochs": 1, "progress": False} | changed
    with pytest.raises(error, match=message):
        nn.fit(nn.MLP(2, [1]), **settings)


def test_fit_trains_modules():
    with pytest.raises(TypeError, match="fit trains a Module of nn, not function <function"):
        nn.fit(lambda x: x, [[1.0]], [1.0], loss=nn.mse_loss)


class Scaled(nn.Module):
    """A line, times a number that is no parameter."""

    def __init__(self):
        self.w, self.k, self.powers = ag.Value(1.0), 2.0, [1, 2]

    def forward(self, x):
        return self.w * self.k * x ** self.powers[0]


def changes(what):
    def change(model, epoch):
        if epoch == 2:
            what(model)

    return change


@pytest.mark.parametrize(
    "what",
    [
        lambda model: setattr(model, "k", 3.0),
        lambda model: model.powers.reverse(),
        lambda model: setattr(model, "forward", lambda x: model.w * x - 1.0),
        lambda model: setattr(model, "extra", True),
        lambda model: setattr(model.w, "data", 0.25),
    ],
    ids=["an attribute", "a list", "a method", "a new attribute", "a number"],
)
@pytest.mark.parametrize("batch_size", [None, 2])
def test_what_a_callback_changes_in_the_model_is_noticed(what, batch_size):
    losses = []
    for compiled in (False, True):
        model, calls = Scaled(), []

        def callback(_, model=model, calls=calls):
            calls.append(1)
            changes(what)(model, len(calls))

        inputs, targets = [0.5, 1.0, 1.5, 2.0], [1.0, 2.0, 3.0, 4.0]
        history = nn.fit(
            model, inputs, targets, loss=nn.mse_loss, optimizer=nn.SGD(model.parameters(), lr=0.01), epochs=5,
            batch_size=batch_size, compile=compiled, callbacks=[callback], progress=False,
        )  # fmt: skip
        losses.append(history.loss)
    assert losses[1] == pytest.approx(losses[0], rel=1e-12)


class Own(nn.SGD):
    def step(self):
        super().step()
        self.parameters[0].data *= 0.9


def test_a_step_of_ones_own_is_not_passed_over_by_compile():
    for make in (lambda p: Own(p), lambda p: patched(nn.SGD(p))):
        model = nn.MLP(1, [1], seed=0)
        with pytest.raises(TypeError, match=r"has a step\(\) of its own; define move"):
            nn.fit(model, [[1.0]], [[1.0]], loss=lambda p, t: p[0] * p[0] if not isinstance(p[0], list) else p[0][0] ** 2,
                   optimizer=make(model.parameters()), epochs=1, compile=True, progress=False)  # fmt: skip


def patched(optimizer):
    optimizer.step = lambda: None
    return optimizer
