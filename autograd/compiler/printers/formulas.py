"""The room of formulas: what an instruction computes, as an expression of NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite, nan

from autograd.compiler.printers.expressions import ANY, ATOM, Node, Tree, call, index, literal, method, pair
from autograd.compiler.printers.matrices import joint, masked_product, product
from autograd.compiler.printers.nests import Axis, Nest
from autograd.compiler.printers.rows import FOLDS, LOGSUMEXP, MASKED, RUNS, Rows
from autograd.compiler.printers.views import EACH, Gathered, View, expanded, reshaped
from autograd.compiler.tensors.instructions import Instruction, Number, Taken
from autograd.ops import TABLE, Primitive

__all__ = ["Formulas"]

ADD_UP, MUL, POS, ABS = (TABLE[name] for name in ("sum", "mul", "pos", "abs"))
SIGNS = {"greater": ">", "sub": "!="}
SHORT = 16  # the size of a loop that is not worth being the innermost


class Formulas:
    """Writes instructions as expressions. `is_condition` tells of one whether its results are asked for their truth alone."""

    def __init__(self, rows: Rows, is_condition: Callable[[Instruction], bool]) -> None:
        self.rows, self.is_condition = rows, is_condition

    def formula(self, nest: Nest) -> View:
        """The results, and which loops their axes are: all that are kept."""
        found = self.computed(nest)
        covered = {*found.order, *[part for j in found.order for part in nest.axes[j].parts]}
        if all(j in covered for j in nest.kept):
            return View(found.arranged(found.order), found.order)
        if isinstance(nest.parts[0], Number) and nest.row is POS:
            import numpy as np

            sizes = [nest.axes[j].size for j in nest.kept]
            return View(nest.arrays.table("C", np.full(sizes, nest.parts[0].value)), nest.kept)
        mine = [j for j in nest.kept if j in found.order]  # nothing that is read varies along the others
        return View(nest.spread(found.arranged(mine), mine, nest.kept), nest.kept)

    def computed(self, nest: Nest) -> View:
        """The results, with axes for the loops along which they vary."""
        row = nest.row
        if isinstance(x := nest.ins.operands[0], Taken):
            return taken(nest, x)
        if nest.terms is not None:
            return self.ragged(nest)
        if not nest.folded:
            if row.arity is None and row is not ADD_UP:  # of one number, or of one product
                row = MUL if row.name == "dot" else ABS if row.name == "norm" else POS
            return self.elementwise(nest, row)
        if row.name != "dot":
            return self.folded(nest, nest.read(0))
        if (found := product(nest)) is not None:
            return found
        k = next((k for k, x in enumerate(nest.parts) if isinstance(x, Number) and abs(x.value) == 1.0), None)
        if k is None:
            return self.folded(nest, self.elementwise(nest, MUL))
        found = self.folded(nest, nest.read(1 - k))
        return View(self.rows.applied(MUL, [nest.read(k).tree, found.tree]), found.order)

    def elementwise(self, nest: Nest, row: Primitive) -> View:
        """An operation on numbers one by one, in the order of the axes of an operand that has all loops."""
        views = [nest.read(k) for k in range(len(nest.parts))]
        present = {j for found in views for j in found.order}
        whole = next((found.order for found in views if len(found.order) == len(present)), None)
        order = ordered(sorted(present), nest.axes) if whole is None else whole
        trees = []
        for found in views:
            mine = [j for j in order if j in found.order]
            tree = found.arranged(mine)
            if not isinstance(found, Gathered) and mine != found.order and 1 < len(mine) < len(order):
                tree = method(tree, "copy()")  # else NumPy takes the loops in the order of the memory, and the innermost is short
            trees.append(expanded(tree, mine, order))
        sign = SIGNS.get(row.name)
        if sign and self.is_condition(nest.ins) and (sign == ">" or is_finite(nest, 1)):
            return View(pair(sign, *trees), order)
        return View(self.rows.applied(row, trees), order)

    def folded(self, nest: Nest, found: View) -> View:
        """A fold of some axes."""
        name, inner = nest.row.name if nest.row.name != "dot" else "sum", nest.folded
        if name not in FOLDS:
            raise TypeError(f"{name} of many operands has no form in NumPy")
        plain, with_mask = FOLDS[name]
        tree, order = found.arranged(found.order), list(found.order)
        varied = [*inner, *(nest.mask([])[1] if nest.terms is not None else [])]
        if missing := [j for j in dict.fromkeys(varied) if j not in order]:  # the same number again and again
            tree, order = nest.spread(tree, order, [*order, *missing]), [*order, *missing]
        if len(inner) > 1 and name in ("norm", "logsumexp"):
            first, last = ([j for j in order if j not in inner and nest.is_each(j) is is_last] for is_last in (False, True))
            sizes = [*[nest.axes[j].size for j in first], nest.size(inner), *[EACH] * len(last)]
            tree = reshaped(View(tree, order).arranged([*first, *inner, *last]), sizes)
            order, inner = [*first, inner[0], *last], inner[:1]
        if name == "logsumexp":
            self.rows.helpers["logsumexp"] = LOGSUMEXP
        rest = [j for j in order if j not in inner]
        where = sorted([order.index(j) for j in inner])
        axis = "-1" if order[-1] in inner and len(inner) == 1 and nest.is_each(inner[0]) else str(where[0])
        axis = axis if len(where) == 1 else str(tuple(where)) if rest else "None"
        needs = ATOM if plain.startswith("{}.") else ANY
        if nest.terms is not None:
            return View(Node(with_mask.format("{}", axis, "{}"), (tree, nest.mask(order)[0]), ATOM, (needs, ANY)), rest)
        return View(Node(plain.format("{}", axis if rest or needs is ANY else ""), (tree,), ATOM, (needs,)), rest)

    def ragged(self, nest: Nest) -> View:
        """Sums of several lengths: products of matrices with a mask, folds with a mask, or folds of runs of one list."""
        if (found := masked_product(nest)) is not None:
            self.rows.helpers["masked"] = MASKED
            return found
        views = [nest.read(k) for k in range(len(nest.parts))]
        if any(isinstance(found, Gathered) for found in views):
            return in_runs(nest)
        return self.folded(nest, views[0] if len(views) == 1 else self.elementwise(nest, MUL))


def is_finite(nest: Nest, k: int) -> bool:
    """Whether an operand is finite constants: then a difference from it is 0 where it is equal, and nowhere else."""
    x = nest.parts[k]
    return all(map(isfinite, [x.value] if isinstance(x, Number) else nest.arrays.numbers.get(x.buffer, [nan])))


def in_runs(nest: Nest) -> View:
    """Sums of several lengths, of one list of all terms."""
    import numpy as np

    terms, trees = nest.terms, []
    is_batched = any(map(nest.is_each, nest.kept))
    for k, x in enumerate(nest.parts):
        if isinstance(x, Number):
            trees.append(literal(x.value))
            continue
        array, places = nest.arrays.stored[x.buffer], nest.all_places(k).ravel()[terms.ravel()]
        tree = index(array.flat(), "{}", nest.arrays.places(places))
        trees.append(index(tree, ":, None") if is_batched and not array.is_batched else tree)
    whole: Tree = trees[0] if len(trees) == 1 else pair("*", *trees)
    starts = nest.arrays.places(np.cumsum([0, *terms.sum(1)[:-1]]))
    whole = call(f"np.{RUNS[nest.row.name]}.reduceat", whole, starts)
    outer, last = [j for j in nest.kept if not nest.is_each(j)], [j for j in nest.kept if nest.is_each(j)]
    order = joint(nest, outer)
    if len(order) > 1:
        whole = reshaped(whole, [nest.axes[j].size for j in (*order, *last)])
    return View(whole, [*order, *last])


def taken(nest: Nest, x: Taken) -> View:
    """Numbers of a table by index."""
    import numpy as np

    loops = range(len(nest.axes))
    both = [j for j in loops if nest.runs(0, j) and nest.runs(1, j)]
    rows, columns = ([j for j in loops if nest.runs(k, j) and not nest.runs(1 - k, j)] for k in (1, 0))
    chosen = len(nest.axes)  # the loop through what the index chooses among
    found = nest.read(1)
    nest.axes.append(Axis(x.limit, [x.step, 0], None))
    table = nest.read(0)
    nest.axes.pop()
    if chosen not in table.order:
        table = View(expanded(table.tree, table.order, [*table.order, chosen]), [*table.order, chosen])
    at: Tree = method(found.arranged([*both, *rows]), "astype(int)")
    if not both:
        return View(index(table.arranged([chosen, *columns]), "{}", at), [*rows, *columns])
    if len(both) == 1 and not nest.is_each(both[0]) and not rows:
        count = nest.arrays.places(np.arange(nest.axes[both[0]].size))
        return View(index(table.arranged([*both, chosen, *columns]), "{}, {}", count, at), [*both, *columns])
    order = [*both, *rows, *columns]
    tree = expanded(table.arranged([*both, *columns, chosen]), [*both, *columns, chosen], [*order, chosen])
    at = index(expanded(at, [*both, *rows], order), "..., None")
    return View(index(call("np.take_along_axis", tree, at, tail=", -1"), "..., 0"), order)


def ordered(loops: list[int], axes: Sequence[Axis]) -> list[int]:
    """Loops in an order in which the innermost is long: that of the examples, or, if the last is short, one that is not."""
    last = next((j for j in loops if axes[j].size == EACH), None)
    if last is not None:
        return [*[j for j in loops if j != last], last]
    if loops and axes[loops[-1]].size < SHORT:
        return sorted(loops, key=lambda j: axes[j].size >= SHORT)
    return loops
