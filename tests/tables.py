"""Prints the README's tables of operations and of edges: `python -m tests.tables`."""

from __future__ import annotations

from autograd.ops import TABLE
from tests.edges import EDGES
from tests.oracle import ORACLE


def operations() -> str:
    """The table of primitives, in Markdown."""
    lines = ["| operation | value | partial derivatives |", "|---|---|---|"]
    symbols = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "mod": "%", "floor_divide": "//"}
    symbols |= {"neg": "-x", "pos": "+x"}
    for row in [row for row in TABLE.values() if row.name in ORACLE]:
        name = f"`{row.name}`" + (f" (`{symbols[row.name]}`)" if row.name in symbols else "")
        name += "" if row.public else " (in these texts)"
        aliases = "".join(f", `{alias}`" for alias in row.aliases if row.name not in symbols)
        partials = ", ".join(f"`{text.removesuffix(' or None')}`" if text != "None" else "none" for text in row.partials)
        lines.append(f"| {name}{aliases} | `{row.forward}` | {partials} |".replace("**`", "** `"))
    return "\n".join(lines)


def edges() -> str:
    """The table of special points, in Markdown."""
    lines = ["| expression | at | value | gradient |", "|---|---|---|---|"]
    for text, _, point, value, gradient in EDGES:
        at, slopes = (", ".join(f"{x:g}" for x in xs) for xs in (point, gradient))
        lines.append(f"| `{text}` | {at} | {value:g} | {slopes} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(operations(), edges(), sep="\n\n")
