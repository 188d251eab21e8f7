"""The room of boxes: what Graphviz is told of one value, of a folded scope, and of several that share a box."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from itertools import takewhile

from autograd.colours import BAD, NEUTRAL, SOFT, colour, strongest
from autograd.graphs import Box, Graph, Node

__all__ = ["Boxes", "legible", "number", "shortened", "spelled"]

SHORT = 3  # characters that names share say less than the first and the last name
LONGEST = 60  # characters of a name in a box; the tooltip has the rest


class Boxes:
    """The boxes of one picture, which share a scale of colours."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.scale = strongest(node.grad for node in graph.nodes if node.id != graph.root)  # the root's is always 1

    def attributes(self, boxes: Sequence[Box]) -> dict[str, str]:
        """Those of the box for these boxes of a view: one, or several of equal shape."""
        nodes = [self.graph.nodes[id] for box in boxes for id in box.nodes]
        if len(nodes) == 1 and not boxes[0].path:
            return self.single(nodes[0])
        if all(node.kind == "constant" for node in nodes):
            return self.constants(nodes)
        shown = [node for node in nodes if node.kind != "constant"]
        several = len(boxes) > 1 or not boxes[0].path
        lines, told = self.many(boxes, shown) if several else self.scope(boxes[0])
        gradients = [node.grad for node in shown if node.id != self.graph.root and node.grad == node.grad]
        largest = max(gradients, key=abs, default=0.0)
        lines.append(f"max |grad| {number(abs(largest))}" if self.graph.differentiated else "grad -")
        facts = {
            "label": "\n".join(lines),
            "fillcolor": colour(largest, self.scale) if self.graph.differentiated else NEUTRAL,
            "tooltip": f"{told}\n{len(nodes)} values, largest gradient {largest!r}",
            "margin": "0.1,0.05",
        }
        if several:
            facts |= {"shape": "box3d", "margin": "0.12,0.09"}
        if boxes[0].path:
            facts |= {"style": "filled,bold", "color": SOFT}
        if self.graph.root in (node.id for node in nodes):
            facts["peripheries"] = "2"
        return facts | self.odd(nodes)

    def single(self, node: Node) -> dict[str, str]:
        """A value: its name and operation, its number, its gradient."""
        if node.kind == "constant":
            return self.constants([node])
        title = shortened(node.title)
        lines = [title] if title else []
        lines += [number(node.data), f"grad {number(node.grad)}" if self.graph.differentiated else "grad -"]
        gradient = f"grad {node.grad!r}" if self.graph.differentiated else "no gradient yet"
        name = "/".join((*node.scope, node.title)) if node.title else "/".join(node.scope)
        place = [f"made in {node.line}"] if node.line else []
        facts = {
            "label": "\n".join(lines),
            "fillcolor": colour(node.grad, self.scale) if self.graph.differentiated else NEUTRAL,
            "tooltip": "\n".join([name or node.kind, f"data {node.data!r}", gradient, *place]),
        }
        if node.kind == "result":
            facts["style"] = "filled,rounded"
        if node.id == self.graph.root:
            facts["peripheries"] = "2"
        return facts | self.odd([node])

    def constants(self, nodes: Sequence[Node]) -> dict[str, str]:
        """Numbers that are not Values: plain and small."""
        numbers = [node.data for node in nodes]
        return {
            "label": span(numbers) if len(nodes) == 1 else f"{span(numbers)}  \u00d7{len(nodes)}",
            "shape": "plaintext", "style": "", "fontsize": "7", "fontcolor": SOFT, "margin": "0.04,0.02",
            "tooltip": f"constant {nodes[0].data!r}" if len(nodes) == 1 else f"{len(nodes)} constants",
        }  # fmt: skip

    def scope(self, box: Box) -> tuple[list[str], str]:
        """A folded scope: the lines in its box, and its whole name."""
        name = "/".join(box.path)
        out = [self.graph.nodes[id] for id in box.outputs]
        outputs = f"out {number(out[0].data)}" if len(out) == 1 else f"{len(out)} outputs"
        return [shortened(name), counted(len(box.nodes), "value"), outputs], name

    def many(self, boxes: Sequence[Box], nodes: Sequence[Node]) -> tuple[list[str], str]:
        """Boxes of equal shape, or a crowd of leaves: the lines in their box, and what it is."""
        if boxes[0].path:
            name = f"{common([box.path for box in boxes])}  \u00d7{len(boxes)}"
            each = f"{counted(len(boxes[0].nodes), 'value')}, {counted(len(boxes[0].outputs), 'output')} each"
            return [shortened(name), each], "\n".join("/".join(box.path) for box in boxes[:12])
        names = list(dict.fromkeys(node.title for node in nodes if node.title))
        name = together(names)
        return [shortened(f"{name}  \u00d7{len(nodes)}"), span([node.data for node in nodes])], ", ".join(names[:40]) or "values"

    def odd(self, nodes: Sequence[Node]) -> dict[str, str]:
        """A heavy border where nan or an infinity is shown."""
        if all(math.isfinite(node.data) and (math.isfinite(node.grad) or not self.graph.differentiated) for node in nodes):
            return {}
        return {"penwidth": "3", "color": BAD}


def number(x: float) -> str:
    """Four digits; the tooltip has all."""
    return f"{x + 0.0:.4g}"  # -0.0 becomes 0.0


def span(numbers: Sequence[float]) -> str:
    """From the least to the greatest."""
    known = [x for x in numbers if x == x]
    ends = dict.fromkeys([number(min(known)), number(max(known))] if known else ["nan"])
    return " ... ".join(ends)


def counted(count: int, what: str) -> str:
    """'1 value', '2 values'."""
    return f"{count} {what}{'s' * (count != 1)}"


def together(names: Sequence[str]) -> str:
    """Several names in one: what they begin with, or the first and the last."""
    if len(names) < 2:
        return names[0] if names else "values"
    pairs = zip(min(names), max(names))  # what these two begin with, all of them do
    stem = "".join([one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)])
    return f"{stem}*" if len(stem) > SHORT else f"{names[0]} ... {names[-1]}"


def common(paths: Sequence[tuple[str, ...]]) -> str:
    """What paths have in common, with * for what differs: 'layer0/neuron*'."""
    parts = []
    for names in zip(*paths):
        same = names[0] if len(set(names)) == 1 else f"{names[0].rstrip('0123456789')}*"
        parts.append(same if all(name.startswith(same[:-1]) for name in names) else "*")
    return "/".join(parts)


def shortened(name: str) -> str:
    """A name that fits in a box."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 23]}...{name[-20:]}"


def legible(text: str) -> str:
    r"""The text as Graphviz's labels write it, so that every character of it means itself.

    >>> print(legible("a & b, \\N, \0"))
    a &amp; b, \\N, \\x00
    """
    return spelled(text).replace("\\", "\\\\").replace("&", "&amp;")


def spelled(text: str) -> str:
    """The text with what no picture can show spelled out; lines stay lines."""
    return "".join(c if c == "\n" or shows(c) else ascii(c)[1:-1] for c in text.replace("\t", " "))


def shows(character: str) -> bool:
    """Whether XML and fonts take this character: no control, no half of a pair, no separator of lines, no noncharacter."""
    return unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp") and ord(character) & 0xFFFE != 0xFFFE
