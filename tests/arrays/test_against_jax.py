"""Arrays: every idiom of NumPy in value and gradient against jax.numpy, ties, zeros and nan included."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import autograd as ag
from tests.arrays.idioms import IDIOMS, POINTS

jax = pytest.importorskip("jax")
jnp = jax.numpy

# Where our decisions are others. The values agree, the gradients must not: a line that is no longer true fails.
EXCEPTIONS = {
    "abs'(0) is 0, and nan has no sign": {("np.abs(x)", "zeros"), ("np.abs(x)", "nan"), ("abs(x)", "zeros")},
    "the length of nothing has the gradient 0": {("np.hypot(x, x)", "zeros"), ("np.linalg.norm(x)", "zeros")},
    "numbers that do not differ have a deviation of slope 0": {("np.std(x)", "one")},
    "a tie of fmax is split": {("np.fmax(x, x[::-1])", "ties"), ("np.fmax(x, x[::-1])", "zeros")},
    "nan shares the gradient of an extreme": {
        ("np.maximum(x, 1.0)", "nan"), ("np.minimum(1.0, x)", "nan"), ("np.maximum(x, x[::-1])", "nan"),
        ("np.clip(x, 0.0, 2.1)", "nan"), ("np.max(x)", "nan"), ("np.min(x)", "nan"), ("np.ptp(x)", "nan"),
        ("np.amax(x)", "nan"), ("np.amin(x)", "nan"),
    },
    "the gradient of a quantile that is nan is that of the nan": {("np.median(x)", "nan"), ("np.percentile(x, 30.0)", "nan")},
}  # fmt: skip
DIFFERENT = {case: reason for reason, cases in EXCEPTIONS.items() for case in cases}


@pytest.fixture(autouse=True)
def wide():
    """Numbers of 64 bits in JAX, and no warnings of its own, or of nan."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
    jax.config.update("jax_enable_x64", before)


def weights(shape):
    """Different for every output, so that each of them counts."""
    return np.cos(np.arange(np.prod(shape, dtype=int)) + 0.5).reshape(shape)


def ours(idiom, x):
    """The value and the gradient of the weighted sum of all outputs."""
    seen = {}

    def loss(x):
        y = ag.array(idiom.on_numpy(x))
        seen["value"] = y.numbers
        return ag.dot(y.ravel(), weights(y.shape).ravel())

    return ag.grad(loss)(x), seen["value"]


def theirs(idiom, x):
    """The same by JAX."""
    value = np.asarray(idiom.on(jnp, jnp.asarray(x)))
    return jax.grad(lambda x: jnp.sum(jnp.asarray(idiom.on(jnp, x)) * weights(value.shape)))(jnp.asarray(x)), value


def alike(left, right):
    left, right = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    return left.shape == right.shape and np.allclose(left, right, rtol=1e-9, atol=1e-11, equal_nan=True)


@pytest.mark.filterwarnings("ignore:.*does not depend:autograd.GradientWarning")
@pytest.mark.parametrize("idiom", IDIOMS, ids=lambda idiom: f"{idiom.text}, {idiom.point}")
def test_idioms(idiom):
    if not idiom.is_known:
        pytest.skip("another NumPy")
    x = POINTS[idiom.point]
    (gradient, value), (their_gradient, their_value) = ours(idiom, x), theirs(idiom, x)
    assert alike(value, their_value)
    assert alike(gradient, their_gradient) == ((idiom.text, idiom.point) not in DIFFERENT)


def test_there_are_many():
    assert len({idiom.text for idiom in IDIOMS}) > 300
    assert set(DIFFERENT) <= {(idiom.text, idiom.point) for idiom in IDIOMS}


SECOND = """
positive  np.linalg.norm(x) ** 3
positive  np.sum(np.logaddexp(x, x[::-1] * 2.0))
positive  np.sum(np.sinc(x * 0.3))
positive  np.sort(x ** 2) @ x
positive  (np.exp(x) / np.sum(np.exp(x)))[0]
positive  np.std(x)
positive  np.var(np.exp(x))
positive  np.sum(np.cumprod(x))
signs     np.prod(x)
positive  np.interp(x[0], np.cumsum(x) - 0.1, x ** 2)
positive  np.einsum('i,j,i->', x, x, x)
positive  np.quantile(x ** 2, 0.3)
positive  np.sum(np.gradient(x ** 3) ** 2)
positive  np.polyval(x, x[0])
positive  np.max(x) * np.min(x) + np.median(x) ** 3
positive  np.sum(np.where(x > 1.0, x ** 3, -x))
square    np.linalg.det(x)
square    np.sum(np.linalg.inv(x)[0])
square    np.sum(np.linalg.solve(x, x[0]) ** 2)
square    np.sum(np.linalg.cholesky(x @ x.T))
square    np.linalg.slogdet(x)[1]
square    np.sum(np.cov(x) ** 2)
square    np.sum((x @ x @ x)[0])
square    np.linalg.norm(x, 'fro')
square    np.linalg.norm(x, 3, axis=0) @ x[0]
"""


@pytest.mark.parametrize("line", SECOND.strip().splitlines())
def test_second_derivatives(line):
    point, text = line.split(maxsplit=1)

    def f(np, x):
        return eval(text, {"np": np, "x": x})

    second = ag.hessian(lambda x: f(np, x))(POINTS[point])
    assert np.allclose(second, jax.hessian(lambda x: f(jnp, x))(POINTS[point]), rtol=1e-8, atol=1e-10)
