"""The room of rendering: a `graphviz.Digraph` that any renderer draws, with a dark mode and tooltips in its SVG."""

from __future__ import annotations

import html
import os
import re
from typing import Any

import graphviz

from autograd.colours import DARK, PAPER
from autograd.files import write
from autograd.renderers import drawn

__all__ = ["Picture"]

NIGHT = "".join(
    f'.autograd [{part}="{day}"]{{{part}:{night}}}' for day, night in DARK.items() for part in ("fill", "stroke")
)  # fmt: skip
STYLE = (
    "<style>.autograd{max-width:100%;height:auto}"
    f".autograd .edge text{{paint-order:stroke;stroke:{PAPER};stroke-width:2px;stroke-linejoin:round}}"
    f"@media (prefers-color-scheme:dark){{{NIGHT}.autograd .edge text{{stroke:{DARK[PAPER]}}}}}</style>"
)
FONTS = "Arial,Helvetica,Liberation Sans,Arimo,Nimbus Sans,sans-serif"  # all as wide as the first, which the boxes fit


class Picture(graphviz.Digraph):  # type: ignore[misc]
    """A `graphviz.Digraph` that also draws where Graphviz's `dot` is not installed, and whose SVG knows dark surroundings."""

    filename: str
    directory: str

    def pipe(
        self, format: str | None = None, renderer: str | None = None, formatter: str | None = None, *,
        engine: str | None = None, encoding: str | None = None, quiet: bool = False,  # noqa: ARG002 - for the package's callers
    ) -> Any:  # fmt: skip
        """The picture as bytes (as text with `encoding`), in a format such as svg, png or pdf."""
        format = format or self.format
        kind = ":".join(part for part in (format, renderer, formatter) if part)
        data = drawn(self.source, kind, engine or self.engine)
        if format == "svg":
            data = finished(data.decode(), self.name or "graph").encode()
        return data.decode(encoding) if encoding else data

    def render(
        self, filename: str | os.PathLike[str] | None = None, directory: str | os.PathLike[str] | None = None,
        view: bool = False, cleanup: bool = False, format: str | None = None, *,
        outfile: str | os.PathLike[str] | None = None, quiet: bool = False, quiet_view: bool = False, **options: Any,
    ) -> str:  # fmt: skip
        """Save the text and the picture beside it, and return the path of the picture; with `cleanup`, the picture only.

        The format is that of the call, of the suffix of `outfile`, or of the picture. Files are written whole or not at all.
        """
        if outfile is not None:
            path = os.path.join(directory or self.directory, outfile)
            format = format or os.path.splitext(path)[1][1:].lower() or None
            filename = filename or f"{os.path.splitext(os.fspath(outfile))[0]}.gv"
        format = format or self.format
        data = self.pipe(format, **options)
        self.filename, self.directory = os.fspath(filename or self.filename), os.fspath(directory or self.directory)
        if outfile is None:
            path = f"{self.filepath}.{format}"
        if not cleanup:
            self.save()
        saved(path, data)
        if view or quiet_view:
            self._view(path, format=format, quiet=quiet or quiet_view)
        return path

    def save(
        self, filename: str | os.PathLike[str] | None = None, directory: str | os.PathLike[str] | None = None, *,
        skip_existing: bool | None = False,
    ) -> str:  # fmt: skip
        """Save the text in Graphviz's language, and return its path."""
        self.filename, self.directory = os.fspath(filename or self.filename), os.fspath(directory or self.directory)
        if not (skip_existing and os.path.exists(self.filepath)):
            saved(self.filepath, self.source)
        return str(self.filepath)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
        """What a notebook shows: the picture, or why there is none; a display must not raise."""
        try:
            bundle: dict[str, Any] = super()._repr_mimebundle_(include, exclude)
        except Exception as error:
            bundle = {"text/plain": f"{self.name}: no picture\n{error}"}
        return bundle


def saved(path: str, contents: str | bytes) -> None:
    """Write a file of a picture, in a folder that is made if need be."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    write(path, contents, "the picture")


def finished(svg: str, title: str) -> str:
    """A renderer's SVG made whole: a title, a role, a dark mode, fonts, tooltips where browsers look for them.

    Colours are told apart by their attributes, so that the text of every renderer will do.
    """
    svg = re.sub(r"<!--.*?-->\n?|<!DOCTYPE.*?>\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>[^<]*</title>\n", "", svg)  # Graphviz's own names of nodes and edges
    svg = re.sub(r'<g id="a_[^"]*"><a xlink:title="([^"]*)">', r"<g><title>\1</title>", svg)
    svg = svg.replace("</a>\n</g>", "</g>").replace('font-family="Arial"', f'font-family="{FONTS}"')
    svg = re.sub(r' stroke="(transparent|none)"', ' stroke="none"', svg)
    head = f'<svg role="img" class="autograd" \\1>\n<title>{html.escape(title, quote=False)}</title>\n{STYLE}'
    return re.sub(r"<svg ([^>]*)>", lambda found: head.replace("\\1", found[1]), svg, count=1)
