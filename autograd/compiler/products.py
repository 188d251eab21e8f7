"""The room of products over examples: how rows, products and sums are printed where the last axis is that of a batch."""

from __future__ import annotations

from autograd.compiler.recover import Shape

__all__ = ["batched_product", "is_plain", "taken", "total_product"]


def taken(form: str, table: str, index: str, batched: list[bool]) -> str:
    """Rows of one table, or an element of each row of a table, by index."""
    if form == "taken" and not batched[0]:
        return f"{table}[{index}]"
    if form == "taken" and not batched[1]:
        return f"{table}[{index}].swapaxes(1, 2)"  # the examples are the last axis
    if form == "taken":
        return f"np.take_along_axis({table}, {index}[:, None], 0)"
    table = f"{table}[..., None]" if batched[0] and not batched[1] else table
    index = f"{index}[:, None, None]" if batched[1] and not batched[0] else f"{index}[:, None]"
    return f"np.take_along_axis({table}, {index}, 1)[:, 0]"


def total_product(texts: list[str], shapes: list[Shape], *, deep: bool) -> str:
    """Sums of products over the examples, as well as over the last axis of the arguments, unless this is left out."""
    axes = 2 if deep else 1
    rows, columns = len(shapes[0]) > axes, len(shapes[1]) > axes
    if is_plain(shapes, deep=deep):
        if columns and not rows:
            return f"{texts[1]} @ {texts[0]}"
        return f"{texts[0]} @ {texts[1]}{'.T' if columns else ''}"
    if deep or not (rows and columns):
        h, p, m = "h" if deep else "", "p" if rows else "", "m" if columns else ""
        return f"np.einsum('{h}{p}kb,{h}{m}kb->{h}{p}{m}', {texts[0]}, {texts[1]})"
    return f"np.tensordot({texts[0]}, {texts[1]}, ([1, 2], [1, 2]))"


def is_plain(shapes: list[Shape], *, deep: bool) -> bool:
    """Whether the sums are over the examples alone: a product of matrices, or single rows, of numbers for each example."""
    return not deep and all(shape[-1] == 1 for shape in shapes)


def batched_product(texts: list[str], shapes: list[Shape], batched: list[bool], *, deep: bool) -> str:
    """The matrix product for each example."""
    (first, second), axes = texts, 2 if deep else 1
    p, m = len(shapes[0]) > axes, len(shapes[1]) > axes  # whether there are several rows
    if not deep and not batched[1]:
        return f"{second} @ {first}" if m or not p else f"np.tensordot({second}, {first}, ([0], [1]))"
    if not deep and not batched[0] and not m:
        return f"{first} @ {second}"
    h, rows, columns = "h" if deep else "", "p" if p else "", "m" if m else ""
    left, right = (f"{h}{side}k{'b' if b else ''}" for side, b in zip((rows, columns), batched))
    return f"np.einsum('{left},{right}->{h}{rows}{columns}b', {first}, {second})"
