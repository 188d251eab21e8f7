"""Prints what workers gain in compiled training: `python -m tests.benchmarks.workers`. Medians of steps, trainings interleaved.

The networks of `demos/digits.py` learn digits moved by up to two pixels, 25 times as many, in one batch. Every worker
runs one thread. What is measured needs as many free cores as there are workers; the last row says how many times as far as one
two processes come that have nothing to tell each other. So each network has a row by CPU time too, which a busy machine changes
little: with the time of this process and that of a worker, what many workers would gain that each have a core.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import nn

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
FIRST = 4  # steps that do not count: programs are made


def processes(count: int) -> Any:
    """A pool of processes."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))


@contextlib.contextmanager
def dask(count: int) -> Iterator[Any]:
    """A client of a cluster on this machine."""
    import distributed

    settings = {"n_workers": count, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
    with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
        client.wait_for_workers(count)
        yield client


def moved(images: list[list[float]], labels: list[int]) -> tuple[Any, Any]:
    """Every picture of 8 by 8 pixels, moved by up to two."""
    import numpy as np

    pictures = np.array(images).reshape(-1, 8, 8)
    shifts = [(i, j) for i in range(-2, 3) for j in range(-2, 3)]
    return np.concatenate([np.roll(pictures, shift, (1, 2)) for shift in shifts]).reshape(-1, 64), np.tile(labels, len(shifts))


def steps(make: Callable[[int], nn.Module], data: tuple[Any, Any], count: int, executor: Executor | None) -> list[list[float]]:
    """The seconds of the steps of a training: by the clock, and of CPU time of this process."""
    network, times = make(0), []

    def rate(_: int) -> float:
        times.append((time.perf_counter(), time.process_time()))
        return 0.01

    optimizer = nn.Adam(network.parameters(), lr=rate)
    nn.fit(network, *data, loss=nn.cross_entropy, optimizer=optimizer, epochs=count + FIRST, compile=True, executor=executor,
           progress=False)  # fmt: skip
    times = times[FIRST - 1 :]
    return [[after[k] - before[k] for before, after in zip(times, times[1:])] for k in (0, 1)]


def measured(
    make: Callable[[int], nn.Module], data: tuple[Any, Any], executors: dict[str, Any], count: int, rounds: int
) -> dict[str, float]:  # fmt: skip
    """The median step with each executor, in turn."""
    found: dict[str, list[float]] = {name: [] for name in executors}
    for _ in range(rounds):
        for name, executor in executors.items():
            found[name] += steps(make, data, count, executor)[0]
    return {name: statistics.median(times) for name, times in found.items()}


def by_cpu_time(make: Callable[[int], nn.Module], data: tuple[Any, Any], pool: Executor, count: int) -> tuple[float, float]:
    """The CPU time of a step in this process, and in one worker that knows the program already."""
    before = pool.submit(time.process_time).result()
    _, own = steps(make, data, count, pool)
    after = pool.submit(time.process_time).result()
    return statistics.median(own), (after - before) / (count + FIRST)


def rounds_in(seconds: float) -> int:
    """How often a process goes round a loop in this time."""
    rounds, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        rounds += sum(range(1000)) > 0
    return rounds


def free(pool: Executor, count: int, seconds: float) -> float:
    """How many times as far as one process so many come together: what the machine has to give just now."""
    alone = pool.submit(rounds_in, seconds).result()
    return sum(future.result() for future in [pool.submit(rounds_in, seconds) for _ in range(count)]) / alone


def main(arguments: list[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="how many are compared with one")
    parser.add_argument("--steps", type=int, default=30, help="of each training")
    parser.add_argument("--rounds", type=int, default=5, help="trainings with each executor, in turn")
    parser.add_argument("--small", action="store_true", help="little of everything: to see that it works")
    options = parser.parse_args(arguments)
    sys.path.insert(0, str(Path(__file__).parents[2] / "demos"))
    import digits

    (images, labels), _ = digits.digits(60 if options.small else 1797)
    data = moved(images, labels)
    count, rounds = (2, 1) if options.small else (options.steps, options.rounds)
    os.environ.update(ONE_THREAD)  # for the processes that start from here on
    many = options.workers
    print(f"{os.cpu_count()} cores, {len(data[0])} digits in a batch")

    def row(*cells: str) -> None:
        print("| {:<21} | {:<26} | {:>9} | {:>10} |".format(*cells))

    row("network", "workers", "ms a step", "times one")
    networks = {"MLP": digits.perceptron, "convolutional network": digits.convolution}
    kinds: dict[str, Callable[[int], Any]] = {"processes": processes, "threads": ThreadPoolExecutor, "workers of Dask": dask}
    if find_spec("distributed") is None:
        del kinds["workers of Dask"]
    with contextlib.ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dask's
        with processes(1) as pool:  # before there are threads of Dask in this process
            shares = {name: by_cpu_time(make, data, pool, count) for name, make in networks.items() for _ in range(2)}
        pools = {(kind, size): stack.enter_context(kinds[kind](size)) for kind in kinds for size in (1, many)}
        executors = {"none": None, **{f"{size} {kind}": pool for (kind, size), pool in pools.items()}}
        for name, make in networks.items():
            found = measured(make, data, executors, count, rounds)
            row(name, "none", f"{1e3 * found['none']:.2f}", "")
            for kind, size in pools:
                one, seconds = found[f"1 {kind}"], found[f"{size} {kind}"]
                row(name, f"{size} {kind}", f"{1e3 * seconds:.2f}", f"{one / seconds:.2f}")
            own, remote = shares[name]
            for size in (many, 2 * many):
                seconds = own + remote / size
                row(name, f"{size} processes, by CPU time", f"{1e3 * seconds:.2f}", f"{(own + remote) / seconds:.2f}")
        row("counting", f"{many} processes", "", f"{free(pools['processes', many], many, 0.1 if options.small else 2.0):.2f}")


if __name__ == "__main__":
    main()
