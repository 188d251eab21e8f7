"""The room of showing: what a notebook displays for a Value, its small graph; nothing is imported before it is asked for."""

from __future__ import annotations

from autograd.value import Value, topological

__all__: list[str] = []

SMALL = 100  # values; larger graphs are shown as text


def svg(self: Value) -> str | None:
    """The graph below this Value as a picture for a notebook, or None: text will do for leaves, large graphs, no renderer."""
    from autograd.draw import draw_dot
    from autograd.guard import count

    if not self._operands or count(topological(self)) > SMALL:
        return None
    bundle = draw_dot(self)._repr_mimebundle_(["image/svg+xml"])
    return bundle.get("image/svg+xml")  # type: ignore[no-any-return]


setattr(Value, "_repr_svg_", svg)  # noqa: B010 - the class knows nothing of pictures
