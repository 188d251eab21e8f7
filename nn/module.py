"""The room of modules: something with parameters that can be called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from autograd import Value, scope

__all__ = ["Module", "check_inputs", "check_size"]


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
    training = True  # whether Dropout drops; see `train` and `eval`
    frozen = False  # whether training leaves the parameters of this module alone; see `freeze`
    _seen: tuple[tuple[str, ...] | None, int] = (None, 0)  # the scope of the last call, and how often it was called there
    _hooks: tuple[Callable[[Module, tuple[Any, ...], Any], Any], ...] = ()  # who is told of every call

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Run `forward` in a scope of the module's name; a second call in the same scope is numbered."""
        path, (last, count) = scope.path(), self._seen
        self._seen = path, count = path, count + 1 if path is last else 1
        name = self.name or type(self).__name__.lower()
        with scope(name if count == 1 else f"{name}#{count}"):
            out = self.forward(*arguments, **keywords)
            for hook in self._hooks:
                hook(self, arguments, out)
            return out

    def forward(self, *arguments: Any, **keywords: Any) -> Any:  # noqa: ARG002 - for subclasses
        """What the module computes; written by every kind of module."""
        raise TypeError(f"{type(self).__name__} has no forward method: define forward(self, x)")

    def register_forward_hook(self, hook: Callable[[Module, tuple[Any, ...], Any], Any]) -> Callable[[], None]:
        """Call `hook(module, arguments, output)` after every `forward`, in the scope of the call.

        Returns a function that removes the hook. Copies and pickles of the module have no hooks.

        >>> from nn import Neuron
        >>> neuron = Neuron(1, init="zeros")
        >>> remove = neuron.register_forward_hook(lambda module, arguments, output: print(arguments, "->", output.data))
        >>> _ = neuron([3.0])
        ([3.0],) -> 0.0
        >>> remove()
        """
        self._hooks = (*self._hooks, hook)

        def remove() -> None:
            self._hooks = tuple([other for other in self._hooks if other is not hook])

        return remove

    def modules(self) -> Iterator[Module]:
        """The module itself and all modules in it, each once."""
        yield from contents(self)[0]

    def named_parameters(self) -> dict[str, Value]:
        """The parameters by their path, each once, frozen ones included: 'layers.0.neurons.3.b'."""
        found: dict[str, Value] = {}
        seen: set[Value] = set()
        for path, thing in walk("", self):
            if isinstance(thing, Value) and thing not in seen:
                seen.add(thing)
                found[path] = thing
        return found

    def parameters(self) -> list[Value]:
        """The parameters that training may move, in the order of their names: all but the frozen ones."""
        modules, parameters = contents(self)
        frozen = {p for module in modules if module.frozen for p in contents(module)[1]}
        return [p for p in parameters if p not in frozen] if frozen else parameters

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0, and number calls from 1 again: each step of a training looks alike."""
        for parameter in self.parameters():
            parameter.grad = 0.0
        for module in self.modules():
            if "_seen" in vars(module):
                module._seen = Module._seen

    def train(self, mode: bool = True) -> Module:
        """Switch to training, or with False to evaluation: Dropout drops only in training. Returns the module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Switch to evaluation."""
        return self.train(False)

    def freeze(self, frozen: bool = True) -> Module:
        """Keep `parameters()` from naming the parameters in here, so that an optimiser made after this leaves them alone.

        >>> from nn import MLP
        >>> model = MLP(2, [3, 1])
        >>> _ = model.layers[0].freeze()
        >>> len(model.parameters()), len(model.named_parameters())
        (4, 13)
        """
        for module in self.modules():
            module.frozen = frozen
        return self

    def summary(self) -> str:
        """A table of the modules with parameters of their own: path, kind, and how many. Rows of equal modules are one.

        >>> from nn import Linear, Sequential
        >>> print(Sequential(Linear(2, 3), "relu", Linear(3, 1)).summary())
        module    kind    parameters
        layers.0  Linear           9
        layers.2  Linear           4
        total                     13
        """
        own_rows: list[tuple[str, str, int]] = []
        counted: set[Value] = set()
        for path, module in walk("", self):
            if isinstance(module, Module):
                own = set(module.named_parameters().values())
                inner = {p for part in module.modules() if part is not module for p in part.named_parameters().values()}
                count = len(own - inner - counted)
                counted |= own - inner
                if count:
                    note = " (frozen)" if module.frozen else ""
                    own_rows.append((path or "(itself)", type(module).__name__ + note, count))
        whole = ("total", "", len(self.named_parameters()))
        rows = [("module", "kind", "parameters"), *shortened(own_rows), whole]
        first, second, third = (max(len(str(cell)) for cell in column) for column in zip(*rows))
        return "\n".join(f"{path:{first}}  {kind:{second}}  {count:>{third}}" for path, kind, count in rows)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.named_parameters())} parameters)"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_seen", "_hooks")}


def shortened(rows: list[tuple[str, str, int]]) -> Iterator[tuple[str, str, int]]:
    """Rows of a summary; more than three equal modules that follow each other in a list are one row."""

    def kin(numbered: tuple[int, tuple[str, str, int]]) -> tuple[Any, ...]:
        place, (path, kind, count) = numbered
        stem, _, index = path.rpartition(".")
        return stem, kind, count, int(index) - place if index.isdigit() else path

    for _, group in groupby(enumerate(rows), kin):
        equal = [row for _, row in group]
        path, kind, count = equal[0]
        if len(equal) > 3:
            yield f"{path} to {equal[-1][0].rpartition('.')[2]}", f"{len(equal)} {kind}", len(equal) * count
        else:
            yield from equal


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Evaluation mode for as long as the block runs; every module comes back to its own mode."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def check_inputs(x: Any, count: int, who: str, things: str = "inputs") -> None:
    """Raise TypeError or ValueError if these are not as many inputs as `who` takes."""
    if not hasattr(x, "__len__"):
        raise TypeError(f"{who} needs a list of {count} {things}, not {type(x).__name__} {x!r}")
    if len(x) != count:
        raise ValueError(f"{who} got {len(x)} {things}")


def check_size(size: Any, what: str, least: int = 1) -> int:
    """A number of things. Raises TypeError or ValueError for what is no whole number from `least` on."""
    if not hasattr(size, "__index__"):
        raise TypeError(f"{what} is a whole number, not {type(size).__name__} {size!r}")
    if (found := size.__index__()) < least:
        raise ValueError(f"{what} is at least {least}, not {size}")
    return int(found)


def contents(module: Module) -> tuple[list[Module], list[Value]]:
    """A module and all modules in it, and all parameters, each once and in the order of their names: `walk`, but faster."""
    modules, values = [module], dict[Value, None]()
    seen, walks = {id(module)}, [iter(vars(module).values())]
    while walks:
        for part in walks[-1]:
            if isinstance(part, Value):
                values[part] = None
            elif isinstance(part, (Module, list, tuple, dict)) and id(part) not in seen:
                seen.add(id(part))
                if isinstance(part, Module):
                    modules.append(part)
                    part = vars(part)
                walks.append(iter(part.values() if isinstance(part, dict) else part))
                break
        else:
            walks.pop()
    return modules, list(values)


def walk(path: str, thing: Any) -> Iterator[tuple[str, Value | Module]]:
    """Every module and every Value in modules and containers, with its path. A module comes before what is in it."""
    if isinstance(thing, Module):
        yield path, thing
        parts: Any = vars(thing).items()
    elif isinstance(thing, dict):
        parts = thing.items()
    elif isinstance(thing, (list, tuple)):
        parts = enumerate(thing)
    else:
        return
    for key, part in parts:
        if not isinstance(part, Value):
            yield from walk(f"{path}.{key}" if path else str(key), part)
        else:
            yield f"{path}.{key}" if path else str(key), part
