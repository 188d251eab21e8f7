"""The room of views: places with strides in a named array, as slices, reshapes and transposes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from autograd.compiler.printers.expressions import Name, Tree, index, method

__all__ = ["EACH", "STEP", "Gathered", "Loop", "Stored", "View", "expanded", "reshaped", "stored", "view", "widths"]

EACH = -1  # the size of the axis of the examples, as `reshape` has it, and
STEP = 1 << 60  # its stride: it is like no other
MOST = 12  # changes of the axes of an array until slices can be taken


class Loop(NamedTuple):
    """A loop through an array: how often it runs, and by how much the place grows."""

    size: int
    stride: int


class Stored(NamedTuple):
    """An array that has a name: the loops through its places, in the order of its axes."""

    tree: Tree
    axes: tuple[Loop, ...]

    @property
    def is_batched(self) -> bool:
        """Whether it has an axis of examples."""
        return any(axis.size == EACH for axis in self.axes)

    @property
    def size(self) -> int:
        """How many numbers it has, for one example."""
        return prod([axis.size for axis in self.axes if axis.size != EACH])

    def flat(self) -> Tree:
        """The array along one axis, in the order of its places; that of the examples stays the last."""
        order = sorted(range(len(self.axes)), key=lambda d: (self.axes[d].size == EACH, -self.axes[d].stride))
        tree = View(self.tree, list(range(len(self.axes)))).arranged(order)
        if len(self.axes) - self.is_batched == 1:
            return tree
        return reshaped(tree, [self.size, EACH] if self.is_batched else [self.size])


def stored(name: str, shape: Sequence[int], *, batched: bool = False) -> Stored:
    """An array in the order of its places."""
    axes = [Loop(size, prod(shape[d + 1 :])) for d, size in enumerate(shape)]
    return Stored(Name(name), (*axes, Loop(EACH, STEP)) if batched else tuple(axes))


@dataclass(frozen=True)
class View:
    """An expression, and which loops its axes are."""

    tree: Tree
    order: list[int]

    def arranged(self, order: Sequence[int]) -> Tree:
        """The expression with its axes in this order of loops."""
        turn = [self.order.index(j) for j in order]
        moved = [k for k, j in enumerate(turn) if k != j]
        if not moved:
            return self.tree
        if len(turn) == 2:
            return method(self.tree, "T")
        if len(moved) == 2:
            return method(self.tree, f"swapaxes({moved[0]}, {moved[1]})")
        return method(self.tree, f"transpose({', '.join(map(str, turn))})")


@dataclass(frozen=True)
class Gathered(View):
    """Numbers at places of a flat array; `table` makes an expression of an array of places."""

    places: Any
    table: Callable[[Any], Tree]

    def arranged(self, order: Sequence[int]) -> Tree:
        """The expression with its axes in this order of loops."""
        inner = [j for j in order if j in self.order[: self.places.ndim]]
        places = self.places.transpose([self.order.index(j) for j in inner])
        return View(index(self.tree, "{}", self.table(places)), [*inner, *self.order[self.places.ndim :]]).arranged(order)

    def merged(self, order: Sequence[int], sizes: Sequence[int]) -> Tree:
        """The expression with its axes in this order of loops, and then in this shape."""
        places = self.places.transpose([self.order.index(j) for j in order]).reshape(sizes)
        return index(self.tree, "{}", self.table(places))


def view(array: Stored, start: int, loops: Sequence[Loop]) -> View | None:
    """The numbers that loops with strides visit, the axes in the order in which the array has them; None if slices cannot."""
    low = start + sum([loop.stride * (loop.size - 1) for loop in loops if loop.stride < 0])
    tree, axes, is_new = array.tree, list(array.axes), False
    for _ in range(MOST):
        firsts, found = offsets(low, axes), assigned(loops, axes)
        if found is None:
            return None
        mine = [[loops[j] for j in js] for js in found]
        d = next((d for d, axis in enumerate(axes) if not fits(firsts[d], axis, mine[d])), None)
        if d is None:
            tree = reshaped(tree, [axis.size for axis in axes]) if is_new else tree
            parts = [sliced(*three) for three in zip(firsts, axes, mine)]
            while parts and parts[-1] == ":":
                parts.pop()
            return View(index(tree, ", ".join(parts)) if parts else tree, [j for js in found for j in js])
        changed = divided(firsts[d], axes[d], mine[d])
        if changed is not None and changed[0] < axes[d].size and not is_new:  # the rest of the axis makes no whole parts
            tree = index(tree, ", ".join([":"] * d + [f"{firsts[d]}:{firsts[d] + changed[0]}"]))
            low -= firsts[d] * axes[d].stride
        if changed is not None and (changed[0] == axes[d].size or not is_new):
            axes[d : d + 1] = changed[1]
        elif d and axes[d - 1].stride == axes[d].stride * axes[d].size and EACH not in (axes[d].size, axes[d - 1].size):
            axes[d - 1 : d + 1] = [Loop(axes[d - 1].size * axes[d].size, axes[d].stride)]
        else:
            return None
        is_new = True
    return None


def divided(first: int, axis: Loop, loops: Sequence[Loop]) -> tuple[int, list[Loop]] | None:
    """How much of an axis is two axes, for the outer one of some loops and the others, and those; None if that will not do."""
    if len(loops) < 2:
        return None
    outer, *inner = sorted(loops, key=lambda loop: -abs(loop.stride))
    step, reach = abs(outer.stride), sum([abs(loop.stride) * (loop.size - 1) for loop in inner])
    wide = step // axis.stride
    if reach >= step or wide >= axis.size:
        return None
    if axis.size % wide == 0 and first % wide * axis.stride + reach < step:
        return axis.size, [Loop(axis.size // wide, step), Loop(wide, axis.stride)]
    if first + wide * outer.size <= axis.size:
        return wide * outer.size, [Loop(outer.size, step), Loop(wide, axis.stride)]
    return None


def offsets(place: int, axes: Sequence[Loop]) -> list[int]:
    """The index of a place along each axis."""
    found = [0] * len(axes)
    for d in sorted(range(len(axes)), key=lambda d: -axes[d].stride):
        if axes[d].size > 1:
            found[d], place = divmod(place, axes[d].stride)
    return found


def assigned(loops: Sequence[Loop], axes: Sequence[Loop]) -> list[list[int]] | None:
    """For each axis the loops that run along it: a loop belongs to the longest step that divides its own."""
    found: list[list[int]] = [[] for _ in axes]
    for j, loop in enumerate(loops):
        possible = [d for d, axis in enumerate(axes) if abs(loop.stride) % axis.stride == 0 and axis.size != 1]
        if not possible:
            return None
        found[max(possible, key=lambda d: axes[d].stride)].append(j)
    return found


def fits(first: int, axis: Loop, loops: Sequence[Loop]) -> bool:
    """Whether a slice of an axis is what one loop visits."""
    if axis.size == EACH or not loops:
        return True
    return len(loops) == 1 and first + abs(loops[0].stride) // axis.stride * (loops[0].size - 1) < axis.size


def sliced(first: int, axis: Loop, loops: Sequence[Loop]) -> str:
    """The index of an axis."""
    if not loops:
        return str(first)
    step, size = loops[0].stride // axis.stride, loops[0].size
    if (first, step, size) == (0, 1, axis.size):
        return ":"
    if step < 0:
        last = first - step * (size - 1)
        return f"{last if last < axis.size - 1 else ''}:{first - 1 if first else ''}:{step}"
    end = first + step * (size - 1) + 1
    return f"{first}:{end}" if step == 1 else f"{first}:{min(end + step - 1, axis.size)}:{step}"


def reshaped(tree: Tree, sizes: Sequence[int]) -> Tree:
    """An expression in another shape."""
    return method(tree, "ravel()" if len(sizes) == 1 else f"reshape({', '.join(map(str, sizes))})")


def expanded(tree: Tree, has: Sequence[int], order: Sequence[int]) -> Tree:
    """An expression that broadcasts to loops of which it has some, in this order."""
    parts = [":" if j in has else "None" for j in order]
    while parts and parts[0] == "None":
        del parts[0]
    if "None" not in parts:
        return tree
    first = parts.index("None")
    if first > 1 and all(part == "None" for part in parts[first:]):
        parts[:first] = ["..."]
    while parts[-1] == ":":
        parts.pop()
    return index(tree, ", ".join(parts))


def widths(array: Stored, start: int, loop: Loop) -> list[int]:
    """Where a loop that runs on through several axes may be split: the sizes of the innermost ones together."""
    found, size = [], 0
    for axis in sorted([axis for axis in array.axes if axis.size > 1], key=lambda axis: axis.stride):
        if size == 0 and axis.stride == loop.stride and start % (axis.stride * axis.size) // axis.stride == 0:
            size = axis.size
        elif size and axis.stride == loop.stride * size:
            size *= axis.size
        elif size:
            break
        if size and size < loop.size:
            found.append(size)
    return found
