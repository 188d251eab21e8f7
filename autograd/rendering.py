"""The room of renderers: whoever can turn Graphviz's language into a picture on this machine, asked in turn."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import graphviz

__all__ = ["Picture", "RendererNotFound"]

WAYS = """no program on this machine can draw the graph; install one of
  Graphviz itself:   apt install graphviz | brew install graphviz | winget install graphviz
  graphviz-pure:     pip install graphviz-pure
  pygraphviz:        pip install pygraphviz   (pdf as well as svg and png)
or keep the text: draw_dot(...).save("graph.dot")"""


class RendererNotFound(graphviz.ExecutableNotFound):  # type: ignore[misc]
    """No renderer was found; the message lists the ways to get one."""

    def __init__(self) -> None:
        RuntimeError.__init__(self, WAYS)

    def __str__(self) -> str:
        return WAYS


class Picture(graphviz.Digraph):  # type: ignore[misc]
    """A `graphviz.Digraph` that also draws where Graphviz's `dot` is not installed, by graphviz-pure or pygraphviz."""

    def pipe(self, format: str | None = None, **options: Any) -> Any:
        """The picture as bytes (as text with `encoding`), in a format such as svg, png or pdf."""
        if shutil.which("dot"):
            return super().pipe(format=format, **options)
        data = draw_without_dot(self.source, format or self.format)
        encoding = options.get("encoding")
        return data.decode(encoding) if encoding else data

    def render(
        self, filename: Any = None, directory: Any = None, view: bool = False, cleanup: bool = False, **options: Any
    ) -> str:
        """Save the text, draw it beside that, and return the path of the picture."""
        if shutil.which("dot"):
            return str(super().render(filename=filename, directory=directory, view=view, cleanup=cleanup, **options))
        format = options.get("format") or self.format
        data = draw_without_dot(self.source, format)
        source = Path(self.save(filename=filename, directory=directory))
        path = Path(options["outfile"]) if options.get("outfile") else source.with_name(f"{source.name}.{format}")
        path.write_bytes(data)
        if cleanup:
            source.unlink()
        if view:
            self._view(str(path), format=format, quiet=False)
        return str(path)

    def _repr_mimebundle_(self, *_: Any, **__: Any) -> dict[str, str]:
        """What a notebook shows: the picture, or how to get one; a display must not raise."""
        try:
            return {"image/svg+xml": self.pipe(format="svg", encoding="utf-8")}
        except graphviz.ExecutableNotFound as error:
            return {"text/plain": str(error)}


def draw_without_dot(source: str, format: str) -> bytes:
    """The picture by whichever of the other renderers is installed."""
    program = shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=str(Path(sys.executable).parent))
    if program:
        run = subprocess.run([program, f"-T{format}"], input=source.encode(), capture_output=True, check=False, timeout=60)
        if run.returncode:
            raise RuntimeError(f"graphviz-pure could not draw {format}: {run.stderr.decode(errors='replace').strip()}")
        return run.stdout
    try:
        import pygraphviz
    except ImportError:
        raise RendererNotFound from None
    data: bytes = pygraphviz.AGraph(string=source).draw(format=format, prog="dot")
    return data
