"""The room of idioms: NumPy as it is written, in one expression each, and the points at which every one is tried.

A line names its points and gives an expression of x; after `~`, how jax.numpy says the same, where it says it otherwise.
"""

from __future__ import annotations

import re
from math import inf, nan
from typing import NamedTuple

import numpy as np

POINTS = {
    "ordinary": np.array([0.3, -1.2, 2.5, 0.7]),
    "positive": np.array([0.3, 1.2, 2.5]),
    "unit": np.array([0.3, -0.7, 0.5]),
    "large": np.array([1.3, 2.2, 4.5]),
    "one": np.array([0.5]),
    "number": 3.0,
    "ties": np.array([1.0, 2.0, 2.0, 1.0]),
    "zeros": np.zeros(3),
    "signs": np.array([1.0, 0.0, -2.0]),
    "nan": np.array([1.0, nan, 3.0]),
    "inf": np.array([1.0, inf, -inf]),
    "matrix": np.array([[0.3, -1.2, 2.5], [0.7, 1.9, -0.4]]),
    "tied_matrix": np.array([[1.0, 2.0, 2.0], [1.0, 1.0, 0.0]]),
    "square": np.array([[2.0, 0.3, -1.0], [0.5, 1.5, 0.2], [-0.4, 0.8, 3.0]]),
    "cube": np.arange(1.0, 13.0).reshape(2, 2, 3) / 7.0,
}
EVERYWHERE = ("ordinary", "ties", "zeros", "nan", "one", "matrix")
SPECIAL = ("ties", "zeros", "signs", "nan", "inf", "tied_matrix")  # points at which derivatives are decided, not found


def changed(function, x, *arguments):
    """A copy of x after `function` has changed it in place."""
    y = x * 1.0
    function(y, *arguments)
    return y


# What the expressions may say besides `np` and `x`.
WORDS = {
    "W": np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]]),
    "M": np.array([0.5, -1.0, 2.0]),
    "B": np.arange(24.0).reshape(2, 3, 4),
    "P": np.array([[0], [2]]),
    "changed": changed,
}

TEXTS = {
    "Element by element": """
        everywhere               np.exp(x)
        positive                 np.log(x)
        positive                 np.sqrt(x)
        everywhere               np.abs(x)
        ordinary+matrix          np.fabs(x)
        ordinary                 np.absolute(x)
        everywhere               np.sign(x)
        everywhere               np.sin(x)
        everywhere               np.cos(x)
        unit                     np.tan(x)
        unit                     np.arcsin(x)
        unit                     np.arccos(x)
        everywhere               np.arctan(x)
        unit                     np.sinh(x)
        unit                     np.cosh(x)
        everywhere               np.tanh(x)
        everywhere               np.arcsinh(x)
        large                    np.arccosh(x)
        unit                     np.arctanh(x)
        everywhere               np.exp2(x)
        everywhere               np.expm1(x)
        positive                 np.log2(x)
        positive                 np.log10(x)
        positive                 np.log1p(x)
        positive                 np.cbrt(x)
        everywhere               np.square(x)
        positive+ordinary        np.reciprocal(x)
        everywhere               np.negative(x)
        everywhere               np.positive(x)
        everywhere               np.degrees(x)
        everywhere               np.radians(x)
        one                      np.rad2deg(x)
        one                      np.deg2rad(x)
        ordinary+zeros+one       np.sinc(x)
        ordinary                 np.floor(x)
        ordinary                 np.ceil(x)
        ordinary                 np.rint(x)
        ordinary                 np.trunc(x)
        ordinary+nan+inf+matrix  np.nan_to_num(x)
        ordinary                 np.round(x)
        ordinary                 np.fix(x) ~ np.trunc(x)
        ordinary+zeros           abs(x)
        everywhere               x ** 2
        positive                 x ** (-1.0)
        everywhere               2.0 ** x
        ordinary                 x % 2.0
        ordinary                 x // 2.0
        ordinary                 1.0 / x
        everywhere               -x + 1 - x * 3 / 2
        everywhere               np.maximum(x, 1.0)
        everywhere               np.minimum(1.0, x)
        ordinary+nan+matrix      np.exp(np.maximum(x, 0.0))
        everywhere               np.logaddexp(x, 2 * x)
        ordinary+matrix          np.logaddexp2(x, 1.0)
        ordinary+signs+number    np.heaviside(x, 0.5) * x
        positive                 np.float_power(x, 2.5)
        ordinary+matrix          np.hypot(x, 2.0 * x)
        ordinary+zeros           np.arctan2(x, 1.5)
        ordinary                 np.fmod(x, 0.9)
        ordinary                 np.remainder(x, 0.9)
        ordinary                 np.ldexp(x, 3)
        ordinary                 np.conj(x) * 1.0
        ordinary                 np.ediff1d(x)
        ordinary+signs           x * (x > 0)
        ordinary                 np.around(x * 3.0, 1) + x
        zeros                    np.hypot(x, x)
        number                   np.maximum(x, 3.0)
        number                   np.exp(x) * np.float64(2.0)
    """,
    "Sums, means and extremes": """
        ordinary+nan                                    np.fmax(x, 1.5)
        ordinary+nan                                    np.fmin(1.5, x)
        ordinary+nan+matrix+one+ties+tied_matrix        np.sum(x)
        matrix+tied_matrix                              np.sum(x, axis=0)
        matrix+cube                                     np.sum(x, axis=-1, keepdims=True) * x
        cube                                            np.sum(x, axis=(0, 2))
        ordinary+nan+matrix+one+ties+tied_matrix+signs  np.prod(x)
        matrix+tied_matrix                              np.prod(x, axis=0)
        matrix+cube                                     np.prod(x, axis=-1, keepdims=True) * x
        cube                                            np.prod(x, axis=(0, 2))
        ordinary+nan+matrix+one+ties+tied_matrix        np.max(x)
        matrix+tied_matrix                              np.max(x, axis=0)
        matrix+cube                                     np.max(x, axis=-1, keepdims=True) * x
        cube                                            np.max(x, axis=(0, 2))
        ordinary+nan+matrix+one+ties+tied_matrix        np.min(x)
        matrix+tied_matrix                              np.min(x, axis=0)
        matrix+cube                                     np.min(x, axis=-1, keepdims=True) * x
        cube                                            np.min(x, axis=(0, 2))
        ordinary+nan+matrix+one+ties+tied_matrix        np.mean(x)
        matrix+tied_matrix                              np.mean(x, axis=0)
        matrix+cube                                     np.mean(x, axis=-1, keepdims=True) * x
        cube                                            np.mean(x, axis=(0, 2))
        ordinary+nan+matrix+one+ties+tied_matrix        np.var(x)
        matrix+tied_matrix                              np.var(x, axis=0)
        matrix+cube                                     np.var(x, axis=-1, keepdims=True) * x
        cube                                            np.var(x, axis=(0, 2))
        ordinary+nan+matrix+one+ties+tied_matrix        np.std(x)
        matrix                                          np.std(x, axis=0)
        matrix+cube                                     np.std(x, axis=-1, keepdims=True) * x
        cube                                            np.std(x, axis=(0, 2))
        ordinary+nan+matrix+one                         np.ptp(x)
        matrix                                          np.ptp(x, axis=0)
        matrix+cube                                     np.ptp(x, axis=-1, keepdims=True) * x
        cube                                            np.ptp(x, axis=(0, 2))
        ordinary+matrix                                 x.sum()
        matrix                                          x.sum(1)
        ordinary+matrix                                 x.prod()
        matrix                                          x.prod(1)
        ordinary+matrix                                 x.max()
        matrix                                          x.max(1)
        ordinary+matrix                                 x.min()
        matrix                                          x.min(1)
        ordinary+matrix                                 x.mean()
        matrix                                          x.mean(1)
        ordinary+matrix                                 x.var()
        matrix                                          x.var(1)
        ordinary+matrix                                 x.std()
        matrix                                          x.std(1)
        ordinary+zeros                                  np.max(x, initial=1.5)
        ordinary+matrix                                 np.mean(x, dtype=float)
        ordinary+matrix                                 np.var(x, ddof=1)
        matrix                                          np.std(x, ddof=1, axis=0)
        ordinary                                        np.average(x, weights=x * x)
        matrix                                          np.average(x, axis=1, weights=np.array([1.0, 2.0, 3.0]))
        everywhere                                      np.cumsum(x)
        matrix                                          np.cumsum(x, axis=1)
        everywhere                                      np.cumprod(x)
        ordinary+matrix                                 x.cumsum(0)
        ordinary+matrix                                 x.cumprod()
        everywhere                                      np.diff(x)
        ordinary                                        np.diff(x, n=2)
        ordinary                                        np.gradient(x)
        ordinary                                        np.gradient(x, 0.5)
        matrix                                          np.gradient(x)[0] * np.gradient(x)[1]
        ordinary                                        np.trapezoid(x * x, dx=0.3)
        ordinary                                        np.trapezoid(x, x * x)
        ordinary+nan+matrix                             np.nansum(x)
        ordinary+nan+matrix                             np.nanmean(x)
        ordinary+nan+matrix                             np.nanmax(x)
        ordinary+nan+matrix                             np.nanmin(x)
        ordinary+nan+matrix                             np.nanprod(x)
        ordinary+nan+matrix                             np.nanvar(x)
        ordinary+nan+matrix                             np.nanstd(x)
        nan                                             np.nancumsum(x)
        matrix                                          np.nansum(x, axis=0)
        ordinary+matrix                                 np.add.reduce(x)
        ordinary+tied_matrix                            np.maximum.reduce(x) ~ np.max(x, 0)
        ordinary                                        np.maximum.accumulate(x)
        ordinary                                        np.exp(x - np.max(x)) / np.sum(np.exp(x - np.max(x)))
        ordinary+matrix                                 np.max(x) + np.log(np.sum(np.exp(x - x.max())))
        ordinary                                        np.cumulative_sum(x)
        ordinary+ties+nan                               np.amax(x) ~ np.max(x)
        ordinary+ties+nan                               np.amin(x) ~ np.min(x)
        ordinary+nan                                    np.nancumprod(x)
        ordinary                                        np.cumulative_prod(x)
        ordinary                                        np.trapz(x * x, dx=0.3) ~ np.trapezoid(x * x, dx=0.3)
        ordinary+ties+zeros                             np.fmax(x, x[::-1])
        matrix                                          np.nanmax(x, axis=0)
        matrix                                          np.std(x, axis=1, keepdims=True) + x
        number                                          np.sum(x) * np.mean(x) * np.max(x)
        ordinary                                        np.logaddexp.reduce(x) ~ np.log(np.sum(np.exp(x)))
        ordinary                                        np.add.accumulate(x)
        ordinary                                        np.add.reduceat(x, np.array([0, 2]))
        matrix                                          np.max(x, axis=(), keepdims=True) * 2.0 ~ x * 2.0
    """,
    "Order and places": """
        ordinary+nan+matrix+one   np.median(x)
        matrix                    np.median(x, axis=0)
        matrix+cube               np.median(x, axis=-1, keepdims=True) * x
        cube                      np.median(x, axis=(0, 2))
        ordinary+nan+matrix       np.percentile(x, 30.0)
        matrix                    np.quantile(x, np.array([0.1, 0.5, 0.8]), axis=1)
        matrix                    np.quantile(x, 0.4, axis=0, keepdims=True)
        ordinary+nan+matrix       np.nanmedian(x)
        nan                       np.nanmedian(np.stack([x, x * 2.0]), axis=1)
        nan                       np.nanmedian(np.stack([x, x * 2.0]), axis=0, keepdims=True)
        ordinary+number           np.interp(x, np.array([-2.0, 0.0, 1.0, 3.0]), np.array([1.0, 0.0, 2.0, 5.0]))
        ordinary                  np.interp(np.array([0.1, 1.5, 2.0]), np.array([0.0, 1.0, 2.0, 3.0]), x)
        positive                  np.interp(1.0, np.cumsum(x), x)
        ordinary+ties+nan+matrix  np.sort(x)
        matrix                    np.sort(x, axis=0)
        matrix                    np.sort(x, axis=None)
        ordinary                  np.sort(x)[-2:] * 2.0
        ordinary+ties             x[np.argsort(x)]
        ordinary+ties+nan         x[np.argmax(x)]
        ordinary                  x[np.argmin(x)] * x[x.argmin()]
        matrix                    np.take_along_axis(x, np.argmax(x, axis=1, keepdims=True), 1)
        ordinary                  np.sum(np.partition(x, 1)[:2])
        ordinary                  x * np.searchsorted(np.array([-1.0, 0.0, 1.0]), x)
        ordinary                  x * np.digitize(x, np.array([-1.0, 0.0, 1.0]))
        signs                     x[np.nonzero(x)]
        signs                     x * np.count_nonzero(x)
        ordinary+nan              x[np.nanargmax(x)]
        matrix                    np.take_along_axis(x, np.nanargmin(x, axis=1)[:, None], 1)
        signs                     x[np.flatnonzero(x)]
        signs                     x[np.argwhere(x)[:, 0]]
        signs                     np.trim_zeros(np.append(x, 0.0)) ~ x
        ordinary                  np.unique(x) ~ np.sort(x)
        ties                      np.unique(x) ~ x[np.array([0, 1])]
        ordinary+matrix           np.argpartition(x, 1)[..., :1] * 0 + np.sort(x)[..., :1] ~ np.sort(x)[..., :1]
    """,
    "Choices, and writing in place": """
        everywhere           np.exp(np.where(x > 0, x, 0.0))
        ordinary+matrix+nan  np.clip(x, 0.0, 2.1)
        ordinary             x.clip(-1.0, 1.4)
        ordinary             np.clip(x, 0.5, None)
        ordinary+matrix      np.sum(x * x, where=x > 0)
        ordinary             np.max(x * x, where=x > 0, initial=0.0)
        ordinary             np.mean(x * x, where=x > 0)
        everywhere           np.where(x > 0.5, x, x * x)
        number               x * np.where(x > 0, x, 0.0)
        number               np.where(np.array([True, False]), x, 0.0)
        ordinary+matrix      np.select([x < 0, x < 1], [-x, x * x], 0.5)
        number               np.select([x < 0, x < 5], [-x, x * x], 0.5)
        ordinary             np.piecewise(x, [x < 0, x >= 0], [lambda x: -x, lambda x: x * x])
        ordinary             np.choose(np.array([0, 1, 0, 1]), [x, x * x])
        ordinary             np.take(x, np.array([0, 2, 0]))
        ordinary             np.compress(np.array([True, False, True, True]), x)
        ordinary             np.extract(x > 0.5, x) ~ x[2:]
        ordinary             changed(np.put, x, [0, 2], x[1:3] * 2.0) ~ x.at[np.array([0, 2])].set(x[1:3] * 2.0)
        ordinary             changed(np.place, x, x > 0.5, np.stack([x[0], x[1]])) ~ x.at[2].set(x[0]).at[3].set(x[1])
        ordinary+matrix      changed(np.putmask, x, x > 0.5, x * x) ~ np.where(x > 0.5, x * x, x)
        ordinary             changed(np.copyto, x, x[::-1] * 2.0) ~ x[::-1] * 2.0
        matrix               changed(np.put_along_axis, x, P, x[:, 1:2] * 2.0, 1) ~ x.at[P[:, 0] // 2, P[:, 0]].set(x[:, 1] * 2.0)
        square               changed(np.fill_diagonal, x, x[0] * 2.0) ~ np.fill_diagonal(x, x[0] * 2.0, inplace=False)
        number               np.clip(x, 0.0, 2.0)
        ordinary             changed(np.add.at, x, [0, 0, 2], x[1:]) ~ x.at[np.array([0, 0, 2])].add(x[1:])
        ordinary             np.where(x > 100.0, x, 0)
        ordinary             np.exp(np.where(x > 0, x, 0))
    """,
    "Tests": """
        ordinary           x * (1.0 if np.any(x > 1) else 2.0) * (1.0 if np.all(x > -9) else 2.0)
        nan+ordinary       np.where(np.isnan(x), 0.0, x)
        nan+inf            np.where(np.isfinite(x), x, 0.0)
        inf                np.where(np.isinf(x), 0.0, x)
        ordinary+ties+nan  np.where(np.isclose(x, 1.0), x, -x)
        ordinary+nan       x * (1.0 if np.allclose(x, x) else 2.0)
        ordinary           x * (1.0 if np.array_equal(x, x + 0.0) else 2.0)
        ties               x * (x == 2.0)
        ordinary           np.where(np.signbit(x), -x, x * 2.0)
        ordinary           np.where(np.logical_and(x > 0, x < 1), x, 0.0)
        signs              np.where(np.logical_not(x), 1.0, x)
        ordinary+nan       x * (1.0 if np.array_equiv(x, x) else 2.0)
        ordinary           np.where(np.isreal(x), x, 0.0)
        ordinary           np.where(np.iscomplex(x), 0.0, x)
        ordinary           x * (2.0 if np.isrealobj(x) else 1.0) * (1.0 if np.iscomplexobj(x) else 3.0)
        inf                np.where(np.isposinf(x), 0.0, np.where(np.isneginf(x), 1.0, x))
        ordinary           np.where(np.isin(x, np.array([0.3, 2.5])), x, x * x)
    """,
    "Products and linear algebra": """
        positive                       W @ x
        matrix+positive                x @ W.T
        matrix                         x @ x.T
        ordinary+nan+square            x @ x
        cube                           np.matmul(x, x.swapaxes(1, 2))
        ordinary+square                np.dot(x, x)
        matrix+positive                x.dot(M)
        positive                       np.dot(W, x)
        ordinary                       np.dot(2.0, x)
        ordinary+matrix                np.vdot(x, x)
        ordinary+matrix                np.inner(x, x)
        ordinary+matrix                np.outer(x, x)
        ordinary+square                np.tensordot(x, x, 1)
        matrix                         np.tensordot(x, x, 2)
        matrix                         np.tensordot(x, B, ((0, 1), (0, 1)))
        matrix                         np.einsum('ij,kj->ik', x, x)
        ordinary                       np.einsum('i,i', x, x)
        square                         np.einsum('ii', x)
        square                         np.einsum('ij,jk,ik->i', x, x, x, optimize=True)
        ordinary                       np.kron(x, np.array([1.0, 2.0]))
        positive                       np.cross(x, M)
        square                         np.trace(x @ x)
        ordinary                       np.convolve(x, M)
        ordinary                       np.convolve(x, M, mode='same')
        ordinary                       np.correlate(x, M)
        matrix                         np.vecdot(x, x)
        square                         np.linalg.matrix_power(x, 3)
        square                         np.linalg.multi_dot([x, x, x])
        ordinary+matrix+one+nan+zeros  np.linalg.norm(x)
        matrix                         np.linalg.norm(x, axis=1)
        ordinary+square                np.linalg.norm(x, 1)
        ordinary                       np.linalg.norm(x, np.inf)
        ordinary                       np.linalg.norm(x, 3)
        matrix                         np.linalg.norm(x, 'fro')
        matrix                         x / np.linalg.norm(x, axis=-1, keepdims=True)
        square                         np.linalg.det(x)
        square                         np.linalg.inv(x)
        square                         np.linalg.solve(x, M)
        square                         np.linalg.solve(x, x.T)
        square                         np.linalg.slogdet(x)[1]
        square                         np.linalg.cholesky(x @ x.T)
        ordinary+matrix                np.linalg.vector_norm(x)
        matrix                         np.transpose(x) @ x
        square                         np.triu(x) @ np.tril(x)
        ordinary                       np.diag(x) @ x
        matrix                         np.apply_along_axis(lambda r: r @ r, 1, x)
        ordinary+matrix                np.cov(x)
        matrix                         np.corrcoef(x)[0, 1]
        ordinary                       np.multiply.outer(x, x)
        ordinary                       np.vectorize(lambda t: t * t + 1.0)(x)
        matrix                         np.linalg.matrix_norm(x)
        ordinary                       x @ np.diag(np.arange(1.0, 5.0)) @ x
        ordinary                       np.diagflat(x) @ x
        matrix                         np.matrix_transpose(x) @ x
        ordinary                       np.diagonal(np.outer(x, x))
        ordinary                       np.reshape(x, (2, 2)) @ x[:2]
        positive                       np.linalg.cross(x, M)
        square                         np.linalg.diagonal(x) * 2.0
        square                         np.linalg.matmul(x, x)
        square                         np.linalg.matrix_transpose(x) @ x
        ordinary                       np.linalg.outer(x, x)
        square                         np.linalg.tensordot(x, x, axes=1)
        square                         np.linalg.trace(x)
        matrix                         np.linalg.vecdot(x, x)
        square+ordinary                np.linalg.norm(x, -np.inf)
        cube                           np.linalg.norm(x, axis=(0, 2))
        ordinary                       np.linalg.norm(x, 0) * x
        matrix                         np.cov(x, bias=True)
        matrix                         np.cov(x, rowvar=False)
        cube                           np.linalg.inv(x[..., :2])
        cube                           np.linalg.det(x[..., :2])
        cube                           np.linalg.solve(x[..., :2], x[..., 2:])
        cube                           np.matmul(x, M)
        matrix                         np.matmul(M[:2], x)
        matrix                         np.matvec(x, M)
        matrix                         np.vecmat(M[:2], x)
        matrix                         np.tensordot(x, x, ([0], [0]))
        number                         np.outer(x, np.array([1.0, 2.0]))
        number                         np.tensordot(np.array([1.0, 2.0]), np.array([1.0, 3.0]) * x, 1)
        ordinary                       np.subtract.outer(x, x)
    """,
    "Polynomials": """
        ordinary+number+matrix  np.polyval(np.array([1.0, 2.0, 3.0]), x)
        ordinary                np.polyval(x, 1.5)
        ordinary                np.vander(x, 3)
        ordinary                np.polymul(x, np.array([1.0, 2.0]))
        ordinary                np.polyder(x)
        ordinary                np.polyadd(x, np.array([1.0, 2.0]))
        ordinary                np.polysub(np.array([1.0, 2.0]), x)
        ordinary                np.polyint(x)
        ordinary                np.poly(x)
    """,
    "Shapes and pieces": """
        everywhere           np.maximum(x, x[::-1])
        ordinary             np.copysign(x, -x)
        ordinary             np.divmod(x, 0.9)[1]
        ordinary             np.modf(x)[0]
        ordinary+matrix      np.concatenate([x, x * 2.0, np.ones(x.shape)])
        ordinary+matrix      np.stack([x, x * x], axis=-1)
        ordinary             np.max(np.stack([x[0], x[1], x[2] * 0 + 9.0]))
        ordinary             np.hstack([x, x])
        ordinary             np.vstack([x, x * 2])
        ordinary             np.column_stack([x, x])
        ordinary             np.append(x, 5.0)
        ordinary             np.insert(x, 1, 5.0)
        ordinary             np.delete(x, 1)
        ordinary+matrix      np.pad(x, 1)
        ordinary             np.pad(x, 2, mode='edge')
        ordinary             np.pad(x, 2, mode='reflect')
        ordinary             np.tile(x, 2)
        ordinary             np.repeat(x, 2)
        ordinary             np.roll(x, 1) * x
        ordinary+matrix      np.flip(x) * x
        matrix               np.rot90(x)
        matrix               np.block([[x, x], [x, x]])
        ordinary             np.split(x, 2)[0] * np.split(x, 2)[1]
        ordinary             np.array_split(x, 3)[0] * 2.0
        ordinary             np.meshgrid(x, x)[0] * np.meshgrid(x, x)[1]
        ordinary             np.broadcast_to(x, (2, *x.shape)) * 2.0
        ordinary             np.expand_dims(x, 0) * x
        ordinary             np.squeeze(x[:1]) * x[1]
        one+number           np.squeeze(x) * 2.0
        matrix               np.moveaxis(x, 0, 1)
        matrix               np.ravel(x) * 2.0
        matrix               x.reshape(3, 2) * 1.0
        one                  x.reshape(()) * 2.0
        ordinary+matrix      x[0, ...] * x[1]
        ordinary             x[()] * 1.0
        ordinary             x[np.array([True, False, True, False])] * 2
        ordinary             np.exp(-(x[:, None] - x[None, :]) ** 2)
        square               np.diag(x) * 2
        square               x.diagonal() * 2
        ordinary+number      np.atleast_2d(x) * 2.0
        ordinary             np.unwrap(x * 3.0)
        ordinary             np.zeros_like(x) + x
        ordinary+one+number  np.full_like(x, 2.0) * x
        ordinary+matrix      np.ones_like(x) * x
        ordinary             np.linspace(x[0], x[1], 5)
        ordinary             np.real(x) * 2.0
        matrix               np.permute_dims(x, (1, 0))
        ordinary+number      np.atleast_1d(x) * 2.0
        ordinary+number      np.atleast_3d(x) * 2.0
        ordinary             np.broadcast_arrays(x, np.ones((2, 1)))[0] * 2.0
        cube                 np.dsplit(x, 3)[1] * 2.0
        ordinary             np.dstack([x, x * x])
        matrix               np.fliplr(x) * x
        matrix               np.flipud(x) * x
        ordinary             np.hsplit(x, 2)[1] * 2.0
        matrix               np.vsplit(x, 2)[1] * 2.0
        ordinary             np.resize(x, (2, 3))
        cube                 np.rollaxis(x, 2) * 2.0
        cube                 np.swapaxes(x, 0, 2) * 2.0
        matrix               np.unstack(x)[1] * 2.0
        matrix               np.apply_over_axes(np.sum, x, (0, 1))
        positive             np.logspace(x[0], x[1], 4)
        ordinary             np.imag(x) + x
        ordinary             np.copy(x) * x
        ordinary             np.concat([x, x * x])
        ordinary             x * np.ndim(x) * np.size(x) * np.shape(x)[0]
        ordinary             changed(np.copyto, np.empty_like(x), x * 2.0) ~ x * 2.0
        number               np.stack([x, x * x])
        number               np.linspace(0.0, x, 4)
        number               np.array([1.0, 2.0]) * x
        number               np.average(np.array([1.0, 2.0]), weights=np.stack([x, x * x]))
        positive             np.geomspace(x[0], x[1], 5)
        positive             np.geomspace(-x[:2], -x[1:], 4)
        cube                 np.geomspace(x[0], x[1], 3, axis=1)
    """,
    "A Value beside numbers": """
        number  np.linspace(x, 1.0, 4, endpoint=False)
        number  np.logspace(0.0, x, 3)
        number  np.logspace(x, 1.0, 3, base=2.0)
        number  np.logspace(0.0, 1.0, 3, base=x) ~ x ** np.linspace(0.0, 1.0, 3)
        number  np.geomspace(1.0, x, 4)
        number  np.geomspace(x, 9.0, 4, endpoint=False)
        number  np.geomspace(np.array([1.0, 2.0]), x, 4)
        number  np.clip(np.array([1.0, 2.0, 9.0]), None, x)
        number  np.clip(np.array([1.0, 4.0, 9.0]), x, 8.0)
        number  np.interp(x, np.array([0.0, 5.0]), np.array([1.0, 2.0]), left=x)
        number  np.interp(np.array([-1.0, 9.0]), np.stack([x, x + 1]), np.array([1.0, 2.0]), left=x, right=2.0 * x)
        number  np.append(np.array([1.0, 2.0]), x)
        number  np.insert(np.array([1.0, 2.0]), 1, x)
        number  np.diff(np.array([1.0, 2.0]), prepend=x, append=x * x)
        number  np.ediff1d(np.array([1.0, 2.0]), to_begin=x, to_end=x * x)
        number  np.gradient(np.array([1.0, 2.0, 5.0]), x)
        number  np.trapezoid(np.array([1.0, 2.0, 5.0]), dx=x)
        number  np.select([np.array([True, False])], [np.array([1.0, 2.0])], x)
        number  np.choose(np.array([1, 0]), [np.array([1.0, 2.0]), x])
        number  np.quantile(np.array([1.0, 2.0, 5.0]), x / 10.0)
        number  np.quantile(np.array([[1.0, 2.0, 5.0], [3.0, 1.0, 9.0]]), x / 10.0, axis=1)
        number  np.percentile(np.array([1.0, 2.0, 5.0]), x * 20.0)
        number  np.unwrap(np.array([1.0, 9.0]), period=x) * x
        number  np.average(np.array([1.0, 2.0]), weights=np.append(x, 1.0))
        number  np.polyval(np.array([1.0, 2.0]), x) * np.polyval(np.append(x, 1.0), 2.0)
        number  np.polyadd(np.array([1.0, 2.0]), x) ~ np.array([1.0, 2.0]) + np.array([0.0, 1.0]) * x
        number  np.polymul(np.array([1.0, 2.0]), np.append(x, 1.0))
        number  np.polyint(np.array([1.0, 2.0]), k=x) ~ np.append(np.polyint(np.array([1.0, 2.0]))[:-1], x)
        number  np.kron(np.array([1.0, 2.0]), x)
        number  np.convolve(np.array([1.0, 2.0]), np.append(x, 1.0))
        number  np.outer(np.array([1.0, 2.0]), x) * np.dot(2.0, x) * np.vdot(2.0, x)
        number  np.einsum(',i->i', x, np.array([1.0, 2.0]))
        number  np.tensordot(np.array([1.0, 2.0]), x, 0)
        number  np.cross(np.array([1.0, 0.0, 2.0]), np.append(np.ones(2), x))
        number  np.broadcast_to(x, (2,)) * np.tile(x, 2) * np.repeat(x, 2) * np.resize(x, (2,))
        number  np.meshgrid(x, np.array([1.0, 2.0]))[0] ~ np.broadcast_to(x, (2, 1))
        number  np.concatenate([np.ones(2), np.atleast_1d(x)]) * np.hstack([np.ones(2), x])
        number  np.full_like(np.atleast_1d(x), x)
        number  np.maximum(np.array([1.0, 9.0]), x) - np.hypot(x, np.array([1.0, 9.0]))
        number  np.arctan2(np.array([1.0, 9.0]), x) + np.logaddexp(x, np.array([1.0, 9.0]))
        number  np.where(np.array([True, False]), np.array([1.0, 2.0]), x)
        number  np.nan_to_num(np.where(np.array([True, False]), x, np.nan), nan=x)
        number  np.sum(np.atleast_1d(x), initial=x) + np.max(np.atleast_1d(x), initial=x - 1.0)
        matrix  np.apply_over_axes(np.max, x, (0, 1))
    """,
}


class Idiom(NamedTuple):
    """One line of the table, at one of its points."""

    point: str
    text: str
    elsewhere: str  # in the words of jax.numpy

    @property
    def is_known(self) -> bool:
        """Whether this NumPy has all the functions."""
        return all(has(name) for name in names(self.text))

    def on_numpy(self, x):
        """The expression at x."""
        return eval(self.text, {"np": np, "x": x, **WORDS})

    def on(self, module, x):
        """The same in the words of another module."""
        return eval(self.elsewhere, {"np": module, "x": x, **WORDS})


def names(text):
    """The functions of NumPy in a text: 'sum', 'linalg.norm'."""
    return re.findall(r"\bnp\.((?:linalg\.)?\w+)", text)


def has(name):
    """Whether this NumPy has a function of this name."""
    where, _, word = name.rpartition(".")
    return hasattr(getattr(np, where) if where else np, word)


def idioms():
    """All of them."""
    found = []
    for block in TEXTS.values():
        for line in block.strip().splitlines():
            points, text = line.split(maxsplit=1)
            text, _, elsewhere = text.partition(" ~ ")
            for point in points.replace("everywhere", "+".join(EVERYWHERE)).split("+"):
                found.append(Idiom(point, text, elsewhere or text))
    return found


IDIOMS = idioms()
