"""The room of compiled methods: compiled functions that have the object as their first argument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.compiler.requests import positions

__all__ = ["Method"]


class Method:
    """A compiled method of an object: `Compiled` with the object as first argument."""

    def __init__(self, compiled: Any, owner: Any) -> None:
        self.compiled, self.owner = compiled, owner

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the method."""
        return self.compiled(self.owner, *arguments, **keywords)

    def value_and_grad(self, *arguments: Any, argnums: int | Sequence[int] = 0, **keywords: Any) -> Any:
        """The value and its gradient; argument 0 is the first after the object."""
        chosen = positions(self.compiled.__name__, argnums, arguments)
        shifted = chosen[0] + 1 if isinstance(argnums, int) else [k + 1 for k in chosen]
        return self.compiled.value_and_grad(self.owner, *arguments, argnums=shifted, **keywords)

    def functional(self, model: Any, argnum: int = 0) -> Any:
        """The function of flat arrays; `model` may be the object itself."""
        if model is self.owner:
            return self.compiled.functional(model)
        step = self.compiled.functional(model, argnum + 1)
        return lambda weights, *others, **keywords: step(weights, self.owner, *others, **keywords)

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":  # copies and pickles ask for what is not there
            raise AttributeError(name)
        return getattr(self.compiled, name)

    def __reduce__(self) -> Any:
        return Method, (self.compiled, self.owner)
