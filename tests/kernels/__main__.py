"""Prints the largest error of every vectorised function, or its time beside NumPy's."""

from __future__ import annotations

import argparse
import ctypes
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from tests.kernels.measure import BOUNDS, BUILDS, COMMAND, ROWS, Kernels, Reference, Worst, pointer
from tests.kernels.points import Doubles, nearly_quarters, pairs, points

EXAMPLES = """
examples:
  python -m tests.kernels                             a million points a function, in half a minute
  python -m tests.kernels --points 10000000           the figures in vectors.h
  python -m tests.kernels --functions pow,sin --builds "plain,AVX2 without FMA"
  python -m tests.kernels --speed
"""
BATCH = 1_000_000
SIZE = 10_000  # elements in measurements of time
# What one writes with NumPy; None where it has no such function.
BY_HAND: dict[str, Callable[..., Any] | None] = {
    "sigmoid": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "sech2": lambda x: 1.0 / np.square(np.cosh(x)),
    "softplus": lambda x: np.logaddexp(0.0, x),
    "acos": np.arccos, "asin": np.arcsin, "atan": np.arctan, "atan2": np.arctan2, "acosh": np.arccosh, "asinh": np.arcsinh,
    "atanh": np.arctanh, "pow": np.power, "round": np.rint, "erf": None, "erfc": None,
}  # fmt: skip


def progress(batches: Sequence[Any], what: str) -> Iterable[Any]:
    """The batches, with a bar if tqdm is there and somebody looks."""
    try:
        from tqdm import tqdm
    except ImportError:
        return batches
    return tqdm(batches, desc=what, leave=False, disable=not sys.stderr.isatty())


def operands(name: str, count: int, seed: int) -> tuple[Doubles, ...]:
    """Points for a function."""
    if ROWS[name].arity == 2:
        return pairs(count, seed)
    extra = [nearly_quarters(), -nearly_quarters()] if name in ("sin", "cos", "tan") and seed == 0 else []
    return (np.concatenate([points(count, seed), *extra]),)


def largest(name: str, kernels: Sequence[Kernels], reference: Reference, count: int) -> list[Worst]:
    """The worst point of a function for every build."""
    found = [Worst(0.0, (), []) for _ in kernels]
    for seed in progress(range(-(-count // BATCH)), name):
        at = operands(name, min(count, BATCH), seed)
        expected = reference.truth(name, *at)
        for k, kernel in enumerate(kernels):
            worst = reference.worst(name, kernel(name, *at), expected, *at)
            found[k] = Worst(*max(found[k][:2], worst[:2]), [*found[k].wrong, *worst.wrong][:5])
    return found


def errors(names: Sequence[str], kernels: Sequence[Kernels], reference: Reference, count: int) -> int:
    """A table of errors; returns how many are beyond their bounds."""
    print(f"largest error in units in the last place, {count:,} points\n")
    print(f"{'':10}{'bound':>7}", *(f"{kernel.build.name:>22}" for kernel in kernels), " worst at")
    failed = 0
    for name in names:
        found = largest(name, kernels, reference, count)
        worst = max(found)
        print(
            f"{name:10}{BOUNDS[name]:7.2f}",
            *(f"{x.ulps:22.3f}" for x in found),
            "",
            ", ".join(map(float.hex, worst.at)),
            flush=True,
        )
        for kernel, x in zip(kernels, found):
            failed += bool(x.wrong) or x.ulps > BOUNDS[name]
            for at, got, expected in x.wrong:
                print(f"    {kernel.build.name}: {name}{at} is {got!r}, not {expected!r}")
    print(f"\n{failed} beyond their bounds" if failed else "\nall within their bounds")
    return failed


def aligned(x: Doubles) -> Doubles:
    """A copy that begins where a cache line does."""
    room = np.empty(len(x) + 8)
    start = -room.ctypes.data // 8 % 8
    room[start : start + len(x)] = x
    return room[start : start + len(x)]


def times(name: str, kernels: Sequence[Kernels]) -> list[float]:
    """How long each build takes an element, then NumPy where it has the function: medians of interleaved runs."""
    random = np.random.default_rng(0)
    at = [aligned(random.uniform(*interval, SIZE)) for interval in ROWS[name].domain]
    out = aligned(np.empty(SIZE))
    arrays = [pointer(x) for x in (*at, *[out] * (3 - len(at)), out)]
    runs: list[Callable[[], Any]] = [
        partial(getattr(kernel.library, f"row_{name}"), *arrays, ctypes.c_long(SIZE)) for kernel in kernels
    ]
    by_hand = BY_HAND[name] if name in BY_HAND else getattr(np, name, None)
    if by_hand:
        runs.append(partial(by_hand, *at, **({"out": out} if isinstance(by_hand, np.ufunc) else {})))
    spent: list[list[float]] = [[] for _ in runs]
    for _ in range(101):
        for run, found in zip(runs, spent):
            start = perf_counter()
            run()
            found.append(perf_counter() - start)
    return [median(found) / SIZE for found in spent]


def speed(names: Sequence[str], kernels: Sequence[Kernels]) -> None:
    """A table of times."""
    print(f"ns an element, {SIZE:,} elements, medians of interleaved runs\n")
    print(f"{'':10}", *(f"{kernel.build.name:>22}" for kernel in kernels), f"{'NumPy':>10}")
    for name in names:
        figures = [f"{1e9 * seconds:.2f}" for seconds in times(name, kernels)]
        numpy = figures.pop() if len(figures) > len(kernels) else "–"
        print(f"{name:10}", *(f"{figure:>22}" for figure in figures), f"{numpy:>10}", flush=True)


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    made = argparse.ArgumentParser(
        prog="python -m tests.kernels", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--points", type=int, default=BATCH, metavar="N", help=f"how many for each function ({BATCH:,})")
    made.add_argument("--functions", default=",".join(BOUNDS), metavar="F,G", help="which functions (all that are not composed)")
    made.add_argument("--builds", default="plain,native", metavar="B,C",
                      help=f"some of {', '.join(build.name for build in BUILDS)} (%(default)s)")  # fmt: skip
    made.add_argument("--speed", action="store_true", help="times instead of errors")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; returns 0, or 1 if an error is beyond its bound."""
    command = parser()
    options = command.parse_args(arguments)
    names, builds = ([part.strip() for part in text.split(",")] for text in (options.functions, options.builds))
    known = {build.name: build for build in BUILDS}
    for kind, given, names_of in (("--functions", names, BOUNDS), ("--builds", builds, known)):
        if not set(given) <= set(names_of):
            command.error(f"{kind} knows {', '.join(names_of)}, not {', '.join(sorted(set(given) - set(names_of)))}")
    if options.points < 1:
        command.error(f"--points needs a positive number, not {options.points}")
    if not COMMAND:
        command.error("no C compiler ($CC, cc, gcc or clang) is there")
    with tempfile.TemporaryDirectory() as folder:
        kernels = [Kernels(known[build], Path(folder), names) for build in builds]
        if options.speed:
            speed(names, kernels)
            return 0
        reference = Reference(Path(folder))
        if not reference.is_precise:
            command.error("long double is no longer than double here, so that there is nothing to measure errors against")
        return int(errors(names, kernels, reference, options.points) > 0)


if __name__ == "__main__":
    sys.exit(main())
