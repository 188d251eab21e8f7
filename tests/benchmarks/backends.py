"""Prints what the back ends cost: `python -m tests.benchmarks.backends`. One run, one thread, double precision.

The first tables are a full-batch step of the moons demo and a step of a GPT block on a document of 7 tokens: value and all
derivatives, numbers in and out, by each back end of one program. The last compiles operations without any structure, and shows
that the time for each does not grow with their number.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import autograd as ag
import nn
from tests.benchmarks.__main__ import data, interleaved
from tests.benchmarks.models import GPT, documents, next_tokens
from tests.compiler.test_linear import unrelated


def loss(model: nn.MLP, points: Any, targets: list[int]) -> Any:
    return nn.hinge_loss([model(x) for x in points], targets) + nn.l2_penalty(model, 1e-4)


def repeated(function: Callable[[], Any], count: int) -> Callable[[], None]:
    """A function often enough to be timed."""

    def run() -> None:
        for _ in range(count):
            function()

    return run


def in_c(text: str, inputs: list[float], option: str) -> Callable[[], Any] | None:
    """The gradient function of a C file, with its arguments; None without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    folder = Path(tempfile.mkdtemp())
    (folder / "loss.c").write_text(text)
    command = [compiler, "-std=c99", option, "-shared", "-fPIC", str(folder / "loss.c"), "-o", str(folder / "loss.so"), "-lm"]
    subprocess.run(command, check=True)
    function = ctypes.CDLL(str(folder / "loss.so")).loss_gradient
    arrays = [(ctypes.c_double * len(inputs))(*inputs), (ctypes.c_double * 1)(), (ctypes.c_double * len(inputs))()]
    return lambda: function(*arrays)


def on_jax(compiled: Any, inputs: list[float]) -> Callable[[], Any] | None:
    """The program jit-ed; None without JAX."""
    try:
        import jax
    except ImportError:
        return None
    import numpy as np

    jax.config.update("jax_enable_x64", True)
    function, array = jax.jit(compiled.to_jax()), np.array(inputs)
    return lambda: function(array)[1].block_until_ready()


def step_by_each(loss: Callable[..., Any], model: Any, *examples: Any, repeats: int) -> list[tuple[str, str]]:
    """A step by each back end."""
    import numpy as np

    by_numpy, by_python = ag.compile(loss), ag.compile(loss, backend="python")
    by_numpy.value_and_grad(model, *examples)
    by_python.value_and_grad(model, *examples)
    inputs = by_numpy.inputs(model, *examples)
    step, lists = (compiled.latest_run()[1] for compiled in (by_numpy, by_python))
    array = np.array(inputs)

    def eager() -> None:
        model.zero_grad()
        loss(model, *examples).backward()

    text = by_numpy.to_c("loss")
    runs: dict[str, tuple[int, Callable[[], Any] | None]] = {
        "the engine, on Values": (1, eager),
        "the program, one entry after the other": (1, lambda: step.program.run(inputs)),
        "plain Python": (3, lambda: lists.run([inputs])),
        "NumPy": (100, lambda: step.run([array])),
        "C, cc -O1": (100, in_c(text, inputs, "-O1")),
        "C, cc -O2": (100, in_c(text, inputs, "-O2")),
        "JAX, jit": (100, on_jax(by_numpy, inputs)),
    }
    for _, run in runs.values():
        if run is not None:
            run()
    times = interleaved({name: repeated(run, count) for name, (count, run) in runs.items() if run is not None}, repeats)
    return [(name, f"{1e6 * seconds / runs[name][0]:,.0f} µs") for name, seconds in times.items()]


def seconds(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def scaling(sizes: list[int]) -> list[tuple[str, str]]:
    """Microseconds for each of many unrelated operations: trace, derivatives, printing and CPython's compile together."""
    rows = []
    for size in sizes:
        for backend in ("numpy", "python"):
            compiled = ag.compile(unrelated(size), backend=backend)
            first = seconds(lambda: compiled.value_and_grad([0.3, 0.7]))  # noqa: B023
            source = compiled.source
            compiling = seconds(lambda: compile(source, "program", "exec"))  # noqa: B023
            operations = compiled.latest.size
            each = f"{1e6 * first / operations:.0f} µs"
            rows.append((f"{operations:,} operations, {backend}, gradient included", each))
            rows.append(("  of that CPython's compile of the text", f"{1e6 * compiling / operations:.1f} µs"))
        printing = seconds(compiled.to_c)
        rows.append((f"{operations:,} operations, to_c", f"{1e6 * printing / operations:.0f} µs"))
    return rows


def main(arguments: list[str] | None = None) -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7, help="runs of which the median is taken")
    parser.add_argument("--sizes", type=int, nargs="*", default=[50_000, 100_000, 200_000], help="unrelated operations")
    parser.add_argument("--small", action="store_true", help="one run of each on small models: to see that it works")
    options = parser.parse_args(arguments)
    if options.small:
        options.repeats, options.sizes = 1, [300]
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # before NumPy is imported
        os.environ.setdefault(threads, "1")
    hidden, samples, tokens = (4, 10, 2) if options.small else (16, 100, 7)
    points, targets = data(samples)
    document, following = documents(1)[0][:tokens], documents(1)[0][1 : tokens + 1]
    model, gpt, repeats = nn.MLP(2, [hidden, hidden, 1], seed=1), GPT(), options.repeats
    titles = (
        f"moons, MLP(2, {hidden}, {hidden}, 1), {samples} samples",
        f"GPT block, {len(gpt.parameters()):,} parameters, {tokens} tokens",
    )
    tables = {
        titles[0]: step_by_each(loss, model, points, targets, repeats=repeats),
        titles[1]: step_by_each(next_tokens, gpt, document, following, repeats=repeats),
        "compiling, for each operation": scaling(options.sizes),
    }
    for title, rows in tables.items():
        width = max(len(name) for name, _ in rows)
        print(f"| {title:<{width}} | {'time':>10} |\n|{'-' * (width + 2)}|{'-' * 11}:|")
        print(*[f"| {name:<{width}} | {figure:>10} |" for name, figure in rows], sep="\n", end="\n\n")


if __name__ == "__main__":
    main()
