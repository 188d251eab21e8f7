"""The room of measurements: the vectorised functions built for a machine, and how far they are from the truth."""

from __future__ import annotations

import ctypes
import os
import platform
import shlex
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np
from numpy.typing import NDArray

from autograd.compiler.native.words import Words
from autograd.ops import TABLE
from tests.compiler.native import COMPILER
from tests.kernels.points import Doubles
from tests.oracle import ORACLE

ROWS = {name: row for name, row in TABLE.items() if row.arity is not None and name in ORACLE}
# The same bits as floats, everywhere.
EXACT = {
    "add", "sub", "mul", "div", "mod", "floor_divide", "fmod", "neg", "pos", "abs", "copysign", "square", "sqrt", "degrees",
    "radians", "one_minus_square", "greater", "where", "maximum", "minimum", "stop_gradient", "sign", "floor", "ceil", "round",
    "trunc", "heaviside", "relu", "leaky_relu",
}  # fmt: skip
# Functions that are measured against long double, and the bound in units in the last place that the header states.
BOUNDS = {
    "exp": 1.0, "exp2": 1.1, "expm1": 1.2, "sigmoid": 1.3, "sech2": 1.0, "softplus": 1.3, "tanh": 1.5, "sinh": 1.8, "cosh": 1.0,
    "log": 1.0, "log2": 1.0, "log10": 1.0, "log1p": 1.0, "pow": 1.0, "cbrt": 1.0, "hypot": 1.3,
    "asinh": 1.4, "acosh": 1.2, "atanh": 1.1, "erf": 1.7, "erfc": 1.5, "sin": 1.0, "cos": 1.0, "tan": 1.7,
    "asin": 1.0, "acos": 1.1, "atan": 1.0, "atan2": 1.6, "sqrt": 0.5, "square": 0.5,
    **dict.fromkeys(["abs", "sign", "floor", "ceil", "round", "trunc", "maximum", "minimum", "copysign", "greater"], 0.0),
}  # fmt: skip
TRUTH = ORACLE | {"cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x))}
PRECISE = 2500  # bits in which a worst case is computed again: as many as a sine of the largest double needs


class Build(NamedTuple):
    """One way to compile the header."""

    name: str
    options: tuple[str, ...]


COMMAND = shlex.split(os.environ.get("CC", COMPILER or ""))  # empty if there is none
X86 = platform.machine().lower() in ("x86_64", "amd64")
BUILDS = [
    Build("plain", ()),
    Build("native", ("-march=native",)),
    Build("native inlined", ("-march=native", "-DVM_INLINE")),
    Build("native at -O1", ("-march=native", "-O1")),
    Build("native without contraction", ("-march=native", "-ffp-contract=off")),
    *([Build("AVX2", ("-mavx2", "-mfma")), Build("AVX2 without FMA", ("-mavx2", "-mno-fma"))] if X86 else []),
    *(Build(f"native {w} lanes", ("-march=native", f"-DVM_W={w}")) for w in (2, 4, 8)),
    *(Build(f"plain {w} lanes", (f"-DVM_W={w}",)) for w in (4, 8)),
]
LOOP = """
__attribute__((noinline)) void row_{name}(const double *x, const double *y, const double *z, double *out, long n)
{{
    (void)y, (void)z;
    for (long i = 0; i < n; i += VM_W) *(V *)(out + i) = {function}({operands});
}}
"""


class Kernels:
    """The compiled functions, which take arrays. Their lengths are multiples of 8."""

    def __init__(self, build: Build, folder: Path, rows: list[str] | None = None) -> None:
        words = Words()
        functions = {name: words.define(name) for name in (ROWS if rows is None else rows)}
        loops = [
            LOOP.format(name=name, function=function, operands=", ".join(f"*(const V *)({x} + i)" for x in TABLE[name].operands))
            for name, function in functions.items()
        ]
        text = words.text() + "".join(loops)
        self.build = build
        self.library = compiled(text, folder, f"kernels-{build.name}".replace(" ", "-"), build.options)

    def __call__(self, name: str, *operands: Doubles) -> Doubles:
        """What a row's function makes of arrays."""
        count = len(operands[0])
        padded = [np.concatenate([x, np.full(-count % 8, x[-1])]) for x in operands]
        out = np.empty(len(padded[0]))
        arrays = [pointer(x) for x in (*padded, *[out] * (3 - len(padded)), out)]
        getattr(self.library, f"row_{name}")(*arrays, ctypes.c_long(len(out)))
        return out[:count]


def compiled(text: str, folder: Path, name: str, options: tuple[str, ...]) -> ctypes.CDLL:
    """A file of C as a library, every warning an error."""
    source, made = folder / f"{name}.c", folder / f"{name}.so"
    source.write_text(text)
    warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-psabi"]
    command = [*COMMAND, "-std=gnu11", "-O2", *warnings, *options, "-shared", "-fPIC", str(source), "-o", str(made), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[:4000]}")
    return ctypes.CDLL(str(made))


class Worst(NamedTuple):
    """The largest error of a function, where, and where its result is of another kind (nan, infinite, sign)."""

    ulps: float
    at: tuple[float, ...]
    wrong: list[tuple[tuple[float, ...], float, float]]


class Reference:
    """Functions in long double, which say where to look; mpmath has the last word there."""

    def __init__(self, folder: Path) -> None:
        text = Path(__file__).with_name("reference.c").read_text()
        self.library = compiled(text, folder, "reference", ("-fno-builtin",))
        self.is_precise = self.library.mantissa() >= 64

    def truth(self, name: str, *operands: Doubles) -> NDArray[np.longdouble]:
        """The results in long double."""
        expected = np.empty(len(operands[0]), np.longdouble)
        arrays = [pointer(np.ascontiguousarray(x)) for x in (operands[0], operands[-1])]
        getattr(self.library, f"ref_{name}")(*arrays, pointer(expected), ctypes.c_long(len(expected)))
        return expected

    def worst(self, name: str, got: Doubles, expected: NDArray[np.longdouble], *operands: Doubles) -> Worst:
        """The largest error among results."""
        errors = np.empty(len(got))
        self.library.ulps(pointer(got), pointer(expected), pointer(errors), ctypes.c_long(len(got)))

        def point(i: int) -> tuple[float, ...]:
            return tuple(float(x[i]) for x in operands)

        wrong = [(point(i), float(got[i]), float(expected[i])) for i in np.flatnonzero(errors < 0)[:5]]
        largest = [i for i in np.argsort(errors)[-5:] if errors[i] > 0]
        size, at = max([(true_error(name, point(i), float(got[i])), point(i)) for i in largest], default=(0.0, point(0)))
        return Worst(size, at, wrong)


def pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    """Where an array begins."""
    return array.ctypes.data_as(ctypes.c_void_p)


def true_error(name: str, operands: tuple[float, ...], got: float) -> float:
    """The distance from mpmath's value, in units in the last place; an infinity counts as 2^1024."""
    with mp.workprec(PRECISE):
        exact = TRUTH[name](*map(mp.mpf, operands))
        value = mp.sign(got) * mp.mpf(2) ** 1024 if np.isinf(got) else mp.mpf(got)
        exponent = max(mp.frexp(exact)[1] - 53, -1074) if exact else -1074
        return float(abs(value - exact) / mp.mpf(2) ** exponent)
