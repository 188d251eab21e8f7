"""The room of graphs: a computation graph as it stood at one moment, frozen, for pictures, tables and checks."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple

from autograd.value import Value, topological

__all__ = ["Box", "Edge", "Fold", "Graph", "Link", "Node"]

Path = tuple[str, ...]
LINES = 400  # of a table that is printed; of more, the middle is left out
CROWD = 8  # more leaves than this that feed the same boxes are one box in a folded view


class Node(NamedTuple):
    """One number of the graph; equal programs give equal nodes."""

    id: int  # its place in the topological order, constants included
    kind: str  # "leaf", "constant" or "result"
    label: str
    op: str  # the operation that made it; "" for leaves and constants
    data: float
    grad: float
    scope: Path  # the module or block that made it; a leaf without label or scope belongs where all its users are
    line: str  # the line of the program that made it, recorded under `detect_anomaly()`; else ""

    @property
    def name(self) -> str:
        """What pictures and tables call it: 'n12'."""
        return f"n{self.id}"

    @property
    def title(self) -> str:
        """What a picture writes first: 'L = *', 'L', '*', or nothing."""
        return " = ".join(part for part in (self.label, self.op) if part)


class Edge(NamedTuple):
    """One use of a number: the ids of the operand and the result, and the derivative of the one by the other.

    `local` is None where no path leads back: from constants, and from what a choice did not choose.
    """

    source: int
    target: int
    local: float | None


class Box(NamedTuple):
    """What a folded view draws as one: a single node, a whole scope, or a crowd of leaves that feed the same scopes."""

    path: Path  # of the scope; () for anything else
    nodes: tuple[int, ...]  # ids, in order
    outputs: tuple[int, ...]  # those that are used outside, and the root
    shape: int  # boxes of one shape hold the same operations, connected in the same way

    @property
    def single(self) -> bool:
        """Whether this is one node that stands for itself."""
        return not self.path and len(self.nodes) == 1


class Link(NamedTuple):
    """What a folded view draws as one line: all uses of one box by another."""

    source: int  # places in `Fold.boxes`
    target: int
    edges: tuple[int, ...]  # places in `Graph.edges`


class Fold(NamedTuple):
    """A folded view: boxes in topological order, the links between them, and scopes left open as their boxes make cycles."""

    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    kept_open: tuple[str, ...]


class Graph:
    """The graph below a Value, frozen: nodes in topological order, operands before results, and an edge for every use.

    `nodes[i].id` is i; every use of a constant is a small node of its own; the edges into one node stand together, in the order
    of its operands, and before those into later nodes. `names` gives labels to Values without one: a dictionary such as
    `model.named_parameters()`. Raises TypeError if `root` is no Value.

    >>> a = Value(2.0, label="a")
    >>> b = a * a * 3
    >>> b.backward()
    >>> print(Graph(b))
    name  node      data  grad  made from
    n0    a            2    12
    n1    *            4     3  n0 (x 2), n0 (x 2)
    n2    constant     3
    n3    *           12     1  n1 (x 3), n2
    """

    def __init__(self, root: Value, names: Mapping[str, Value] | None = None) -> None:
        if not isinstance(root, Value):
            raise TypeError(f"a graph starts at a Value, not at {type(root).__name__} {root!r}")
        order = topological(root)
        labels = {value: name for name, value in (names or {}).items()}
        homes = home_scopes(order)
        nodes: list[Node] = []
        edges: list[Edge] = []
        ids: dict[Value, int] = {}
        for value in order:
            note = value._note
            sources: list[int] = []
            for operand in value._operands:
                if isinstance(operand, Value):
                    sources.append(ids[operand])
                else:
                    sources.append(len(nodes))
                    nodes.append(Node(len(nodes), "constant", "", "", operand, 0.0, note.scope, ""))
            ids[value] = id = len(nodes)
            edges += [Edge(source, id, local) for source, local in zip(sources, value._locals)]
            grad = float(value.grad) + 0.0  # -0.0 becomes 0.0
            scope = homes.get(value, note.scope)
            label = note.label or (short(labels[value], scope) if value in labels else "")
            nodes.append(Node(id, "result" if sources else "leaf", label, value._op, value._data, grad, scope, note.line))
        self.nodes, self.edges, self.root = tuple(nodes), tuple(edges), nodes[-1].id

    @property
    def differentiated(self) -> bool:
        """Whether `backward()` has reached the root: its own gradient is not 0."""
        return self.nodes[self.root].grad != 0.0

    def check(self) -> list[str]:
        """Where a gradient is not the sum of local derivative times gradient over all uses: empty if all is well.

        A leaf that fails has gradients of more than one `backward()` in it: a forgotten `zero_grad()`, or another root. Other
        failures come from hooks, or from gradients that were set by hand.

        >>> x = Value(3.0, label="x")
        >>> (x * x).backward(); y = x * x; y.backward()
        >>> Graph(y).check()
        ['x has the gradient 12.0, but this graph gives it 6.0']
        """
        sums = [0.0] * len(self.nodes)
        sizes = [0.0] * len(self.nodes)  # of the terms: what rounding is judged by
        reached = [False] * len(self.nodes)
        sums[self.root], reached[self.root] = self.nodes[self.root].grad, True
        for target, edges in self.uses_backward():
            if reached[target]:
                upstream = self.nodes[target].grad
                for edge in edges:
                    if edge.local is not None:
                        term = edge.local * upstream
                        sums[edge.source] += term
                        sizes[edge.source] += abs(term)
                        reached[edge.source] = True
        return [
            f"{node.title or node.name} has the gradient {node.grad!r}, but this graph gives it {total!r}"
            for node, total, size in zip(self.nodes, sums, sizes)
            if node.kind != "constant" and not same(node.grad, total, size)
        ]

    def uses_backward(self) -> Iterator[tuple[int, Sequence[Edge]]]:
        """Every result, last first, with the edges into it in the order of its operands: the order of the backward pass."""
        end = len(self.edges)
        while end:
            start, target = end - 1, self.edges[end - 1].target
            while start and self.edges[start - 1].target == target:
                start -= 1
            yield target, self.edges[start:end]
            end = start

    def fold(self, depth: int | None = None, expand: str | Iterable[str] = ()) -> Fold:
        """A view with every scope of `depth` names as one box; `expand` lists scopes that stay open one level more.

        Without either, every node is a box of its own. More than eight leaves that feed the same scopes are one box too. Boxes
        that would be part of a cycle stay open, and `kept_open` names their scopes.

        Raises ValueError for a depth below 1 and for a scope that the graph does not have.

        >>> from autograd import scope
        >>> x = Value(2.0, label="x")
        >>> with scope("square"):
        ...     y = x * x + 1
        >>> view = Graph(y * 3).fold(depth=1)
        >>> [box.path or box.nodes for box in view.boxes]
        [(0,), ('square',), (4,), (5,)]
        """
        if depth is not None and depth < 1:
            raise ValueError(f"depth must be at least 1, not {depth!r}")
        scopes = {node.scope for node in self.nodes}
        known = {scope[:end] for scope in scopes for end in range(1, len(scope) + 1)}
        opened: set[Path] = set()
        for text in [expand] if isinstance(expand, str) else expand:
            path = tuple(text.split("/"))
            if path not in known:
                some = ", ".join(sorted("/".join(path) for path in known)[:8]) or "none"
                raise ValueError(f"the graph has no scope {text!r} to expand; it has {some}{', ...' * (len(known) > 8)}")
            opened |= {path[:end] for end in range(1, len(path) + 1)}
        level = depth or (1 if opened else math.inf)
        kept: set[Path] = set()
        while True:
            groups, place_of = self.grouped(level, opened | kept)
            links = self.links(place_of)
            order = acyclic_order(len(groups), links)
            if len(order) == len(groups):
                break
            backward = acyclic_order(len(groups), {(target, source): [] for source, target in links})
            stuck = set(range(len(groups))) - set(order) - set(backward)  # on a cycle, or between two
            kept |= {path for path, _ in (groups[place] for place in stuck) if path}
        return self.ordered(groups, links, order, kept)

    def grouped(self, level: float, opened: set[Path]) -> tuple[list[tuple[Path, list[int]]], list[int]]:
        """The nodes of every box, with the path of its scope; and for every node the place of its box."""
        fronts: dict[Path, Path] = {}  # the scope that is drawn as a box, of every scope; () if it is open
        for node in self.nodes:
            if node.scope not in fronts:
                ends = range(1, len(node.scope) + 1)
                fronts[node.scope] = next((node.scope[:e] for e in ends if e >= level and node.scope[:e] not in opened), ())
        fed = self.boxes_fed(fronts)
        groups: list[tuple[Path, list[int]]] = []
        places: dict[Any, int] = {}
        place_of: list[int] = []
        for node in self.nodes:
            path = fronts[node.scope]
            key = path or fed.get(node.id) or node.id
            if (place := places.get(key)) is None:
                places[key] = place = len(groups)
                groups.append((path, []))
            groups[place][1].append(node.id)
            place_of.append(place)
        return groups, place_of

    def boxes_fed(self, fronts: Mapping[Path, Path]) -> dict[int, frozenset[Path]]:
        """The boxes that each leaf of a crowd feeds: leaves outside of boxes that feed boxes only, and the same ones."""
        fed: dict[int, set[Path]] = {node.id: set() for node in self.nodes if node.kind == "leaf" and not fronts[node.scope]}
        for edge in self.edges:
            if edge.source in fed:
                fed[edge.source].add(fronts[self.nodes[edge.target].scope])
        crowds: dict[frozenset[Path], list[int]] = {}
        for id, paths in fed.items():
            if paths and () not in paths:
                crowds.setdefault(frozenset(paths), []).append(id)
        return {id: paths for paths, crowd in crowds.items() if len(crowd) > CROWD for id in crowd}

    def links(self, place_of: Sequence[int]) -> dict[tuple[int, int], list[int]]:
        """The edges between each two boxes, by their places."""
        links: dict[tuple[int, int], list[int]] = {}
        for i, edge in enumerate(self.edges):
            ends = place_of[edge.source], place_of[edge.target]
            if ends[0] != ends[1]:
                links.setdefault(ends, []).append(i)
        return links

    def ordered(
        self, groups: Sequence[tuple[Path, list[int]]], links: Mapping[tuple[int, int], list[int]], order: Sequence[int],
        kept: Iterable[Path],
    ) -> Fold:  # fmt: skip
        """The view, its boxes in topological order."""
        leaving = {self.edges[i].source for edges in links.values() for i in edges} | {self.root}
        into: list[list[int]] = [[] for _ in self.nodes]
        for edge in self.edges:
            into[edge.target].append(edge.source)
        shapes: dict[Any, int] = {}
        boxes = []
        for place in order:
            path, ids = groups[place]
            inside = {id: i for i, id in enumerate(ids)}
            shape = tuple((self.nodes[id].kind, self.nodes[id].op, *(inside.get(source) for source in into[id])) for id in ids)
            outputs = tuple(id for id in ids if id in leaving)
            boxes.append(Box(path, tuple(ids), outputs, shapes.setdefault(shape, len(shapes))))
        new = {place: i for i, place in enumerate(order)}
        lines = sorted(Link(new[source], new[target], tuple(edges)) for (source, target), edges in links.items())
        return Fold(tuple(boxes), tuple(lines), tuple(sorted("/".join(path) for path in kept)))

    def folded_sizes(self) -> dict[int, int]:
        """How many boxes the view folded at each depth has.

        >>> from autograd import scope
        >>> with scope("square"):
        ...     y = Value(2.0) ** 2
        >>> Graph(y + 1).folded_sizes()
        {1: 3}
        """
        deepest = max(len(node.scope) for node in self.nodes)
        return {depth: len(self.fold(depth).boxes) for depth in range(1, deepest + 1)}

    def to_dict(self) -> dict[str, Any]:
        """The graph as plain lists and dictionaries: {"root": id, "differentiated": bool, "nodes": [...], "edges": [...]}.

        Nodes and edges are dictionaries with the fields of `Node` and `Edge`, in the order of the graph; a scope is a list.
        """
        return {
            "root": self.root,
            "differentiated": self.differentiated,
            "nodes": [{**node._asdict(), "scope": list(node.scope)} for node in self.nodes],
            "edges": [edge._asdict() for edge in self.edges],
        }

    def to_json(self) -> str:
        """The dictionary of `to_dict` as JSON; the numbers that JSON lacks are texts: "NaN", "Infinity", "-Infinity".

        Python's `float` and JavaScript's `Number` read them back.
        """
        data = self.to_dict()
        for row in (*data["nodes"], *data["edges"]):
            for key, value in row.items():
                if value.__class__ is float and not math.isfinite(value):
                    row[key] = "NaN" if value != value else "Infinity" if value > 0.0 else "-Infinity"
        return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    def to_networkx(self) -> Any:
        """The graph as a `networkx.MultiDiGraph`, with the fields of nodes and edges as attributes (needs networkx)."""
        import networkx

        result = networkx.MultiDiGraph(root=self.root)
        result.add_nodes_from((node.id, node._asdict()) for node in self.nodes)
        result.add_edges_from((edge.source, edge.target, {"local": edge.local}) for edge in self.edges)
        return result

    def __str__(self) -> str:
        return self.table(LINES)

    def table(self, limit: int | None = None) -> str:
        """Every node with its number, its gradient and its operands, a line each; above `limit`, the middle is left out.

        >>> x = Value(3.0, label="x")
        >>> print(Graph(x * x).table())
        name  node  data  grad  made from
        n0    x        3     -
        n1    *        9     -  n0 (x 3), n0 (x 3)
        """
        nodes = self.nodes
        if limit is not None and len(nodes) > limit:
            nodes = (*nodes[: limit - limit // 4], *nodes[-(limit // 4) :])
        uses: dict[int, list[str]] = {}
        for edge in self.edges:
            source = self.nodes[edge.source]
            factor = "" if source.kind == "constant" else f" (x {edge.local or 0.0:.4g})"
            uses.setdefault(edge.target, []).append(source.name + factor)
        rows = [("name", "node", "data", "grad", "made from")]
        for node in nodes:
            grad = "" if node.kind == "constant" else f"{node.grad:.4g}" if self.differentiated else "-"
            rows.append((node.name, node.title or node.kind, f"{node.data:.4g}", grad, ", ".join(uses.get(node.id, []))))
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = [
            f"{name:<{widths[0]}}  {title:<{widths[1]}}  {data:>{widths[2]}}  {grad:>{widths[3]}}  {source}".rstrip()
            for name, title, data, grad, source in rows
        ]
        if len(nodes) < len(self.nodes) and limit is not None:
            lines.insert(1 + limit - limit // 4, f"... {len(self.nodes) - len(nodes):,} more; graph.table() has them all ...")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Graph({len(self.nodes)} nodes, {len(self.edges)} edges)"


def home_scopes(order: Iterable[Value]) -> dict[Value, Path]:
    """Where leaves without label and scope belong: in the innermost scope that all their users are in.

    Parameters are such leaves: a module's box holds its weights, though they were made long before it was called.
    """
    homes: dict[Value, Path] = {}
    for value in order:
        scope = value._note.scope
        for operand in value._operands:
            if isinstance(operand, Value) and not (operand._operands or operand._note.scope or operand._note.label):
                home = homes.get(operand, scope)
                homes[operand] = home if home == scope else common(home, scope)
    return homes


def graph_of(root: Value | Graph, names: Mapping[str, Value] | None) -> Graph:
    """The graph of a root, its leaves named; ValueError if there are names and the root is frozen already."""
    if not isinstance(root, Graph):
        return Graph(root, names)
    if names:
        raise ValueError("names come too late for a Graph, which knows no Values: give them when it is made, Graph(root, names)")
    return root


def common(first: Path, second: Path) -> Path:
    """The names that two paths begin with."""
    same = [a == b for a, b in zip(first, second)]
    return first[: (same + [False]).index(False)]


def short(name: str, scope: Path) -> str:
    """A parameter's name without the path of its module, if the scope tells that: 'w.0' of 'layers.1.neurons.3.w.0'."""
    found = re.search(r"[^.\d][^.]*(\.\d+)*$", name) if scope else None
    return found[0] if found else name


def acyclic_order(count: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """The places 0 ... count - 1 so that links lead forward; those that lie on a cycle, or behind one, are missing."""
    after: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for source, target in links:
        after[source].append(target)
        waiting[target] += 1
    ready = [place for place in range(count) if not waiting[place]]  # a heap: it is sorted
    order = []
    while ready:
        order.append(place := heappop(ready))
        for target in after[place]:
            waiting[target] -= 1
            if not waiting[target]:
                heappush(ready, target)
    return order


def same(x: float, y: float, size: float) -> bool:
    """Whether two sums agree but for the rounding of terms of this size together."""
    return x == y or abs(x - y) <= 1e-9 * size < math.inf or (x != x and y != y)
