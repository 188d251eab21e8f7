"""How the benchmarks of compilation measure: medians of interleaved runs, and a step by every back end beside its peers."""

from __future__ import annotations

import gc
import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

import autograd
import nn
from autograd.compiler.executable import Chosen

Step = Callable[[], Any]
Row = tuple[str, str, str, str]  # workload, compiled, peer, how many times the compiled time the peer takes


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    seconds: float = 2.0  # for each median
    epochs: int = 20
    documents: int = 1000
    options: int = 100_000
    observations: int = 31_843
    tokens: int = 20
    repeats: int = 5
    part: int = 1  # the workloads have so many times fewer points, atoms or images

    @property
    def command(self) -> list[str]:
        """The arguments of the command for it."""
        return ["--small"] if self == SMALL else []


SMALL = Effort(seconds=0.0, epochs=1, documents=50, options=1000, observations=50, tokens=3, repeats=1, part=5)


@dataclass(frozen=True)
class Workload:
    """A loss of a model and other arguments, whose value and gradient with respect to the parameters are measured.

    - `loss`: the function, written with scalars.
    - `model`: its first argument.
    - `examples`: its other arguments.
    - `peers`: makes the steps of others.
    - `arrays`: gives the parameters, and their gradient, in the containers of the function of `peers_in_jax`.
    """

    title: str
    loss: Callable[..., Any]
    model: nn.Module
    examples: tuple[Any, ...] = ()
    peers: Callable[[], dict[str, Step]] = dict
    arrays: Callable[[nn.Module, Any], Any] | None = None


def medians(steps: dict[str, Step], seconds: float) -> dict[str, float]:
    """The median time of a step of each in seconds. They take turns, a few steps each, for about so long each."""
    times: dict[str, list[float]] = {}
    gc.collect()
    gc.freeze()  # nobody's garbage is looked for among the modules of others
    for name, step in steps.items():
        step()
        times[name] = [timed(step)]
    rounds = 10 if seconds else 1
    for _ in range(rounds):
        for name, step in steps.items():
            count = max(1, round(seconds / rounds / times[name][0]))
            times[name] += [timed(step) for _ in range(min(count, 500))]
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def timed(step: Step) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def rows_of(workload: str, times: dict[str, float]) -> list[Row]:
    """One row for each peer of 'compiled', or one without a peer."""
    ours = times.pop("compiled")
    rows = [(workload, shown(ours), f"{peer}: {shown(theirs)}", ratio(theirs / ours)) for peer, theirs in times.items()]
    return rows or [(workload, shown(ours), "", "")]


def ratio(number: float) -> str:
    """Three digits, or all before the point."""
    return f"{number:,.0f}" if number >= 100.0 else f"{number:.3g}"


def shown(seconds: float) -> str:
    if seconds >= 1.0:
        return f"{seconds:.2f} s"
    if seconds >= 1e-3:
        return f"{1e3 * seconds:.3g} ms"
    return f"{1e6 * seconds:.3g} µs" if seconds < 1e-4 else f"{1e6 * seconds:.0f} µs"


def weights_of(model: nn.Module) -> Any:
    import numpy as np

    return np.array([p.data for p in model.parameters()])


def named_arrays(model: nn.Module, numbers: Any) -> dict[str, Any]:
    """A flat array of a number for each parameter, cut into arrays by name: `up.weight` holds that of `up.weight.5.8`."""
    indices: dict[str, list[list[int]]] = {}
    for name in model.named_parameters():
        stem = name.rstrip("0123456789.")
        indices.setdefault(stem, []).append([int(i) for i in name[len(stem) :].split(".")[1:]])
    arrays, start = {}, 0
    for stem, places in indices.items():
        arrays[stem] = numbers[start : start + len(places)].reshape([i + 1 for i in places[-1]])
        start += len(places)
    return arrays


def first_call(workload: Workload, backend: str) -> tuple[autograd.compiler.api.Compiled, Step, float]:
    """The compiled loss and a step of it, after the first call, and the seconds of building that went into that."""
    compiled = autograd.compile(workload.loss, backend=backend)
    program, weights = compiled.functional(workload.model), weights_of(workload.model)
    build, seconds = Chosen.build, [0.0]

    def timed_build(self: Chosen, parts: Any) -> None:
        seconds.append(timed(lambda: build(self, parts)))

    with mock.patch.object(Chosen, "build", timed_build):
        program(weights, *workload.examples)
    return compiled, lambda: program(weights, *workload.examples), sum(seconds)


def built_from_cache(name: str, effort: Effort) -> float:
    """The seconds of building in a new process, which finds the machine code in the cache."""
    command = [sys.executable, "-m", "tests.benchmarks.compiling", name, "--build", *effort.command]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measured(name: str, workload: Workload, effort: Effort) -> list[Row]:
    """A step by machine code, by NumPy and by all peers, and what it costs to build the machine code."""
    import numpy as np

    steps: dict[str, Step] = {}
    compiled, steps["compiled"], seconds = first_call(workload, "native")
    lines = len(compiled.source.splitlines())
    _, steps["the same by NumPy"], _ = first_call(workload, "numpy")
    value, gradient = steps["compiled"]()
    if importlib.util.find_spec("jax"):
        from tests.benchmarks import peers_in_jax

        cut = workload.arrays or named_arrays
        parameters = cut(workload.model, weights_of(workload.model))
        steps["JAX, jit"] = peers_in_jax.step_of(name, parameters, workload.examples)
        peers_in_jax.assert_equal((value, cut(workload.model, gradient)), steps["JAX, jit"]())
    np.testing.assert_allclose(gradient, steps["the same by NumPy"]()[1], rtol=1e-9, atol=1e-12)
    steps |= workload.peers()
    cached = f"from the cache, in a new process: {shown(built_from_cache(name, effort))}"
    building = (f"building it; {lines} lines of `source`", shown(seconds), cached, "")
    return [*rows_of(workload.title, medians(steps, effort.seconds)), building]
