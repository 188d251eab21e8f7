"""Training split over an executor comes to the numbers of one process, whatever happens to the workers."""

from __future__ import annotations

import os
import signal
import warnings
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest

import autograd as ag
import nn

SAMPLES = [[0.1 * k, 1.0 - 0.07 * k * k] for k in range(11)]
TARGETS = [1 if k % 3 else -1 for k in range(11)]


def own_mean(predictions, targets):
    return ag.mean([(p - t) ** 2 for p, t in zip(predictions, targets)])


def own_sum(predictions, targets):
    return ag.sum([(p - t) ** 2 for p, t in zip(predictions, targets)])


def largest(predictions, targets):
    return ag.max([(p - t) ** 2 for p, t in zip(predictions, targets)])


def trained(executor=None, *, loss=nn.hinge_loss, model=None, **settings):
    model = model or nn.MLP(2, [4, 1], activation="tanh", seed=2)
    history = nn.fit(
        model, SAMPLES, TARGETS, loss=loss, optimizer=nn.Adam(model.parameters(), lr=0.05), epochs=3, batch_size=5,
        penalty=lambda model: 1e-3 * ag.sum([p * p for p in model.parameters()]), clip_norm=2.0, progress=False,
        metrics={"accuracy": lambda scores, targets: sum(s * t > 0 for s, t in zip(scores, targets)) / len(targets)},
        executor=executor, **settings,
    )  # fmt: skip
    return [p.data for p in model.parameters()], history


class Inline:
    """An executor that works at once, and fails as it is told."""

    def __init__(self, failures=(), workers=3, gone_after=None):
        self.failures, self._max_workers, self.gone_after, self.calls = set(failures), workers, gone_after, 0

    def submit(self, function, *arguments):
        self.calls += 1
        if self.gone_after is not None and self.calls > self.gone_after:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future = Future()
        if self.calls in self.failures:
            future.set_exception(ConnectionError("the worker is gone"))
        else:
            future.set_result(function(*arguments))
        return future


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.mark.parametrize("loss", [nn.hinge_loss, nn.mse_loss, own_mean, own_sum], ids=lambda loss: loss.__name__)
def test_processes_come_to_the_same_numbers(processes, loss):
    expected, history = trained(loss=loss)
    found, again = trained(processes, loss=loss)
    assert found == pytest.approx(expected, rel=1e-12)
    assert again.loss == pytest.approx(history.loss, rel=1e-12)
    assert again.metrics == history.metrics


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_threads_and_any_number_of_workers(workers):
    expected, _ = trained()
    with ThreadPoolExecutor(workers) as executor:
        assert trained(executor)[0] == pytest.approx(expected, rel=1e-12)
    assert trained(Inline(workers=workers))[0] == pytest.approx(expected, rel=1e-12)


def test_a_lost_worker_costs_a_warning_and_no_number():
    whole, _ = trained(Inline())
    with pytest.warns(RuntimeWarning, match=r"a worker of fit\(executor=\) was lost \(ConnectionError: the worker is gone\)"):
        assert trained(Inline(failures={2, 7}))[0] == whole
    with pytest.warns(RuntimeWarning, match="cannot schedule new futures"):
        assert trained(Inline(gone_after=4))[0] == whole


class Fatal(nn.Module):
    """Kills the process that it runs in, unless that is the one it was made in."""

    def __init__(self):
        self.inner, self.home = nn.MLP(2, [4, 1], activation="tanh", seed=2), os.getpid()

    def forward(self, x):
        if os.getpid() != self.home and x == SAMPLES[7]:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner(x)


def test_a_worker_that_is_killed_does_not_lose_the_run():
    expected, _ = trained(model=Fatal())
    pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"))
    with pool, pytest.warns(RuntimeWarning, match="BrokenProcessPool"):
        found, history = trained(pool, model=Fatal())
    assert found == pytest.approx(expected, rel=1e-12)
    assert len(history.loss) == 3


def test_a_cluster_of_dask_comes_to_the_same_numbers():
    distributed = pytest.importorskip("distributed", reason="the extra `distributed` is not installed")
    expected, _ = trained(loss=own_mean)
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None, "silence_logs": 50}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own
        with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
            assert len({*client.run(os.getpid).values()} - {os.getpid()}) == 2
            executor = client.get_executor(retries=2)
            for given in (executor, client):
                assert trained(given, loss=own_mean)[0] == pytest.approx(expected, rel=1e-12)
            victim = next(iter(cluster.workers.values()))
            os.kill(victim.process.pid, signal.SIGKILL)
            found, _ = trained(executor, loss=own_mean)
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_loss_that_cannot_be_split_is_refused():
    with pytest.raises(ValueError, match="neither the mean nor the sum of its value for the first 1"):
        trained(Inline(), loss=largest)


def test_what_cannot_be_sent_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(TypeError, match=r"cannot be pickled.*define it at the top of a module, or install cloudpickle"):
        trained(Inline(), loss=lambda predictions, targets: own_mean(predictions, targets))
    with ThreadPoolExecutor(2) as executor:  # threads share memory
        trained(executor, loss=lambda predictions, targets: own_mean(predictions, targets))


def test_errors_of_the_model_come_through():
    with pytest.raises(ValueError, match=r"2 weights|2 inputs"):
        nn.fit(nn.MLP(2, [1]), [[1.0, 2.0], [1.0]], [1, 1], loss=nn.mse_loss, executor=Inline(), progress=False)
    with pytest.raises(TypeError, match=r"needs a concurrent.futures.Executor, not int 4"):
        trained(4)
    with pytest.raises(FloatingPointError, match="the loss is nan in epoch 1"):
        nn.fit(nn.MLP(2, [1]), [[float("nan"), 2.0]] * 4, [1] * 4, loss=nn.mse_loss, executor=Inline(), progress=False)


def test_an_interrupt_keeps_the_last_complete_step():
    class Interrupted(Inline):
        def submit(self, function, *arguments):
            if self.calls == 4:  # in the second step
                raise KeyboardInterrupt
            return super().submit(function, *arguments)

    found, history = trained(Interrupted())
    assert history.stopped == "interrupted"
    assert history.loss == []
    first = nn.MLP(2, [4, 1], activation="tanh", seed=2)
    assert found != [p.data for p in first.parameters()]


def test_dropout_is_the_same_in_every_run():
    def model():
        return nn.Sequential(nn.Linear(2, 6, seed=1), "tanh", nn.Dropout(0.5, seed=3), nn.Linear(6, 1, seed=2), lambda y: y[0])

    with ThreadPoolExecutor(3) as executor:
        first = trained(executor, model=model(), loss=nn.mse_loss)[0]
    assert trained(Inline(workers=3), model=model(), loss=nn.mse_loss)[0] == first
    assert trained(Inline(workers=2), model=model(), loss=nn.mse_loss)[0] != first


def test_targets_of_several_lengths():
    targets = [[0.5] * (1 + k % 3) for k in range(6)]

    class Repeated(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(2, 3, seed=1)

        def forward(self, x):
            return self.inner(x[:2])[: int(x[2])]

    def run(executor):
        model = Repeated()
        inputs = [[0.3 * k, -0.2, len(target)] for k, target in enumerate(targets)]
        nn.fit(model, inputs, targets, loss=nn.mse_loss, epochs=1, executor=executor, progress=False)
        return [p.data for p in model.parameters()]

    with pytest.raises(ValueError, match="neither the mean nor the sum"):
        run(Inline())


class Counting(ThreadPoolExecutor):
    """Says how many pieces it got for each batch."""

    def __init__(self, size):
        super().__init__(size)
        self.count = 0

    def submit(self, *task, **keywords):
        self.count += 1
        return super().submit(*task, **keywords)


class LikeDask(Inline):
    """Dask's executor, as far as it tells how many workers there are: its client knows the threads of each."""

    def __init__(self, threads):
        super().__init__(workers=0)
        self._client = self
        self.threads, self.count = threads, 0

    def nthreads(self):
        if isinstance(self.threads, Exception):
            raise self.threads
        return self.threads

    def submit(self, *task, **keywords):
        self.count += 1
        return super().submit(*task, **keywords)


def pieces(executor, count=24, **options):
    """How many pieces a batch of so many samples has, and the loss."""
    model = nn.Neuron(1, nonlin=False, init="zeros")
    samples = [[0.1 * k] for k in range(count)], [0.3 * k for k in range(count)]
    history = nn.fit(model, *samples, loss=nn.mse_loss, epochs=1, executor=executor, progress=False, **options)
    return executor.count, history.loss[0]


def test_pieces_follow_the_workers(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    expected = pieces(LikeDask({"one": 1}))[1]
    six = {f"tcp://worker{k}": 1 for k in range(6)}
    for executor, count in [
        (LikeDask(six), 6), (LikeDask(dict.fromkeys(six, 2)), 12), (LikeDask({}), 2), (LikeDask("six"), 2),
        (LikeDask(OSError("the scheduler is gone")), 2), (LikeDask({"one": 100}), 24), (Counting(7), 7), (Counting(1), 1),
    ]:  # fmt: skip
        found, loss = pieces(executor)
        assert found == count
        assert loss == pytest.approx(expected, rel=1e-12)


def test_workers_may_be_said(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert pieces(LikeDask({"one": 1}), workers=5)[0] == 5
    assert pieces(Counting(3), workers=8)[0] == 8
    assert pieces(Counting(3), count=2, workers=8)[0] == 2  # no piece without a sample
    for wrong, error in ((0, ValueError), (-1, ValueError), (2.0, TypeError), ("2", TypeError)):
        with pytest.raises(error, match="number of workers of fit"):
            pieces(Counting(3), workers=wrong)
    with pytest.raises(ValueError, match="workers=2 and no executor that has them; add executor="):
        nn.fit(nn.Neuron(1), [[1.0]], [1.0], loss=nn.mse_loss, workers=2, progress=False)


def test_pieces_follow_the_workers_of_dask():
    distributed = pytest.importorskip("distributed", reason="the extra `distributed` is not installed")
    from nn.workers import workers_of

    settings = {"n_workers": 3, "threads_per_worker": 2, "processes": False, "dashboard_address": None, "silence_logs": 50}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own
        with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
            client.wait_for_workers(3)
            assert workers_of(client.get_executor()) == workers_of(client) == 6


def test_hooks_see_the_whole_gradient():
    def hooked():
        model = nn.MLP(2, [4, 1], activation="tanh", seed=2)
        seen = []
        model.layers[0].neurons[0].b.register_hook(lambda gradient: seen.append(gradient) or max(-0.01, min(0.01, gradient)))
        model.layers[1].neurons[0].b.register_hook(lambda gradient: 0.0)
        return model, seen

    model, expected = hooked()
    weights, _ = trained(model=model)
    model, seen = hooked()
    assert trained(Inline(), model=model)[0] == pytest.approx(weights, rel=1e-12)
    assert seen == pytest.approx(expected, rel=1e-12)


class Stateful(nn.Module):
    """One weight, and state that a call changes."""

    def __init__(self, state, change):
        self.w, self.state, self.change = ag.Value(0.5), state, change

    def forward(self, x):
        self.change(self)
        return self.w * x[0]


def counts(model):
    model.state += 1


def keeps(model):
    model.state.append(model.w * 2.0)


def adds(model):
    model.new = 1.0


def nothing(model):
    model.state = model.state * 1.0


@pytest.mark.parametrize(("state", "change"), [(0, counts), ([], keeps), (0, adds)])
def test_a_model_that_changes_itself_is_refused(state, change):
    for executor in (Inline(), Counting(2)):
        with pytest.raises(TypeError, match=r"calling the model changes Stateful.(state|new).*copies.*leave executor out"):
            nn.fit(Stateful(state, change), [[1.0], [2.0]], [1.0, 2.0], loss=nn.mse_loss, executor=executor, progress=False)
    nn.fit(Stateful(1.0, nothing), [[1.0], [2.0]], [1.0, 2.0], loss=nn.mse_loss, executor=Inline(), progress=False, epochs=1)
