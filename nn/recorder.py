"""The room of recorders: what the numbers of a network do while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import no_grad
from nn.history import History
from nn.linear import flatten
from nn.module import Module, evaluating, walk

__all__ = ["Recorder"]

KINDS = ("weights", "gradients", "activations")
ITSELF = "(itself)"


class Recorder:
    """Keeps the parameters of every layer, their gradients and what the layers give, for `plot_histograms`.

    Pass it to `fit(..., callbacks=[recorder])`: it records after every epoch, or every `every` epochs; in a loop of your own,
    call `record(step)` after `backward()`. Gradients are those of the last step. Activations are the outputs of every layer for
    the samples `inputs`, in evaluation mode; without `inputs` none are recorded. The layers are the modules right below the
    model. Raises ValueError if there is nothing to record.

    >>> from nn import MLP, fit, mse_loss
    >>> model = MLP(1, [3, 1], seed=0)
    >>> recorder = Recorder(model, inputs=[[0.0], [1.0]], every=2)
    >>> _ = fit(model, [[0.0], [1.0]], [0.0, 1.0], loss=mse_loss, epochs=5, callbacks=[recorder], progress=False)
    >>> recorder.steps, recorder.layers
    ([1, 3, 5], ['layers.0', 'layers.1'])
    >>> [len(numbers) for numbers in recorder.activations["layers.0"]]
    [6, 6, 6]
    """

    def __init__(self, model: Module, inputs: Sequence[Any] = (), every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"Recorder records every so many epochs, at least 1, not {every!r}")
        self.model, self.inputs, self.every = model, inputs, every
        self.parts = parts_of(model)
        if not self.parts:
            raise ValueError(f"Recorder needs a model with parameters; {model!r} has none")
        self.layers = list(self.parts)
        self.steps: list[int] = []
        self.weights: dict[str, list[list[float]]] = {name: [] for name in self.layers}  # a list of numbers for every step
        self.gradients: dict[str, list[list[float]]] = {name: [] for name in self.layers}
        self.activations: dict[str, list[list[float]]] = {name: [] for name in self.layers} if len(inputs) else {}

    def __call__(self, history: History) -> None:
        """Record, if it is the turn of this epoch: a callback of `fit`."""
        if (len(history.loss) - 1) % self.every == 0:
            self.record(len(history.loss))

    def record(self, step: int) -> None:
        """Record the numbers as they are."""
        self.steps.append(step)
        for name, part in self.parts.items():
            parameters = part.named_parameters().values()
            self.weights[name].append([p.data for p in parameters])
            self.gradients[name].append([p.grad for p in parameters])
        if self.activations:
            for name, numbers in self.outputs().items():
                self.activations[name].append(numbers)

    def outputs(self) -> dict[str, list[float]]:
        """What every layer gives for all of the inputs."""
        found: dict[str, list[float]] = {name: [] for name in self.layers}
        keeper = {id(part): found[name] for name, part in self.parts.items()}

        def keep(module: Module, _: Any, out: Any) -> None:
            keeper[id(module)] += [float(number) for number in flatten(out)]

        removals = [part.register_forward_hook(keep) for part in self.parts.values()]
        try:
            with no_grad(), evaluating(self.model):
                for x in self.inputs:
                    self.model(x)
        finally:
            for remove in removals:
                remove()
        return found

    def __repr__(self) -> str:
        return f"Recorder({len(self.steps)} steps of {', '.join(self.layers)})"


def parts_of(model: Module) -> dict[str, Module]:
    """The modules with parameters right below the model, each once, by their path; the model itself if it has none."""
    below: dict[str, Module] = {}
    for path, module in walk("", model):
        if isinstance(module, Module) and path and not any(path.startswith(f"{other}.") for other in below):
            below[path] = module
    parts: dict[str, Module] = {}
    for path, module in below.items():
        if module.named_parameters() and module not in parts.values():
            parts[path] = module
    return parts or ({ITSELF: model} if model.named_parameters() else {})
