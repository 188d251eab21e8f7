"""The room of compiled training on several cores or machines: weights go out as one array, and gradients come back as one.

Nobody can address a worker of an executor, so a piece of a batch says by digests which model and which data it needs. A worker
that does not have them answers so, and gets the piece again with all that is missing; it keeps what it got. Dask spreads both
before the first step instead.
"""

from __future__ import annotations

import pickle
import random
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from hashlib import blake2b
from io import BytesIO
from typing import Any, NamedTuple

from autograd import Value
from nn.compiled import CompiledSteps
from nn.module import Module
from nn.programs import Programs
from nn.workers import Task, Workers, cuts, dumps

__all__ = ["SplitSteps"]

FIRST = 4  # samples by which this process finds out what the program is made of
ALIKE = 1e-6  # relative difference of gradients by two back ends
KEPT = 8  # models and data that a worker keeps
WEIGHT, GENERATOR = "weight", "generator"


class Parcel(NamedTuple):
    """Something that workers keep: its name, its contents, and where Dask has spread them."""

    key: str
    contents: bytes
    spread: Any


class SplitSteps(CompiledSteps):
    """Compiled steps whose gradients are found by the workers of an executor, in equal pieces of a batch.

    Every worker traces the program by itself, once, and keeps it. The pieces are added up in their order, so the numbers do not
    depend on who is ready first; Dropout, penalties, hooks and the optimiser stay in this process. Machine code runs from the
    first call on: if it took over later, it would at another step in every worker.

    What a model or a loss reads from outside may be something else in a worker, or stay there what it was here. So in the first
    step, and whenever somebody could have changed something, the gradient of one sample of each piece is computed here too.
    """

    backend = "native"

    def __init__(self, *arguments: Any, reduction: str, predicting: bool, executor: Any, workers: int | None) -> None:
        super().__init__(*arguments, reduction=reduction, predicting=predicting)
        self.check_splitting()
        self.workers = Workers(executor, workers)
        self.parcels: list[Parcel] = []  # of the data, and of the model
        self.is_packed = False  # whether the parcels are those of the model as it is

    def check_splitting(self) -> None:
        """Raise ValueError where it is not known what the loss of a batch is of the losses of its samples."""
        if not self.are_alike:
            raise ValueError(
                "fit(compile=True, executor=) sends samples as arrays, and takes the loss of a batch for the mean or the sum of "
                "the losses of its samples: inputs must be numbers, or lists or arrays of them, and all targets of one shape; "
                "leave compile out, or executor"
            )
        if not self.programs.reduction:
            raise ValueError(
                f"fit(compile=True, executor=) splits a batch, and does not know how {self.loss!r} of a batch comes from its "
                "value for each sample alone; say compile='mean' or compile='sum', or leave compile out, or executor"
            )

    def found(self, batch: Sequence[int], factors: list[list[float]]) -> tuple[float, Any, list[Any]]:
        """The objective of some samples, its gradient before the hooks, and what was predicted if it is requested."""
        programs = self.programs
        if programs.program is None:
            programs.program = programs.chosen(self.weights, batch[:FIRST], factors[:FIRST], splits=True)
            self.parcels, self.is_packed = [], False
        samples = batch if isinstance(batch, range) else self.np.array(batch, dtype=self.np.int32)
        parts = cuts(range(len(batch)), self.workers.count)
        spans = [slice(part[0], part[-1] + 1) for part in parts]
        is_audited = not self.is_packed and not self.workers.shares_memory
        pieces = [(self.weights, samples[span], factors[span], self.predicting, is_audited) for span in spans]
        tasks, lost = self.tasks(pieces), self.workers.lost
        futures = self.workers.send(tasks)
        value, gradient = programs.penalized(self.weights)  # meanwhile
        answers = self.workers.gathered(tasks, futures)
        if lost != self.workers.lost:  # what Dask had spread may be lost with them
            self.parcels = [parcel._replace(spread=None) for parcel in self.parcels]
        if missing := [k for k, answer in enumerate(answers) if answer is None]:
            tasks = [self.whole(pieces[k]) for k in missing]
            for k, answer in zip(missing, self.workers.gathered(tasks, self.workers.send(tasks))):
                answers[k] = answer
        predictions = []
        for piece, part, (loss, slopes, predicted, first) in zip(pieces, parts, answers):
            if is_audited:
                self.audit(*piece[:3], first)
            share = len(part) / len(batch) if programs.reduction == "mean" else 1.0
            value, gradient = value + share * loss, gradient + share * slopes
            predictions += predicted
        return value, gradient, predictions

    def audit(self, weights: Any, samples: Any, factors: list[list[float]], answer: tuple[float, Any]) -> None:
        """Raise RuntimeError if a worker comes to another loss or gradient of the first of some samples than this process."""
        np, own = self.np, first_of(self.programs, weights, samples, factors)
        theirs, ours = (np.append(slopes, value) for value, slopes in (answer, own))
        close = ALIKE * np.abs(ours).max(initial=0.0, where=np.isfinite(ours))
        if not np.allclose(theirs, ours, rtol=ALIKE, atol=close, equal_nan=True):
            raise RuntimeError(
                f"a worker of fit(executor=) comes to the loss {float(theirs[-1])!r} of sample {samples[0]}, and this process to "
                f"{float(ours[-1])!r}, or to another gradient: the model or the loss reads something (a global of a module, a "
                "file) that has changed here alone, or the worker has another version of a library; keep what changes in the "
                "model"
            )

    def tasks(self, pieces: Sequence[tuple[Any, ...]]) -> list[Task]:
        """What workers are to do, with names in place of what they have."""
        if self.workers.shares_memory:
            return [Task(of_piece, (self.programs, *piece), partial(of_piece, self.programs, *piece)) for piece in pieces]
        if not self.is_packed:
            self.pack()
        data, model = self.parcels
        names, spread = (data.key, None, model.key, None), (data.key, data.spread, model.key, model.spread)
        here = partial(of_piece, self.programs)
        return [Task(of_parcels, (*spread, *piece), partial(here, *piece), again=(*names, *piece)) for piece in pieces]

    def whole(self, piece: tuple[Any, ...]) -> Task:
        """The same for a worker that has nothing."""
        data, model = self.parcels
        arguments = (data.key, data.contents, model.key, model.contents, *piece)
        return Task(of_parcels, arguments, partial(of_piece, self.programs, *piece))

    def look_at_model(self) -> None:
        """After somebody could change the model, a callback say: what has changed is sent again."""
        super().look_at_model()
        self.is_packed = False

    def pack(self) -> None:
        """Pack what workers need; what was packed before goes nowhere again."""
        programs = self.programs
        data = self.parcels[0] if self.parcels else self.parcel(dumps(programs.data))
        contents = dumps((self.model, self.loss, programs.reduction, programs.backend), left_behind(self.model))
        if not self.parcels or self.parcels[1].key != key_of(contents, data.key):
            self.parcels = [data, self.parcel(contents, data.key)]
        self.is_packed = True

    def parcel(self, contents: bytes, belongs_to: str = "") -> Parcel:
        """Contents with their name, in the memory of all of Dask's workers if these are Dask's."""
        spread, client = None, self.workers.client
        if client is not None:
            with suppress(Exception):  # no worker has come yet: they ask
                spread = client.scatter(contents, broadcast=True)
        return Parcel(key_of(contents, belongs_to), contents, spread)


def key_of(contents: bytes, belongs_to: str) -> str:
    """A name that tells contents apart, and what they belong to."""
    return blake2b(contents + belongs_to.encode(), digest_size=16).hexdigest()


def left_behind(model: Module) -> Callable[[Any], Any]:
    """What stands for weights, which every step sends, and for generators, from which no program draws."""
    places = {id(p): k for k, p in enumerate(model.parameters()) if type(p) is Value}

    def stand_in(thing: Any) -> Any:
        if type(thing) is Value and id(thing) in places:
            return WEIGHT, places[id(thing)]
        is_generator = isinstance(thing, random.Random) or (hasattr(thing, "bit_generator") and not isinstance(thing, type))
        return (GENERATOR, 0) if is_generator else None

    return stand_in


class Unpacker(pickle.Unpickler):
    """Puts weights and generators in their places."""

    def __init__(self, contents: bytes) -> None:
        super().__init__(BytesIO(contents))
        self.things: dict[Any, Any] = {}

    def persistent_load(self, name: Any) -> Any:
        """A weight, the same one in every place, or a generator."""
        if name not in self.things:
            self.things[name] = Value(0.0) if name[0] == WEIGHT else random.Random(0)
        return self.things[name]


kept: OrderedDict[str, Any] = OrderedDict()  # what this process keeps as a worker
lock = threading.RLock()  # Dask's workers may have threads


def keep(key: str, thing: Any) -> Any:
    """Keep something, in place of what was used least recently."""
    kept[key] = thing
    while len(kept) > KEPT:
        kept.popitem(last=False)
    return thing


def of_parcels(data_key: str, data: bytes | None, key: str, model: bytes | None, *piece: Any) -> Any:
    """What a worker in another process does: a piece, by what it keeps; None if it does not have what it needs."""
    with lock:
        for known in (data_key, key):
            if known in kept:
                kept.move_to_end(known)
        programs = kept.get(key)
        if programs is None:
            samples = kept.get(data_key) or (None if data is None else keep(data_key, pickle.loads(data)))
            if samples is None or model is None:
                return None
            made, loss, reduction, backend = Unpacker(model).load()
            programs = Programs(made, loss, None, samples, reduction, backend)
            found = of_piece(programs, *piece)  # one thread traces, the others wait
            keep(key, programs)
            return found
    return of_piece(programs, *piece)


def of_piece(
    programs: Programs, weights: Any, samples: Any, factors: list[list[float]], predicting: bool, is_audited: bool
) -> tuple[Any, ...]:  # fmt: skip
    """The loss of some samples, its gradient, and what was predicted and the same for the first, if they are requested."""
    if programs.program is None:
        programs.program = programs.opened()
    value, gradient = programs.gradient(weights, samples, factors)
    predictions = programs.predicted(weights, samples, factors) if predicting else []
    return value, gradient, predictions, first_of(programs, weights, samples, factors) if is_audited else None


def first_of(programs: Programs, weights: Any, samples: Any, factors: list[list[float]]) -> tuple[float, Any]:
    """The loss and the gradient of the first of some samples."""
    return programs.gradient(weights, samples[:1], factors[:1])
