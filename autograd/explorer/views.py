"""The room of views: every picture the page can show of one graph, as lists of boxes with the drawings they share."""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from autograd.explorer.layout import Pair, column_of, layered
from autograd.graphs import CROWD, Fold, Graph, Node, Path
from autograd.stacks import stacks

__all__ = ["View", "Views", "parted"]

PART = 400  # more values than this in one scope, not in scopes of their own, are shown in parts
STUBS = 40  # more neighbours than this are one box of leaves and one of results in the view inside a scope
TALL, FOLDED, LOW = 58, 76, 24  # heights of values, folded boxes and constants
WIDTHS = ((13, 110), (17, 148), (1000, 184))  # of a box, by the length of what is written in it


class View(NamedTuple):
    """A picture: what it is of, its boxes, and which drawing says where they stand.

    A box is the id of a node; -1 - i for the scope of index i; or a list of those, if they share a box.
    """

    kind: str  # "depth" (all scopes of one depth folded), "stacked" (and equal boxes share one), "all", or "inside" a scope
    of: int  # the depth, or the index of the scope
    boxes: list[Any]
    drawing: int
    kept_open: tuple[str, ...] = ()


class Views:
    """All views of a graph, and their drawings: views of equal shape share one."""

    def __init__(self, graph: Graph, max_boxes: int) -> None:
        self.graph = graph
        paths = {node.scope[:end] for node in graph.nodes for end in range(1, len(node.scope) + 1)}
        self.scopes: list[Path] = sorted(paths, key=lambda path: (len(path), path))
        self.index = {path: i for i, path in enumerate(self.scopes)}
        self.views: list[View] = []
        self.drawings: list[dict[str, Any]] = []
        self.shapes: dict[Any, int] = {}
        self.sizes = [size_of(node) for node in graph.nodes]
        deepest = max(len(node.scope) for node in graph.nodes)
        for depth in range(1, deepest + 1):
            fold = graph.fold(depth)
            boxes = [self.encoded(box.path, box.nodes) for box in fold.boxes]
            links = [(link.source, link.target) for link in fold.links]
            if len(boxes) <= max_boxes:
                self.add("depth", depth, boxes, links, fold.kept_open)
            stacks, merged = self.stacked(fold, boxes, links)
            if len(stacks) < len(boxes) and len(stacks) <= max_boxes:
                self.add("stacked", depth, stacks, merged, fold.kept_open)
            if depth > 1:
                self.insides(depth - 1, fold)
        if deepest:
            self.insides(deepest, None)
        if len(graph.nodes) <= max_boxes:
            every: list[Any] = [node.id for node in graph.nodes]
            self.add("all", 0, every, list(dict.fromkeys((edge.source, edge.target) for edge in graph.edges)))
        if all(view.kind == "inside" for view in self.views):  # too many boxes in each: one for every operation of a column
            fold = graph.fold(1)
            boxes = [self.encoded(box.path, box.nodes) for box in fold.boxes]
            links = [(link.source, link.target) for link in fold.links]
            self.add("stacked", 1, *self.stacked(fold, boxes, links, labelled=False), fold.kept_open)

    def encoded(self, path: Path, nodes: Sequence[int]) -> Any:
        """A box of a fold as the page reads it."""
        return -1 - self.index[path] if path else nodes[0] if len(nodes) == 1 else list(nodes)

    def add(self, kind: str, of: int, boxes: list[Any], links: list[Pair], kept_open: tuple[str, ...] = ()) -> None:
        """Add a view; its drawing is computed unless one with boxes of these sizes and these links is there."""
        sizes = [self.size(box) for box in boxes]
        shape = tuple(sizes), tuple(links)
        if (drawing := self.shapes.get(shape)) is None:
            self.shapes[shape] = drawing = len(self.drawings)
            layout = layered(sizes, links)
            self.drawings.append({
                "size": layout.size, "x": layout.x, "y": layout.y, "w": [w for w, _ in sizes], "h": [h for _, h in sizes],
                "links": [[*link, *itertools.chain(*layout.routes.get(link, ()))] for link in links],
            })  # fmt: skip
        self.views.append(View(kind, of, boxes, drawing, kept_open))

    def size(self, box: int | list[int]) -> Pair:
        """Width and height of a box, from what is written in it."""
        if isinstance(box, list):
            return WIDTHS[1][1], FOLDED
        if box < 0:
            return max(WIDTHS[1][1], width(self.scopes[-1 - box][-1])), FOLDED
        return self.sizes[box]

    def stacked(
        self, fold: Fold, boxes: Sequence[Any], links: Sequence[Pair], *, labelled: bool = True
    ) -> tuple[list[Any], list[Pair]]:
        """The boxes of a fold with those of equal shape in one column stacked in one box, and the links between the stacks.

        Many leaves that the same boxes use are one box too.
        """
        groups = stacks(self.graph, fold, column_of(len(boxes), links), labelled=labelled)
        place = {i: at for at, group in enumerate(groups) for i in group}
        shared: list[Any] = []
        for group in groups:
            codes = [code for i in group for code in (boxes[i] if isinstance(boxes[i], list) else [boxes[i]])]
            shared.append(codes if len(codes) > 1 else codes[0])
        return shared, list(dict.fromkeys((place[source], place[target]) for source, target in links))

    def insides(self, depth: int, fold: Fold | None) -> None:
        """A view of the inside of every scope of this depth: scopes in it folded, and the neighbours outside as they are."""
        nodes = self.graph.nodes
        keys: list[Any]
        if fold is None:  # nothing in there can be folded
            keys = [node.id for node in nodes]
        else:
            keys = [0] * len(nodes)
            for box in fold.boxes:
                key = self.encoded(box.path, box.nodes)
                key = tuple(key) if isinstance(key, list) else key
                for id in box.nodes:
                    keys[id] = key
        inner: dict[Path, dict[Any, None]] = {}
        pairs: dict[Path, dict[tuple[Any, Any], None]] = {}
        entering: dict[Path, dict[tuple[int, Any], None]] = {}
        leaving: dict[Path, dict[tuple[Any, int], None]] = {}
        for node in nodes:
            if len(node.scope) >= depth:
                inner.setdefault(node.scope[:depth], {})[keys[node.id]] = None
        for source, target, _ in self.graph.edges:
            first, second = nodes[source].scope[:depth], nodes[target].scope[:depth]
            if first == second:
                if len(first) == depth and keys[source] != keys[target]:
                    pairs.setdefault(first, {})[keys[source], keys[target]] = None
                continue
            if len(second) == depth:
                entering.setdefault(second, {})[source, keys[target]] = None
            if len(first) == depth:
                leaving.setdefault(first, {})[keys[source], target] = None
        for path, members in inner.items():
            sources = self.gathered(entering.get(path, ()))
            targets = self.gathered([(target, key) for key, target in leaving.get(path, ())])
            boxes = list(dict.fromkeys([*sources.values(), *members, *targets.values()]))
            place = {box: i for i, box in enumerate(boxes)}
            links = dict.fromkeys((place[sources[source]], place[target]) for source, target in entering.get(path, ()))
            links |= dict.fromkeys((place[source], place[target]) for source, target in pairs.get(path, ()))
            links |= dict.fromkeys((place[source], place[targets[target]]) for source, target in leaving.get(path, ()))
            drawn = [list(box) if isinstance(box, tuple) else box for box in boxes]
            self.add("inside", self.index[path], drawn, [(a, b) for a, b in links if a != b])

    def gathered(self, uses: Iterable[tuple[int, Any]]) -> dict[int, Any]:
        """The boxes of neighbours, given with the boxes in the view that they touch: their own as far as they are few.

        Many leaves that feed the same folded boxes are one box; of too many neighbours, all leaves are one and all results.
        """
        touched: dict[int, set[Any]] = {}
        for id, key in uses:
            touched.setdefault(id, set()).add(key)
        many = len(touched) > STUBS
        groups: dict[Any, list[int]] = {}
        for id in sorted(touched):
            leaf, keys = self.graph.nodes[id].kind == "leaf", touched[id]
            folded = leaf and all(isinstance(key, int) and key < 0 for key in keys)
            groups.setdefault(leaf if many else frozenset(keys) if folded else id, []).append(id)
        boxes: dict[int, Any] = {}
        for group in groups.values():
            together = len(group) > CROWD or (many and len(group) > 1)
            boxes |= {id: tuple(group) if together else id for id in group}
        return boxes


def size_of(node: Node) -> Pair:
    """Width and height of the box of one value."""
    if node.kind == "constant":
        return 50 if len(f"{node.data:.4g}") < 6 else 80, LOW
    return width(node.title), TALL


def width(text: str) -> int:
    """The width of a box for a text of this length."""
    return next(width for length, width in WIDTHS if len(text) <= length)


def parted(graph: Graph) -> Graph:
    """The graph with crowded scopes divided into parts of at most 400 values.

    A part is a run of the topological order, so that links between parts lead forward; leaves stay where they are.
    """
    crowded = {path for path, count in Counter(n.scope for n in graph.nodes if n.kind == "result").items() if count > PART}
    if not crowded:
        return graph
    seen: Counter[Path] = Counter()
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.scope in crowded and node.kind != "leaf":
            part = seen[node.scope] // PART + 1
            seen[node.scope] += node.kind == "result"
            node = node._replace(scope=(*node.scope, f"part {part}"))
        nodes.append(node)
    divided = copy.copy(graph)
    divided.nodes = tuple(nodes)
    return divided
