"""The room of the page: one HTML file, without network or library, that steps through a graph forward and backward."""

from __future__ import annotations

import base64
import html
import json
import math
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from importlib.resources import files

from autograd.explorer.views import Views, parted
from autograd.files import write
from autograd.graphs import Graph, graph_of
from autograd.ops import TABLE, Primitive
from autograd.value import Value, topological

__all__ = ["Page", "explore"]

Root = Value | Graph
RULES = {  # the local derivatives of operations on many numbers, in words
    "sum": "1", "dot": "the number it is multiplied by", "prod": "the product of the others", "max": "1 for the largest, else 0",
    "min": "1 for the smallest, else 0", "norm": "x / out", "logsumexp": "exp(x - out)",
}  # fmt: skip

PLAIN = {  # the partials of the table that say more than a reader needs: what they come to where there is a derivative
    "pow": ["y * x ** (y - 1)", "out * log(x)"], "hypot": ["x / out", "y / out"],
    "tanh": ["1 - out ** 2"], "sigmoid": ["out * (1 - out)"], "cbrt": ["1 / (3 * out ** 2)"], "atan": ["1 / (1 + x ** 2)"],
    "atan2": ["y / (x ** 2 + y ** 2)", "-x / (x ** 2 + y ** 2)"], "logaddexp": ["exp(x - out)", "exp(y - out)"],
    "relu": ["1 if x > 0 else 0"], "leaky_relu": ["1 if x > 0 else y", "0 if x > 0 else x"],
    "elu": ["1 if x > 0 else y * exp(x)", "0 if x > 0 else expm1(x)"], "where": ["None", "1 if x else 0", "0 if x else 1"],
    "maximum": ["1 if x > y else 0 if x < y else 0.5", "1 if y > x else 0 if y < x else 0.5"],
    "minimum": ["1 if x < y else 0 if x > y else 0.5", "1 if y < x else 0 if y > x else 0.5"],
    "exp2": ["log(2) * out"], "log2": ["1 / (x * log(2))"], "log10": ["1 / (x * log(10))"],
}  # fmt: skip


class Page:
    """An HTML page as text, to be saved or shown in a notebook."""

    def __init__(self, text: str, values: int) -> None:
        self.text, self.values = text, values

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Page({self.values} values, {len(self.text.encode()) / 1000:.0f} kB)"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, whole or not at all. Raises OSError that names the file if it cannot be written."""
        write(path, self.text, "the page")

    def _repr_html_(self) -> str:
        return (
            '<iframe title="Computation graph, step by step" sandbox="allow-scripts allow-downloads" width="100%" height="680" '
            f'style="border:1px solid #8888;max-width:100%" srcdoc="{html.escape(self.text)}"></iframe>'
        )


def explore(
    root: Root | Sequence[Root] | Mapping[str, Root],
    path: str | os.PathLike[str] | None = None,
    *,
    names: Mapping[str, Value] | None = None,
    title: str = "",
    overview: str = "",
    max_boxes: int = 1000,
    max_values: int = 200_000,
) -> Page:
    """A page that steps through the graph below `root`, forward and backward, and says every step as a sentence.

    The page is one file that needs no network; `path` is where it is saved, and in a notebook it shows itself. It replays the
    backward pass in the order of the engine, folds scopes, and shows for every value what its gradient is made of. `names`
    gives labels to Values without one, such as `model.named_parameters()`.

    Give a list of roots, or a dictionary with their names, to compare the same graph at several steps of a training. Values
    know only their present numbers: freeze each step as it happens, with `frames.append(Graph(loss, names))` after `backward()`.

    `overview` is a picture of one's own, in SVG, beside the graph. What in it has an attribute `data-scope` (the path of a scope,
    such as "mlp/layer0/neuron3") is a button that opens that scope; with `data-value` too, the value of that label in it. Its
    `<title>` is what it is called. It has the class "live" while the step is in there, and `aria-current` while it is open. The
    colours of the page are its variables `--ink`, `--paper`, `--p1` to `--p4`, `--n1` to `--n4`.

    Views of more than `max_boxes` boxes are left out; there are folded ones. Raises ValueError for graphs of more than
    `max_values` values, for frames that are different graphs, for `names` beside a Graph (it takes them when it is made), and
    for an overview that is no SVG; TypeError if a root is no Value or Graph; OSError if the file cannot be written.

    >>> x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    >>> loss = (x * w + 10) ** 2
    >>> loss.backward()
    >>> page = explore(loss)
    >>> page.values, "<html" in str(page)
    (7, True)
    """
    if isinstance(root, Mapping):
        frames = {str(name): frozen(one, names, max_values) for name, one in root.items()}
    elif isinstance(root, (list, tuple)):
        frames = {f"step {i}": frozen(one, names, max_values) for i, one in enumerate(root, 1)}
    else:
        frames = {"": frozen(root, names, max_values)}  # type: ignore[arg-type]
    if not frames:
        raise ValueError("explore needs a root; an empty list has none")
    graphs = list(frames.values())
    for name, graph in frames.items():
        require_same(graphs[0], graph, name)
    label = graphs[0].nodes[graphs[0].root].label
    title = title or f"{label or 'A computation graph'}, step by step"
    page = Page(written(title, contents(frames, title, max_boxes), drawing(overview)), len(graphs[0].nodes))
    if path is not None:
        page.save(path)
    return page


def frozen(root: Root, names: Mapping[str, Value] | None, max_values: int) -> Graph:
    """The graph of a root; an error before much work is done if it is too large."""
    if not isinstance(root, (Value, Graph)):
        raise TypeError(f"explore needs a Value, a Graph or a list of them, not {type(root).__name__} {root!r}")
    count = len(root.nodes) if isinstance(root, Graph) else len(topological(root))
    if count > max_values:
        raise ValueError(
            f"this graph has {count} values, its page would be about {count // 40_000 + 1} MB; explore a part of it, such as "
            f"the loss of one sample, or raise max_values={max_values}"
        )
    return graph_of(root, names)


def require_same(first: Graph, other: Graph, name: str) -> None:
    """Raise ValueError unless the other frame has the same operations, connected in the same way."""
    if len(first.nodes) != len(other.nodes):
        raise ValueError(f"frame {name!r} is another graph: {len(other.nodes)} values instead of {len(first.nodes)}")
    for one, two in zip(first.nodes, other.nodes):
        if (one.kind, one.op) != (two.kind, two.op):
            raise ValueError(f"frame {name!r} is another graph: {one.name} is {two.op or two.kind}, not {one.op or one.kind}")
    for edge, its in zip(first.edges, other.edges):
        if edge[:2] != its[:2]:
            raise ValueError(f"frame {name!r} is another graph: n{its.target} is made from n{its.source}, not n{edge.source}")


def contents(frames: Mapping[str, Graph], title: str, max_boxes: int) -> str:
    """What the page is told, as JSON: the graph in columns, the numbers of every frame, the views and their drawings."""
    graph = parted(next(iter(frames.values())))
    views = Views(graph, max_boxes)
    index = {path: i + 1 for i, path in enumerate(views.scopes)} | {(): 0}
    labels = {label: i for i, label in enumerate(dict.fromkeys(["", *(node.label for node in graph.nodes)]))}
    arity = [0] * len(graph.nodes)
    for edge in graph.edges:
        arity[edge.target] += 1
    ops: dict[tuple[str, bool | int], int] = {}
    for node in graph.nodes:
        if node.kind == "result":
            ops.setdefault((node.op, min(arity[node.id], 4)), len(ops))
    facts = {
        "title": title,
        "root": graph.root,
        "kind": "".join(node.kind[0] for node in graph.nodes),
        "ops": [[op, *rule(op, count)] for op, count in ops],
        "op": [ops[node.op, min(arity[node.id], 4)] for node in graph.nodes if node.kind == "result"],
        "labels": list(labels),
        "label": [labels[node.label] for node in graph.nodes],
        "scopes": [[index[path[:-1]], path[-1]] for path in views.scopes],
        "scope": [index[node.scope] for node in graph.nodes],
        "arity": [arity[node.id] for node in graph.nodes if node.kind == "result"],
        "back": [edge.target - edge.source for edge in graph.edges],
        "views": [view._asdict() for view in views.views],
        "drawings": views.drawings,
    }
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return f'{text[:-1]},"frames":[{",".join(frame(name, graph) for name, graph in frames.items())}]}}'


def frame(name: str, graph: Graph) -> str:
    """The numbers of one step as JSON. Nan and infinities are texts, which JavaScript's Number reads."""
    root = graph.nodes[graph.root]
    notes = graph.check() if graph.differentiated else ["backward() was not called: gradients are what it would find"]
    facts = {"name": name, "notes": notes[:20], "more": max(0, len(notes) - 20)}
    data = ",".join([number(node.data) for node in graph.nodes])
    local = ",".join(["null" if local is None else number(local) for _, _, local in graph.edges])
    seed = number(root.grad if graph.differentiated else 1.0)
    return f'{json.dumps(facts, ensure_ascii=False)[:-1]},"seed":{seed},"data":[{data}],"local":[{local}]}}'


def number(x: float) -> str:
    """A float as JSON, to the last bit."""
    if math.isfinite(x):
        return repr(x).removesuffix(".0")
    return '"NaN"' if x != x else '"Infinity"' if x > 0.0 else '"-Infinity"'


def rule(op: str, count: int) -> list[str]:
    """The local derivatives of an operation, as texts: one for each operand, or one for all."""
    rows: dict[str, Primitive] = {name: row for name, row in TABLE.items() if row.label == op}
    for name, row in rows.items():
        if row.arity == count:
            texts = [re.sub(r"(\d)\.0\b", r"\1", partial.removesuffix(" or None")) for partial in row.partials]
            return PLAIN.get(name, texts)
    return [RULES[op]] if op in RULES else []


def packed(text: str) -> str:
    """The text deflated, in base64: a third of the size, and nothing in it that HTML would read."""
    return base64.b64encode(zlib.compress(text.encode(), 6)).decode()


def drawing(svg: str) -> str:
    """The overview as it stands in the page. Raises ValueError unless it is SVG."""
    if not svg:
        return ""
    from xml.etree import ElementTree

    try:
        whole = ElementTree.fromstring(svg).tag.endswith("svg")
    except ElementTree.ParseError:
        whole = False
    if not whole:
        raise ValueError(f"explore needs an overview in SVG, '<svg ...>...</svg>', not {svg[:40]!r}")
    return svg[svg.index("<svg") :]


def written(title: str, data: str, overview: str) -> str:
    """The page: the template with styles, scripts and data in their places."""
    room = files("autograd.explorer")

    def part(*names: str) -> str:
        return "\n".join(room.joinpath(name).read_text(encoding="utf-8") for name in names)

    parts = {
        "title": html.escape(title),
        "style": part("page.css"),
        "graph": part("graph.css"),
        "overview": overview,
        "data": packed(data),
        "program": packed(part("model.js", "stage.js", "page.js")),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], part("page.html"))
