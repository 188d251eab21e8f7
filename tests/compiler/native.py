"""What the tests of C share: a compiler, if there is one, and functions of compiled files that take lists."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

COMPILER = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
STRICT = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-ffp-contract=off"]
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler (cc, gcc or clang) is on the path")


def library(text: str, folder: Path, *options: str) -> ctypes.CDLL:
    """A C file, compiled with every warning an error."""
    source, made = folder / "program.c", folder / "program.so"
    source.write_text(text)
    command = [str(COMPILER), *STRICT, *options, "-shared", "-fPIC", str(source), "-o", str(made), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:4000]
    return ctypes.CDLL(str(made))


def called(function: Callable[..., int], inputs: Sequence[float], *sizes: int) -> tuple[int, list[float]]:
    """What a function of C returns, and the numbers in the arrays that it fills."""
    double = ctypes.c_double
    arrays = [(double * max(size, 1))() for size in sizes]
    status = function((double * max(len(inputs), 1))(*inputs), *arrays)
    return status, [number for array, size in zip(arrays, sizes) for number in array[:size]]
