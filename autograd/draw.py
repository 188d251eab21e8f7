"""The room of pictures: a computation graph as Graphviz draws it, one box per value with its operation in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autograd.graphs import Graph, Node
from autograd.value import Value

if TYPE_CHECKING:
    import graphviz

__all__ = ["draw_dot"]

POSITIVE = ("#fee8d3", "#fdcf9f", "#fbb269", "#f28e2b")
NEGATIVE = ("#dbe9f6", "#b5d3ec", "#86b8e0", "#5a9bd4")
NEUTRAL, INK, LINE = "#f4f4f4", "#1b1b1b", "#8a8a8a"
EDGE_LABELS = 300  # above so many nodes, labels on edges cost more time than they tell


def draw_dot(root: Value, format: str = "svg", rankdir: str = "LR", *, max_nodes: int = 500) -> graphviz.Digraph:
    """The graph below `root` as a picture: a `graphviz.Digraph`, with `render`, `pipe`, `save` and notebook display.

    Leaves are square, results rounded, constants plain, the root double-lined. A box shows the label and operation, the number,
    and the gradient once `backward()` was called; its colour is the sign and size of the gradient (orange positive, blue
    negative, four steps over two decades). Edges carry the local derivative; a dashed edge passes nothing back. `rankdir` is
    "LR" or "TB". The same program gives the same text, byte for byte.

    Raises ValueError for more than `max_nodes` values: larger pictures take minutes and cannot be read.

    >>> x = Value(2.0, label="x")
    >>> draw_dot(x * x).source.count("n0 -> n1")
    2
    """
    from autograd.rendering import Picture

    if rankdir not in ("LR", "TB", "RL", "BT"):
        raise ValueError(f"draw_dot needs rankdir 'LR' or 'TB', not {rankdir!r}")
    graph = Graph(root)
    if len(graph.nodes) > max_nodes:
        raise ValueError(
            f"this graph has {len(graph.nodes)} values: too many for one picture (max_nodes={max_nodes}); draw a part of it, "
            "such as one sample or one neuron, print autograd.Graph(root), or raise max_nodes"
        )
    picture = Picture(format=format)
    font = {"fontname": "Helvetica,Arial,sans-serif", "fontsize": "10"}
    picture.attr("graph", rankdir=rankdir, nodesep="0.15", ranksep="0.3")
    picture.attr("node", style="filled", color=LINE, fontcolor=INK, margin="0.08,0.04", height="0.2", width="0.2", **font)
    picture.attr("edge", color=LINE, fontcolor=INK, arrowsize="0.6", **font | {"fontsize": "8"})
    scale = gradient_scale(graph)
    for node in graph.nodes:
        picture.node(node.name, **box(node, graph, scale))
    for edge in graph.edges:
        facts: dict[str, str] = {}
        source, target = graph.nodes[edge.source], graph.nodes[edge.target]
        if source.kind != "constant":
            dead = edge.local is None or edge.local == 0.0
            facts = {"style": "dashed"} if dead else {}
            if len(graph.nodes) <= EDGE_LABELS:
                facts["label"] = f"x {edge.local or 0.0:.4g}"
        picture.edge(source.name, target.name, **facts)
    return picture


def box(node: Node, graph: Graph, scale: float) -> dict[str, str]:
    """What Graphviz is told of one node."""
    # A backslash starts an escape in Graphviz's labels, and the package turns one at the end of a line into a line break.
    title = node.title.replace("\\", "\\\\")
    lines = [title, f"{node.data:.4g}"] if title else [f"{node.data:.4g}"]
    if node.kind == "constant":
        return {"label": lines[-1], "shape": "plaintext", "style": "", "fontsize": "8"}
    lines.append(f"grad {node.grad:.4g}" if graph.differentiated else "grad -")
    facts = {"label": "\\n".join(lines), "shape": "box", "fillcolor": colour(node.grad, scale)}
    if node.kind == "result":
        facts["style"] = "filled,rounded"
    if node.id == graph.root:
        facts["peripheries"] = "2"
    if not (math.isfinite(node.data) and math.isfinite(node.grad)):
        facts["penwidth"] = "3"
    scope = "/".join(node.scope)
    facts["tooltip"] = f"{scope + ': ' if scope else ''}data {node.data!r}, grad {node.grad!r}"
    return facts


def gradient_scale(graph: Graph) -> float:
    """The size of gradient that gets the strongest colour: the 98th percentile, without the root, whose gradient is always 1."""
    sizes = sorted(abs(node.grad) for node in graph.nodes[:-1] if node.grad and math.isfinite(node.grad))
    return sizes[int(0.98 * (len(sizes) - 1))] if sizes else 1.0


def colour(grad: float, scale: float) -> str:
    """Orange for positive and blue for negative gradients, in four steps of half a decade."""
    if grad == 0.0 or grad != grad:
        return NEUTRAL
    step = 3 + 2 * math.log10(abs(grad) / scale) if math.isfinite(grad) else 3
    return (POSITIVE if grad > 0.0 else NEGATIVE)[max(0, min(3, round(step)))]
