"""The room of explanations: a gradient as the sum, over all paths, of products of local derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from autograd.chain import pullback
from autograd.value import Value, topological

__all__ = ["Explanation", "Path", "explain"]


class Path(NamedTuple):
    """One way from x to y: the nodes on it, and the local derivative of each step."""

    nodes: tuple[Value, ...]
    locals: tuple[float, ...]

    @property
    def product(self) -> float:
        """What this path adds to the derivative."""
        product = 1.0
        for local in self.locals:
            product *= local
        return product


class Group(NamedTuple):
    """All paths that leave x by one edge: where it leads, its local derivative, the derivative of y from there, their number."""

    node: Value
    local: float
    upstream: float
    paths: int


class Explanation:
    """Why a derivative is what it is: text when printed, LaTeX in a notebook."""

    def __init__(self, y: Value, x: Value, max_paths: int) -> None:
        order = topological(y)
        self.y, self.x = y, x
        self.counts = path_counts(order, y)
        self.cotangents = pullback(order, {y: 1.0})
        self.gradient = float(self.cotangents.get(x, 0.0))
        self.count = self.counts.get(x, 0)
        self.names = names_of(order, x, y)
        self.uses: dict[Value, list[tuple[Value, float]]] = {}  # of every node: what it enters, with the local derivative
        for node in order:
            for operand, local in zip(node._operands, node._locals):
                if isinstance(operand, Value) and local is not None and self.counts.get(node):
                    self.uses.setdefault(operand, []).append((node, local))
        few = self.count <= max_paths
        self.paths: list[Path] = self.every_path() if few else []
        self.groups: list[Group] = []
        if not few:
            self.groups = [Group(v, d, float(self.cotangents[v]), self.counts[v]) for v, d in self.uses[x]]

    def every_path(self) -> list[Path]:
        """The paths from x to y, in the order in which their operations were made."""
        if self.y is self.x:
            return [Path((self.x,), ())]
        found: list[Path] = []
        stack: list[tuple[Value, Any]] = [(self.x, None)]
        while stack:
            node, trail = stack.pop()
            if node is self.y:
                found.append(unwound(node, trail))
                continue
            for user, local in reversed(self.uses.get(node, [])):
                stack.append((user, (node, local, trail)))
        return found

    @property
    def head(self) -> str:
        """The derivative in words."""
        return f"d{self.names[self.y]}/d{self.names[self.x]}"

    def __str__(self) -> str:
        if not self.count:
            return f"{self.head} = 0: no path leads from {self.names[self.x]} to {self.names[self.y]}"
        if self.paths:
            paths = "1 path" if self.count == 1 else f"the sum over {self.count} paths"
            lines = [
                (" * ".join(shortened([signed(local) for local in path.locals], "...")) or "1", f"{path.product:.6g}",
                 " -> ".join(shortened([self.names[v] for v in path.nodes], "...")))
                for path in self.paths
            ]  # fmt: skip
        else:
            paths = f"{counted(self.count)} paths, grouped by the first step"
            lines = [
                (f"{signed(group.local)} * {signed(group.upstream)}", f"{group.local * group.upstream:.6g}",
                 f"{self.names[self.x]} -> {self.names[group.node]}, then {counted(group.paths)} "
                 f"path{'s' * (group.paths != 1)} to {self.names[self.y]}")
                for group in self.groups
            ]  # fmt: skip
        wide, narrow = max(len(line[0]) for line in lines), max(len(line[1]) for line in lines)
        terms = [f"  {terms:<{wide}} = {product:>{narrow}}   along {where}" for terms, product, where in lines]
        return "\n".join([f"{self.head} = {self.gradient:.6g}: {paths}", *terms])

    __repr__ = __str__

    def latex(self) -> str:
        r"""The same as a formula: \frac{\partial y}{\partial x} = ..."""
        y, x = (letters(self.names[node]) for node in (self.y, self.x))
        left = rf"\frac{{\partial {y}}}{{\partial {x}}}"
        if not self.count:
            return f"{left} = 0"
        if self.y is self.x:
            return f"{left} = 1"
        if self.paths:
            terms = [self.products(path) for path in self.paths]
        else:
            terms = [
                (partial(letters(self.names[group.node]), x) + partial(y, letters(self.names[group.node])),
                 rf"{bracketed(group.local)} \cdot {bracketed(group.upstream)}")
                for group in self.groups
            ]  # fmt: skip
        symbols, numbers = (" + ".join(column) for column in zip(*terms))
        return f"{left} = {symbols} = {numbers} = {tex(self.gradient)}"

    def products(self, path: Path) -> tuple[str, str]:
        """A path in LaTeX: its partial derivatives, and their numbers."""
        names = [letters(self.names[node]) for node in path.nodes]
        symbols = "".join(shortened([partial(after, before) for before, after in pairwise(names)], r"\cdots"))
        return symbols or "1", r" \cdot ".join(shortened(list(map(bracketed, path.locals)), r"\cdots")) or "1"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


def explain(y: Value, x: Value, max_paths: int = 12) -> Explanation:
    """Why is the derivative of y by x what it is? The chain rule, written out: a sum over paths of products of local derivatives.

    Print it, show it in a notebook, or take `.latex()`; `.paths` holds the nodes and numbers of every path. More than
    `max_paths` are not listed: they are counted without walking them, and grouped by the first step from x, whose local
    derivative multiplies the derivative of y by the node it leads to. `.gradient` and `.count` hold in both cases. Values
    without a label are named v1, v2, ... in the order in which they were made.

    Raises TypeError for what is no Value.

    >>> x = Value(3.0, label="x")
    >>> y = x * x + 4.0 * x
    >>> print(explain(y, x))
    dy/dx = 10: the sum over 3 paths
      3 * 1 = 3   along x -> v1 -> y
      3 * 1 = 3   along x -> v1 -> y
      4 * 1 = 4   along x -> v2 -> y
    """
    for name, node in (("y", y), ("x", x)):
        if not isinstance(node, Value):
            raise TypeError(f"explain(y, x) needs Values, but {name} is {type(node).__name__} {node!r}")
    return Explanation(y, x, max_paths)


def path_counts(order: Sequence[Value], y: Value) -> dict[Value, int]:
    """From how many paths each node reaches y: the sum of the counts of what it enters, so none of them is walked."""
    counts = {y: 1}
    for node in reversed(order):
        count = counts.get(node, 0)
        for operand, local in zip(node._operands, node._locals):
            if isinstance(operand, Value) and local is not None:
                counts[operand] = counts.get(operand, 0) + count
    return counts


def unwound(node: Value, trail: Any) -> Path:
    """A path from the linked steps that led to its end."""
    nodes, locals = [node], []
    while trail is not None:
        before, local, trail = trail
        nodes.append(before)
        locals.append(local)
    return Path(tuple(reversed(nodes)), tuple(reversed(locals)))


def names_of(order: Sequence[Value], x: Value, y: Value) -> dict[Value, str]:
    """What to call the nodes: their labels; x and y; v1, v2, ... for other results."""
    names = {y: y.label or "y"}
    names[x] = x.label or ("x" if x is not y else names[y])
    taken = {node.label for node in order} | set(names.values())
    number = 0
    for node in order:
        if node in names:
            continue
        if node.label:
            names[node] = node.label
        elif node._operands:
            number += 1
            while f"v{number}" in taken:
                number += 1
            names[node] = f"v{number}"
    return names


def shortened(parts: list[str], dots: str, most: int = 12) -> list[str]:
    """The parts, or the first and the last few of too many."""
    return parts if len(parts) <= most else [*parts[: most // 2], dots, *parts[-(most // 2) :]]


def counted(count: int) -> str:
    """A count, written out as long as it can be read."""
    if count < 10**7:
        return f"{count:,}"
    digits = len(f"{count:x}")  # hexadecimal: Python limits how long a decimal it writes
    exponent = int((digits - 1) * 1.2041199826559248)
    while count >= 10 ** (exponent + 1):
        exponent += 1
    return f"about {count * 10 // 10**exponent / 10:.1f}e{exponent}"


def signed(x: float) -> str:
    """A factor of a product, in brackets if it is negative."""
    return f"({x:.6g})" if x < 0.0 else f"{x:.6g}"


def tex(x: float) -> str:
    """A number in LaTeX."""
    mantissa, e, exponent = f"{x:.6g}".partition("e")
    if e:
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    return {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\text{nan}"}.get(mantissa, mantissa)


def bracketed(x: float) -> str:
    """A factor in LaTeX, in brackets if it is negative or a product itself."""
    text = tex(x)
    return f"({text})" if x < 0.0 or "cdot" in text else text


def partial(y: str, x: str) -> str:
    return rf"\frac{{\partial {y}}}{{\partial {x}}}"


def letters(name: str) -> str:
    """A name in LaTeX: v12 has an index, words are upright."""
    stem = name.rstrip("0123456789")
    if len(stem) == 1 and stem.isalpha():
        return f"{stem}_{{{name[1:]}}}" if name[1:] else stem
    escaped = "".join(f"\\{letter}" if letter in "#$%&_{}" else letter for letter in name)
    escaped = escaped.replace("^", r"\^{}").replace("~", r"\~{}")
    return rf"\text{{{escaped}}}"
