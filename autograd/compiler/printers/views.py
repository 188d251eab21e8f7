"""The room of views: places with strides in a named array, as slices, reshapes and transposes of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

from autograd.compiler.printers.expressions import Name, Tree, index, method

__all__ = ["EACH", "Loop", "Stored", "View", "expanded", "named", "reshaped", "turned", "view", "widths"]

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
        return any(axis.size == EACH for axis in self.axes)


class View(NamedTuple):
    """An expression, and which loops its axes are. Where numbers are gathered, `places` are those in `tree`, which is flat."""

    tree: Tree
    order: list[int]
    places: Any = None


def view(stored: Stored, start: int, loops: Sequence[Loop]) -> View | None:
    """The numbers that loops with strides visit, the axes in the order in which the array has them; None if slices cannot."""
    low = start + sum([loop.stride * (loop.size - 1) for loop in loops if loop.stride < 0])
    tree, axes, is_new = stored.tree, list(stored.axes), False
    for _ in range(MOST):
        firsts, found = offsets(low, axes), assigned(loops, axes)
        if found is None:
            return None
        trouble = next((d for d in range(len(axes)) if not fits(firsts[d], axes[d], [loops[j] for j in found[d]])), None)
        if trouble is None:
            break
        d, axis = trouble, axes[trouble]
        inner = sorted([loops[j] for j in found[d]], key=lambda loop: -abs(loop.stride))
        step, reach = abs(inner[0].stride), sum(abs(loop.stride) * (loop.size - 1) for loop in inner[1:])
        wide = step // axis.stride
        if len(inner) > 1 and reach < step and axis.size % wide == 0 and axis.size > wide and firsts[d] % wide * axis.stride + reach < step:
            axes[d : d + 1] = [Loop(axis.size // wide, step), Loop(wide, axis.stride)]
        elif len(inner) > 1 and reach < step and firsts[d] + wide * inner[0].size <= axis.size and not is_new:
            first, count = firsts[d], wide * inner[0].size
            tree = index(tree, ", ".join([":"] * d + [f"{first}:{first + count}"]))
            low -= first * axis.stride
            axes[d] = Loop(count, axis.stride)
        elif d and axes[d - 1].stride == axis.stride * axis.size and EACH not in (axis.size, axes[d - 1].size):
            axes[d - 1 : d + 1] = [Loop(axes[d - 1].size * axis.size, axis.stride)]
        else:
            return None
        is_new = True
    else:
        return None
    if is_new:
        tree = reshaped(tree, [axis.size for axis in axes])
    parts = [sliced(first, axis, [loops[j] for j in js]) for first, axis, js in zip(firsts, axes, found)]
    while parts and parts[-1] == ":":
        parts.pop()
    return View(index(tree, ", ".join(parts)) if parts else tree, [j for js in found for j in js])


def offsets(place: int, axes: Sequence[Loop]) -> list[int]:
    """The index of a place along each axis."""
    found = [0] * len(axes)
    for d in sorted(range(len(axes)), key=lambda d: (-axes[d].stride, axes[d].size == 1)):
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
    loop = loops[0]
    step = loop.stride // axis.stride
    if (first, step, loop.size) == (0, 1, axis.size):
        return ":"
    if step < 0:
        last = first - step * (loop.size - 1)
        return f"{last if last < axis.size - 1 else ''}:{first - 1 if first else ''}:{step}"
    end = first + step * (loop.size - 1) + 1
    return f"{first}:{end}" if step == 1 else f"{first}:{min(end + step - 1, axis.size)}:{step}"


def reshaped(tree: Tree, sizes: Sequence[int]) -> Tree:
    """An expression in another shape."""
    return method(tree, "ravel()" if len(sizes) == 1 else f"reshape({', '.join(map(str, sizes))})")


def turned(found: View, order: Sequence[int]) -> Tree:
    """An expression with its axes in this order of loops."""
    turn = [found.order.index(j) for j in order]
    moved = [k for k, j in enumerate(turn) if k != j]
    if not moved:
        return found.tree
    if len(turn) == 2:
        return method(found.tree, "T")
    if len(moved) == 2:
        return method(found.tree, f"swapaxes({moved[0]}, {moved[1]})")
    return method(found.tree, f"transpose({', '.join(map(str, turn))})")


def expanded(tree: Tree, has: Sequence[int], order: Sequence[int]) -> Tree:
    """An expression that broadcasts to loops of which it has some, in this order."""
    parts = [":" if j in has else "None" for j in order]
    while parts and parts[0] == "None":
        del parts[0]
    if "None" not in parts:
        return tree
    first = parts.index("None")
    while parts[-1] == ":":
        parts.pop()
    if first > 1 and all(part == "None" for part in parts[first:]) and len(parts) == len(order):
        parts[:first] = ["..."]
    return index(tree, ", ".join(parts))


def widths(stored: Stored, start: int, loop: Loop) -> list[int]:
    """Where a loop that runs on through several axes may be split: the sizes of the innermost ones together."""
    axes = sorted([axis for axis in stored.axes if axis.size > 1], key=lambda axis: axis.stride)
    found, size = [], 0
    for axis in axes:
        if size == 0 and axis.stride == loop.stride and start % (axis.stride * axis.size) // axis.stride == 0:
            size = axis.size
        elif size and axis.stride == loop.stride * size:
            size *= axis.size
        elif size:
            break
        if size and size < loop.size:
            found.append(size)
    return found


def named(name: str, shape: Sequence[int], *, batched: bool = False) -> Stored:
    """An array in the order of its places."""
    axes = [Loop(size, prod(shape[d + 1 :])) for d, size in enumerate(shape)]
    return Stored(Name(name), (*axes, Loop(EACH, STEP)) if batched else tuple(axes))
