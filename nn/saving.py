"""The room of files: parameters and the memory of an optimiser, as JSON or safetensors. Reading a file runs no code of it.

A tensor is one entry: the Values of a list, or of nested lists of one length, have their numbers side by side.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nn.generators import generators, restore, state_of
from nn.history import History
from nn.module import Module
from nn.optim import Optimizer

__all__ = ["load", "save"]

FORMAT = "scalar-autograd 1"
Tensor = tuple[list[int], list[float]]  # a shape, and the numbers in row-major order


def save(
    path: str | os.PathLike[str], model: Module, optimizer: Optimizer | None = None, history: History | None = None
) -> None:
    """Write the parameters of a model, the memory of its optimiser and its history to a .json or .safetensors file.

    With an optimiser goes what the generators of Dropout will draw next, so that training goes on as if it had not stopped.

    The file appears whole or not at all. JSON keeps nan and infinities as words. Safetensors needs the packages safetensors
    and numpy.

    >>> import tempfile
    >>> from nn import MLP
    >>> model, twin = MLP(2, [3, 1], seed=0), MLP(2, [3, 1], seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(folder + "/model.json", model)
    ...     load(folder + "/model.json", twin)
    >>> twin([1.0, 2.0]).data == model([1.0, 2.0]).data
    True
    """
    path = Path(path)
    tensors = tensors_of({name: p.data for name, p in model.named_parameters().items()})
    if optimizer is not None:
        tensors["optimizer/steps"] = [], [float(optimizer.steps)]
        for kind, numbers in optimizer.state.items():
            tensors[f"optimizer/{kind}"] = [len(numbers)], [float(number) for number in numbers]
        for k, rng in enumerate(generators(model)):
            state = state_of(rng)
            tensors[f"generator/{k}"] = [len(state)], state
    if history is not None:
        series = {"loss": history.loss, **{f"metrics/{name}": values for name, values in history.metrics.items()}}
        series |= {f"validation/{name}": values for name, values in history.validation.items()}
        tensors |= {f"history/{name}": ([len(values)], list(values)) for name, values in series.items()}
    written = as_json(tensors) if check_suffix(path) == ".json" else as_safetensors(tensors)
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(written)
    os.replace(beside, path)


def load(
    path: str | os.PathLike[str], model: Module, optimizer: Optimizer | None = None, history: History | None = None
) -> None:
    """Read what `save` wrote into a model of the same shape, its optimiser and an empty history.

    Raises ValueError, and changes nothing, if the file is damaged, or if entries are missing, left over or of another shape.
    """
    path = Path(path)
    content = path.read_bytes() if check_suffix(path) else b""
    found = from_json(path, content) if path.suffix == ".json" else from_safetensors(path, content)
    memory = {name: found.pop(name) for name in list(found) if name.startswith("optimizer/")}
    states = {name: found.pop(name) for name in list(found) if name.startswith("generator/")}
    series = {name.split("/", 1)[1]: found.pop(name)[1] for name in list(found) if name.startswith("history/")}
    parameters = model.named_parameters()
    check_entries(path, tensors_of({name: p.data for name, p in parameters.items()}), found)
    if optimizer is not None:
        expected = {f"optimizer/{kind}": ([len(optimizer.parameters)], [0.0]) for kind in optimizer.state}
        check_entries(path, {"optimizer/steps": ([], [0.0]), **expected}, memory)
        rngs = {f"generator/{k}": rng for k, rng in enumerate(generators(model))}
        check_entries(path, {name: states.get(name, ([], [])) for name in rngs}, states)
        steps = memory["optimizer/steps"][1][0]
        if not steps >= 0 or steps != steps // 1:
            raise ValueError(f"{path} has 'optimizer/steps' of {steps}, and it counts steps")
        for try_only in (True, False):
            for name, rng in rngs.items():
                restore(rng, states[name][1], try_only=try_only)
        optimizer.steps = int(steps)
        for kind in optimizer.state:
            optimizer.state[kind] = list(memory[f"optimizer/{kind}"][1])
    if history is not None:
        history.loss = series.pop("loss", [])
        for name, numbers in series.items():
            part, _, metric = name.partition("/")
            (history.metrics if part == "metrics" else history.validation)[metric] = numbers
    values = list(parameters.values())
    for name, (_, positions) in tensors_of({name: float(i) for i, name in enumerate(parameters)}).items():
        for i, number in zip(positions, found[name][1]):
            values[int(i)].data = number


def tensors_of(numbers: Mapping[str, float]) -> dict[str, Tensor]:
    """Numbers named 'weight.0.1' gathered into tensors: 'weight', of a shape."""
    groups: dict[str, list[tuple[tuple[int, ...], str]]] = {}
    for name in numbers:
        stem, indices = re.fullmatch(r"(.*?)((?:\.\d+)*)", name).groups()  # type: ignore[union-attr]
        groups.setdefault(stem, []).append((tuple(map(int, indices.split(".")[1:])), name))
    tensors: dict[str, Tensor] = {}
    for stem, entries in groups.items():
        entries.sort()
        shape = [max(axis) + 1 for axis in zip(*[indices for indices, _ in entries])]
        complete = len({len(indices) for indices, _ in entries}) == 1 and math.prod(shape) == len(entries)
        if complete:
            tensors[stem] = shape, [numbers[name] for _, name in entries]
        else:  # lists of several lengths, or not of Values alone
            tensors.update({name: ([], [numbers[name]]) for _, name in entries})
    return tensors


def check_suffix(path: Path) -> str:
    if path.suffix not in (".json", ".safetensors"):
        raise ValueError(f"a model is saved as .json or .safetensors, not as {path.suffix or 'a file without suffix'!r}: {path}")
    return path.suffix


def check_entries(path: Path, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless a file has exactly the entries that are expected, in their shapes."""
    if missing := [name for name in expected if name not in found]:
        raise ValueError(f"{path} lacks {len(missing)} entries, the first is {missing[0]!r}: it was saved from another model")
    if extra := [name for name in found if name not in expected]:
        raise ValueError(f"{path} has {len(extra)} entries too many, the first is {extra[0]!r}: it was saved from another model")
    for name, (shape, _) in expected.items():
        if found[name][0] != shape:
            raise ValueError(f"{path} has {name!r} in shape {found[name][0]}, and the model needs shape {shape}")


def as_json(tensors: Mapping[str, Tensor]) -> bytes:
    entries = {
        name: {"shape": shape, "numbers": [x if math.isfinite(x) else str(x) for x in numbers]}
        for name, (shape, numbers) in tensors.items()
    }
    return json.dumps({"format": FORMAT, "tensors": entries}, allow_nan=False).encode()


def from_json(path: Path, content: bytes) -> dict[str, Tensor]:
    """The tensors of a JSON file, every entry looked at."""
    try:
        read = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON, or was cut off: {error}") from None
    if not isinstance(read, dict) or read.get("format") != FORMAT or not isinstance(read.get("tensors"), dict):
        raise ValueError(f"{path} is JSON, but not a saved model: it needs 'format': {FORMAT!r} and 'tensors'")
    tensors: dict[str, Tensor] = {}
    for name, entry in read["tensors"].items():
        try:
            shape, numbers = [int(size) for size in entry["shape"]], [float(x) for x in entry["numbers"]]
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ValueError(f"{path}: the entry {name!r} needs a 'shape' of integers and 'numbers'") from None
        tensors[name] = checked(path, name, shape, numbers)
    return tensors


def checked(path: Path, name: str, shape: list[int], numbers: list[float]) -> Tensor:
    if any(size < 0 for size in shape) or math.prod(shape) != len(numbers):
        raise ValueError(f"{path}: the entry {name!r} has shape {shape} and {len(numbers)} numbers")
    return shape, numbers


def as_safetensors(tensors: Mapping[str, Tensor]) -> bytes:
    np, safetensors = packages()
    arrays = {name: np.array(numbers, dtype=np.float64).reshape(shape) for name, (shape, numbers) in tensors.items()}
    written: bytes = safetensors.save(arrays, metadata={"format": FORMAT})
    return written


def from_safetensors(path: Path, content: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file; the package checks sizes and offsets."""
    _, safetensors = packages()
    try:
        arrays = safetensors.load(content)
    except Exception as error:  # the package raises its own kinds
        raise ValueError(f"{path} is not a safetensors file, or was cut off: {error}") from None
    return {name: (list(array.shape), [float(x) for x in array.reshape(-1)]) for name, array in arrays.items()}


def packages() -> tuple[Any, Any]:
    try:
        import numpy as np
        import safetensors.numpy as safetensors
    except ImportError:
        raise ImportError("safetensors files need two packages: pip install safetensors numpy; or save as .json") from None
    return np, safetensors
