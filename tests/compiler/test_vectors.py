"""The vectorised functions of C: every row of the table, for every width and set of instructions that the machine has."""

from __future__ import annotations

import math
import re
import subprocess
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from autograd.compiler.native.words import HEADER, vectors
from autograd.ops import TABLE, Primitive
from tests.kernels.__main__ import main
from tests.kernels.coefficients import POLYNOMIALS, constants, minimax
from tests.kernels.measure import BOUNDS, BUILDS, COMMAND, EXACT, ROWS, Build, Kernels, Reference
from tests.kernels.points import SPECIAL, nearly_quarters, pairs, points
from tests.oracle import ORACLE

pytestmark = pytest.mark.skipif(not COMMAND, reason="no C compiler ($CC, cc, gcc or clang) is there")
COUNT = 20_000
EDGES = [
    0.0, 5e-324, 2.2250738585072014e-308, 1e-300, 2.0**-54, 0.25, 0.5, 1 - 2.0**-53, 1.0, 1.5, 2.0, 2.5, 3.0, 7.0, 40.0,
    709.782712893384, 710.0, 745.2, 1e6 + 0.5, 2.0**52 + 1, 2.0**53, 1e22, 1e300, 1.7976931348623157e308, np.inf, np.nan,
]  # fmt: skip
LANES = {"dsinc", "sinc", "polygamma", "digamma", "lgamma"}  # functions of math.h and of C's text in each lane
# A program that uses the instructions that it may: it returns 0, or is stopped.
PROBE = """
typedef double V __attribute__((vector_size(32)));
typedef long long I __attribute__((vector_size(32)));
int main(int n, char **words) { (void)words; volatile V x = {n, n, n, n}; volatile I y = (I)(x * x + x) << 1; return y[0] == 0; }
"""
CASES = [pytest.param(build, id=build.name) for build in BUILDS]


def runs(options: tuple[str, ...], folder: Path) -> bool:
    """Whether programs that are compiled so run here."""
    source, made = folder / "program.c", folder / "program"
    source.write_text(PROBE)
    done = subprocess.run([*COMMAND, *options, str(source), "-o", str(made)], capture_output=True)
    return done.returncode == 0 and subprocess.run([str(made)]).returncode == 0


@pytest.fixture(scope="module", params=CASES)
def kernels(request, tmp_path_factory) -> Kernels:
    folder = tmp_path_factory.mktemp("kernels")
    if not runs(request.param.options, folder):
        pytest.skip(f"this machine does not run {' '.join(request.param.options)}")
    return Kernels(request.param, folder)


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """The reference, and for each function the points and their results in long double."""
    reference = Reference(tmp_path_factory.mktemp("reference"))
    if not reference.is_precise:
        pytest.skip("long double is no longer than double here")
    one, two = points(COUNT), pairs(COUNT)
    quarters = np.concatenate([one, nearly_quarters()[::7]])
    operands = {name: two if ROWS[name].arity == 2 else (quarters if name in ("sin", "cos", "tan") else one,) for name in BOUNDS}
    return reference, {name: (reference.truth(name, *arrays), arrays) for name, arrays in operands.items()}


def test_errors_are_within_the_bounds(kernels, truth):
    reference, expected = truth
    for name, (results, operands) in expected.items():
        worst = reference.worst(name, kernels(name, *operands), results, *operands)
        assert not worst.wrong, f"{name}: (point, result, expected) {worst.wrong}"
        assert worst.ulps <= BOUNDS[name], f"{name}{worst.at} errs by {worst.ulps} units in the last place"


def same(x: float, y: float) -> bool:
    """The same bits, but for the payload of nan."""
    return (x != x and y != y) or (x == y and math.copysign(1.0, x) == math.copysign(1.0, y))


def alike(name: str, x: float, y: float, operands: tuple[float, ...]) -> bool:
    """The same kind of number, a few units in the last place apart at most."""
    if name in LANES and math.isfinite(y):
        return abs(x - y) <= 1e-12 * abs(y) + 1e-14
    if not math.isfinite(x) or not math.isfinite(y) or x == 0.0 == y:
        return same(x, y)
    size = max(map(abs, operands)) if name.startswith("logaddexp") else 0.0  # a sum that may cancel
    factor = 1.0 + abs(operands[0]) if name == "dpow" else 1.0  # a power of a logarithm
    return math.copysign(1.0, x) == math.copysign(1.0, y) and abs(x - y) <= 4.0 * factor * math.ulp(max(abs(y), size))


@pytest.fixture(scope="module")
def edges():
    """For every row special points, and what floats make of them."""
    signed = [s * x for x in EDGES for s in (1.0, -1.0)]
    found = {}
    for name, row in ROWS.items():
        grids = [signed] * row.arity if row.arity < 3 else [signed[::3], signed[::2], signed[::2]]
        if row.arity == 1:
            grids = [[s * x for x in SPECIAL for s in (1.0, -1.0)]]
        if name in ("polygamma", "dsinc"):
            grids[0] = [0.0, 1.0, 2.0, 5.0, 170.0, 171.0, -1.0, 0.5, np.inf, np.nan]
        at = list(product(*grids))
        found[name] = at, [row.function(*operands) for operands in at]
    return found


def differing(name: str, got: np.ndarray, at: list[tuple[float, ...]], expected: list[float]) -> list[str]:
    """Where a function is not what it is on floats: to the bit if it is exact."""
    return [
        f"{name}{operands} is {x!r}, not {y!r}"
        for operands, x, y in zip(at, got.tolist(), expected)
        if not (same(x, y) if name in EXACT else alike(name, x, y, operands))
    ]


def test_edges_are_those_of_floats(kernels, edges):
    found = [line for name, (at, expected) in edges.items()
             for line in differing(name, kernels(name, *map(np.array, zip(*at))), at, expected)]  # fmt: skip
    assert not found, "\n".join(found)


def test_compositions_are_those_of_floats(kernels):
    """Rows that are written in the words of others, where the functions of math.h have their own roundings."""
    random = np.random.default_rng(0)
    for name in set(ROWS) - set(BOUNDS) - LANES:
        row = ROWS[name]
        operands = [random.uniform(*interval, 1000) for interval in row.domain]
        at = list(zip(*map(np.ndarray.tolist, operands)))
        assert not differing(name, kernels(name, *operands), at, [row.function(*point) for point in at])


def test_lanes_do_not_influence_each_other(kernels):
    x = points(2000)
    for name in ("exp", "log", "sin", "tan", "pow", "erfc", "acosh"):
        operands = (x,) * ROWS[name].arity
        assert kernels(name, *operands).tobytes() == kernels(name, *(y[::-1] for y in operands))[::-1].tobytes(), name


def test_results_that_are_doubles_are_exact(kernels):
    integers = np.arange(-1074.0, 1024.0)
    assert kernels("exp2", integers).tolist() == [2.0**n for n in range(-1074, 1024)]
    assert kernels("log2", 2.0**integers).tolist() == integers.tolist()
    tens = np.arange(-5.0, 23.0)
    assert kernels("log10", np.array([float(f"1e{n:.0f}") for n in tens])).tolist() == tens.tolist()
    bases, exponents = (x.ravel() for x in np.meshgrid(np.arange(-40.0, 41.0), np.arange(0.0, 10.0)))
    assert kernels("pow", bases, exponents).tolist() == [float(int(x) ** int(n)) for x, n in zip(bases, exponents)]
    roots = np.arange(-1000.0, 1000.0)
    assert kernels("cbrt", roots**3).tolist() == roots.tolist()
    m, n = (x.ravel() for x in np.meshgrid(np.arange(1.0, 60.0), np.arange(1.0, 60.0)))
    assert kernels("hypot", m * m - n * n, 2.0 * m * n).tolist() == (m * m + n * n).tolist()


def test_odd_and_even_functions_are_symmetric_to_the_bit(kernels):
    x = points(4000)
    for name in ("sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "erf", "cbrt"):
        got, mirrored = kernels(name, x), kernels(name, -x)
        assert np.array_equal(got, -mirrored, equal_nan=True), name
    for name in ("cos", "cosh", "sech2"):
        assert np.array_equal(kernels(name, x), kernels(name, -x), equal_nan=True), name


def test_every_row_has_a_function():
    text = vectors(ROWS)
    for name in ROWS:
        assert f" V v_{name}(V x" in text
    rest = {name for name in ORACLE if name not in ROWS}
    assert rest == {"sum", "dot", "prod", "max", "min", "norm", "logsumexp"}  # loops


def test_every_row_brings_what_it_uses(tmp_path):
    texts = {name: vectors([name]) for name in ROWS} | {"header": HEADER.read_text()}
    for name, text in texts.items():
        (tmp_path / f"{name}.c").write_text(text)
    options = ["-std=gnu11", "-O0", "-Wall", "-Wextra", "-Werror", "-Wno-psabi", "-c"]
    command = [*COMMAND, *options, *(f"{name}.c" for name in texts)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[:2000]


def test_coefficients_are_those_that_are_made():
    found = {float.fromhex(number) for number in re.findall(r"-?0x[\da-f.]+p[+-]\d+", HEADER.read_text())}
    words = {int(number, 16) for number in re.findall(r"0x[\da-f]{16}\b", HEADER.read_text())}
    for name, parts in constants().items():
        missing = {int(x, 16) for x in parts} - words if name == "2 / pi" else set(map(float.fromhex, parts)) - found
        assert not missing, f"{name}: {missing}"
    for name, polynomial in POLYNOMIALS.items():
        made = set(map(float, minimax(polynomial)[0])) - {0.5}
        rounding = 1e-3 if name == "erfc, slope" else 0.0
        assert all(any(abs(x - c) <= rounding * abs(c) for x in found) for c in made), name


def test_only_what_is_used_is_there():
    assert "v_" not in vectors([]).replace("v_set", "")
    text = vectors(["tanh"])
    assert {"v_tanh", "vm_half_expm1"} < set(re.findall(r"\w+", text))
    assert not re.search("vm_reduce_angle|vm_log|math.h", text)
    assert vectors(["gelu", "gelu"]).count(" v_erfc(") == 1 + 1  # defined once, used once


def test_functions_are_inlined_on_request():
    assert "#define VM_INLINE\n" in vectors(["exp"], inline=True)
    assert "#define VM_INLINE\n" not in vectors(["exp"])


def test_rows_of_users_are_translated(tmp_path, monkeypatch):
    row = Primitive("cube_above", "x ** 3.0 if x > y else inf", "None", "None")
    monkeypatch.setitem(TABLE, row.name, row)
    kernels = Kernels(Build("user", ()), tmp_path, [row.name])
    assert kernels(row.name, np.array([2.0, 1.0, np.nan]), np.array([1.0, 1.0, 0.0])).tolist() == [8.0, np.inf, np.inf]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("elephant(x)", "uses 'elephant', which is no word of the table"),
        ("[x][0]", r"'\[x\]\[0\]' in its text is no arithmetic"),
        ("1.0 if 0.0 < x < 1.0 else x", "'0.0 < x < 1.0' in its text is no arithmetic"),
        ("sum([x, x])", "uses 'sum', which is no word of the table"),
    ],
)
def test_rows_that_cannot_be_compiled_are_refused(text, message, monkeypatch):
    monkeypatch.setitem(TABLE, "odd", Primitive("odd", text, "None"))
    with pytest.raises(TypeError, match=f"primitive 'odd' cannot be compiled to machine code: .*{message}"):
        vectors(["odd"])


def test_names_of_users_do_not_meet_those_of_the_header(tmp_path, monkeypatch):
    names = ["set", "sel", "r", "frexp", "clamp"]
    for name in names:
        assert name not in TABLE
        monkeypatch.setitem(TABLE, name, Primitive(name, "x + 1.0", "1.0"))
    kernels = Kernels(Build("names", ()), tmp_path, names)
    assert [kernels(name, np.array([1.0])).tolist() for name in names] == [[2.0]] * len(names)


@pytest.mark.parametrize("name", ["sum", "logsumexp", "take", "nothing", "set"])
def test_what_is_no_function_of_numbers_is_refused(name):
    with pytest.raises(TypeError, match=f"{name!r} is no function of numbers in the table"):
        vectors([name])


def test_the_command_prints_errors_and_times(truth, capsys):
    assert main(["--points", "2000", "--functions", "exp,hypot", "--builds", "native"]) == 0
    assert re.search(r"\nexp +1\.00 +0\.\d{3} +-?0x", capsys.readouterr().out)
    assert main(["--speed", "--functions", "exp,erf", "--builds", "plain"]) == 0
    assert re.search(r"\nerf +\d+\.\d\d +–\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--functions", "exp,elephant"], "--functions knows exp, .*, not elephant"),
        (["--builds", "abacus"], "--builds knows plain, .*, not abacus"),
        (["--points", "0"], "--points needs a positive number, not 0"),
    ],
)
def test_the_command_says_what_it_knows(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert re.search(message, capsys.readouterr().err)


def test_a_bound_that_is_too_low_is_noticed(truth, monkeypatch, capsys):
    monkeypatch.setitem(BOUNDS, "exp", 0.1)
    assert main(["--points", "2000", "--functions", "exp", "--builds", "native"]) == 1
    assert "1 beyond their bounds" in capsys.readouterr().out
