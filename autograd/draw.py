"""The room of pictures: a computation graph as Graphviz draws it, one box per value with its operation in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from autograd.boxes import Boxes, legible, number, shortened, spelled
from autograd.colours import INK, LINE, PAPER, SOFT
from autograd.graphs import Box, Edge, Graph, graph_of
from autograd.guard import refusal, require_fit
from autograd.stacks import columns, stacks
from autograd.value import Value

if TYPE_CHECKING:
    import graphviz

__all__ = ["draw_dot"]

LABELLED = 300, 600  # with more boxes or arrows, labels on arrows cost more time than they tell
LONG = 1500  # columns that links pass altogether, from where Graphviz is told to hurry: a value that is used all along a chain
UNKNOWN = "grad -: no backward() has reached the root yet"


def draw_dot(
    root: Value | Graph, format: str = "svg", rankdir: str = "LR", *, depth: int | None = None,
    expand: str | Iterable[str] = (), stack: bool = False, names: Mapping[str, Value] | None = None,
    edge_labels: bool | None = None, max_nodes: int = 500,
) -> graphviz.Digraph:  # fmt: skip
    """The graph below `root` as a picture: a `graphviz.Digraph`, with `render`, `pipe`, `save` and notebook display.

    Leaves are square, results rounded, constants plain, the root double-lined. A box shows the label and operation, the number,
    and the gradient once `backward()` was called; its colour is the sign and size of the gradient (orange positive, blue
    negative, four steps over two decades). Arrows carry the local derivative (`edge_labels`; without it, up to 300 boxes); a
    dashed one passes nothing back. A heavy border holds nan or an infinity. Pointing at a box shows its scope and all digits.
    `rankdir` is "LR" or "TB". The same program gives the same text, byte for byte.

    `depth` folds scopes of so many names into one box each, `expand` lists scopes that stay open one level more (see
    `Graph.fold`), and `stack` draws equal boxes of a column as one. `names` gives labels to Values without one: a dictionary
    such as `model.named_parameters()`.

    Raises ValueError for more than `max_nodes` boxes, with the views that fit: larger pictures take minutes and cannot be read.
    Raises TypeError if `root` is no Value or Graph, and ValueError for `names` beside a Graph: it takes them when it is made.

    >>> x = Value(2.0, label="x")
    >>> draw_dot(x * x).source.count("n0 -> n1")
    2
    """
    if rankdir not in ("LR", "TB", "RL", "BT"):
        raise ValueError(f"draw_dot needs rankdir 'LR' or 'TB', not {rankdir!r}")
    if not isinstance(root, (Value, Graph)):
        raise TypeError(f"draw_dot needs a Value or a Graph, not {type(root).__name__} {root!r}")
    if depth is None and not expand and not stack:
        require_fit(root, max_nodes)
    graph = graph_of(root, names)
    fold = graph.fold(depth, expand)
    column = columns(fold)
    groups = stacks(graph, fold, column) if stack else [[place] for place in range(len(fold.boxes))]
    if len(groups) > max_nodes:
        raise refusal(graph, len(graph.nodes), len(groups), max_nodes)

    shown: dict[str, list[Box]] = {}  # what a box stands for, by its name
    name_of: dict[int, str] = {}
    for group in groups:
        boxes = [fold.boxes[place] for place in group]
        name = f"{'n' if len(boxes) == 1 and boxes[0].single else 's'}{boxes[0].nodes[0]}"
        shown[name] = boxes
        name_of |= dict.fromkeys([id for box in boxes for id in box.nodes], name)
    arrows = arrows_between(graph, name_of)
    length = sum([column[link.target] - column[link.source] for link in fold.links])
    whole, dense = len(shown) == len(graph.nodes), len(arrows) > 3 * len(shown)
    if edge_labels is None:
        few = len(shown) <= LABELLED[0] and len(arrows) <= LABELLED[1] and length <= LONG
        edge_labels = few and (whole or not dense)

    picture = sheet(graph, len(shown), format)
    apart = "1" if dense and not edge_labels else "0.15" if edge_labels and whole else "0.4"
    picture.attr("graph", rankdir=rankdir, ranksep=apart)
    if length > LONG:
        picture.attr("graph", nslimit="0.1", mclimit="0.1", splines="line")  # less beautiful, in seconds instead of minutes
    else:
        picture.attr("graph", nslimit="3")  # ordinary graphs need less, and look the same
    facts = Boxes(graph)
    for name, boxes in shown.items():
        picture.node(name, **quoted(facts.attributes(boxes)))
    for (tail, head, _), edges in arrows.items():
        picture.edge(tail, head, **quoted(arrow(graph, edges, edge_labels, "\u00a0" * (rankdir in ("TB", "BT")))))
    return picture


def sheet(graph: Graph, boxes: int, format: str) -> graphviz.Digraph:
    """An empty picture with its title, its note, and what all boxes and all arrows share."""
    from autograd.rendering import Picture

    picture = Picture(name=described(graph, boxes), format=format, filename="Digraph.gv")
    # Arial: renderers without fonts know its widths. All colours have a twin for dark surroundings.
    font = {"fontname": "Arial", "fontsize": "8"}
    note = {} if graph.differentiated else {"label": UNKNOWN, "labeljust": "l"}
    box = {"shape": "box", "style": "filled", "margin": "0.07,0.03", "height": "0.2", "width": "0.2"}
    picture.attr("graph", nodesep="0.14", bgcolor=PAPER, fontcolor=SOFT, **font, **note)
    picture.attr("node", color=LINE, fontcolor=INK, **font, **box)
    picture.attr("edge", color=LINE, fontcolor=SOFT, arrowsize="0.6", **font | {"fontsize": "7"})
    return picture


def arrows_between(graph: Graph, name_of: Mapping[int, str]) -> dict[tuple[str, str, int], list[Edge]]:
    """The arrows, with the edges that each stands for: one for every use of a value, and for all between folded boxes."""
    arrows: dict[tuple[str, str, int], list[Edge]] = {}
    for i, edge in enumerate(graph.edges):
        tail, head = name_of[edge.source], name_of[edge.target]
        if tail != head:
            arrows.setdefault((tail, head, i if tail[0] == head[0] == "n" else -1), []).append(edge)
    return arrows


def arrow(graph: Graph, edges: Sequence[Edge], labelled: bool, indent: str) -> dict[str, str]:
    """What Graphviz is told of the arrow for these uses; labels beside an upright one are indented."""
    edges = [edge for edge in edges if graph.nodes[edge.source].kind != "constant"]
    facts = {}
    if edges and not any(carries(graph, edge) for edge in edges):
        facts["style"] = "dashed"
    if len(edges) == 1:
        local, upstream = edges[0].local or 0.0, graph.nodes[edges[0].target].grad
        facts["tooltip"] = f"local derivative {local!r}"
        if graph.differentiated:
            facts["tooltip"] += f"\n{local!r} * {upstream!r} = {local * upstream!r}"
        if labelled:
            facts["label"] = f"{indent}\u00d7{number(local)}"
    elif edges:
        facts |= {"tooltip": f"{len(edges)} uses", "penwidth": f"{1.0 + 0.6 * math.log10(len(edges)):.2g}"}
    return facts


def carries(graph: Graph, edge: Edge) -> bool:
    """Whether something goes back along this edge."""
    upstream = graph.nodes[edge.target].grad if graph.differentiated else 1.0
    return edge.local is not None and edge.local * upstream != 0.0


def quoted(facts: Mapping[str, str]) -> dict[str, str]:
    """The facts with labels and tooltips as Graphviz reads them."""
    found = dict(facts)
    if "label" in found:
        found["label"] = legible(found["label"]).replace("\n", "\\n")
    if "tooltip" in found:  # all versions of Graphviz replace escapes in tooltips twice
        found["tooltip"] = legible(found["tooltip"]).replace("\\\\", "\\\\\\\\")
    return found


def described(graph: Graph, boxes: int) -> str:
    """The title of the picture, for those who hear it."""
    root = graph.nodes[graph.root]
    folded = "" if boxes == len(graph.nodes) else f", folded to {boxes} boxes"
    title = shortened(root.title or "one value").replace("\n", " ")
    return f"Computation graph of {spelled(title)}: {len(graph.nodes)} values{folded}"
