"""The room of the guard: a graph too large for one picture is refused, with the views of it that would fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from autograd.graphs import Graph, Path, home_scopes
from autograd.stacks import columns, stacks
from autograd.value import Value, topological

__all__ = ["count", "refusal", "require_fit"]

EXACT = 100_000  # larger graphs are not folded only to say how large their views would be
DEPTHS = 5  # that are tried
PAPER = 0.0008  # square metres for a box and its arrows


def count(order: Sequence[Value]) -> int:
    """How many boxes a picture of all these Values has: constants have boxes of their own."""
    return len(order) + sum([operand.__class__ is float for value in order for operand in value._operands])


def require_fit(root: Value | Graph, max_nodes: int) -> None:
    """Raise ValueError if a picture of every value is too large; a graph of a million is counted, not frozen."""
    what: Graph | list[Value]
    if isinstance(root, Graph):
        total, what = len(root.nodes), root
    else:
        order = topological(root)
        total = count(order)
        what = Graph(root) if max_nodes < total <= EXACT else order
    if total > max_nodes:
        raise refusal(what, total, total, max_nodes)


def refusal(what: Graph | Sequence[Value], total: int, boxes: int, max_nodes: int) -> ValueError:
    """The error for a picture of so many boxes: how large it would be, and what would fit."""
    size = f"{boxes * PAPER:.2g}" if boxes * PAPER < 100.0 else f"{boxes * PAPER:.0f}"
    said = f"this graph has {total} values" if boxes == total else f"this view has {boxes} boxes"
    lines = [f"{said}: too many for one picture (max_nodes={max_nodes}); it would cover {size} m2 of paper. What fits:"]
    if isinstance(what, Graph):
        offers, scoped = list(exact(what, max_nodes)), any(node.scope for node in what.nodes)
    else:
        homes = home_scopes(what)
        sizes = Counter([homes.get(value, value._note.scope) for value in what])
        offers, scoped = list(rough(sizes, max_nodes)), any(sizes)
    lines += offers
    if not scoped:
        lines.append('folded views, once parts have names: `with autograd.scope("loss"):`; modules of nn name theirs')
    elif not offers:
        lines.append(f"no folded view (depth=1 to {DEPTHS} were tried)")
    lines += [
        "a part of it: draw_dot of the loss of one sample, or of one neuron's output",
        'a page that folds and steps: autograd.explore(root, "graph.html"); a table: print(autograd.Graph(root))',
        f"all the same, if you can wait: max_nodes={boxes}",
    ]
    return ValueError("\n  ".join(lines))


def exact(graph: Graph, max_nodes: int) -> Iterator[str]:
    """The folded views that fit, with their numbers of boxes."""
    deepest = max(len(node.scope) for node in graph.nodes)
    for depth in range(1, min(deepest, DEPTHS) + 1):
        fold = graph.fold(depth)
        boxes, stacked = len(fold.boxes), len(stacks(graph, fold, columns(fold)))
        if boxes <= max_nodes:
            yield f"depth={depth}: {boxes} boxes{per([box.path for box in fold.boxes if box.path], depth)}"
        if stacked < boxes and stacked <= max_nodes:
            yield f"depth={depth}, stack=True: {stacked} boxes, equal ones as one"
        if stacked > max_nodes:
            return  # deeper views are larger


def rough(sizes: Counter[Path], max_nodes: int) -> Iterator[str]:
    """The folded views that would fit, from nothing but the number of values in each scope."""
    for depth in range(1, min(max(map(len, sizes)), DEPTHS) + 1):
        paths = {path[:depth] for path in sizes if len(path) >= depth}
        boxes = len(paths) + sum(size for path, size in sizes.items() if len(path) < depth)
        if boxes <= max_nodes:
            yield f"depth={depth}: about {boxes} boxes{per(paths, depth)}"


def per(paths: Iterable[Path], depth: int) -> str:
    """', one per neuron', if all scopes of this depth are of one kind."""
    kinds = {path[depth - 1].split("#")[0].rstrip("0123456789_") for path in paths if len(path) >= depth}
    return f", one per {kinds.pop()}" if len(kinds) == 1 and "" not in kinds else ""
