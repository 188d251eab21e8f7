"""The room of trust: NumPy's own functions that are right on Arrays, because all they are made of is.

A function that is neither here nor written in these rooms is refused: it may read the numbers without a word. The tests compare
every one with JAX.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["TRUSTED"]

NAMES = {
    "sums and means": """
        all amax amin any average count_nonzero cumprod cumsum cumulative_prod cumulative_sum diff max
        mean min nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmin nanprod nansum nanvar
        prod ptp sum trapezoid trapz var
    """,
    "products": "convolve correlate einsum einsum_path kron outer trace",
    "polynomials": "poly polyadd polyder polyint polymul polysub polyval vander",
    "choices": "choose clip compress extract piecewise put put_along_axis select take take_along_axis where",
    "places": "argwhere digitize flatnonzero nonzero searchsorted trim_zeros unique unwrap",
    "tests": """
        allclose array_equal array_equiv can_cast isclose iscomplex iscomplexobj isin isneginf isposinf isreal isrealobj
        may_share_memory result_type shares_memory
    """,
    "shapes": """
        append array_split astype atleast_1d atleast_2d atleast_3d block broadcast_arrays broadcast_to column_stack
        concat concatenate copy delete diag diagflat diagonal dsplit dstack expand_dims fill_diagonal flip fliplr flipud
        hsplit hstack matrix_transpose meshgrid moveaxis ndim pad permute_dims ravel repeat reshape resize roll
        rollaxis rot90 shape size split stack swapaxes tile transpose tril triu unstack vsplit vstack
    """,
    "the rest": """
        apply_along_axis imag linspace logspace real
    """,
    "linalg": """
        linalg.cross linalg.diagonal linalg.matmul linalg.matrix_norm linalg.matrix_power linalg.matrix_transpose
        linalg.multi_dot linalg.outer linalg.tensordot linalg.trace linalg.vecdot linalg.vector_norm
    """,
}


def found(path: str) -> Any:
    """NumPy's function of this name, if this NumPy has it."""
    where, _, name = path.rpartition(".")
    return getattr(getattr(np, where) if where else np, name, None)


TRUSTED = {found(path) for names in NAMES.values() for path in names.split()} - {None}
