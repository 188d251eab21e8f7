"""The room of modules: something with parameters that can be called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograd import Value, scope

__all__ = ["Module"]


class Module:
    """Something with parameters: write them as attributes, and what it computes as `forward`.

    Values, other modules, and lists, tuples and dictionaries of them are found in the attributes, in the order in which they
    were set. Calling a module runs `forward` in a scope of its name, so that pictures can fold it into one box.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.intercept = Value(2.0), Value(1.0)
    ...     def forward(self, x):
    ...         return self.slope * x + self.intercept
    >>> line = Line()
    >>> line(3.0).data, list(line.named_parameters())
    (7.0, ['slope', 'intercept'])
    """

    name = ""  # what pictures call this module; the name of its class by default
    _seen: tuple[tuple[str, ...] | None, int] = (None, 0)  # the scope of the last call, and how often it was called there

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Run `forward` in a scope of the module's name; a second call in the same scope is numbered."""
        path, (last, count) = scope.path(), self._seen
        self._seen = path, count = path, count + 1 if path is last else 1
        name = self.name or type(self).__name__.lower()
        with scope(name if count == 1 else f"{name}#{count}"):
            return self.forward(*arguments, **keywords)

    def forward(self, *arguments: Any, **keywords: Any) -> Any:  # noqa: ARG002 - for subclasses
        """What the module computes; written by every kind of module."""
        raise TypeError(f"{type(self).__name__} has no forward method: define forward(self, x)")

    def named_parameters(self) -> dict[str, Value]:
        """The parameters by their path, each once: 'layers.0.neurons.3.b'."""
        found: dict[str, Value] = {}
        seen: set[Value] = set()
        for path, parameter in walk("", vars(self)):
            if parameter not in seen:
                seen.add(parameter)
                found[path] = parameter
        return found

    def parameters(self) -> list[Value]:
        """The parameters in the order of their names."""
        return list(self.named_parameters().values())

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.parameters())} parameters)"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_seen"}


def walk(path: str, thing: Any) -> Iterator[tuple[str, Value]]:
    """Every Value in modules and containers, with its path."""
    if isinstance(thing, Value):
        yield path, thing
    elif isinstance(thing, Module):
        yield from walk(path, vars(thing))
    elif isinstance(thing, dict):
        for key, part in thing.items():
            yield from walk(f"{path}.{key}" if path else str(key), part)
    elif isinstance(thing, (list, tuple)):
        for i, part in enumerate(thing):
            yield from walk(f"{path}.{i}" if path else str(i), part)
