"""The room of matrices: sums of products as products of matrices wherever they are some."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from autograd.compiler.printers.expressions import ANY, ATOM, Node, Tree, call, method, pair
from autograd.compiler.printers.nests import Axis, Nest
from autograd.compiler.printers.views import EACH, Gathered, Loop, View, reshaped, view
from autograd.compiler.tensors.instructions import Affine, Number

__all__ = ["masked_product", "product"]

LETTERS = "ijklmnopqrstuvwxyzacdefgh"  # b is the loop of the examples


class Factor(NamedTuple):
    """Operand number k, and how it is read."""

    k: int
    view: View


def product(nest: Nest) -> View | None:
    """Sums of products as a product of matrices; None where they are none."""
    if any(isinstance(x, Number) for x in nest.parts):
        return None
    first, second = Factor(0, nest.read(0)), Factor(1, nest.read(1))
    loops = range(len(nest.axes))
    both = [j for j in loops if nest.runs(0, j) and nest.runs(1, j)]
    inner, each = [j for j in both if j in nest.folded], [j for j in both if j in nest.kept]
    left, right = ([j for j in loops if nest.runs(k, j) and not nest.runs(1 - k, j)] for k in (0, 1))
    if not inner or len(both) + len(left) + len(right) < len(loops):
        return None
    if extra := [j for j in (*left, *right) if j in nest.folded]:  # what only one factor has is summed afterwards
        found = of_kinds(nest, first, second, each, left, inner, right, flat=False)
        rest = [j for j in found.order if j not in extra]
        where = sorted([found.order.index(j) for j in extra])
        return View(method(found.tree, f"sum({'' if not rest else where[0] if len(where) == 1 else tuple(where)})"), rest)
    return of_kinds(nest, first, second, each, left, inner, right)


def of_kinds(
    nest: Nest, first: Factor, second: Factor, each: list[int], left: list[int], inner: list[int], right: list[int],
    *, flat: bool = True,
) -> View:  # fmt: skip
    """A product by what the factors have: loops of both that are kept, of the first, of both that are summed, of the second."""
    if is_turned(nest, left, right):
        first, second, left, right = second, first, right, left
    if each:
        if len(left) != 1 or len(right) != 1 or len(inner) != 1 or any(map(nest.is_each, each)):
            return einsum(nest, first.view, second.view, [*each, *left, *right])
        return between(first, second, each, left, inner, right)
    if not left and not right:
        order = first.view.order
        return View(call("np.vdot", first.view.arranged(order), second.view.arranged(order)), [])
    if len(right) > 1 and nest.is_each(right[-1]) and len(inner) == 1 and len(left) <= 1:
        return between(first, second, right[:-1], left, inner, right[-1:])
    sides = [side for side in (left, inner) if side], [side for side in (inner, right) if side]
    tree: Tree = pair("@", merged(nest, first, sides[0]), merged(nest, second, sides[1]))
    if flat:
        left, right = joint(nest, left), joint(nest, right)
    if len(left) > 1 or len(right) > 1:
        tree = reshaped(tree, [nest.axes[j].size for j in (*left, *right)])
    return View(tree, [*left, *right])


def is_turned(nest: Nest, left: Sequence[int], right: Sequence[int]) -> bool:
    """Whether the second factor is the better left one. The examples are the columns of the right one, if it has them alone."""
    if any(map(nest.is_each, left)):
        return True
    if not left or not right:
        return not left and bool(right) and not nest.is_each(right[0])
    return not nest.is_each(right[-1]) and (nest.axes[left[-1]].out or 0) < (nest.axes[right[-1]].out or 0)


def between(first: Factor, second: Factor, outer: list[int], left: list[int], inner: list[int], right: list[int]) -> View:
    """Products of matrices side by side, along outer loops that the second factor has, and the first, too, or not."""
    mine = [j for j in outer if j in first.view.order]
    tree = pair("@", first.view.arranged([*mine, *left, *inner]), second.view.arranged([*outer, *inner, *right]))
    return View(tree, [*outer, *left, *right])


def merged(nest: Nest, factor: Factor, groups: Sequence[list[int]]) -> Tree:
    """A factor with one axis for each group of loops."""
    found, order, sizes = factor.view, [j for group in groups for j in group], [nest.size(group) for group in groups]
    if all(len(group) == 1 for group in groups):
        return found.arranged(order)
    if isinstance(found, Gathered) and EACH not in sizes:
        return found.merged(order, sizes)
    x, whole = nest.parts[factor.k], [one_loop(nest, group, factor.k) for group in groups]
    if isinstance(x, Affine) and all(whole):
        one = view(nest.arrays.stored[x.buffer], x.start, [loop for loop in whole if loop])
        if one is not None:
            return one.arranged(range(len(groups)))
    turned = [j for group in reversed(groups) for j in group]
    if len(groups) == 2 and found.order == turned:
        return method(reshaped(found.arranged(turned), sizes[::-1]), "T")
    return reshaped(found.arranged(order), sizes)


def one_loop(nest: Nest, group: Sequence[int], k: int) -> Loop | None:
    """Loops as one, if an operand lies so that one can run on into the next."""
    for outer, inner in pairwise([nest.axes[j] for j in group]):
        if outer.strides[k] != inner.strides[k] * inner.size or inner.size == EACH:
            return None
    return Loop(nest.size(group), nest.axes[group[-1]].strides[k])


def joint(nest: Nest, loops: list[int]) -> list[int]:
    """Loops whose results lie one after the other as one loop, which the nest has from now on; else the loops."""
    axes = [nest.axes[j] for j in loops]
    together = all(EACH not in (a.size, b.size) and a.out == (b.out or 0) * b.size for a, b in pairwise(axes))
    if len(loops) < 2 or not together:
        return loops
    nest.axes.append(Axis(nest.size(loops), [0] * len(nest.parts), axes[-1].out, tuple(loops)))
    return [len(nest.axes) - 1]


def einsum(nest: Nest, first: View, second: View, kept: list[int]) -> View:
    """Sums of products along any loops."""
    kept = sorted(kept, key=nest.is_each)
    letters = dict(zip([j for j in dict.fromkeys([*kept, *first.order]) if not nest.is_each(j)], LETTERS))
    left, right, out = ("".join([letters.get(j, "b") for j in order]) for order in (first.order, second.order, kept))
    trees = first.arranged(first.order), second.arranged(second.order)
    return View(Node(f"np.einsum('{left},{right}->{out}', {{}}, {{}})", trees, ATOM, (ANY, ANY)), kept)


def masked_product(nest: Nest) -> View | None:
    """A product of matrices of which only some terms count; None if it is none, or if the mask is not that of one factor."""
    views = [nest.read(0), nest.read(1)] if len(nest.parts) == 2 else []
    if not views or any(map(nest.is_each, range(len(nest.axes)))) or any(isinstance(x, Number) for x in nest.parts):
        return None
    _, loops = nest.mask([])
    for first, second in (views, views[::-1]):
        inner = nest.folded
        each = [j for j in first.order if j in second.order and j not in inner]
        left, right = ([j for j in side.order if j not in (*each, *inner)] for side in (first, second))
        order = [*each, *left, *inner]
        is_all = len(order) + len(right) == len(nest.axes) and len(inner) == len(left) == len(right) == 1
        if is_all and {*loops} <= {*order} and inner[0] in first.order and inner[0] in second.order:
            trees = first.arranged(order), second.arranged([*each, *inner, *right])
            return View(call("masked", nest.mask(order)[0], *trees), [*each, *left, *right])
    return None
