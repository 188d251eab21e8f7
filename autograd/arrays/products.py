"""The room of products: sums of products in one node each, and the linear algebra that is made of them."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, prod
from typing import Any

import numpy as np

from autograd.arrays.elements import Plain, filled, objects, plain, written
from autograd.arrays.order import argmax
from autograd.arrays.reductions import axes_of, lines, reduction
from autograd.arrays.words import LOOPS, WORDS, flat_at_zero
from autograd.functions import apply
from autograd.ops import TABLE

__all__ = [
    "GENERALIZED", "cholesky", "corrcoef", "cov", "cross", "det", "dot", "inner", "inv", "matmul", "norm", "slogdet", "solve",
    "tensordot", "vdot",
]  # fmt: skip

divide, sqrt = WORDS[np.divide], WORDS[np.sqrt]  # of elements


def of_lines(left: list[Any], right: list[Any]) -> Any:
    """The sum of the products of two lines."""
    return apply(TABLE["dot"], *left, *right)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The sums of products along axes of the one and axes of the other."""
    a, b = objects(a), objects(b)
    if isinstance(axes, (int, np.integer)):
        axes = range(a.ndim - axes, a.ndim), range(axes)
    left, right = (np.atleast_1d(along).tolist() for along in axes)
    if [a.shape[i] for i in left] != [b.shape[i] for i in right]:
        raise ValueError(f"products of arrays with the shapes {a.shape} and {b.shape} along {left} and {right}: lengths differ")
    (rows, shape), (columns, rest) = lines(a, left), lines(b, right)
    columns = columns.tolist()
    return filled([of_lines(row, column) for row in rows.tolist() for column in columns], shape + rest)


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """The sums of products of the rows of the one and the columns of the other."""
    a, b = objects(a), objects(b)
    found = tensordot(a, b, ((-1,), (-min(b.ndim, 2),))) if a.ndim and b.ndim else a * b
    return written(found, out)


def inner(a: Any, b: Any) -> Any:
    """The sums of products of the rows of both."""
    a, b = objects(a), objects(b)
    return tensordot(a, b, ((-1,), (-1,))) if a.ndim and b.ndim else a * b


def vdot(a: Any, b: Any) -> Any:
    """The sum of the products of all elements."""
    return tensordot(objects(a).ravel(), objects(b).ravel(), 1)


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The vectors at right angles to those of both; of vectors with two numbers, which lie in a plane, their length upwards."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(objects(a), axisa, -1), np.moveaxis(objects(b), axisb, -1)
    if not {a.shape[-1], b.shape[-1]} <= {2, 3}:
        raise ValueError(f"numpy.cross takes vectors of 2 or 3 numbers, not of {a.shape[-1]} and {b.shape[-1]}")
    (x, y, *up), (u, v, *over) = (np.moveaxis(side, -1, 0) for side in (a, b))
    if not up and not over:
        return x * v - y * u
    z, w = up[0] if up else 0.0 * x, over[0] if over else 0.0 * u
    return np.moveaxis(np.stack(np.broadcast_arrays(y * w - z * v, z * u - x * w, x * v - y * u)), 0, axisc)


def matmul(a: Any, b: Any) -> Any:
    """The product of matrices, or of stacks of them."""
    a, b = objects(a), objects(b)
    if not a.ndim or not b.ndim:
        raise ValueError("numpy.matmul multiplies matrices and vectors; multiply by a number with *")
    if a.ndim <= 2 and b.ndim <= 2:
        return dot(a, b)
    left, right = a[None, :] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b
    found = on_stacks(dot, left, right)
    found = found[..., 0, :] if a.ndim == 1 else found
    return found[..., 0] if b.ndim == 1 else found


# Universal functions of vectors and matrices; some are younger than the oldest NumPy.
GENERALIZED: dict[Any, Callable[..., Any]] = {np.matmul: matmul}
if hasattr(np, "vecdot"):
    GENERALIZED[np.vecdot] = lambda a, b, axis=-1: reduction(np.add, objects(a) * objects(b), axis)
if hasattr(np, "matvec"):
    GENERALIZED[np.matvec] = lambda a, b: matmul(a, plain(b)[..., None])[..., 0]
    GENERALIZED[np.vecmat] = lambda a, b: matmul(plain(a)[..., None, :], b)[..., 0, :]


def on_stacks(function: Callable[..., Any], *operands: Any) -> Any:
    """A function of matrices on stacks of matrices, which are broadcast."""
    operands = tuple([objects(x) for x in operands])
    if any(x.ndim < 2 for x in operands):
        raise np.linalg.LinAlgError(f"a matrix has two dimensions or more, not {min(x.ndim for x in operands)}")
    stack = np.broadcast_shapes(*[x.shape[:-2] for x in operands])
    if not prod(stack):
        raise ValueError(f"a stack of matrices with the shape {stack} is empty")
    operands = tuple([np.broadcast_to(x, stack + x.shape[-2:]) for x in operands])
    found = [objects(function(*[x[index] for x in operands])) for index in np.ndindex(stack)]
    return np.stack(found).reshape(stack + found[0].shape)


def factored(a: Plain) -> tuple[list[list[Any]], list[int], float]:
    """The triangular factors of a square matrix in one, the order of its rows, and the sign of that order.

    Elimination with pivots, column by column, in which every element is one sum of products. It stops at a column of zeros.
    """
    if a.shape[0] != a.shape[1]:
        raise np.linalg.LinAlgError(f"a square matrix is needed, not one of {a.shape[0]} rows and {a.shape[1]} columns")
    rows, order, sign = a.tolist(), list(range(len(a))), 1.0
    for j in range(len(rows)):
        for i, row in enumerate(rows):
            if k := min(i, j):
                row[j] = row[j] - of_lines(row[:k], [above[j] for above in rows[:k]])
        pivot = j + int(argmax([abs(row[j]) for row in rows[j:]]))
        if pivot != j:
            rows[j], rows[pivot], sign = rows[pivot], rows[j], -sign
            order[j], order[pivot] = order[pivot], order[j]
        if rows[j][j] == 0.0:
            break
        for row in rows[j + 1 :]:
            row[j] = divide(row[j], rows[j][j])
    return rows, order, sign


def is_singular(rows: list[list[Any]]) -> bool:
    return any(row[i] == 0.0 for i, row in enumerate(rows))


def solve(a: Any, b: Any) -> Any:
    """The x for which a @ x = b. Raises LinAlgError for a singular matrix, which has none or many."""
    b = objects(b)
    return on_stacks(solution, a, b[:, None])[..., 0] if b.ndim == 1 else on_stacks(solution, a, b)


def solution(a: Plain, b: Plain) -> Plain:
    rows, order, _ = factored(a)
    if is_singular(rows):
        raise np.linalg.LinAlgError("Singular matrix: it has no inverse, and no derivative leads through it")
    if len(a) != len(b):
        raise ValueError(f"numpy.linalg.solve needs as many right sides as rows, not {len(b)} for {len(a)}")
    columns = []
    for column in b[order].T.tolist():
        for i, row in enumerate(rows[1:], 1):
            column[i] = column[i] - of_lines(row[:i], column[:i])
        for i, row in reversed(list(enumerate(rows))):
            rest = column[i] - of_lines(row[i + 1 :], column[i + 1 :]) if i + 1 < len(rows) else column[i]
            column[i] = divide(rest, row[i])
        columns.append(column)
    return filled([x for line in zip(*columns) for x in line], b.shape)


def inv(a: Any) -> Any:
    """The inverse."""
    return solve(a, np.eye(np.shape(a)[-1]))


def det(a: Any) -> Any:
    """The determinant."""
    return on_stacks(determinant, a)[()]


def determinant(a: Plain) -> Any:
    rows, _, sign = factored(a)
    if is_singular(rows):
        return without_division(a)
    return apply(TABLE["prod"], sign, *[row[i] for i, row in enumerate(rows)])


def without_division(a: Plain) -> Any:
    """The determinant of a singular matrix: a polynomial of its elements, so that all derivatives are right (Bird 2011)."""
    found = a
    for _ in range(len(a) - 1):
        upper, below, k = np.triu(found, 1), 0.0, len(a) - 1
        for i in range(k, -1, -1):
            upper[i, i] = -below
            below = below + found[i, i]
        found = matmul(upper, a)
    return found[0, 0] * (-1.0) ** (len(a) - 1)


def slogdet(a: Any) -> Any:
    """The sign of the determinant, and the logarithm of its size, which overflows later."""
    found = on_stacks(sign_and_logarithm, a)
    kind: Any = type(np.linalg.slogdet(np.eye(1)))  # a named tuple, but of the oldest NumPy
    return getattr(kind, "_make", kind)((found[..., 0], found[..., 1]))


def sign_and_logarithm(a: Plain) -> Plain:
    rows, _, sign = factored(a)
    if is_singular(rows):
        return filled([0.0, -inf], (2,))
    diagonal = [row[i] for i, row in enumerate(rows)]
    logarithms = [WORDS[np.log](abs(x)) for x in diagonal]
    return filled([apply(TABLE["prod"], sign, *map(WORDS[np.sign], diagonal)), apply(TABLE["sum"], *logarithms)], (2,))


def cholesky(a: Any, *, upper: bool = False) -> Any:
    """The lower triangle whose product with its transpose is a symmetric matrix, of which the lower half is read."""
    return on_stacks(lambda a: triangle(a).T if upper else triangle(a), a)


def triangle(a: Plain) -> Plain:
    found = np.full(a.shape, 0.0, dtype=object)
    for i in range(len(a)):
        for j in range(i + 1):
            rest = a[i, j] - of_lines(found[i, :j].tolist(), found[j, :j].tolist()) if j else a[i, j]
            if i != j:
                found[i, j] = divide(rest, found[j, j])
                continue
            if not rest > 0.0:
                raise np.linalg.LinAlgError("Matrix is not positive definite")
            found[i, i] = sqrt(rest)
    return found


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The length of vectors, or the size of matrices. Raises TypeError for the norms that need singular values."""
    x = objects(x)
    axes = axes_of(axis, x.ndim)
    if ord is None or (ord == 2 and len(axes) == 1) or (ord == "fro" and len(axes) == 2):
        return reduction(np.hypot, x, axes, keepdims)
    sizes = abs(x)
    if len(axes) == 2 and ord in (1, -1, inf, -inf):  # the largest or smallest sum of a column, or of a row
        row, column = axes if abs(ord) == 1 else axes[::-1]
        sums = reduction(np.add, sizes, row, keepdims=True)
        found = reduction(np.maximum if ord > 0 else np.minimum, sums, column, keepdims=True)
        return found if keepdims else np.squeeze(found, axes)
    if len(axes) != 1 or isinstance(ord, str):
        raise TypeError(f"the norm {ord!r} of matrices has no derivative here; None, 'fro', 1, -1, inf and -inf have")
    if abs(ord) == inf:
        return reduction(np.maximum if ord > 0 else np.minimum, sizes, axes, keepdims)
    if ord == 0:
        return reduction(np.add, LOOPS[np.not_equal](x, 0.0).astype(float), axes, keepdims)
    if ord == 1:
        return reduction(np.add, sizes, axes, keepdims)
    power = LOOPS[np.power]
    sizes = flat_at_zero(lambda size: size)(sizes)  # as abs'(0) is 0, whatever the slope of the power
    return power(reduction(np.add, power(sizes, plain(ord)), axes, keepdims), plain(1.0 / ord))


def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, fweights: Any = None, aweights: Any = None,
    *, dtype: Any = None,
) -> Any:  # fmt: skip
    """The covariances of the rows, or with `rowvar=False` of the columns."""
    if fweights is not None or aweights is not None or dtype is not None:
        raise TypeError("numpy.cov of Values is without weights and types; write it with numpy.average")
    m = samples(m, rowvar)
    m = m if y is None else np.concatenate([m, samples(y, rowvar)])
    deviations = m - reduction(np.add, m, 1, keepdims=True) / m.shape[1]
    count = m.shape[1] - ((not bias) if ddof is None else ddof)
    return np.squeeze(LOOPS[np.divide](matmul(deviations, deviations.T), plain(count)))


def samples(m: Any, rowvar: bool) -> Any:
    m = objects(m)
    return m.reshape(1, -1) if m.ndim < 2 else m if rowvar else m.T


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, **options: Any) -> Any:
    """The correlations of the rows: the covariances over the widths."""
    found = cov(x, y, rowvar, **options)
    divided = LOOPS[np.divide]
    if not found.ndim:
        return divided(found, found)
    widths = LOOPS[np.sqrt](np.diagonal(found))
    return divided(divided(found, widths[:, None]), widths[None, :])
