"""Every benchmark runs, at a setting that takes seconds: the figures mean nothing then, but they are all there."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from autograd import renderers
from tests.browser import missing
from tests.compiler.native import COMPILER

ROOT = Path(__file__).parent.parent
# What each module needs beside the library, and words of the rows that it prints.
MODULES = {
    "tests.benchmarks": (["sklearn", "micrograd"], ["micrograd's time for it, over ours", "build, backward, free", "Hessian"]),
    "tests.benchmarks.backends": (["sklearn", "names"], ["plain Python", "NumPy", "GPT block, 4,192 parameters", "to_c"]),
    "tests.benchmarks.compiling": (
        ["torch", "micrograd", "sklearn", "names"],
        [
            "the same by NumPy",
            "building it",
            "from the cache",
            "Black-Scholes",
            "GPT block",
            "Adam steps",
            "epochs of digits",
            "LSTM",
            "Gaussian kernel",
            "Gaussian mixture",
            "GRU",
            "Lennard-Jones",
            "soft k-means",
            "causal attention",
            "convolution, 4 kernels",
            "Cholesky",
            "LU",
            "Gauss-Jordan",
            "tree RNN",
            "mixture of ADBench",
            "bundle adjustment",
            "Rosenbrock",
            "zero_grad and SGD.step",
            "tracing and recovery",
            *(["JAX, jit", "JAX, vmap and jit"] if find_spec("jax") else []),
        ],
    ),
    "tests.benchmarks.explorer": ([], ["two neurons"]),
    "tests.benchmarks.workers": (["sklearn"], ["2 processes", "2 threads", "by CPU time", "counting"]),
    "tests.benchmarks.sparse": (["scipy"], ["Hessian of Rosenbrock", "an arrow", "heat equation", "the same, compiled"]),
    "tests.benchmarks.pictures": ([], ["28 values", "a chain of 5,000: refused in"]),
}


def run(module: str, *options: str) -> str:
    """What a benchmark prints."""
    command = [sys.executable, "-m", module, *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_is_here():
    files = {path for path in (ROOT / "tests" / "benchmarks").glob("*.py") if "def main" in path.read_text()}
    names = {f"tests.benchmarks.{path.stem}".removesuffix(".__main__") for path in files}
    assert names == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_help(module):
    for package in MODULES[module][0]:
        pytest.importorskip(package, reason=f"the benchmark needs {package}")
    assert "--small" in run(module, "--help")


@pytest.mark.parametrize("module", MODULES)
def test_a_small_run_prints_every_row(module):
    needed, rows = MODULES[module]
    for package in needed:
        pytest.importorskip(package, reason=f"the benchmark measures {package}")
    if module.endswith("explorer") and (reason := missing()):
        pytest.skip(reason)
    if module.endswith(("compiling", "sparse")) and COMPILER is None:
        pytest.skip("the benchmark measures machine code, which needs a C compiler")
    if module.endswith("pictures") and not list(renderers.renderers("svg", "dot")):
        pytest.skip("needs a renderer")
    printed = run(module, "--small")
    for row in rows:
        assert row in printed
