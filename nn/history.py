"""The room of histories: what happened in a training."""

from __future__ import annotations

import math

__all__ = ["History"]


class History:
    """What happened in a training: the loss and the metrics of every epoch, those on the validation data, and why it ended."""

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.metrics: dict[str, list[float]] = {}
        self.validation: dict[str, list[float]] = {}  # "loss" and the metrics
        self.stopped = "all epochs are done"

    def latest(self) -> dict[str, float]:
        """The numbers of the last epoch, those of the validation data as 'val_...'."""
        named = {"loss": self.loss, **self.metrics, **{f"val_{name}": values for name, values in self.validation.items()}}
        return {name: values[-1] for name, values in named.items() if values}

    def settled(self, tolerance: float, patience: int) -> bool:
        """Whether the last `patience` epochs did not lower the best loss (on the validation data, if any) by that fraction."""
        best, waited = math.inf, 0
        for loss in self.validation.get("loss", self.loss):
            waited = 0 if best == math.inf or loss < best - tolerance * abs(best) else waited + 1
            best = min(best, loss)
        return waited >= patience

    def __repr__(self) -> str:
        last = f", loss {self.loss[0]:.4g} -> {self.loss[-1]:.4g}" if self.loss else ""
        return f"History({len(self.loss)} epochs{last}; {self.stopped})"
