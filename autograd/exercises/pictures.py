"""The room of pictures for learners: the graph of an exercise, with the edge that is wrong marked."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograd.arguments import paths
from autograd.colours import BAD
from autograd.draw import draw_dot
from autograd.exercises.catalogue import Exercise
from autograd.exercises.judge import Verdict, alike, inputs_of
from autograd.exercises.run import plain
from autograd.graphs import Edge, Graph
from autograd.trees import leaves, rebuild
from autograd.value import Value

__all__ = ["draw", "graph_of"]

LARGE = 60  # nodes; a larger graph explains nothing
FEW = 4  # edges; more are not named one by one


def graph_of(exercise: Exercise, case: Sequence[Any]) -> Value | None:
    """The computation that an exercise is about, differentiated, with labels; None where there is none."""
    if "graph" in exercise.grading:
        root: Value = exercise.grading["graph"](*copy.deepcopy(case))
    elif exercise.function is not None:
        arguments = list(copy.deepcopy(case))
        for i in range(exercise.by):
            name = exercise.arguments(len(case))[i]
            labelled = [Value(x, label=label) for x, label in zip(leaves(arguments[i]), paths(name, arguments[i]))]
            arguments[i] = rebuild(arguments[i], iter(labelled))
        root = exercise.function(*arguments)
        root.label = root.label or "out"
    else:
        return None
    root.backward()
    return root


def draw(exercise: Exercise, verdict: Verdict, seed: int, path: Path) -> None:
    """Draw the case where a submission is wrong into `path`, and name the picture and the edge in the verdict."""
    if verdict.status not in ("mistake", "wrong") or verdict.got is None:
        return
    case = exercise.cases(seed)[verdict.case]
    root = graph_of(exercise, case)
    if root is None or len((graph := Graph(root)).nodes) > LARGE:
        return
    guilty = edges_to_blame(exercise, verdict, case, graph)
    titles = {node.id: node.label or node.op or node.name for node in graph.nodes}
    said = list(dict.fromkeys(f"{titles[edge.source]} -> {titles[edge.target]}" for edge in guilty))
    verdict.edge = ", ".join(said) if len(said) <= FEW else f"{len(said)} edges"
    verdict.picture = write(root, guilty, path)


def edges_to_blame(exercise: Exercise, verdict: Verdict, case: Sequence[Any], graph: Graph) -> list[Edge]:
    """The edge that the mistake names; or else those that lead from the inputs whose derivative is wrong."""
    labels = {node.id: node.label for node in graph.nodes}
    named = [edge for edge in graph.edges if verdict.edge and f"{labels[edge.source]} -> {labels[edge.target]}" == verdict.edge]
    if named or exercise.function is None or "expected" in exercise.grading:
        return named
    names = inputs_of(exercise, case)
    wanted, got = leaves(plain(exercise.expected(copy.deepcopy(case)))), leaves(verdict.got)
    wrong = {name for name, x, y in zip(names, wanted, got) if not alike(x, y, exercise.tolerance)}
    return [edge for edge in graph.edges if labels[edge.source] in wrong]


def write(root: Value, guilty: Sequence[Edge], path: Path) -> str:
    """Draw the graph with the guilty edges in red; where no program can draw, keep the text of the picture."""
    import graphviz

    picture = draw_dot(root)
    for edge in guilty:
        start = f"\tn{edge.source} -> n{edge.target}"
        picture.body[:] = [
            line.rstrip().removesuffix("]") + (" " if "[" in line else " [") + f'color="{BAD}" fontcolor="{BAD}" penwidth=2.5]\n'
            if line.startswith((start + " ", start + "\n"))
            else line
            for line in picture.body
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.write_bytes(picture.pipe(format=path.suffix[1:] or "svg"))
    except graphviz.ExecutableNotFound:
        path = path.with_suffix(".dot")
        path.write_text(picture.source, encoding="utf-8")
    return str(path)
