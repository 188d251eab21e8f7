"""The room of renderers: whoever can turn Graphviz's language into a picture on this machine, asked in turn."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import graphviz

__all__ = ["RendererNotFound", "drawn"]

SECONDS = 60.0  # what a renderer gets
WAYS = """no program on this machine can draw the graph; install one of
  Graphviz itself:   apt install graphviz | brew install graphviz | winget install graphviz
  pygraphviz:        pip install pygraphviz      (draws svg, png and pdf)
  graphviz-pure:     pip install graphviz-pure   (draws svg and png)
or keep the text: draw_dot(...).save("graph.gv")
or step through the graph in a page, which needs none of these: autograd.explore(root, "graph.html")"""
# In a process of its own: a drawing inside of ours could not be stopped.
PYGRAPHVIZ = """import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog=sys.argv[2], args=" ".join(sys.argv[3:])))"""
PIXELS = {"png", "jpg", "jpeg"}  # formats that are drawn at twice the resolution of a screen: their text is small


class RendererNotFound(graphviz.ExecutableNotFound):  # type: ignore[misc]
    """No renderer was found; the message lists the ways to get one."""

    def __init__(self) -> None:
        RuntimeError.__init__(self, WAYS)

    def __str__(self) -> str:
        return WAYS


def drawn(source: str, format: str, engine: str = "dot") -> bytes:
    """The picture of a graph in Graphviz's language, by the first renderer that can draw it.

    Raises RendererNotFound where there is none; RuntimeError with what they said if none can draw this; TimeoutError if one
    has not finished after a minute.
    """
    said = []
    for name, command in renderers(format, engine):
        try:
            run = subprocess.run(command, input=source.encode(), capture_output=True, check=False, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise TimeoutError(
                f"{name} has not drawn the graph after {SECONDS:g} s; draw less: a part of it, or fold it with depth=, "
                'expand= or stack=True; or use the page: autograd.explore(root, "graph.html")'
            ) from None
        if run.returncode == 0 and run.stdout:
            return run.stdout
        lines = run.stderr.decode(errors="replace").strip().splitlines()
        said.append(f"{name} could not draw {format}: {lines[-1] if lines else f'it ended with {run.returncode}'}")
    if not said:
        raise RendererNotFound
    raise RuntimeError("\n".join([*said, "other formats and ways: svg, png; for pdf, Graphviz itself or pip install pygraphviz"]))


def renderers(format: str, engine: str) -> Iterator[tuple[str, list[str]]]:
    """Those that are here, the best first: their names and commands, which read from standard input."""
    options = ["-Gdpi=192"] if format.split(":")[0] in PIXELS else []
    if dot := shutil.which("dot"):
        yield "Graphviz's dot", [dot, f"-K{engine}", f"-T{format}", *options]
    if importlib.util.find_spec("pygraphviz"):
        yield "pygraphviz", [sys.executable, "-c", PYGRAPHVIZ, format, engine, *options]
    beside = str(Path(sys.executable).parent)  # where pip puts programs, on PATH or not
    if pure := shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=beside):
        yield "graphviz-pure", [pure, f"-K{engine}", f"-T{format}", *options]
