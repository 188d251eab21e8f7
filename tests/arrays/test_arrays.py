"""Arrays without JAX: values as NumPy's on floats, derivatives by differences, edges, refusals, and what NumPy may ask."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys
import warnings
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Array, GradientWarning, Value, array
from autograd.arrays.protocols import LIKE, OWN
from autograd.arrays.trusted import NAMES, found
from tests.arrays.idioms import IDIOMS, POINTS, SPECIAL, WORDS, has, names

HERE = Path(__file__).parent
X = np.array([1.0, 2.0, 3.0])
SMOOTH = [idiom for idiom in IDIOMS if idiom.is_known]


def alike(left, right, tolerance=1e-12):
    left, right = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    return left.shape == right.shape and np.allclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True)


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:RuntimeWarning", "ignore:.*:autograd.GradientWarning")
@pytest.mark.parametrize("idiom", SMOOTH, ids=lambda idiom: f"{idiom.text}, {idiom.point}")
def test_idioms(idiom):
    """The value is NumPy's own on floats, and its change in a direction that of the floats."""
    x = np.asarray(POINTS[idiom.point])
    assert alike(ag.vjp(lambda x: array(idiom.on_numpy(x)), x)[0], idiom.on_numpy(x))
    if idiom.point in SPECIAL:
        return
    direction = np.cos(np.arange(x.size) + 1.0).reshape(x.shape)
    x = x + 1e-3 * direction  # where no branch is as near as a step
    tangents = ag.jvp(lambda x: array(idiom.on_numpy(x)), (x,), (direction,))[1]
    step = 1e-6 * direction
    differences = (np.asarray(idiom.on_numpy(x + step)) - np.asarray(idiom.on_numpy(x - step))) / 2e-6
    assert alike(tangents, differences, 1e-6)


# What the tests below hold of functions that give no numbers.
ANSWERS = {
    "np.array2string(x)": "[1. 2. 3.]",
    "np.array_repr(x)": "Array([1., 2., 3.])",
    "np.array_str(x)": "[1., 2., 3.]",
    "np.einsum_path('i,i', x, x)[0]": ["einsum_path", (0, 1)],
    "np.may_share_memory(x, x)": True,
    "np.result_type(x, 1.0)": np.dtype(object),
    "np.shares_memory(x, x[1:])": True,
    "np.iscomplexobj(x)": False,
    "np.can_cast(x, object)": True,
}


@pytest.mark.parametrize("text", ANSWERS)
def test_answers(text):
    assert eval(text, {"np": np, "x": array([Value(1.0), 2.0, 3.0])}) == ANSWERS[text]


def test_every_function_has_an_idiom():
    tried = {name for idiom in IDIOMS for name in names(idiom.text)} | {name for text in ANSWERS for name in names(text)}
    functions = {found(name) for name in tried if has(name)}
    told = (HERE / "test_arrays.py").read_text()
    missing = [name for block in NAMES.values() for name in block.split() if has(name) and found(name) not in functions]
    assert [name for name in missing if f"np.{name}(" not in told] == []
    assert [function.__name__ for function in {*OWN, *LIKE} if function not in functions] == []


# Edges: what the table decides holds along axes and in every function of NumPy.
EDGES = [
    ("np.max(x)", [2.0, 2.0], 2.0, [0.5, 0.5]),
    ("x.max()", [2.0, 1.0, 2.0], 2.0, [0.5, 0.0, 0.5]),
    ("np.min(x, axis=0)", [2.0, 2.0, 2.0, 2.0], 2.0, [0.25] * 4),
    ("np.sum(np.maximum(x, 2.0))", [2.0, 3.0], 5.0, [0.5, 1.0]),
    ("np.sum(np.clip(x, 0.0, 1.0))", [0.0, 2.0], 1.0, [0.5, 0.0]),
    ("np.linalg.norm(x)", [0.0, 0.0], 0.0, [0.0, 0.0]),
    ("np.linalg.norm(x, axis=0)", [0.0], 0.0, [0.0]),
    ("np.sum(np.hypot(x, x))", [0.0], 0.0, [0.0]),
    ("np.prod(x)", [0.0, 2.0, 3.0], 0.0, [6.0, 0.0, 0.0]),
    ("np.max(x)", [1.0, nan], nan, [0.5, 0.5]),
    ("np.median(x)", [1.0, nan, 3.0], nan, [0.0, 1.0, 0.0]),
    ("np.sort(x)[-1]", [nan, 1.0], nan, [1.0, 0.0]),
    ("np.nanmax(x)", [2.0, nan, 2.0], 2.0, [0.5, 0.0, 0.5]),
    ("np.nansum(x * x)", [2.0, nan], 4.0, [4.0, 0.0]),
    ("np.nanmean(x)", [2.0, nan, 4.0], 3.0, [0.5, 0.0, 0.5]),
    ("np.sum(np.exp(np.where(x > 0, x, 0)))", [-1.0], 1.0, [0.0]),
    ("np.sum(1.0 / x)", [0.0], inf, [-inf]),
    ("np.sum(np.array([1.0]) / (x * 0.0))", [1.0], inf, [nan]),
    ("np.sum((x - 3.0) ** 0.5)", [-1.0], nan, [nan]),
    ("np.linalg.det(np.outer(x, x))", [1.0, 2.0], 0.0, [0.0, 0.0]),
    ("np.linalg.det(np.reshape(x, (2, 2)))", [1.0, 2.0, 2.0, 4.0], 0.0, [4.0, -2.0, -2.0, 1.0]),
    ("np.linalg.det(np.reshape(x, (2, 2)))", [0.0] * 4, 0.0, [0.0] * 4),
    ("np.linalg.det(np.reshape(x, (2, 2)))", [0.0, 1.0, 1.0, 0.0], -1.0, [0.0, -1.0, -1.0, 0.0]),
    ("np.logaddexp.reduce(x)", [-inf, 0.0], 0.0, [0.0, 1.0]),
    ("np.interp(x[0], [0.0, 1.0, 2.0], [0.0, 1.0, 4.0])", [1.0], 1.0, [3.0]),
    ("np.interp(x[0], [0.0, 1.0], [5.0, 6.0], left=0.0)", [-1.0], 0.0, [0.0]),
    ("np.interp(x[0], [1.0], [5.0])", [1.0], 5.0, [0.0]),
    ("np.interp(x[0], [0.0, 1.0], [5.0, 6.0])", [nan], nan, [1.0]),
    ("np.sum(np.sign(x) * x)", [0.0, -2.0], 2.0, [0.0, -1.0]),
    ("np.sum(np.sinc(x))", [0.0], 1.0, [0.0]),
    ("np.sum(np.round(x, 1) + x)", [0.25], 0.45, [1.0]),
    ("np.sum(np.nan_to_num(x, nan=7.0, posinf=8.0))", [nan, inf, 1.0], 16.0, [0.0, 0.0, 1.0]),
    ("np.sum(x, initial=5.0, where=x > 1.0)", [1.0, 2.0], 7.0, [0.0, 1.0]),
    ("np.sum(np.add(x, x, where=x > 1.0, out=x * 3.0))", [1.0, 2.0], 7.0, [3.0, 2.0]),
    ("np.quantile(x, 0.5)", [1.0, inf], inf, [0.5, 0.5]),
    ("np.quantile(np.array([1.0, 2.0, 5.0]), x[0])", [0.5], 2.0, [6.0]),
    ("np.quantile(np.array([1.0, 2.0, 5.0]), x[0])", [1.0], 5.0, [0.0]),
    ("np.quantile(np.array([1.0, 2.0, np.inf]), x[0])", [0.5], 2.0, [0.0]),
    ("np.apply_over_axes(np.max, x, [0])[0]", [2.0, 2.0, nan], nan, [1 / 3, 1 / 3, 1 / 3]),
    ("np.std(x)", [2.0, 2.0], 0.0, [0.0, 0.0]),
    ("np.std(x)", [2.0], 0.0, [0.0]),
    ("x.std(ddof=1)", [2.0, 2.0], 0.0, [0.0, 0.0]),
    ("np.std(np.reshape(x, (2, 2)), axis=1).sum()", [2.0, 2.0, 1.0, 3.0], 1.0, [0.0, 0.0, -0.5, 0.5]),
    ("np.nanstd(x)", [2.0, nan, 2.0], 0.0, [0.0, 0.0, 0.0]),
    ("np.std(x)", [1.0, nan], nan, [nan, nan]),
    *[
        (f"np.linalg.norm(x, {p})", [0.0, 0.0], 0.0, [0.0, 0.0])
        for p in (0, 0.5, 1, 1.5, 2, 3, 3.5, -1, -2.5, "np.inf", "-np.inf")
    ],
    ("np.linalg.norm(np.reshape(x, (2, 2)), 3, axis=1).sum()", [0.0, 0.0, 0.0, -2.0], 2.0, [0.0, 0.0, 0.0, -1.0]),
    ("np.linalg.norm(x, 0.5)", [0.0, 4.0], 4.0, [0.0, 1.0]),
    ("np.linalg.norm(x, -1)", [0.0, 4.0], 0.0, [0.0, 0.0]),
    ("np.std(x[0]) + np.var(x[0]) + np.nanstd(x[0])", [2.0], 0.0, [0.0]),
    ("np.interp(x[0], [0.0, 1.0, 1.0], [0.0, 1.0, 5.0])", [1.0], 5.0, [0.0]),
    ("np.cov(x)", [1.0], nan, [nan]),
    ("np.linalg.norm(x, 3)", [nan, 1.0], nan, [nan, nan]),
    ("np.linalg.slogdet(np.reshape(x, (2, 2)))[1]", [1.0, 2.0, 2.0, 4.0], -inf, [0.0] * 4),
]


@pytest.mark.parametrize(("text", "point", "value", "gradient"), EDGES, ids=lambda thing: str(thing))
def test_edges(text, point, value, gradient):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GradientWarning)
        results = ag.value_and_grad(lambda x: eval(text, {"np": np, "x": x}))(np.array(point))
    assert alike(results[0], value)
    assert alike(results[1], gradient)


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:RuntimeWarning", "ignore:.*:autograd.GradientWarning")
@pytest.mark.parametrize("point", ["zeros", "signs", "nan", "inf", "one", "matrix", "large"])
def test_nothing_raises_what_a_program_asks_of_its_floats(point):
    """Arithmetic is IEEE 754 whatever `numpy.errstate` says, and gives the same numbers."""

    def results(text):
        try:
            value, back = ag.vjp(lambda x: array(eval(text, {"np": np, "x": x, **WORDS})), np.asarray(POINTS[point]))
        except (ValueError, IndexError, TypeError, ZeroDivisionError) as error:
            return str(error)
        return value, back(np.ones(np.shape(value)))[0]

    for text in {idiom.text for idiom in SMOOTH}:
        with np.errstate(all="ignore"):
            expected = results(text)
        with np.errstate(all="raise"):
            found = results(text)
        assert found == expected if isinstance(expected, str) else all(map(alike, found, expected)), text


@pytest.mark.parametrize(
    "text",
    ["x ** 0.5", "x * np.inf", "x - x", "x / 0.0", "1.0 // x", "x % 0.0", "-x", "abs(x)", "np.cumsum(x)", "np.exp(x * 1e4)",
     "x @ x", "np.linalg.norm(x, 3)", "np.corrcoef(x, x)", "np.outer(x, x)", "np.subtract.outer(x, x)", "ag.log(x)",
     "ag.exp(X * 1e4)", "ag.sqrt(-X)", "ag.div(X, 0.0)", "np.var(x)"],
)  # fmt: skip
def test_no_warnings_at_infinity(text):
    for point in ([-1.0, 0.0, inf], [nan, 1e300, -inf], [0.0, 0.0, 0.0]):
        words = {"np": np, "ag": ag, "x": array(list(map(Value, point))), "X": np.array(point)}
        with warnings.catch_warnings(), np.errstate(all="warn"):
            warnings.simplefilter("error")
            eval(text, words)
        with np.errstate(all="raise"):
            eval(text, words)


def test_arrays_of_integers_are_numbers():
    """What is not an array of Values is computed by NumPy, whose integers overflow and have no infinity."""
    many, truth = np.array([2**40, -3]), np.array([True, False])
    assert ag.square(many).tolist() == ag.mul(many, many).tolist() == [2.0**80, 9.0]
    assert ag.pow(many, -1).tolist() == [2.0**-40, -1 / 3]
    assert [f(many, 0).tolist() for f in (ag.div, ag.floor_divide)] == [[inf, -inf]] * 2
    assert np.isnan(ag.mod(many, 0)).all()
    assert (ag.neg(truth).tolist(), ag.exp(truth).tolist()) == ([-1.0, 0.0], [math.e, 1.0])
    assert ag.abs(np.array(-2)) == 2.0
    assert ag.log(np.array([-1.0 + 0j]))[0].imag == math.pi


def test_logarithm_and_sign_of_a_determinant_factor_the_matrix_once():
    a = np.arange(36.0).reshape(6, 6) % 7.0 + np.eye(6)
    nodes = []
    for function in (lambda x: [np.linalg.det(x)], np.linalg.slogdet):
        nodes.append(len(ag.topological(*function(array([list(map(Value, row)) for row in a])))))
    assert nodes[1] < nodes[0] + 20
    stack = np.stack([a, np.zeros((6, 6)), -a[::-1]])
    sign, logarithm = np.linalg.slogdet(array(stack))
    assert (sign.numbers.tolist(), alike(logarithm.numbers, np.linalg.slogdet(stack)[1])) == (
        np.linalg.slogdet(stack)[0].tolist(),
        True,
    )


def test_steps_of_a_geometric_sequence():
    x = array([Value(2.0), Value(8.0)])
    assert np.geomspace(*x, 3).numbers.tolist() == pytest.approx([2.0, 4.0, 8.0])
    assert [np.geomspace(*x, n)[-1].data for n in (2, 7, 50)] == [8.0] * 3
    assert np.geomspace(*x, 0).shape == (0,)
    assert np.geomspace(-x[0], x[1], 3).numbers.tolist()[::2] == [-2.0, 8.0]
    assert np.geomspace(x, 9.0, 4, axis=1).shape == (2, 4)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * np.where(x > 0, x, 0.0),
        lambda x: x * np.select([x > 0], [x], 0.0),
        lambda x: x * np.squeeze(x),
        lambda x: x * np.array(x),
        lambda x: np.array(x) * x,
        lambda x: ag.exp(np.array(ag.log(x))) * x,
        lambda x: x.maximum(np.array(-1.0)) * x.maximum(np.array(x)),
        lambda x: np.atleast_1d(x)[0, ...] * x,
        lambda x: ag.dot([np.array(x)], [x]),
        lambda x: ag.sum([np.array(x * x), 0.0]),
        lambda x: np.array(x * x),
        lambda x: np.polyval([1.0, 0.0, 0.0], x),
        lambda x: np.tensordot(np.array([x]), np.array([x]), 1),
        lambda x: nn.mse_loss([np.array(x)], [np.array(0.0)]),
        lambda x: array(np.array(x)) * x,
        lambda x: array([np.array(x), x]).prod(),
    ],
)
def test_an_array_without_dimensions_is_the_value_in_it(f):
    assert ag.value_and_grad(f)(3.0) == pytest.approx((9.0, 6.0))
    assert ag.derivative(f, 2)(3.0) == pytest.approx(2.0)
    assert ag.gradcheck(f, 3.0)
    assert ag.compile(f).value_and_grad(3.0) == pytest.approx((9.0, 6.0))


def test_comparisons_with_an_array_without_dimensions():
    v, w = Value(1.0), np.array(Value(2.0))
    assert (v < w, v > w, v == w, v != w, v <= w, v >= w) == (True, False, False, True, True, False)


# Refused by name, with the way out.
REFUSED = {
    "np.fft.fft(x)": r"numpy\.fft\.fft has no derivative here; give it numbers, a\.numbers, or make it an autograd\.primitive",
    "np.linalg.eig(np.outer(x, x))": r"numpy\.linalg\.eig has no derivative",
    "np.linalg.eigvalsh(np.outer(x, x))": "eigvalsh has no derivative",
    "np.linalg.svd(np.outer(x, x))": "svd has no derivative",
    "np.linalg.lstsq(np.outer(x, x), x)": "lstsq has no derivative",
    "np.linalg.qr(np.outer(x, x))": "qr has no derivative",
    "np.histogram(x)": "histogram has no derivative",
    "np.i0(x)": "i0 has no derivative",
    "np.polyfit(x, x, 1)": "polyfit has no derivative",
    "np.nextafter(x, 1.0)": "nextafter has no derivative",
    "np.bitwise_and(x, 1)": "bitwise_and has no derivative",
    "np.frexp(x)": "frexp has no derivative",
    "np.nextafter(x[0], 1.0)": "nextafter has no derivative",
    "np.spacing(x)": "spacing has no derivative",
    "np.sum(x, dtype=np.float32)": "Values are floats of 64 bits; numpy.add cannot give float32",
    "np.linalg.norm(np.outer(x, x), 2)": "the norm 2 of matrices has no derivative here",
    "np.linalg.norm(np.outer(x, x), 'nuc')": "the norm 'nuc' of matrices has no derivative here",
    "np.cov(x, aweights=x)": "numpy.cov of Values is without weights",
    "np.quantile(x, 0.5, method='nearest')": "quantiles of Values are by linear interpolation",
    "np.interp(x, x, x, period=1.0)": "knows no period",
    "np.add(x, x, out=np.zeros(3))": r"an array of float64 cannot hold Values; make it an autograd\.array, or write a = a \+ b",
    "np.sum(x, out=np.zeros(()))": "an array of float64 cannot hold Values",
    "np.add.at(np.zeros(3), [0], x[0])": "an array of float64 cannot hold Values",
    "np.copyto(np.zeros(3), x)": r"an array of float64 cannot hold Values; make it an autograd\.array, or write a = a \+ b",
    "np.copyto(np.zeros(3), x[0], where=[True, False, True])": "an array of float64 cannot hold Values",
    "np.copyto(np.zeros(3, int), x, casting='unsafe')": "an array of int64 cannot hold Values",
    "np.place(np.zeros(3), [True, False, True], x)": "an array of float64 cannot hold Values",
    "np.putmask(np.zeros(3), [True, False, True], x)": "an array of float64 cannot hold Values",
    "np.full_like(np.zeros(3), x[0])": "an array of float64 cannot hold Values",
    "np.concatenate([x], out=np.zeros(3))": "an array of float64 cannot hold Values",
    "np.take(x, [0, 1], out=np.zeros(2))": "an array of float64 cannot hold Values",
    "np.cumsum(x, out=np.zeros(3))": "an array of float64 cannot hold Values",
    "np.clip(x, 0.0, 1.0, out=np.zeros(3))": "an array of float64 cannot hold Values",
    "np.einsum('i->i', x, out=np.zeros(3))": "an array of float64 cannot hold Values",
    "np.std(x, out=np.zeros(()))": "an array of float64 cannot hold Values",
    "np.geomspace(x[0], 2.0, dtype=int)": "Values are floats of 64 bits; numpy.geomspace cannot give int64",
    "array(['a'])": "needs a number, not str",
    "array([None])": "autograd.array needs a number, not NoneType",
    "array([{}])": "autograd.array needs a number, not dict",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refusals(text):
    with pytest.raises(TypeError, match=REFUSED[text]):
        eval(text, {"np": np, "array": array, "x": array(list(map(Value, X)))})


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("np.max(array([]))", ValueError, "zero-size array to reduction operation maximum which has no identity"),
        ("np.quantile(array([]), 0.5)", ValueError, "quantiles need elements, and q from 0 to 1, not 0 elements"),
        ("np.quantile(x, 2.0)", ValueError, "q = 2.0"),
        ("np.quantile(x, np.nan)", ValueError, "q = nan"),
        ("np.quantile(x, x)", ValueError, "q from 0 to 1"),
        ("np.geomspace(x[0], 0.0)", ValueError, "numpy.geomspace needs ends other than 0"),
        ("np.interp(x, [], [])", ValueError, "as many heights as points, and one at least, not 0 for 0"),
        ("np.interp(x, x, x[1:])", ValueError, "not 2 for 3"),
        ("np.matmul(x, 2.0)", ValueError, "multiply by a number with"),
        ("x @ x[1:]", ValueError, "lengths differ"),
        ("np.tensordot(x, np.ones((2, 3)), 1)", ValueError, "lengths differ"),
        ("np.sum(x, axis=1)", ValueError, "axis"),
        ("np.linalg.inv(np.outer(x, x))", np.linalg.LinAlgError, "Singular matrix"),
        ("np.linalg.solve(np.outer(x, x), x)", np.linalg.LinAlgError, "Singular matrix"),
        ("np.linalg.det(x)", np.linalg.LinAlgError, "two dimensions or more, not 1"),
        ("np.linalg.det(np.outer(x, x)[1:])", np.linalg.LinAlgError, "not one of 2 rows and 3 columns"),
        ("np.linalg.det(np.ones((0, 2, 2)) * x[0])", ValueError, "empty"),
        ("np.linalg.cholesky(-np.outer(x, x))", np.linalg.LinAlgError, "not positive definite"),
    ],
)
def test_errors(text, kind, message):
    with pytest.raises(kind, match=message):
        eval(text, {"np": np, "array": array, "x": array(list(map(Value, X)))})


# Reading the numbers inside a derivative.
def written(x):
    found = np.zeros(3)
    found[0] = x[1]
    return found


def filled(x):
    found = np.zeros(3)
    found[:] = x
    return found


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.astype(float),
        lambda x: np.asarray(x, float),
        lambda x: np.array([x[0], x[1]], dtype=float),
        lambda x: np.fromiter(x, float),
        lambda x: [math.sqrt(x[0]), np.float64(x[1])],
        written,
        filled,
    ],
)
def test_reading_the_numbers_warns_in_a_derivative(f):
    with pytest.warns(GradientWarning, match="test_arrays.py"):
        gradient = ag.grad(lambda x: np.sum(f(x)) + x[0])(X)
    assert alike(gradient, [1.0, 0.0, 0.0])
    assert len(f(array(list(map(Value, X))))) > 1  # outside nothing warns
    with pytest.raises(TypeError, match="while it is compiled"):
        ag.compile(lambda x: np.sum(f(x)) + x[0])(X)


@pytest.mark.skipif(not hasattr(np, "astype"), reason="of NumPy 2")
def test_the_function_astype_reads_too():
    with pytest.warns(GradientWarning, match="test_arrays.py"):
        ag.grad(lambda x: np.sum(np.astype(x, float)) + x[0])(X)


@pytest.mark.parametrize("name", ["sum", "max", "norm", "logsumexp", "mean", "var", "softmax", "log_softmax"])
def test_functions_of_sequences_name_the_way_out_for_matrices(name):
    for matrix in (array([[Value(1.0), 2.0]]), np.ones((2, 3)), np.ones((2, 1), dtype=object)):
        with pytest.raises(TypeError, match=rf"autograd.{name} needs a flat sequence .*; write autograd.{name}\(a.ravel\(\)\)"):
            getattr(ag, name)(matrix)


def test_numbers_and_gradients():
    x = array([[Value(1.0), 2.0], [Value(3.0), Value(4.0)]])
    np.sum(x * x).backward()
    assert (x.grad.tolist(), x.grad.dtype) == ([[2.0, 0.0], [6.0, 8.0]], float)
    assert (x.numbers.tolist(), x.numbers.dtype, type(x.numbers)) == ([[1.0, 2.0], [3.0, 4.0]], float, np.ndarray)
    assert ag.grad(lambda x: np.sum(x * x.numbers))(X).tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(TypeError, match=r"read \(.data\)"):
        ag.compile(lambda x: np.sum(x.numbers))(X)


def test_a_gradient_that_can_be_differentiated_again():
    x = array([Value(2.0), Value(3.0)])
    np.sum(x**3).backward(create_graph=True)
    assert isinstance(x.grad, Array)
    assert x.grad.numbers.tolist() == [12.0, 27.0]


def test_arrays_that_can_hold_values_are_written_into():
    x, numbers, mask = array(list(map(Value, X))), array([4.0, 5.0, 6.0]), [True, False, True]
    for write, expected in (
        (lambda a: np.copyto(a, x), [1.0, 2.0, 3.0]),
        (lambda a: np.copyto(a, x, where=mask), [1.0, 0.0, 3.0]),
        (lambda a: np.place(a, mask, x), [1.0, 0.0, 2.0]),
        (lambda a: np.putmask(a, mask, x), [1.0, 0.0, 3.0]),
        (lambda a: np.take(x, [2, 1, 0], out=a), [3.0, 2.0, 1.0]),
        (lambda a: np.std([x, x * 3.0], axis=0, out=a), [1.0, 2.0, 3.0]),
    ):
        a = np.zeros_like(x)
        write(a)
        assert (a.numbers.tolist(), {type(t) for t, s in zip(a, expected) if s}) == (expected, {Value})
    floats = np.zeros(3)
    np.copyto(floats, numbers)
    assert floats.tolist() == [4.0, 5.0, 6.0]


def test_in_place():
    def f(x):
        y = x * 1.0
        y += x
        y[1:] *= 2.0
        y[0] = 5.0
        z = np.zeros_like(x, dtype=float)
        z[2] = y[1] * y[2]
        return z.sum() + y.sum()

    assert alike(ag.grad(f)(X), [0.0, 4.0 + 4.0 * 12.0, 4.0 + 4.0 * 8.0])
    with pytest.raises(TypeError, match="cannot hold Values"):
        ag.grad(lambda x: np.zeros(3).__iadd__(x).sum())(X)


def test_shown_copied_and_kept():
    x = array([[Value(1.0), 2], [3.0, Value(4.5)]])
    assert repr(x) == "Array([[1. , 2. ],\n       [3. , 4.5]])"
    assert str(array([Value(1.0), 2.0])) == f"{array([1.0, 2.0])}" == "[1., 2.]"
    for other in (copy.deepcopy(x), copy.copy(x), pickle.loads(pickle.dumps(x))):
        assert isinstance(other, Array)
        assert (other == x).all()
    assert [type(y) for y in (x[0], x.T, x[0, 0], x > 1.0, x.argsort())] == [Array, Array, Value, np.ndarray, np.ndarray]
    assert [row.tolist() for row in x][1][0] == 3.0
    assert isinstance(x.tolist()[0][0], Value)


def test_array():
    v = Value(2.0)
    assert array(v).shape == ()
    assert array(v)[()] is v
    assert array([v, 1, True, np.float64(3.0), np.int32(4)])[1:].tolist() == [1.0, 1.0, 3.0, 4.0]
    given = array([[v, 1.0]])
    assert array(given) is not given
    assert array(given)[0, 0] is v
    assert array(np.ones((2, 0))).shape == (2, 0)
    assert array([v, 1.0]).dtype == object
    assert (array([v, 1.0]) == array([2.0, 3.0])).tolist() == [True, False]
    assert (array([v]) == None).tolist() == [False]  # noqa: E711
    assert v in array([1.0, v])


def test_arrays_of_numbers_alone():
    """Elements that are Python's floats do not raise either."""
    x, same = array([1.0, 2.0]), array([1.0, 1.0])
    assert [np.linalg.norm(x, order) for order in (3, -1, 0.5)] == [np.linalg.norm(x.numbers, order) for order in (3, -1, 0.5)]
    assert np.linalg.norm(x * 0.0, -2) == 0.0
    assert all(map(math.isnan, [np.corrcoef(same), np.cov(x[:1])]))
    assert np.cov(x, ddof=2) == inf
    assert [array(3.0).var(), array(Value(3.0)).std()] == [0.0, 0.0]
    assert np.interp(array([1.0]), [0.0, 1.0, 1.0], [0.0, 1.0, 5.0])[0] == 5.0
    assert np.ediff1d(x, to_end=x).tolist() == [1.0, 1.0, 2.0]


def test_empty():
    empty = array([])
    assert (np.sum(empty), np.prod(empty), np.linalg.norm(empty)) == (0.0, 1.0, 0.0)
    assert np.sum(array(np.zeros((0, 3))), axis=0).tolist() == [0.0] * 3
    assert (empty + 1.0).shape == np.exp(empty).shape == np.sort(empty).shape == np.cumsum(empty).shape == (0,)
    with pytest.warns(RuntimeWarning):
        assert math.isnan(np.mean(empty))


def test_what_meets_an_array_becomes_one():
    v, floats, plain = Value(2.0), np.array([1.0, 2.0]), np.array([Value(1.0), 2.0], dtype=object)
    for met in (v * floats, floats * v, plain * v, plain + array([v, v]), np.maximum(floats, v), ag.maximum(floats, v),
                  np.stack([v, v]), np.where([True, False], v, 0.0), array([v, 1.0]) @ np.ones((2, 2))):  # fmt: skip
        assert isinstance(met, Array)
    assert type(plain * 2.0) is np.ndarray
    assert isinstance(v * np.float64(2.0), Value)
    assert isinstance(np.float64(2.0) * v, Value)
    assert isinstance(np.exp(v), Value)
    assert np.float64(3.0) > v
    assert np.float64(1.0) != v
    assert [type(part) for part in np.divmod(Value(5.0), 3.0)] == [Value, Value]


class Weight(Value):
    """A Value of a program's own class."""


def test_subclasses_of_value():
    w = Weight(3.0)
    for f in (lambda x: x * w, lambda x: w * x, lambda x: np.maximum(x, w), lambda x: np.exp(array([w])) * x, lambda x: x / w):
        y = f(array([Value(1.0), 2.0]))
        assert isinstance(y, Array)
        w.grad = 0.0
        np.sum(y).backward()
        assert w.grad != 0.0
    assert np.linalg.norm(array([w, 4.0])) == 5.0
    assert np.exp(w) == ag.exp(3.0)


def test_foreign_arrays_answer_themselves():
    x, masked = array(list(map(Value, X))), np.ma.array(X, mask=[0, 1, 0])
    with pytest.raises(TypeError):
        x * masked
    assert (masked * x).sum() == 10.0

    class Series:
        def __init__(self, numbers):
            self.numbers = numbers

        def __array_ufunc__(self, ufunc, method, *inputs, **options):
            return "a Series"

    assert x * Series(X) == np.multiply(Series(X), x) == np.multiply(Value(1.0), Series(X)) == "a Series"


def test_scipy():
    special = pytest.importorskip("scipy.special")
    for name, ours in {"expit": ag.sigmoid, "erf": ag.erf, "erfc": ag.erfc, "gammaln": ag.lgamma, "psi": ag.digamma}.items():
        word = getattr(special, name)
        assert np.diag(ag.jacobian(word)(X)).tolist() == [ag.grad(ours)(x) for x in X]
        assert ag.grad(word)(0.5) == ag.grad(ours)(0.5)
    with pytest.raises(TypeError, match=r"numpy\.jv has no derivative here"):
        special.jv(1, array(list(map(Value, X))))


def test_functions_of_python_on_arrays():
    square = np.frompyfunc(lambda t: t * t, 1, 1)
    assert ag.grad(lambda x: np.sum(square(x)))(X).tolist() == [2.0, 4.0, 6.0]
    assert ag.grad(lambda x: np.sum(np.vectorize(lambda a: a @ a, signature="(n)->()")(x)))(X).tolist() == [2.0, 4.0, 6.0]
    assert ag.grad(lambda x: max(x) + sorted(x)[0] + sum(x))(X).tolist() == [2.0, 1.0, 2.0]


def test_methods():
    x = array([Value(3.0), Value(1.0), Value(2.0)])
    y = x * 1.0
    y.sort()
    assert y.numbers.tolist() == [1.0, 2.0, 3.0]
    y = x * 1.0
    y.partition(1)
    assert y[1] == 2.0
    assert (x.argsort().tolist(), x.argmax(), x.argmin(), x.argpartition(0)[0]) == ([1, 2, 0], 0, 1, 1)
    assert x.dot(x) == 14.0
    assert (x * 0.25).round(1).numbers.tolist() == [0.8, 0.2, 0.5]
    assert isinstance(x[:1].squeeze(), Value)
    assert (x > 2.0).any()
    assert x.any()
    assert x.all()
    assert np.logical_and.reduce(x)
    assert not np.logical_xor.reduce(x[:2])
    assert np.add.reduceat(x, [0, 2]).numbers.tolist() == [4.0, 2.0]
    assert x.take([0, 1]).sum() == 4.0
    assert np.outer(x, x).trace() == 14.0
    out = x * 0.0
    assert np.dot(np.eye(3), x, out=out) is out
    assert out.numbers.tolist() == [3.0, 1.0, 2.0]


# Inside the library
def test_derivatives_of_functions_of_arrays():
    assert alike(ag.jacobian(lambda x: np.cumsum(x) * x)(X), [[2.0, 0.0, 0.0], [2.0, 5.0, 0.0], [3.0, 3.0, 9.0]])
    assert ag.hessian(lambda x: np.linalg.norm(x) ** 3)(np.ones((2, 2))).shape == (2, 2, 2, 2)
    assert ag.jvp(np.sort, (X[::-1].copy(),), (X,))[1].tolist() == [3.0, 2.0, 1.0]
    assert ag.vjp(lambda x: x.max(), X)[1](1.0)[0].tolist() == [0.0, 0.0, 1.0]
    assert ag.gradcheck(lambda x: np.sum(np.tanh(x)) + np.max(x) + np.linalg.det(np.outer(x, x) + np.eye(3)), X)


def test_networks_take_arrays():
    layer, points = nn.Linear(3, 2, seed=0), array([[Value(1.0), 2.0, 3.0], [0.5, 0.25, 1.0]])
    as_lists = [layer(row) for row in points.tolist()]
    assert [layer(row) for row in points] == as_lists
    assert nn.mse_loss(points[0], X) == 0.0


COMPILED = [
    "np.std(x) + np.std(x * 0.0 + 1.0)",
    "np.linalg.norm(x, 3) + np.linalg.norm(x * 0.0, 3)",
    "np.linalg.slogdet(np.outer(x, x) + np.eye(3))[1]",
    "np.sum(np.geomspace(1.0, x[0], 4))",
    "np.quantile(np.array([1.0, 2.0, 5.0]), x[0] / 8.0)",
    "np.sum(np.tanh(np.arange(6.0).reshape(2, 3) @ x))",
    "np.max(x)",
    "np.linalg.norm(x)",
    "np.sum(np.maximum(x, 1.5))",
    "np.logaddexp.reduce(x)",
    "np.var(x)",
    "np.cumprod(x)[-1]",
    "np.einsum('i,j->', x, x)",
    "(np.exp(x) / np.exp(x).sum())[0]",
    "np.sum(np.where(x > 1.5, x * x, -x))",
    "np.sort(x)[-1] * x[0]",
    "np.median(x) * x[0]",
    "x[np.argmax(x)] * x[0]",
    "np.sum(np.interp(x, [1.0, 2.0, 3.0], [1.0, 4.0, 9.0]))",
    "np.sum(np.where(np.isnan(x), 0.0, x))",
    "np.nanmean(x)",
    "np.linalg.det(np.outer(x, x) + np.diag(x))",
    "np.linalg.solve(np.outer(x, x) + np.eye(3), x) @ x",
    "np.sum(np.nan_to_num(x))",
]


@pytest.mark.parametrize("text", COMPILED)
def test_compiled(text):
    """As the engine, also where other branches are taken; what the table chooses needs no guard."""

    def f(x):
        return eval(text, {"np": np, "x": x})

    compiled = ag.compile(f)
    for point in (X, X[::-1] * 0.7, np.array([0.5, 5.0, 1.0]), np.array([2.0, 2.0, 1.0])):
        value, gradient = ag.value_and_grad(f)(point)
        assert alike(compiled(point), value)
        assert alike(compiled.value_and_grad(point)[1], gradient)


def test_numpy_is_opened_by_need():
    program = "import sys, autograd; print('numpy' in sys.modules, 'autograd.arrays.protocols' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=HERE.parent.parent)
    assert shown.stdout.split() == ["False", "False"]
