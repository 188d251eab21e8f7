import math
import sys

import pytest

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
    with pytest.raises(ValueError, match="batch_size of at least 1, not 0"):
        line(batch_size=0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_bad_data_is_named(bad):
    neuron = nn.Neuron(1, nonlin=False, seed=0)
    before = [p.data for p in neuron.parameters()]
    with pytest.raises(FloatingPointError, match=r"the loss is (nan|inf) in epoch 1"):
        nn.fit(neuron, [[bad]], [1.0], loss=nn.mse_loss, progress=False)
    assert [p.data for p in neuron.parameters()] == before


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
