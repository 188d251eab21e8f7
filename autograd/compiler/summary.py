"""The room of summaries: in words, what a compiled function became, which matrices were found, and what was not."""

from __future__ import annotations

from autograd.compiler.executable import Executable
from autograd.compiler.recover import Group, Shape
from autograd.compiler.variant import FEW, Variant

__all__ = ["summary"]

KINDS = {
    "elementwise": "elementwise", "reduced": "sums and other reductions along an axis", "ragged": "reductions of several lengths",
    "dots": "sums of products that share no factors", "taken": "rows taken by index", "picked": "numbers taken by index",
}  # fmt: skip


def summary(variant: Variant, executable: Executable) -> str:
    """How many scalar operations became how many lines, which of them are matrix products, and what is gathered and why."""
    text, groups = executable.text, executable.tensors.groups
    lines = [
        f"{variant.name}: {variant.size:,} operations on scalars became {len(groups):,} on arrays"
        + (f", derivatives with respect to {len(executable.wanted):,} inputs included" if executable.wanted else "")
        + (f", printed in {len(text.lines):,} lines" if text is not None else "")
    ]
    products = [group for group in groups if group.form in ("product", "products")]
    if products:
        lines.append(f"  {len(products)} matrix products: " + ", ".join(map(sizes, products)))
    for form, kind in KINDS.items():
        if count := sum(group.form == form for group in groups):
            lines.append(f"  {count} {kind}")
    alone = sum(len(group.entries) == 1 for group in groups)
    if alone > len(groups) // 2:
        lines.append(f"  {alone} of them have one result each: nothing alike was found beside them")
    if variant.program.guards:
        lines.append(f"  {len(variant.program.guards)} comparisons are checked at every call; see `frozen`")
    if text is not None:
        lines += [f"  gathered: {gather}" for gather in text.gathers]
    if len(variant.program.outputs) > FEW:
        lines.append(f"  {len(variant.program.outputs)} results: as Values (more than {FEW}) they are computed by the engine")
    lines.append(f"  run by {executable.chosen.ran}")
    return "\n".join(lines)


def sizes(group: Group) -> str:
    """The shapes of the factors: '(100, 2) @ (2, 16)'; several products side by side: '4 x (7, 4) @ (4, 7)'."""
    (_, first), (_, second) = group.arguments
    deep: Shape = ()
    if group.form == "products":
        deep, first, second = first[:1], first[1:], second[1:]
    times = f"{deep[0]} x " if deep else ""
    return f"{times}{first} @ {second[::-1]}"
