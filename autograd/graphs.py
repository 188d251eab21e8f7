"""The room of graphs: a computation graph as it stood at one moment, frozen, for pictures, tables and checks."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from autograd.value import Value, topological

__all__ = ["Edge", "Graph", "Node"]


class Node(NamedTuple):
    """One number of the graph. Its name comes from its place in the topological order, so equal programs give equal names."""

    name: str
    kind: str  # "leaf", "constant" or "result"
    label: str
    op: str
    data: float
    grad: float
    scope: tuple[str, ...]

    @property
    def title(self) -> str:
        """What a picture writes first: 'L = *', 'L', '*', or nothing."""
        return " = ".join(part for part in (self.label, self.op) if part)


class Edge(NamedTuple):
    """One use of a number: where it goes, and the derivative of the result by it (None for a constant: no path leads back)."""

    source: str
    target: str
    local: float | None
    constant: bool


class Graph:
    """The graph below a Value: its nodes in topological order, operands before results, and an edge for every use.

    >>> a = Value(2.0, label="a")
    >>> b = a * a * 3
    >>> b.backward()
    >>> print(Graph(b))
    name  node      data  grad  made from
    n0    a            2    12
    n1    *            4     3  n0 (x 2), n0 (x 2)
    c2.1  constant     3
    n2    *           12     1  n1 (x 3), c2.1
    """

    def __init__(self, root: Value) -> None:
        if not isinstance(root, Value):
            raise TypeError(f"a graph starts at a Value, not at {type(root).__name__} {root!r}")
        nodes: list[Node] = []
        edges: list[Edge] = []
        names: dict[Value, str] = {}
        for i, value in enumerate(topological(root)):
            names[value] = name = f"n{i}"
            for place, (operand, local) in enumerate(zip(value._operands, value._locals)):
                if isinstance(operand, Value):
                    edges.append(Edge(names[operand], name, local, False))
                else:
                    constant = f"c{i}.{place}"
                    nodes.append(Node(constant, "constant", "", "", operand, 0.0, value._note.scope))
                    edges.append(Edge(constant, name, local, True))
            kind = "result" if value._operands else "leaf"
            grad = float(value.grad) + 0.0  # -0.0 becomes 0.0
            nodes.append(Node(name, kind, value.label, value._op, value._data, grad, value._note.scope))
        self.nodes, self.edges, self.root = tuple(nodes), tuple(edges), names[root]

    @property
    def differentiated(self) -> bool:
        """Whether `backward()` has reached the root: its own gradient is not 0."""
        return self.nodes[-1].grad != 0.0

    def check(self) -> list[str]:
        """Where a gradient is not the sum of local derivative times gradient over all uses: empty if all is well.

        A leaf that fails has gradients of more than one `backward()` in it: a forgotten `zero_grad()`, or another root.

        >>> x = Value(3.0, label="x")
        >>> (x * x).backward(); y = x * x; y.backward()
        >>> Graph(y).check()
        ['x has the gradient 12.0, but this graph gives it 6.0']
        """
        grads = {node.name: node.grad for node in self.nodes}
        sums: dict[str, float] = {self.root: grads[self.root]}
        for edge in reversed(self.edges):
            if edge.local is not None and grads[edge.target] != 0.0:
                sums[edge.source] = sums.get(edge.source, 0.0) + edge.local * grads[edge.target]
        return [
            f"{node.title or node.name} has the gradient {node.grad!r}, but this graph gives it {sums.get(node.name, 0.0)!r}"
            for node in self.nodes
            if node.kind != "constant" and not same(node.grad, sums.get(node.name, 0.0))
        ]

    def to_dict(self) -> dict[str, Any]:
        """The graph as plain lists and dictionaries, ready for JSON: {"root": ..., "nodes": [...], "edges": [...]}."""
        return {
            "root": self.root,
            "nodes": [{**node._asdict(), "scope": list(node.scope)} for node in self.nodes],
            "edges": [edge._asdict() for edge in self.edges],
        }

    def __str__(self) -> str:
        uses: dict[str, list[str]] = {}
        for edge in self.edges:
            factor = "" if edge.constant else f" (x {edge.local or 0.0:.4g})"
            uses.setdefault(edge.target, []).append(edge.source + factor)
        rows = [("name", "node", "data", "grad", "made from")]
        for node in self.nodes:
            grad = "" if node.kind == "constant" else f"{node.grad:.4g}"
            rows.append((node.name, node.title or node.kind, f"{node.data:.4g}", grad, ", ".join(uses.get(node.name, []))))
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = [
            f"{name:<{widths[0]}}  {title:<{widths[1]}}  {data:>{widths[2]}}  {grad:>{widths[3]}}  {source}".rstrip()
            for name, title, data, grad, source in rows
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Graph({len(self.nodes)} nodes, {len(self.edges)} edges)"


def same(x: float, y: float) -> bool:
    return math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-300) or (x != x and y != y)
