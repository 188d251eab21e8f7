"""Programs about hooks, copies, and facts of Values that are no numbers."""

from __future__ import annotations

import copy
import functools
import pickle
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value
from tests.compiler.hostile import AGREE, Line, steps, table, trained, verdict

pytestmark = pytest.mark.usefixtures("each_way")

PROGRAMS, program = table()

# Hooks.


def line(**options: Any) -> Any:
    return nn.Neuron(1, nonlin=False, init="zeros", **options)


@program(AGREE)
def hook_that_freezes_in_fit(tool):
    model = line()
    model.w[0].register_hook(lambda gradient: 0.0)
    return trained(tool, model)


@program(AGREE)
def hook_that_clips_in_fit_of_pieces(tool):
    model, seen = line(), []
    model.b.register_hook(lambda gradient: seen.append(round(gradient, 6)) or max(-0.5, min(0.5, gradient)))
    return trained(tool, model, batch_size=2), seen


@program(AGREE)
def hook_with_a_penalty(tool):
    model = line()
    model.b.register_hook(lambda gradient: max(-0.5, min(0.5, gradient)))
    return trained(tool, model, penalty=lambda model: 0.5 * sum(p * p for p in model.parameters()))


@program(AGREE)
def hook_in_fit_with_metrics_and_clipping(tool):
    model = line()
    model.w[0].register_hook(lambda gradient: 0.1 * gradient)
    return trained(tool, model, clip_norm=0.5, metrics={"first": lambda predicted, _: predicted[0]})


@program(AGREE)
def hook_registered_between_two_trainings(tool):
    model = line()
    first = trained(tool, model)
    remove = model.w[0].register_hook(lambda gradient: -gradient)
    second = trained(tool, model)
    remove()
    return first, second, trained(tool, model)


@program(AGREE)
def hook_registered_between_calls_of_functional(tool):
    model = Line()
    model.forward = lambda x: model.w * x
    step, found = tool.compile(lambda model, x: model(x) ** 2).functional(model), []
    found.append(step(np.array([1.0]), 2.0))
    remove = model.w.register_hook(lambda gradient: 10.0 * gradient)
    found.append(step(np.array([1.0]), 2.0))
    remove()
    return [*found, step(np.array([1.0]), 2.0)]


@program(AGREE)
def hook_that_only_listens(tool):
    model, seen = Line(), []
    model.forward = lambda x: model.w * x
    model.w.register_hook(seen.append)
    return steps(tool, model), seen


@program(AGREE)
def hook_of_an_argument_outside(tool):
    w = Value(2.0)
    w.register_hook(lambda gradient: 3.0 * gradient)
    f = tool.compile(lambda w: w * w)
    f(w).backward()
    f(w).backward()
    return w.grad


@program("does not train has a hook")
def hook_of_a_frozen_parameter(tool):
    model, seen = nn.MLP(1, [1, 1], init="zeros"), []
    model.layers[0].freeze()
    model.layers[0].neurons[0].b.register_hook(seen.append)
    return trained(tool, model), seen


@program("registers a hook")
def hook_registered_inside(tool):
    def f(x):
        y = x * x
        if isinstance(y, Value):
            y.register_hook(lambda gradient: 2.0 * gradient)
        return y * 3.0

    return tool.compile(f).value_and_grad(2.0)


@program("registers a hook")
def hook_registered_inside_on_a_weight(tool):
    w = Value(2.0)

    def f(x):
        w.register_hook(lambda gradient: 2.0 * gradient)
        return w * x

    tool.compile(f)(3.0).backward()
    return w.grad


@program("which has a hook")
def hook_in_a_derivative_inside(tool):
    w = Value(2.0)
    w.register_hook(lambda gradient: 2.0 * gradient)
    f = tool.compile(lambda x: ag.grad(w * x * w, [w])[0] * 1.0)
    return float(f(3.0))


def watching(module: Any, told: list[Any]) -> Any:
    module.register_forward_hook(lambda module, arguments, out: told.append(1))
    return module


@program("has a forward hook")
def forward_hook_in_a_call(tool):
    told: list[Any] = []
    model = watching(line(), told)
    f = tool.compile(lambda x: model([x]) * 1.0)
    return [float(f(1.0)), float(f(2.0))], told


@program("model.* has a forward hook")
def forward_hook_in_functional(tool):
    told: list[Any] = []
    model = nn.MLP(1, [2, 1], init="zeros")
    watching(model.layers[1], told)
    step = tool.compile(lambda model, x: model([x]) * 1.0).functional(model)
    return step(np.ones(len(model.parameters())), 2.0), told


@program("has a forward hook")
def forward_hook_in_fit(tool):
    told: list[Any] = []
    return trained(tool, watching(line(), told)), told


@program("has a forward hook")
def forward_hook_registered_later(tool):
    told: list[Any] = []
    model = line()
    f = tool.compile(lambda x: model([x]) * 1.0)
    first = float(f(1.0))
    watching(model, told)
    return first, float(f(1.0)), told


@program(AGREE)
def hooks_of_another_kind(tool):
    thing = SimpleNamespace(_hooks=[1.0, 2.0])
    return float(tool.compile(lambda x: x * thing._hooks[1])(3.0))


@program(AGREE)
def branch_on_a_weight_in_functional(tool):
    model = Line()
    model.forward = lambda x: model.w * x if model.w > 1.0 else model.w * model.w
    step = tool.compile(lambda model, x: model(x) * 1.0).functional(model)
    return [step(np.array([k]), 5.0) for k in (0.5, 2.0, 0.25, 3.0)], model.w.data


@program(AGREE)
def forward_hook_removed_again(tool):
    told: list[Any] = []
    model = line()
    remove = model.register_forward_hook(lambda *_: told.append(1))
    remove()
    f = tool.compile(lambda x: model([x]) * 1.0)
    return float(f(1.0)), told


# Copies inside.


@program(AGREE)
def deepcopy_of_an_argument(tool):
    f = tool.compile(lambda x: copy.deepcopy(x) * x)
    return f.value_and_grad(3.0), f.value_and_grad(5.0), float(f(2.0))


@program(AGREE)
def deepcopy_of_a_list(tool):
    def f(xs):
        ys = copy.deepcopy(xs)
        ys[0] = ys[0] * 2.0
        return ys[0] * xs[1] + xs[0]

    compiled = tool.compile(f)
    return compiled.value_and_grad([1.0, 2.0]), compiled.value_and_grad([3.0, 4.0])


@program(AGREE)
def deepcopy_of_an_operation(tool):
    f = tool.compile(lambda x: copy.deepcopy(x * x) * x)
    return f.value_and_grad(3.0), f.value_and_grad(5.0)


@program(AGREE)
def copy_of_an_operation(tool):
    f = tool.compile(lambda x: copy.copy(x * x) * x)
    return f.value_and_grad(3.0), f.value_and_grad(5.0)


@program(AGREE)
def copy_of_an_argument(tool):
    f = tool.compile(lambda x: copy.copy(x) * x + x)
    return f.value_and_grad(3.0), f.value_and_grad(5.0)


@program(AGREE)
def deepcopy_of_a_model_in_functional(tool):
    model = Line()
    type(model).forward = lambda self, x: self.w * x
    step = tool.compile(lambda model, x: copy.deepcopy(model)(x) * model(x)).functional(model)
    return [step(np.array([k]), 2.0) for k in (1.0, 2.0, 3.0)]


@program(AGREE)
def deepcopy_of_a_weight_outside(tool):
    w = Value(2.0)
    f = tool.compile(lambda x: copy.deepcopy(w) * x * w)
    found = []
    for number in (2.0, 3.0):
        w.data, w.grad = number, 0.0
        out = f(4.0)
        out.backward()
        found += [out.data, w.grad]
    return found


@program(AGREE)
def derivative_with_respect_to_a_copy(tool):
    def f(x):
        y = copy.deepcopy(x)
        return ag.grad(lambda z: z * z * x)(y) + x

    compiled = tool.compile(f)
    return compiled.value_and_grad(3.0), compiled.value_and_grad(5.0)


@program(AGREE)
def copies_in_derivatives_around(tool):
    f = tool.compile(lambda x, w: copy.deepcopy(x) * w * x + copy.copy(w) * x)
    w = Value(3.0)
    out = f(w, w)  # copies of leaves are leaves
    out.backward()
    return w.grad, [ag.grad(lambda x: f(x, 2.0 * x))(x) for x in (2.0, 5.0)], ag.derivative(lambda x: f(x, x), 2)(3.0)


@program(AGREE)
def copies_in_derivatives_inside(tool):
    f = tool.compile(lambda x, w: ag.grad(lambda z: copy.deepcopy(z) * copy.copy(z) * w * x)(x * w))
    w = Value(3.0)
    out = f(2.0, w)
    out.backward()
    return float(f(2.0, 3.0)), out.data, w.grad, f.value_and_grad(2.0, 4.0)


@program(AGREE)
def deepcopy_of_an_index(tool):
    f = tool.compile(lambda x, k: x[copy.deepcopy(k)] * 2.0)
    return [float(f([1.0, 2.0, 3.0], k)) for k in (0, 2, 1)]


@program("pickles")
def pickle_inside(tool):
    f = tool.compile(lambda x: pickle.loads(pickle.dumps(x)) * x)
    return f.value_and_grad(3.0), f.value_and_grad(5.0)


@program(AGREE)
def deepcopy_of_what_was_computed_before(tool):
    w = Value(2.0)
    y = w * w
    f, found = tool.compile(lambda x: copy.deepcopy(y) * x + y), []
    for number in (2.0, 3.0):
        w.data, w.grad = number, 0.0  # y stays what it was
        out = f(4.0)
        out.backward()
        found += [out.data, w.grad, y.grad]
    return found


@program("made while a function was compiled before")
def results_kept_by_a_cache(tool):
    w = Value(2.0)

    @functools.cache
    def scaled(k):
        return w * k

    f = tool.compile(lambda x: scaled(3.0) * (x[0] if isinstance(x, list) else x))
    return float(f(2.0)), float(f([2.0]))


# Facts of Values that are no numbers, and what a function does to them.


def in_turn(tool: Any, function: Any, w: Any, change: Any) -> Any:
    f, found = tool.compile(function), []
    for k in range(3):
        change(k)
        found.append(float(f(2.0)))
    return found


@program("reads .grad of w")
def gradient_of_a_weight(tool):
    w = Value(1.0)
    return in_turn(tool, lambda x: w * x + w.grad, w, lambda k: setattr(w, "grad", float(k)))


@program("reads .grad")
def gradient_by_getattr(tool):
    w = Value(1.0)
    name = "grad"
    return in_turn(tool, lambda x: w * x + getattr(w, name), w, lambda k: setattr(w, "grad", float(k)))


@program("reads .grad of model.w")
def gradient_in_functional(tool):
    model = Line()
    model.w.grad = 4.0
    return tool.compile(lambda model, x: model.w * x + model.w.grad).functional(model)(np.array([1.0]), 2.0)


@program("reads .grad of w")
def gradient_of_an_argument(tool):
    w = Value(3.0)
    f = tool.compile(lambda w: w * (1.0 + w.grad))
    found = []
    for k in range(3):
        w.grad = float(k)
        found.append(f(w).data)
    return found


@program("reads .label of w")
def label_of_a_weight(tool):
    w = Value(1.0)
    return in_turn(tool, lambda x: w * x * len(w.label), w, lambda k: setattr(w, "label", "w" * k))


@program("changes w while it runs.*sets .data")
def number_of_a_weight_set(tool):
    w = Value(1.0)

    def f(x):
        w.data = 5.0
        return w * x

    return in_turn(tool, f, w, lambda k: setattr(w, "data", float(k)))


@program("sets .data")
def number_of_a_result_set(tool):
    def f(x):
        h = ag.exp(x) if isinstance(x, Value) else Value(x).exp()
        h.data = 2.0
        return h * 3.0

    return float(tool.compile(f)(2.0))


@program("sets .data")
def number_of_a_constant_set_after_use(tool):
    def f(x):
        h = Value(2.0)
        y = h * x
        h.data = 3.0
        return y + h * x

    return float(tool.compile(f)(2.0))


@program(AGREE)
def number_of_a_constant_set_before_use(tool):
    def f(x):
        h = Value(2.0)
        h.data = 3.0
        return h * x

    return float(tool.compile(f)(2.0)), float(tool.compile(f)(4.0))


@program("sets .grad")
def zero_grad_inside(tool):
    model = line()
    model.w[0].grad = 4.0

    def f(x):
        model.zero_grad()
        return model([x])

    out = float(tool.compile(f)(2.0))
    return out, model.w[0].grad


@program("sets .label")
def label_set_inside(tool):
    w = Value(1.0)

    def f(x):
        w.label = "weight"
        return w * x

    out = float(tool.compile(f)(2.0))
    return out, w.label


@program(AGREE)
def label_of_a_number(tool):
    f = tool.compile(lambda x, ys: x * (2.0 if x.label else 3.0) + ys[0] * len(ys[0].label))
    return f.value_and_grad(2.0, [4.0], argnums=(0, 1))


@program(AGREE)
def classes_of_values(tool):
    w = Value(2.0)
    model = Line()
    f = tool.compile(lambda v, x: v * w * x * (2.0 if type(w) is Value and type(v) is Value and w.__class__ is Value else 3.0))
    step = tool.compile(lambda model, x: model.w * x * (2.0 if type(model.w) is Value else 3.0)).functional(model)
    return f(Value(3.0), 4.0).data, step(np.array([3.0]), 2.0)


@program("is read .as text. at")
def number_read_from_the_text(tool):
    f = tool.compile(lambda x: x * float(str(x).split("data=")[1].split(",")[0] if isinstance(x, Value) else x))
    return float(f(2.0)), float(f(3.0))


@program(AGREE)
def facts_of_own_results(tool):
    def f(x):
        y = x * Value(2.0)
        y.grad = 5.0
        return y * y.grad

    return [float(tool.compile(f)(x)) for x in (2.0, 3.0)]


@program(AGREE)
def labels_of_results(tool):
    def f(x):
        y = x * Value(2.0, label="two")
        y.label = "y"
        return y * len(y.label)

    return float(tool.compile(f)(2.0)), float(tool.compile(f)(3.0))


class Rated(Value):
    """A Value with an attribute of its own."""

    rate = 1.0


@program(AGREE)
def attribute_of_a_subclass(tool):
    w = Rated(3.0)
    return in_turn(tool, lambda x: w * x * w.rate, w, lambda k: setattr(w, "rate", float(k)))


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    verdict(*PROGRAMS[name])
