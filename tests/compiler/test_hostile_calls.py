"""Programs that depend on how a compiled function is called: contexts, caught refusals, copies, methods, own primitives."""

from __future__ import annotations

import contextlib
import copy
import functools
import math
import random
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value
from autograd.controls import watched
from tests.compiler.hostile import AGREE, table, verdict

pytestmark = pytest.mark.usefixtures("each_way")

PROGRAMS, program = table()
READ = "the number inside a Value is read"

# What stands around a call.


def outcome(function, *arguments, **keywords):
    """What a call returns, or the kind of its error."""
    try:
        return function(*arguments, **keywords)
    except ArithmeticError as error:
        return type(error).__name__


@program(AGREE)
def anomaly_in_a_call_with_values(tool):
    f = tool.compile(lambda x: ag.where(x, x, ag.log(x)))  # the branch that is not taken is nan
    x = Value(-1.0)
    with ag.detect_anomaly():
        inside = outcome(f, x)
    return inside, f(x).data


@program(AGREE)
def anomaly_in_a_gradient_of_floats(tool):
    f = tool.compile(lambda x: ag.sqrt(x) * 2.0)
    first = f.value_and_grad(4.0)
    with ag.detect_anomaly():
        inside = outcome(f.value_and_grad, 0.0)
    return first, inside, f.value_and_grad(0.0)


@program(AGREE)
def anomaly_in_functional(tool):
    model = SimpleLine()
    step = tool.compile(lambda model, x: ag.log(model.w * x)).functional(model)
    first = step(np.array([1.0]), 2.0)
    with ag.detect_anomaly():
        inside = outcome(step, np.array([0.0]), 2.0)
    return first[0], inside


@program(AGREE)
def anomaly_in_fit(tool):
    model = nn.Neuron(1, nonlin=False, init="zeros")
    with ag.detect_anomaly():
        return outcome(
            tool.fit, model, [[1.0], [2.0]], [1.0, 2.0], loss=lambda ps, ts: ps[0] * 0.0 + (ps[1] - ts[1]).log(), epochs=1
        )


@program(AGREE)
def watchers_see_every_operation(tool):
    f, seen = tool.compile(lambda x: ag.exp(x * x) + 1.0), []
    x = Value(2.0)
    f(x)
    with watched(lambda node: seen.append(node._op)):
        y = f(x)
    return seen, y.data, len(y._prev)


@program(AGREE)
def lint_sees_no_mistake_in_a_compiled_call(tool):
    rng = random.Random(3)
    numbers = [rng.gauss(0.0, 1.0) for _ in range(40)]
    f = tool.compile(lambda ws, xs: sum(w * x for w, x in zip(ws, xs)) * sum(ws))
    ws = [Value(number) for number in numbers]
    with warnings.catch_warnings(record=True) as caught, ag.lint(ws):
        warnings.simplefilter("always")
        f(ws, numbers[::-1]).backward()
    return [str(warning.message) for warning in caught]


@program(AGREE)
def functions_that_keep_results(tool):
    @functools.lru_cache
    def doubled(n):
        return n * 2.0

    @functools.cache
    def factorial(n):
        return 1 if n < 2 else n * factorial(n - 1)

    class Power:
        base = 3.0

        @functools.lru_cache  # noqa: B019 - as users write it
        def of(self, n):
            return self.base * n

    power = Power()
    f = tool.compile(lambda x, n: x * doubled(n) + factorial(n) + power.of(n))
    found = [f(1.5, n) for n in (2, 3, 2, 4, 3)]
    return found, [type(thing).__name__ for thing in (doubled(2), factorial(3), power.of(4))]


@program(AGREE)
def no_grad_around_a_call(tool):
    f, x = tool.compile(lambda x: x * x), Value(3.0)
    with ag.no_grad():
        y = f(x)
    return y.data, len(y._prev), float(f(2.0)), len(f(x)._prev) > 0


@program(AGREE)
def no_grad_around_the_first_call(tool):
    f, x = tool.compile(lambda x: x * x), Value(3.0)
    with ag.no_grad():
        first = f.value_and_grad(3.0)
        f(x)
    f(x).backward()
    return first, x.grad


@program(AGREE)
def no_grad_and_anomaly_detection_around_a_call(tool):
    w, x = Value(2.0), Value(3.0)
    f = tool.compile(lambda x: w * x * x)
    with ag.no_grad(), ag.detect_anomaly():
        y, z = f(x), f(3.0)
    return y.data, len(y._prev), z.data, len(z._prev), f(x).data


@program("no_grad leaves no trace")
def no_grad_inside(tool):
    def f(x):
        with ag.no_grad():
            y = x * 2.0
        return y * x

    return tool.compile(f).value_and_grad(3.0)


@program(AGREE)
def gradient_inside_another_program(tool):
    inner = tool.compile(lambda x: x * x * x)
    outer = tool.compile(lambda x: inner.value_and_grad(x)[1] * x)
    return outer.value_and_grad(2.0), outer.value_and_grad(3.0)


@program("around the call of the compiled function")
def anomaly_detection_inside(tool):
    def f(x):
        with ag.detect_anomaly():
            return ag.log(x)

    compiled = tool.compile(f)
    return outcome(compiled.value_and_grad, 2.0), outcome(compiled.value_and_grad, 0.0)


@program(AGREE)
def anomaly_in_fit_of_samples(tool):
    model = nn.Neuron(1, nonlin=False, init="zeros")
    model.b.label = "b"
    with ag.detect_anomaly():
        ended = outcome(tool.fit, model, [[1.0], [1e200]], [1.0, -1e200], loss=nn.mse_loss, epochs=1)
    return ended, [p.data for p in model.parameters()], tool.fit(model, [[1.0]], [1.0], loss=nn.mse_loss, epochs=2).loss


@program(AGREE)
def lint_in_fit(tool):
    model, other = nn.Neuron(1, nonlin=False, init="zeros"), Value(1.0, label="other")
    with warnings.catch_warnings(record=True) as caught, ag.lint([*model.parameters(), other]):
        warnings.simplefilter("always")
        loss = tool.fit(model, [[1.0], [2.0]], [1.0, 3.0], loss=nn.mse_loss, epochs=2).loss
    return loss, [str(warning.message) for warning in caught]


@program(AGREE)
def lint_sees_the_operations_of_a_call(tool):
    f, w = tool.compile(lambda x: w * x * x), Value(2.0, label="w")
    f(Value(3.0))
    with warnings.catch_warnings(record=True) as caught, ag.lint([w]):
        warnings.simplefilter("always")
        y = f(Value(3.0))
        w.data = 5.0
        y.backward()
    return [str(warning.message) for warning in caught], w.grad


@program("takes numbers, and is called")
def functional_inside_another_program(tool):
    model = SimpleLine()
    step = tool.compile(lambda model, x: model(x)).functional(model)
    outer = tool.compile(lambda x: step(np.array([5.0]), 3.0)[0] * x)
    return float(outer(2.0))


@program(AGREE)
def derivative_with_respect_to_a_model_inside_another_program(tool):
    w = Value(2.0)
    inner = tool.compile(lambda w, x: w * w * x)
    outer = tool.compile(lambda x: inner.value_and_grad(w, x)[1] * x if isinstance(x, Value) else 4.0 * x * x)
    return float(outer(2.0)), float(outer(3.0))


# Refusals that the function catches.


@program(READ)
def caught_conversion(tool):
    def f(x):
        try:
            n = int(x)
        except (TypeError, ValueError):
            n = 1
        return x * n

    compiled = tool.compile(f)
    return float(compiled(2.0)), float(compiled(3.0))


@program(READ)
def suppressed_conversion(tool):
    def f(x):
        n = 1.0
        with contextlib.suppress(Exception):
            n = float(x)
        return x * n

    return float(tool.compile(f)(2.0))


@program(READ)
def caught_math(tool):
    def f(x):
        try:
            return x * math.floor(math.sqrt(x))
        except TypeError:
            return x * 0.0

    return float(tool.compile(f)(9.0))


@program(READ)
def caught_range(tool):
    def f(x):
        try:
            return sum([x] * int(x.data if isinstance(x, Value) else x))
        except Exception:
            return x

    return float(tool.compile(f)(3.0))


@program(READ)
def caught_in_a_helper_with_finally(tool):
    def read(x):
        try:
            return round(x)
        finally:
            pass

    def f(x):
        try:
            return x * read(x)
        except BaseException:
            return x

    return float(tool.compile(f)(3.0))


@program("no_grad leaves no trace")
def caught_no_grad(tool):
    def f(x):
        try:
            with ag.no_grad():
                return x * 2.0
        except TypeError:
            return x * 3.0

    return float(tool.compile(f)(3.0))


@program("stores numbers")
def caught_backward(tool):
    def f(x):
        y = Value(2.0) * x
        try:
            y.backward()
        except Exception:
            return y * 2.0
        return y

    return float(tool.compile(f)(3.0))


@program("registers a hook")
def caught_hook(tool):
    def f(x):
        y = Value(2.0) * x
        with contextlib.suppress(Exception):
            y.register_hook(print)
        return y

    return float(tool.compile(f)(3.0))


@program(READ)
def caught_by_a_default(tool):
    def number_or(x, default):
        try:
            return float(x)
        except Exception:
            return default

    return tool.compile(lambda x: x * number_or(x, 1.0)).value_and_grad(3.0)


@program(AGREE)
def other_errors_may_be_caught(tool):
    def f(x):
        try:
            return x * {}["missing"]
        except KeyError:
            return x * 2.0

    return tool.compile(f).value_and_grad(3.0)


# Compiled functions as things: methods, copies, names.


class SimpleLine(nn.Module):
    def __init__(self):
        self.w = Value(2.0)

    def forward(self, x):
        return self.w * x


def methods(tool):
    """A class with a compiled method of every kind."""

    class Scaled:
        factor = 3.0

        def __init__(self, scale):
            self.scale = scale

        @tool.compile
        def method(self, x):
            return x * x * self.scale

    return Scaled


@program(AGREE)
def copied_methods(tool):
    bound = methods(tool)(2.0).method
    return [float(f(3.0)) for f in (bound, copy.copy(bound), copy.deepcopy(bound))]


@program(AGREE)
def copied_functions(tool):
    f = tool.compile(lambda x: x * x)
    return [g.value_and_grad(3.0) for g in (f, copy.copy(f), copy.deepcopy(f))]


@program(AGREE)
def copied_model_that_holds_a_function(tool):
    model = SimpleLine()
    model.square = tool.compile(lambda x: x * x)
    twin = copy.deepcopy(model)
    twin.w.data = 5.0
    return float(model.square(model(2.0))), float(twin.square(twin(2.0)))


@program(AGREE)
def copied_model_with_its_own_forward_compiled(tool):
    model = SimpleLine()
    model.fast = tool.compile(model.forward)
    twin = copy.deepcopy(model)
    twin.w.data = 5.0
    return float(model.fast(2.0)), float(twin.fast(2.0))


@program(AGREE)
def argnums_in_any_order(tool):
    f = tool.compile(lambda x, y, z: x * y * y * z)
    chosen = [0, 1, 0, (1, 0), (0, 1), -1, (2, 0), 2, 1, (0, 0), (0, 1)]
    return [f.value_and_grad(2.0, 3.0, 4.0, argnums=k) for k in chosen]


@program("singledispatch")
def singledispatch(tool):
    @functools.singledispatch
    def f(x):
        return x * 2.0

    f.register(float, lambda x: x * 3.0)
    return tool.compile(f)(2.0)


@program(AGREE)
def own_primitive_registered_again(tool):
    again = ag.primitive("again", "2.0 * x", "2.0")
    f = tool.compile(lambda x: again(x) * 1.5)
    found = [f.value_and_grad(3.0), float(f(3.0)), f(Value(3.0)).data]
    ag.primitive("again", "x * x", "2.0 * x")
    found += [f.value_and_grad(3.0), float(f(3.0)), f(Value(3.0)).data]
    found += [tool.compile(lambda x: again(x) * 1.5).value_and_grad(3.0), again(3.0), ag.again(3.0), Value(3.0).again().data]
    return found


@program(AGREE)
def own_primitive_as_a_function_registered_again(tool):
    called = ag.primitive("called", lambda x: 2.0 * x, lambda x, out: 2.0)
    f = tool.compile(lambda x: called(x) * called(1.0))
    found = [f.value_and_grad(3.0)]
    ag.primitive("called", lambda x: x * x + 1.0, lambda x, out: 2.0 * x)
    return [*found, f.value_and_grad(3.0), f.value_and_grad(4.0), called(4.0)]


@program(AGREE)
def own_primitive_with_words_registered_again(tool):
    worded = ag.primitive("worded", "slope(x)", "slope(1.0)", words={"slope": lambda x: 2.0 * x})
    f = tool.compile(lambda x: worded(x) * x)
    found = [f.value_and_grad(3.0)]
    ag.primitive("worded", "slope(x)", "slope(1.0)", words={"slope": lambda x: 5.0 * x})
    return [*found, f.value_and_grad(3.0)]


@program(AGREE)
def own_primitive_registered_again_in_functional(tool):
    steep = ag.primitive("steep", "2.0 * x", "2.0")
    model = SimpleLine()
    step = tool.compile(lambda model, x: steep(model(x))).functional(model)
    found = [step(np.array([3.0]), 2.0)]
    ag.primitive("steep", "x * x", "2.0 * x")
    return [*found, step(np.array([3.0]), 2.0)]


@program(AGREE)
def own_primitive_with_an_alias_registered_again(tool):
    ag.primitive("doubled", "2.0 * x", "2.0", aliases=["twofold"])
    f = tool.compile(lambda x: x.twofold() if isinstance(x, Value) else ag.twofold(x))
    found = [f.value_and_grad(3.0)]
    ag.primitive("doubled", "4.0 * x", "4.0")
    return [*found, f.value_and_grad(3.0), ag.twofold(1.0), ag.doubled(1.0)]


@program(AGREE)
def own_primitive_with_another_number_of_operands(tool):
    ag.primitive("shaped", "2.0 * x", "2.0")
    f = tool.compile(lambda x: ag.shaped(x) if state.first else ag.shaped(x, 5.0))
    state = SimpleNamespace(first=True)
    found = [f.value_and_grad(3.0)]
    ag.primitive("shaped", "x * y", "y", "x")
    state.first = False
    return [*found, f.value_and_grad(3.0)]


@program(AGREE)
def sinc_at_its_edges(tool):
    f = tool.compile(ag.sinc)
    points = [math.inf, -math.inf, 0.0, -0.0, 1.0, 2.0, 0.5, 1e-9, 1e9 + 0.5, 1e300, math.nan]
    return [f.value_and_grad(x) for x in points], [float(f(x)) for x in points]


@program(AGREE)
def containers_of_its_own(tool):
    def f(xs, ys):
        xs[0] *= ys[1]
        xs.append(xs[0] * 2.0)
        return sum(xs) * ys[0]

    compiled, xs, ys = tool.compile(f), [1.0, 2.0], [3.0, 4.0]
    return compiled.value_and_grad(xs, ys), compiled.value_and_grad(xs, ys, argnums=(0, 1)), xs, ys


@program("changes its argument ys while it runs")
def containers_of_the_caller_beside(tool):
    def f(xs, ys):
        xs[0] *= ys[1]
        ys[0] = xs[0]
        return sum(xs) * ys[0]

    return tool.compile(f).value_and_grad([1.0, 2.0], [3.0, 4.0])


@program(AGREE)
def one_container_twice(tool):
    def f(xs, ys):
        xs[0] *= ys[1]
        return sum(xs) * ys[0]

    xs = [1.0, 2.0]
    return tool.compile(f).value_and_grad(xs, xs, argnums=(0, 1))


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    verdict(*PROGRAMS[name])
