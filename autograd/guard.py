"""The room of the guard: a graph too large for one picture is refused, with the views of it that would fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from autograd.graphs import Graph, Path, home_scopes
from autograd.stacks import columns, stacks
from autograd.value import Value, topological

__all__ = ["boxes_of", "refusal"]

EXACT = 100_000  # larger graphs are not folded only to say how large their views would be
DEPTHS = 5  # that are tried
PAPER = 0.0008  # square metres for a box and its arrows


def boxes_of(root: Value | Graph) -> int:
    """How many boxes a picture of every value would have; a graph of a million is counted, not frozen."""
    if isinstance(root, Graph):
        return len(root.nodes)
    order = topological(root)
    return len(order) + sum([operand.__class__ is float for value in order for operand in value._operands])


def refusal(root: Value | Graph, boxes: int, max_nodes: int) -> ValueError:
    """The error for a picture of so many boxes: how large it would be, and what would fit."""
    total = boxes_of(root)
    size = f"{boxes * PAPER:.2g}" if boxes * PAPER < 100.0 else f"{boxes * PAPER:.0f}"
    what = f"this graph has {total} values" if boxes == total else f"this view has {boxes} boxes"
    lines = [f"{what}: too many for one picture (max_nodes={max_nodes}); it would cover {size} m2 of paper. What fits:"]
    if isinstance(root, Graph) or total <= EXACT:
        graph = root if isinstance(root, Graph) else Graph(root)
        offers, scoped = list(exact(graph, max_nodes)), any(node.scope for node in graph.nodes)
    else:
        order = topological(root)
        homes = home_scopes(order)
        sizes = Counter(homes.get(value, value._note.scope) for value in order)
        offers, scoped = list(rough(sizes, max_nodes)), any(sizes)
    lines += offers
    if not scoped:
        lines.append("folded views, once parts have names: `with autograd.scope(\"loss\"):`; modules of nn name theirs")
    elif not offers:
        lines.append(f"no folded view fits (depth=1 to {DEPTHS} were tried)")
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
