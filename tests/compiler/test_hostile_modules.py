"""Programs whose modules change themselves when they are called: compiled, they must be refused."""

from __future__ import annotations

import array
from collections import Counter as Counter_
from collections import defaultdict, deque
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograd import Value
from tests.compiler.hostile import AGREE, STATE, Line, calls, steps, table, trained, verdict

pytestmark = pytest.mark.usefixtures("each_way")

PROGRAMS, program = table()


class Counter(Line):
    def forward(self, x: Any) -> Any:
        self.count += 1
        return self.w * (x[0] if isinstance(x, list) else x) * self.count


class Mean(Line):
    def forward(self, x: Any) -> Any:
        self.mean = 0.9 * self.mean + 0.1 * self.count
        return self.w * x + self.mean


class Listing(Line):
    def forward(self, x: Any) -> Any:
        y = self.w * x
        self.seen.append(len(self.seen))
        return y * len(self.seen)


class Keeping(Line):
    def forward(self, x: Any) -> Any:
        y = self.w * x
        self.activations.append(y)
        return y


class Dictionary(Line):
    def forward(self, x: Any) -> Any:
        self.counts["calls"] = self.counts.get("calls", 0) + 1
        return self.w * x * self.counts["calls"]


class InPlace(Line):
    def forward(self, x: Any) -> Any:
        self.array += 1.0
        return self.w * x * float(self.array[0])


class Inner(Line):
    def forward(self, x: Any) -> Any:
        self.state.count += 1
        return self.w * x * self.state.count


class Moved(Line):
    def forward(self, x: Any) -> Any:
        self.state.data = 2.0
        return self.w * x


class Replaced(Line):
    def forward(self, x: Any) -> Any:
        self.state = self.state * 2.0
        return self.w * x


class Deleted(Line):
    def forward(self, x: Any) -> Any:
        if hasattr(self, "count"):
            del self.count
            return self.w * x
        return self.w * x * 3.0


class Lazy(Line):
    def forward(self, x: Any) -> Any:
        if not hasattr(self, "ready"):
            self.ready = True
        return self.w * x


STATES = {
    "counter": lambda: Counter(count=0),
    "running_mean": lambda: Mean(mean=0.0, count=3),
    "growing_list": lambda: Listing(seen=[]),
    "list_of_activations": lambda: Keeping(activations=[]),
    "entry_of_a_dictionary": lambda: Dictionary(counts={}),
    "array_in_place": lambda: InPlace(array=np.zeros(2)),
    "state_of_a_part": lambda: Inner(state=SimpleNamespace(count=0)),
    "another_value_replaced": lambda: Replaced(state=1.0),
    "attribute_deleted": lambda: Deleted(count=1),
    "attribute_made_when_first_called": lambda: Lazy(),
}


class Changing(Line):
    """What it is made of, how a call changes that, and the number that this comes to."""

    def forward(self, x: Any) -> Any:
        self.change(self.state)
        return self.w * x * float(self.amount(self.state))


class Slots:
    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class OfClass:
    count = 0


class Tally:
    total = 0


def tally(_: Any) -> None:
    Tally.total += 1


def add_to(thing: Any) -> None:
    thing.count += 1


def add_to_class(thing: Any) -> None:
    type(thing).count += 1


def changing(state: Any, change: Any, amount: Any) -> Any:
    return lambda: Changing(state=state(), change=change, amount=amount)


def first(state: Any) -> Any:
    return next(iter(state.values()))


def inner() -> Any:
    return {"a": {"b": [0]}}


STATES |= {
    "deque": changing(lambda: deque([0], 3), lambda s: s.append(s[-1] + 1), lambda s: s[-1]),
    "set": changing(set, lambda s: s.add(len(s)), len),
    "array_of_bytes": changing(lambda: bytearray(1), lambda s: s.append(1), len),
    "array_of_python": changing(lambda: array.array("d", [0.0]), lambda s: s.append(1.0), len),
    "counter_of_collections": changing(Counter_, lambda s: s.update("a"), lambda s: s["a"]),
    "dictionary_with_defaults": changing(lambda: defaultdict(int), lambda s: s.__setitem__("a", s["a"] + 1), lambda s: s["a"]),
    "deep_inside": changing(inner, lambda s: s["a"]["b"].append(1), lambda s: len(s["a"]["b"])),
    "order_of_a_dictionary": changing(lambda: {"a": 1, "b": 2}, lambda s: s.__setitem__("a", s.pop("a")), first),
    "slots": changing(Slots, add_to, lambda s: s.count),
    "class_attribute": changing(OfClass, add_to_class, lambda s: s.count),
    "attribute_of_a_class_outside": changing(list, tally, lambda _: Tally.total),
    "array_in_the_order_of_fortran": changing(lambda: np.zeros((2, 2), order="F"), lambda s: s.__setitem__((0, 1), 7.0), np.sum),
    "array_of_integers": changing(lambda: np.zeros(2, dtype=int), lambda s: s.__iadd__(1), np.sum),
}


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("use", [steps, calls])
def test_a_module_that_changes_itself_is_refused(name, use):
    verdict(lambda tool: use(tool, STATES[name]()), STATE)


@program(STATE)
def value_of_a_model_moved(tool):
    return calls(tool, Moved(state=Value(1.0)))


@program(STATE)
def value_of_a_model_moved_in_functional(tool):
    model = Moved(state=Value(1.0))
    return tool.compile(lambda model, x: model(x) * 1.0).functional(model)(np.array([3.0, 4.0]), 2.0)


@program(STATE)
def counter_in_fit(tool):
    return trained(tool, Counter(count=0))


@program(STATE)
def counter_in_fit_of_whole_batches(tool):
    return trained(tool, Counter(count=0), loss=lambda ps, ts: sum((p - t) ** 2 for p, t in zip(ps, ts)))


@program(STATE)
def counter_in_a_batch(tool):
    model = Counter(count=0)
    step = tool.compile(lambda model, x: model(x) * 1.0, **({"batch": 1, "reduce": "sum"} if tool.compiles else {}))
    return [step.functional(model)(np.array([1.0]), np.array([2.0]) if tool.compiles else 2.0)]


@program(STATE)
def counter_in_values_alone(tool):
    model = Counter(count=0)
    f = tool.compile(lambda model, x: model(x) * 1.0)
    return [f.functional(model).value(np.array([1.0]), 2.0) if tool.compiles else f(model, 2.0)]


@program(AGREE)
def state_that_only_callers_change(tool):
    model = Line(scale=1.0)
    model.forward = lambda x: model.w * x * model.scale
    f, found = tool.compile(lambda x: model(x) * 1.0), []
    for scale in (1.0, 2.0, 2.0, 3.0):
        model.scale = scale
        found.append(float(f(2.0)))
    return found


@program(AGREE)
def state_that_is_the_same_afterwards(tool):
    model = Line(depth=0)

    def forward(x):
        model.depth += 1
        y = model.w * x * model.depth
        model.depth -= 1
        return y

    model.forward = forward
    return steps(tool, model), calls(tool, model)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    verdict(*PROGRAMS[name])
