"""Prints what compilation gains: `python -m tests.benchmarks.compiling`. One thread, float64, medians of interleaved runs.

Every workload is a function of its own. The compiled step and its peers run on the same numbers in one process.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import autograd
import nn
from tests.benchmarks import adbench, blackboard, small_calls
from tests.benchmarks.measuring import (
    SMALL,
    Effort,
    Row,
    Step,
    Workload,
    first_call,
    measured,
    medians,
    rows_of,
    shown,
    timed,
    weights_of,
)
from tests.benchmarks.models import GPT, Characters, documents, next_tokens
from tests.benchmarks.peers import backward, gpt_on_scalars, perceptron_of_torch, tensors_of

ONE_THREAD = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", "JAX_PLATFORMS": "cpu",
}  # fmt: skip
BATCH = 16


def moons(effort: Effort) -> Workload:
    """Hinge loss and L2 penalty of MLP(2, 16, 16, 1) on 100 samples: the value and all gradients."""
    import numpy as np

    from tests.benchmarks.__main__ import data, micrograd_style

    points, targets = data()
    inputs, labels = np.array(points), np.array(targets, dtype=float)
    model = nn.MLP(2, [16, 16, 1], seed=1)

    def loss(model: nn.Module, inputs: Any, labels: Any) -> Any:
        margins = [autograd.relu(1.0 - label * model(x)) for x, label in zip(inputs, labels)]
        return autograd.mean(margins) + nn.l2_penalty(model, 1e-4)

    def peers() -> dict[str, Step]:
        import micrograd.engine
        import micrograd.nn
        import torch

        tensors, x, y = tensors_of([layer_of(layer) for layer in model.layers]), torch.tensor(inputs), torch.tensor(labels)
        parameters = [p for layer in tensors for p in layer]

        def with_torch() -> None:
            out = perceptron_of_torch(tensors, x)[:, 0]
            backward(torch.relu(1.0 - y * out).mean() + 1e-4 * sum((p * p).sum() for p in parameters), parameters)

        return {"PyTorch": with_torch, "micrograd": micrograd_style(micrograd.engine.Value, micrograd.nn.MLP)}

    title = "MLP(2, 16, 16, 1), hinge and L2, 100 samples"
    return Workload(title, loss, model, (inputs, labels), peers, arrays_of_layers)


def arrays_of_layers(model: nn.Module, numbers: Any) -> list[list[Any]]:
    """Weights and biases of a multilayer perceptron, from a flat array of a number for each."""
    arrays, start = [], 0
    for layer in model.layers:
        rows, columns = len(layer.neurons), len(layer.neurons[0].w) + 1
        block = numbers[start : start + rows * columns].reshape(rows, columns)
        arrays.append([block[:, :-1], block[:, -1]])
        start += block.size
    return arrays


def perceptron(effort: Effort) -> Workload:
    """Cross-entropy of MLP(64, 32, 10) on 100 samples."""
    import numpy as np

    draw = np.random.default_rng(0)
    inputs, labels = draw.random((100, 64)), draw.integers(0, 10, 100)
    model = nn.MLP(64, [32, 10], seed=1)

    def loss(model: nn.Module, inputs: Any, labels: Any) -> Any:
        return nn.cross_entropy([model(x) for x in inputs], labels)

    title = "MLP(64, 32, 10), cross-entropy, 100 samples"
    return Workload(title, loss, model, (inputs, labels), lambda: classified_by_torch(model, inputs, labels), arrays_of_layers)


def classified_by_torch(model: nn.Module, inputs: Any, labels: Any) -> dict[str, Step]:
    """The cross-entropy of a multilayer perceptron and its gradient, in PyTorch."""
    import torch

    tensors, x, y = tensors_of([layer_of(layer) for layer in model.layers]), torch.tensor(inputs), torch.tensor(labels)
    parameters = [p for layer in tensors for p in layer]
    return {"PyTorch": lambda: backward(torch.nn.functional.cross_entropy(perceptron_of_torch(tensors, x), y), parameters)}


def wide_perceptron(effort: Effort) -> list[Row]:
    """Cross-entropy of MLP(784, 64, 10), traced for one sample and run on a batch of 100."""
    import numpy as np

    draw = np.random.default_rng(0)
    inputs, labels = draw.random((100, 784)), draw.integers(0, 10, 100)
    model = nn.MLP(784, [64, 10], seed=1)
    step = autograd.compile(lambda model, x, y: nn.cross_entropy(model(x), y), batch=("x", "y"), backend="native")
    program = step.functional(model)
    weights, start = weights_of(model), time.process_time()
    program(weights, inputs, labels)
    compiling = time.process_time() - start
    steps = {"compiled": lambda: program(weights, inputs, labels), **classified_by_torch(model, inputs, labels)}
    workload = f"MLP(784, 64, 10), batch axis of 100, compiled in {shown(compiling)} of CPU time"
    return rows_of(workload, medians(steps, effort.seconds))


def price(spot: Any, strike: Any, rate: Any, sigma: Any, years: Any) -> Any:
    """A call option by Black and Scholes, 1973."""
    spread = sigma * autograd.sqrt(years)
    d1 = (autograd.log(spot / strike) + (rate + 0.5 * sigma * sigma) * years) / spread
    return spot * normal(d1) - strike * autograd.exp(-rate * years) * normal(d1 - spread)


def normal(x: Any) -> Any:
    return 0.5 * (1.0 + autograd.erf(x * 0.5**0.5))


def greeks(spot: Any, strike: Any, rate: Any, sigma: Any, years: Any) -> tuple[Any, ...]:
    """The price and its derivatives by all arguments, as one writes them by hand."""
    import numpy as np
    from scipy.special import erf

    root = np.sqrt(years)
    spread = sigma * root
    d1 = (np.log(spot / strike) + (rate + 0.5 * sigma * sigma) * years) / spread
    n1, n2 = (0.5 * (1.0 + erf(d * 0.5**0.5)) for d in (d1, d1 - spread))
    paid = strike * np.exp(-rate * years) * n2
    vega = spot * root * np.exp(-0.5 * d1 * d1) * (2.0 * np.pi) ** -0.5
    return spot * n1 - paid, n1, -paid / strike, years * paid, vega, 0.5 * vega * sigma / years + rate * paid


def options(effort: Effort) -> list[Row]:
    """Price and all first derivatives of many options."""
    import numpy as np

    draw = np.random.default_rng(0)
    limits = [(80.0, 120.0), (80.0, 120.0), (0.0, 0.05), (0.1, 0.5), (0.1, 2.0)]
    market = [draw.uniform(low, high, effort.options) for low, high in limits]
    program = autograd.compile(price, batch=range(5), reduce=None, backend="native")
    found = program.value_and_grad(*market, argnums=range(5))
    for ours, theirs in zip((found[0], *found[1]), greeks(*market)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
    steps = {
        "compiled": lambda: program.value_and_grad(*market, argnums=range(5)),
        "NumPy by hand": lambda: greeks(*market),
    }
    return rows_of(f"Black-Scholes, price and 5 derivatives, {effort.options:,} options", medians(steps, effort.seconds))


def layer_of(layer: nn.Layer) -> tuple[list[list[float]], list[float]]:
    return [[w.data for w in neuron.w] for neuron in layer.neurons], [neuron.b.data for neuron in layer.neurons]


def gpt(effort: Effort) -> Workload:
    """A GPT block on a document of 7 tokens."""
    model = GPT()
    seven = next(document for document in documents(1000) if len(document) == 8)
    document, following = seven[:-1], seven[1:]

    def engine() -> None:
        loss = next_tokens(model, document, following)
        model.zero_grad()
        loss.backward()

    def peers() -> dict[str, Step]:
        scalars = gpt_on_scalars({name: p.data for name, p in model.named_parameters().items()}, heads=4)
        return {"the same in pure Python": lambda: scalars(document, following), "the same by the engine": engine}

    return Workload("GPT block, 4,192 parameters, 7 tokens", next_tokens, model, (document, following), peers)


def thousand_steps(effort: Effort) -> list[Row]:
    """Adam steps of the GPT block on names by `fit`, after compiling, over the bare steps on the same documents."""
    model = GPT()
    chosen = documents(effort.documents)
    inputs, targets = [document[:-1] for document in chosen], [document[1:] for document in chosen]
    ends: list[float] = []
    nn.fit(
        model, inputs, targets, loss=first_document, optimizer=nn.Adam(model.parameters(), lr=0.01), epochs=6, batch_size=1,
        compile=True, callbacks=[lambda _: ends.append(time.perf_counter())], progress=False,
    )  # fmt: skip
    program, weights = autograd.compile(next_tokens).functional(model), weights_of(model)

    def bare() -> None:
        for document, following in zip(inputs, targets):
            program(weights, document, following)

    bare()
    alone = statistics.median([timed(bare) for _ in range(effort.repeats)])
    times = {"compiled": between(ends), "the steps alone": alone}
    return rows_of(f"{effort.documents:,} Adam steps of it on names, by `nn.fit`", times)


def between(ends: list[float]) -> float:
    """The median time of an epoch, from the ends of several; the first, which is compiled in, is left out."""
    return statistics.median([end - start for start, end in zip(ends, ends[1:])])


def first_document(predictions: Any, targets: Any) -> Any:
    """The loss of a batch of one document."""
    return nn.cross_entropy(predictions[0], targets[0])


def digits() -> tuple[list[list[float]], list[int]]:
    """The part of scikit-learn's digits that is learnt from."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    images, _, labels, _ = train_test_split(images / 16.0, labels, test_size=0.2, stratify=labels, random_state=0)
    return images.tolist(), labels.tolist()


def trained(model: nn.Module, epochs: int, **options: Any) -> Step:
    """A training on the digits, compiled, from tracing to the last step."""
    images, labels = digits()
    return lambda: nn.fit(
        model, images, labels, loss=nn.cross_entropy, optimizer=nn.Adam(model.parameters(), lr=0.01), epochs=epochs,
        batch_size=BATCH, compile=True, progress=False, **options,
    )  # fmt: skip


def trained_in_torch(network: Any, epochs: int, shape: tuple[int, ...]) -> Step:
    """The same training in PyTorch."""
    import torch

    images, labels = digits()
    images, labels = torch.tensor(images, dtype=torch.float64).reshape(-1, *shape), torch.tensor(labels)

    def training() -> None:
        optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
        for _ in range(epochs):
            for batch in torch.randperm(len(images)).split(BATCH):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(network(images[batch]), labels[batch]).backward()
                optimizer.step()

    return training


def digits_perceptron(effort: Effort) -> list[Row]:
    """Epochs of digits with a multilayer perceptron, tracing included."""
    import torch

    network = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)).double()
    model = nn.Sequential(nn.Linear(64, 32, seed=0), "relu", nn.Linear(32, 10, seed=1))
    steps = {"compiled": trained(model, effort.epochs), "PyTorch": trained_in_torch(network, effort.epochs, (64,))}
    workload = f"{effort.epochs} epochs of digits, MLP(64, 32, 10), with tracing"
    return rows_of(workload, medians(steps, 1.5 * effort.seconds))


def digits_convolution(effort: Effort) -> list[Row]:
    """An epoch of digits with a small convolutional network, tracing included."""
    import torch

    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 12, 3), torch.nn.MaxPool2d(2), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(108, 10)
    ).double()
    model = nn.Sequential(
        as_image, nn.Conv2d(1, 12, size=3, seed=0), nn.MaxPool2d(2), "relu", nn.flatten, nn.Linear(108, 10, seed=1)
    )
    times = medians({"compiled": trained(model, 1), "PyTorch": trained_in_torch(network, 1, (1, 8, 8))}, 1.5 * effort.seconds)
    ends: list[float] = []
    trained(model, 6, callbacks=[lambda _: ends.append(time.perf_counter())])()
    later = {"compiled": between(ends), "PyTorch": times["PyTorch"]}
    first = rows_of("an epoch of digits, convolutional network, with tracing", times)
    return first + rows_of("every later epoch of it", later)


def as_image(pixels: Any) -> Any:
    """One channel of 8 rows."""
    return [[pixels[i : i + 8] for i in range(0, 64, 8)]]


def lstm(effort: Effort) -> Workload:
    """The loss and all gradients of an LSTM over some characters."""
    draw = random.Random(0)
    text = [draw.randrange(27) for _ in range(effort.tokens + 1)]

    def peers() -> dict[str, Step]:
        import torch

        token, cell, out = torch.nn.Embedding(27, 16), torch.nn.LSTMCell(16, 32), torch.nn.Linear(32, 27)
        network = torch.nn.ModuleList([token, cell, out]).double()
        document, following, parameters = torch.tensor(text[:-1]), torch.tensor(text[1:]), list(network.parameters())

        def with_torch() -> None:
            state, outputs = None, []
            for x in token(document):
                state = cell(x, state)
                outputs.append(state[0])
            backward(torch.nn.functional.cross_entropy(out(torch.stack(outputs)), following), parameters)

        return {"PyTorch, LSTMCell": with_torch}

    title = f"LSTM of 32 on {effort.tokens} characters"
    return Workload(title, next_tokens, Characters(), (text[:-1], text[1:]), peers)


def tracing(effort: Effort) -> list[Row]:
    """How long it takes from scalars to a program."""
    from tests.benchmarks.__main__ import data

    points, targets = data()

    def margins(model: nn.Module, inputs: Any, labels: Any) -> Any:
        losses = []
        for x, label in zip(inputs, labels):
            for k, layer in enumerate(model.layers):
                x = [sum((w * xi for w, xi in zip(n.w, x)), n.b) for n in layer.neurons]
                x = [total.relu() for total in x] if k < 2 else x
            losses.append((1.0 - label * x[0]).relu())
        return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())

    import numpy as np

    model = nn.MLP(2, [16, 16, 1], seed=1)
    arguments = weights_of(model), np.array(points), np.array(targets, dtype=float)
    times, size = [], 0
    for _ in range(effort.repeats):
        compiled = autograd.compile(margins)
        program = compiled.functional(model)
        times.append(timed(lambda program=program: program(*arguments)))
        size = compiled.latest.size
    found = statistics.median(times)
    return [(f"tracing and recovery, {size:,} scalar operations", shown(found), f"{1e6 * found / size:.1f} µs each", "")]


ROWS: tuple[Callable[[Effort], Workload | list[Row]], ...] = (
    moons, perceptron, wide_perceptron, options, gpt, thousand_steps, digits_perceptron, digits_convolution, lstm,
    *blackboard.WORKLOADS, adbench.mixture, adbench.bundle, small_calls.calls, tracing,
)  # fmt: skip


def printed(row: Callable[[Effort], Workload | list[Row]], effort: Effort) -> None:
    """Measure and print a row and those that belong to it."""
    print(f"{row.__name__} ...", file=sys.stderr, flush=True)
    found = row(effort)
    for cells in measured(row.__name__, found, effort) if isinstance(found, Workload) else found:
        print(f"| {' | '.join(cells)} |", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print the table, in a process of one thread that finds no machine code of former runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", help=f"only these: {', '.join(row.__name__ for row in ROWS)}")
    parser.add_argument("--small", action="store_true", help="one run of each, on little: to see that it works")
    parser.add_argument("--build", action="store_true", help="only print the seconds in which machine code is built or found")
    options = parser.parse_args(arguments)
    effort = SMALL if options.small else Effort()
    chosen = [row for row in ROWS if not options.rows or row.__name__ in options.rows]
    if options.build:
        print(sum(first_call(found, "native")[2] for row in chosen if isinstance(found := row(effort), Workload)))
        return
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        command = [sys.executable, "-m", "tests.benchmarks.compiling", *options.rows, *effort.command]
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | ONE_THREAD | {"AUTOGRAD_CACHE_DIR": folder}
            raise SystemExit(subprocess.run(command, env=environment).returncode)
    import torch

    torch.set_num_threads(1)
    print("| workload, written with scalars | compiled | others | their time over ours |")
    print("|---|---:|---:|---:|")
    for row in chosen:
        printed(row, effort)


if __name__ == "__main__":
    main()
