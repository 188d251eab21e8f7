"""Compiled training split over an executor comes to the numbers of one process, and each worker gets its program once."""

from __future__ import annotations

import functools
import os
import pickle
import random
import warnings
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context

import pytest

import autograd as ag
import nn
from autograd import Value

np = pytest.importorskip("numpy", reason="compiled training needs numpy")
needs_cloudpickle = pytest.mark.skipif(find_spec("cloudpickle") is None, reason="the extra `distributed` is not installed")

DRAW = random.Random(7)
INPUTS = [[DRAW.uniform(-1.5, 1.5) for _ in range(2)] for _ in range(11)]
TARGETS = [1 if k % 3 else -1 for k in range(11)]
OPTIMIZERS = {
    "sgd": lambda p: nn.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01), "rmsprop": lambda p: nn.RMSprop(p, lr=0.01),
    "adam": lambda p: nn.Adam(p, lr=nn.schedules.cosine(0.05, 20)), "adamw": lambda p: nn.AdamW(p, lr=0.02),
}  # fmt: skip


def penalty(model):
    return nn.l2_penalty(model, 1e-3)


def accuracy(scores, targets):
    return sum(s * t > 0 for s, t in zip(scores, targets)) / len(targets)


def perceptron():
    return nn.MLP(2, [4, 1], activation="tanh", seed=2)


def trained(executor=None, *, model=None, inputs=INPUTS, targets=TARGETS, optimizer="adam", **settings):
    """The weights after some epochs, and the history."""
    model = model or perceptron()
    chosen = {"loss": nn.hinge_loss, "epochs": 4, "batch_size": 5, "compile": True, "progress": False} | settings
    history = nn.fit(model, inputs, targets, optimizer=OPTIMIZERS[optimizer](model.parameters()), executor=executor, **chosen)
    return [p.data for p in model.parameters()], history


EVERYTHING = {"penalty": penalty, "clip_norm": 0.5, "metrics": {"accuracy": accuracy}, "validation": (INPUTS[:3], TARGETS[:3])}


def alike(executor, **settings):
    """Both come to the same numbers; returns those of the executor."""
    make = settings.pop("model", perceptron)
    expected, history = trained(model=make(), **settings)
    found, other = trained(executor, model=make(), **settings)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert other.loss == pytest.approx(history.loss, rel=1e-12)
    assert other.metrics.keys() == history.metrics.keys()
    for name, numbers in history.metrics.items():
        assert other.metrics[name] == pytest.approx(numbers, rel=1e-12)
    for name, numbers in history.validation.items():
        assert other.validation[name] == pytest.approx(numbers, rel=1e-12)
    return found


class Inline:
    """An executor that works at once: in bytes, as another process would; it counts them, and loses what it is told to."""

    def __init__(self, workers=3, failures=(), gone_after=None):
        self._max_workers, self.failures, self.gone_after = workers, set(failures), gone_after
        self.sizes = []

    def submit(self, function, *arguments):
        sent = pickle.dumps((function, arguments))
        self.sizes.append(len(sent))
        if self.gone_after is not None and len(self.sizes) > self.gone_after:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future = Future()
        if len(self.sizes) in self.failures:
            future.set_exception(ConnectionError("the worker is gone"))
        else:
            function, arguments = pickle.loads(sent)
            future.set_result(pickle.loads(pickle.dumps(function(*arguments))))
        return future


class Backwards(Inline):
    """The last task is done first."""

    def __init__(self):
        super().__init__()
        self.waiting = []

    def submit(self, function, *arguments):
        executor = self

        class Later(Future):
            def result(self, timeout=None):
                while executor.waiting:
                    future, task = executor.waiting.pop()
                    future.set_result(task[0](*task[1:]))
                return super().result(timeout)

        future = Later()
        self.waiting.append((future, (function, *arguments)))
        return future


@pytest.fixture(autouse=True)
def nothing_kept():
    """This process is not a worker that knows models already."""
    from nn.split import kept

    kept.clear()
    yield
    kept.clear()


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_more_processes_than_cores(processes, optimizer):
    found = alike(processes, optimizer=optimizer, **EVERYTHING)
    assert alike(Inline(4), optimizer=optimizer, **EVERYTHING) == found  # to the bit, whoever is ready first


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_threads_share_the_program(workers):
    with ThreadPoolExecutor(workers) as executor:
        found = alike(executor, **EVERYTHING)
        assert alike(Inline(workers), **EVERYTHING) == found
        assert alike(executor, model=dropping, loss=nn.mse_loss, targets=[[float(y)] for y in TARGETS]) != found


def test_the_order_in_which_workers_are_ready_means_nothing():
    assert trained(Backwards())[0] == trained(Inline())[0]


def test_programs_and_data_are_sent_once():
    inputs = [[0.01 * k] * 50 for k in range(40)]

    def run(executor, **settings):
        return trained(executor, model=nn.MLP(50, [3, 1], seed=1), inputs=inputs, targets=[1.0] * 40, **settings)[0]

    settings = {"batch_size": 20, "callbacks": [lambda history: None]}  # who looks at the model after every epoch
    executor = Inline(workers=2)
    first = run(executor, **settings)
    # 157 weights go out for every piece, and 40 samples of 50 numbers when both pieces were asked for what was missing.
    assert [size > 16_000 for size in executor.sizes] == [False, False, True, True, *[False] * 14]
    assert max(executor.sizes[4:]) < 2_500
    again = Inline(workers=2)
    assert run(again, **settings) == first
    assert len(again.sizes) == 2 * 2 * 4
    assert max(again.sizes) < 2_500
    other = Inline(workers=2)
    run(other, loss=nn.mse_loss, **settings)  # another program
    assert sum(size > 2_500 for size in other.sizes) == 2


def test_pieces_follow_the_workers():
    for executor, settings, count in [(Inline(3), {}, 3), (Inline(3), {"workers": 5}, 5), (Inline(20), {}, 11)]:
        trained(executor, batch_size=None, epochs=1, **settings)
        executor.sizes.clear()  # the first time, there was something missing
        trained(executor, batch_size=None, epochs=1, **settings)
        assert len(executor.sizes) == count


def dropping(seed=1):
    rng = random.Random(seed)
    first, last = nn.Linear(2, 6, rng=rng), nn.Linear(6, 1, rng=rng)
    return nn.Sequential(first, "tanh", nn.Dropout(0.4, rng=rng), nn.Dropout(0.2, seed=3), last)


def classifier():
    return nn.MLP(2, [3, 2], activation="tanh", seed=1)


class Counting(nn.Module):
    """What an LSTM remembers of a text of any length."""

    def __init__(self):
        self.table, self.lstm, self.out = nn.Embedding(5, 2, seed=1), nn.LSTM(2, 2, seed=2), nn.Linear(2, 2, seed=3)

    def forward(self, text):
        return self.out(self.lstm([self.table(i) for i in text])[0][-1])


class Branching(nn.Module):
    """Takes one of two ways."""

    def __init__(self):
        self.inner = perceptron()

    def forward(self, x):
        y = self.inner(x)
        return 2.0 * y if y > 0.1 else -y


def crooked(predictions, targets):
    return sum(abs(p - t) ** 1.5 for p, t in zip(predictions, targets)) / len(predictions)


class Ragged(nn.Module):
    """Its outputs are no array."""

    def __init__(self):
        self.inner = nn.MLP(2, [3, 3], activation="tanh", seed=1)

    def forward(self, x):
        a, b, c = self.inner(x)
        return [[a], [b, c]]


def of_lists(predictions, targets):
    return ag.mean([(p[0][0] + p[1][0] * p[1][1] - t) ** 2 for p, t in zip(predictions, targets)])


TEXTS = [[0, 1], [3], [4, 4], [2, 0], [1], [2, 3]]
CASES = {
    "dropout": {"model": dropping, "loss": nn.mse_loss, "targets": [[float(y)] for y in TARGETS]},
    "lengths": {"model": Counting, "inputs": TEXTS, "targets": [0, 1, 0, 1, 1, 0], "loss": nn.cross_entropy},
    "labels": {"model": classifier, "targets": [k % 2 for k in range(11)], "loss": nn.cross_entropy},
    "sum": {"loss": functools.partial(nn.mse_loss, reduction="sum")},
    "own": {"loss": crooked, "compile": "mean"},
    "arrays": {"inputs": np.array(INPUTS), "targets": np.array(TARGETS)},
    "branches": {"model": Branching, "loss": nn.mse_loss},
    "ragged": {"model": Ragged, "loss": of_lists, "compile": "mean"},
    "one batch": {"batch_size": None}, "one sample": {"batch_size": 1},
}  # fmt: skip


@needs_cloudpickle
def test_lambdas(processes):
    alike(processes, loss=lambda p, t: ag.sum([(a - b) ** 2 for a, b in zip(p, t)]), compile="sum", optimizer="adamw")


@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_training(processes, case):
    settings = CASES[case]
    metrics = {"first": lambda found, _: nn.flatten([found[0]])[0]}
    alike(processes, **settings, metrics=metrics)
    alike(Inline(), **settings, metrics=metrics)


@needs_cloudpickle
def test_callbacks_may_change_the_model():
    def run(executor, change):
        model = nn.Sequential(nn.Linear(2, 3, seed=1), "tanh", nn.Linear(3, 1, seed=2), lambda y: y[0])
        model.layers[0].freeze()
        return trained(executor, model=model, callbacks=[lambda _: change(model)])[0]

    def weights(model):
        for p in model.parameters():
            p.data *= 0.5

    def frozen(model):
        model.layers[0].weight[0][0].data += 0.5

    def structure(model):
        model.layers[2].bias = None if model.layers[2].bias is None else model.layers[2].bias
        model.layers.append(lambda y: 0.5 * y)
        model.functions.append(None)

    plain = run(None, lambda model: None)
    for change in (weights, frozen, structure):
        expected = run(None, change)
        assert expected != plain
        assert run(Inline(), change) == pytest.approx(expected, rel=1e-12)
        with ThreadPoolExecutor(2) as executor:
            assert run(executor, change) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("make", [Inline, functools.partial(ThreadPoolExecutor, 2)])
def test_an_interrupt_leaves_the_model_as_after_the_last_epoch(make):
    def interrupting(history):
        if len(history.loss) == 2:
            raise KeyboardInterrupt

    expected, _ = trained(epochs=2)
    found, history = trained(make(), callbacks=[interrupting])
    assert history.stopped == "interrupted"
    assert len(history.loss) == 2
    assert found == pytest.approx(expected, rel=1e-12)


def test_hooks_see_the_whole_gradient():
    def run(executor):
        model, seen = perceptron(), []
        model.layers[0].neurons[0].b.register_hook(lambda gradient: seen.append(gradient) or max(-0.01, min(0.01, gradient)))
        return trained(executor, model=model)[0], seen

    expected, told = run(None)
    found, seen = run(Inline())
    assert found == pytest.approx(expected, rel=1e-12)
    assert seen == pytest.approx(told, rel=1e-12)


def test_some_parameters_and_checkpoints(tmp_path):
    def run(executor, epochs, **settings):
        model = dropping()
        optimizer = nn.Adam(model.parameters()[5:1:-1], lr=0.1)
        nn.fit(model, INPUTS, [[float(y)] for y in TARGETS], loss=nn.mse_loss, optimizer=optimizer, epochs=epochs, batch_size=4,
               compile=True, executor=executor, progress=False, **settings)  # fmt: skip
        return [p.data for p in model.parameters()]

    whole = run(Inline(), 5)
    assert whole == pytest.approx(run(None, 5), rel=1e-12)
    run(Inline(), 3, checkpoint=tmp_path / "run.json")
    assert run(Inline(), 5, checkpoint=tmp_path / "run.json") == whole


def test_anomalies_are_looked_for_by_the_engine():
    with ag.detect_anomaly():
        found = trained(Inline())[0]
    assert found == pytest.approx(trained()[0], rel=1e-9)


OUTSIDE = {"scale": 1.0, "weight": Value(1.0), "numbers": [1.0]}


def outside_scale(predictions, targets):
    return nn.mse_loss(predictions, targets) * OUTSIDE["scale"]


def outside_weight(predictions, targets):
    return nn.mse_loss(predictions, targets) * OUTSIDE["weight"]


def outside_numbers(predictions, targets):
    return nn.mse_loss(predictions, targets) * sum(OUTSIDE["numbers"])


class Local(nn.Module):
    """Other code in a worker than here."""

    def __init__(self):
        self.inner, self.home = perceptron(), os.getpid()

    def forward(self, x):
        return self.inner(x) * (1.0 if os.getpid() == self.home else 1.001)


def test_what_is_not_the_same_in_a_worker_is_noticed(processes, monkeypatch):
    message = r"a worker of fit\(executor=\) comes to the loss .* of sample .*, and this process to .*keep what changes in the"
    for loss in (outside_scale, outside_weight, outside_numbers):
        name = loss.__name__.removeprefix("outside_")

        def changing(history, name=name):
            if len(history.loss) == 2:
                monkeypatch.setitem(OUTSIDE, name, {"scale": 2.0, "weight": Value(2.0), "numbers": [1.0, 1.0]}[name])

        found = []
        for executor in (None, Inline()):  # the same process: it sees the change
            found.append(trained(executor, loss=loss, compile="mean", callbacks=[changing])[0])
            monkeypatch.undo()
        assert found[1] == pytest.approx(found[0], rel=1e-12)
        assert alike(processes, loss=loss, compile="mean") != found[0]
        with pytest.raises(RuntimeError, match=message):
            trained(processes, loss=loss, compile="mean", callbacks=[changing])
        monkeypatch.undo()
    with pytest.raises(RuntimeError, match=message):
        trained(processes, model=Local())


# Workers that are lost.


def test_lost_workers_cost_their_pieces():
    whole, _ = trained(Inline())
    with pytest.warns(RuntimeWarning, match=r"was lost \(ConnectionError: the worker is gone\); its samples are sent again"):
        assert trained(Inline(failures={2, 3, 9}))[0] == whole
    with pytest.warns(RuntimeWarning, match=r"takes no tasks any more \(RuntimeError: cannot schedule new futures"):
        assert trained(Inline(gone_after=4))[0] == whole
    with pytest.warns(RuntimeWarning, match="this process alone"):
        assert trained(Inline(gone_after=0))[0] == whole
    with ThreadPoolExecutor(3) as executor:
        pass
    with pytest.warns(RuntimeWarning, match="takes no tasks any more"):
        assert trained(executor)[0] == whole


def test_too_many_lost_workers_are_an_error():
    message = r"lost 3 workers in a row on the same samples, the last by ConnectionError: .*leave executor out"
    with pytest.warns(RuntimeWarning, match="its samples are sent again"), pytest.raises(RuntimeError, match=message):
        trained(Inline(failures=range(5, 100)))


class Fragile(nn.Module):
    """Does something in the first process other than its own that calls it: what leaves a mark is done once."""

    def __init__(self, mark, deed):
        self.inner, self.mark, self.deed, self.home = perceptron(), str(mark), deed, os.getpid()

    def forward(self, x):
        if os.getpid() != self.home and not os.path.exists(self.mark):
            self.deed(self.mark)
        return self.inner(x)


def dies(mark):
    open(mark, "w").close()
    os._exit(1)


class StrangeError(Exception):
    """Cannot be pickled and made again."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def refuses(mark):
    raise ValueError(f"this sample is wrong, says {os.path.basename(mark)}")


def is_strange(mark):
    raise StrangeError("salt", "pepper")


def test_a_process_that_dies_does_not_lose_the_training(tmp_path):
    expected, _ = trained()
    pool = ProcessPoolExecutor(3, mp_context=get_context("spawn"))
    with pool, pytest.warns(RuntimeWarning, match="BrokenProcessPool"):
        found, history = trained(pool, model=Fragile(tmp_path / "mark", dies))
    assert (tmp_path / "mark").exists()
    assert found == pytest.approx(expected, rel=1e-12)
    assert len(history.loss) == 4


def test_errors_of_workers_come_back(processes, tmp_path):
    with pytest.raises(ValueError, match="this sample is wrong, says mark"):
        trained(processes, model=Fragile(tmp_path / "mark", refuses))
    with pytest.raises(RuntimeError, match="StrangeError: salt and pepper"):
        trained(processes, model=Fragile(tmp_path / "mark", is_strange))
    alike(processes)


def test_errors_of_this_process_come_first():
    def run(inputs, targets, loss=nn.mse_loss, model=None, compile=True):
        executor = Inline()
        try:
            nn.fit(model or perceptron(), inputs, targets, loss=loss, compile=compile, executor=executor, progress=False)
        finally:
            assert not executor.sizes

    with pytest.raises(ValueError, match="a neuron of 2 weights got 3 inputs"):
        run([[1.0, 2.0, 3.0]], [1.0])
    with pytest.raises(ValueError, match="hinge_loss needs targets -1 and 1, not 0"):
        run([[1.0, 2.0]], [0], nn.hinge_loss)
    with pytest.raises(ValueError, match=r"does not know how .*crooked.*; say compile='mean' or compile='sum'"):
        run(INPUTS, TARGETS, crooked)
    with pytest.raises(ValueError, match="all targets of one shape"):
        run(INPUTS[:2], [[1.0], [1.0, 2.0]])
    with pytest.raises(ValueError, match="all targets of one shape"):
        run([{"x": 1.0}, {"x": 2.0}], [1.0, 2.0])
    with pytest.raises(TypeError, match=r"needs a concurrent.futures.Executor, not int 4"):
        trained(4)
    with pytest.raises(ag.TraceError):
        run(INPUTS, TARGETS, lambda p, t: ag.mean([ag.Value(x.data) for x in p]), compile="mean")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_bad_data_is_named(bad):
    model = nn.MLP(2, [4, 1], seed=2)
    before = [p.data for p in model.parameters()]
    with pytest.raises(FloatingPointError, match=r"the loss is (nan|inf) in epoch 1"):
        nn.fit(model, [*INPUTS, [bad, 1.0]], [*TARGETS, 1], loss=nn.mse_loss, compile=True, executor=Inline(), progress=False)
    assert [p.data for p in model.parameters()] == before


def test_what_cannot_be_sent_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(TypeError, match=r"cannot be pickled.*define it at the top of a module, or install cloudpickle"):
        trained(Inline(), loss=lambda p, t: crooked(p, t), compile="mean")
    trained(Inline(), loss=crooked, compile="mean", epochs=1)


def test_where_there_is_no_compiler_numpy_goes_on(monkeypatch, tmp_path):
    monkeypatch.setenv("CC", str(tmp_path / "missing"))
    monkeypatch.setenv("AUTOGRAD_CACHE_DIR", str(tmp_path))
    alike(Inline(), model=functools.partial(nn.MLP, 2, [5, 1], activation="tanh", seed=2))


# Dask.


class LikeDask(Inline):
    """Dask's executor, whose client spreads contents over the workers; `restart` loses them."""

    def __init__(self):
        super().__init__()
        self._client, self.spread, self.asked = self, {}, 0

    def scatter(self, contents, broadcast):
        name = f"spread {len(self.spread) + 7 * self.asked}"
        self.spread[name] = contents
        return name

    def restart(self):
        from nn.split import kept

        self.spread.clear()
        self.asked += 1
        kept.clear()

    def submit(self, function, *arguments):
        lost = [x for x in arguments if isinstance(x, str) and x.startswith("spread") and x not in self.spread]
        if lost:
            future = Future()
            future.set_exception(ConnectionError(f"{lost[0]} is lost"))
            return future
        return super().submit(function, *[self.spread.get(x, x) if isinstance(x, str) else x for x in arguments])


def test_contents_are_spread_once_and_asked_for_when_they_are_lost():
    expected, _ = trained(Inline())
    executor = LikeDask()
    assert trained(executor, callbacks=[lambda history: None])[0] == expected
    assert len(executor.spread) == 2  # the data, and the model
    assert len(executor.sizes) == 3 * 2 * 4 + 4  # nobody has asked; in the last batch there is a single sample
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found, _ = trained(executor, callbacks=[lambda history: len(history.loss) == 2 and executor.restart()])
    assert found == expected
    assert [str(warning.message).split("(")[2][:15] for warning in said] == ["ConnectionError"] * 3  # in one step


def test_where_nothing_can_be_spread_workers_ask():
    class Empty(LikeDask):
        def scatter(self, contents, broadcast):
            raise TimeoutError("no worker has come yet")

    assert trained(Empty())[0] == trained(Inline())[0]


class Subclass(Value):
    """A parameter with attributes of its own."""


def named():
    model = perceptron()
    for neuron in model.layers[0].neurons:
        neuron.b = Subclass(neuron.b.data)
        neuron.b.kind = "bias"
    return model


def test_parameters_of_a_class_of_ones_own():
    alike(Inline(), model=named)


def test_dask(tmp_path):
    distributed = pytest.importorskip("distributed", reason="the extra `distributed` is not installed")
    expected, _ = trained(**EVERYTHING)
    settings = {"n_workers": 4, "threads_per_worker": 1, "processes": True, "dashboard_address": None, "silence_logs": 50}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own
        with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
            client.wait_for_workers(4)
            assert len({*client.run(os.getpid).values()} - {os.getpid()}) == 4
            for executor in (client, client.get_executor(retries=2)):
                found, _ = trained(executor, **EVERYTHING)
                assert found == pytest.approx(expected, rel=1e-12)
            assert found == trained(Inline(4), **EVERYTHING)[0]  # the same pieces
            assert trained(client, model=dropping(), loss=nn.mse_loss, targets=[[float(y)] for y in TARGETS])[0] == pytest.approx(
                trained(model=dropping(), loss=nn.mse_loss, targets=[[float(y)] for y in TARGETS])[0], rel=1e-12
            )
            found, _ = trained(client, model=Fragile(tmp_path / "mark", dies), **EVERYTHING)
            assert (tmp_path / "mark").exists()
            assert found == pytest.approx(expected, rel=1e-12)
            with pytest.raises(ValueError, match="this sample is wrong, says other"):
                trained(client, model=Fragile(tmp_path / "other", refuses))
