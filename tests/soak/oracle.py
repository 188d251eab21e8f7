"""How programs run on jets: what `ag` and `np` mean there, and runs that are perturbed to find what is well conditioned."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import reduce
from types import SimpleNamespace
from typing import Any

import mpmath as mp
import numpy as np

from autograd.ops import TABLE
from tests.soak.arrays import numpy_words
from tests.soak.jets import HEARD, NOISE, SMALLEST, Jet, UndefinedError, constant, through
from tests.soak.programs import Derivatives, Program, flatten, rebuilt
from tests.soak.rules import COARSE, JUMPS, rule

__all__ = ["DIGITS", "LARGEST", "ROWS", "SHAKE", "Oracle", "Run", "jet_words", "oracle_run", "running"]

DIGITS = 40
LARGEST = mp.mpf(2) ** 1024 - mp.mpf(2) ** 970  # the largest double
SHAKE = mp.mpf(2) ** -40  # relative, of a perturbed run: 2 ** 13 roundings
ROWS = [row for row in TABLE.values() if row.public]


@dataclass
class Run:
    """How a program is run on jets, and which way its comparisons went."""

    noise: random.Random | None = None  # every inexact result, and every step of a path, is off by a random part of SHAKE
    rounded: bool = False  # every value is rounded to a double
    reordered: bool = False  # a sum is off by a random part of its terms: they may be added in another order
    trail: list[Any] = field(default_factory=list)  # the outcomes of comparisons, and the pieces on which flat rows were
    close: bool = False  # whether two numbers differed by no more than roundings make, where equality was asked
    infinite: bool = False  # whether a number on the way was

    def hear(self, factor: Any) -> None:
        """A factor on the way, which may be beyond the doubles."""
        self.infinite = self.infinite or abs(factor) > LARGEST

    def shake(self) -> Any:
        """A random part of SHAKE."""
        assert self.noise is not None
        return SHAKE * self.noise.uniform(-1.0, 1.0)


ORDINARY = Run()
RUN: ContextVar[Run] = ContextVar("run", default=ORDINARY)


def jet_function(name: str) -> Callable[..., Jet]:
    """A row on jets and numbers."""
    known = rule(name)

    def function(*xs: Any) -> Jet:
        jets = [constant(x) for x in xs]
        try:
            if name in JUMPS:
                RUN.get().trail.append(str(JUMPS[name](*[jet.value for jet in jets])))  # so that nan is like nan
            floor = mp.mpf(name in COARSE)
            if RUN.get().reordered and name in ("add", "sub"):
                floor = max(abs(jet.value) for jet in jets)
            return settled(known(*jets), floor)
        except UndefinedError:
            raise
        except (ArithmeticError, ValueError) as error:  # poles, in mpmath's words
            raise UndefinedError(f"{name} at a pole: {error}") from None

    return function


def settled(out: Jet, floor: Any) -> Jet:
    """A result as a system of doubles holds it: beyond their range infinite; in a perturbed run off by a random part of it.

    What a double holds exactly is not perturbed, so that ties stay ties, unless `floor` says that the row errs by parts of 1.
    """
    run, value = RUN.get(), out.value
    if isinstance(value, mp.mpc):  # mpmath's answer to nan, now and then
        return through(out, mp.nan, mp.nan, mp.nan) if out.first else Jet(mp.nan)
    run.infinite = run.infinite or not all(abs(x) <= LARGEST for x in (value, *out.first, *out.second) if x is not None)
    if run.rounded:
        value = mp.mpf(float(value))
    elif run.noise is not None and mp.isfinite(value) and (floor or mp.mpf(float(value)) != value):
        value += max(abs(value), SMALLEST, floor) * run.shake()
    if abs(value) > LARGEST:
        value = mp.sign(value) * mp.inf
    if run.rounded:
        first, second = ([double(a) for a in row] for row in (out.first, out.second))
        return Jet(value, first, double(out.along), second)
    return Jet(value, out.first, out.along, out.second)


def double(x: Any) -> Any:
    """A derivative as a double holds it: one beyond the range is infinite, one too small is 0."""
    return None if x is None else mp.mpf(float(x))


def compared(name: str) -> Callable[[Jet, Any], bool]:
    """A comparison of jets that notes its outcome."""
    plain = getattr(Jet, name)

    def comparison(self: Jet, *other: Any) -> bool:
        answer: bool = plain(self, *other)
        run = RUN.get()
        run.trail.append(answer)
        if name in ("__eq__", "__ne__", "__bool__"):
            apart = self.value - (constant(*other).value if other else 0)
            run.trail.append(mp.nstr(apart, 3))  # its digits tell whether it is a difference of roundings
            run.close = run.close or 0 < abs(apart) <= SHAKE * abs(self.value)
        return answer

    return comparison


def install() -> SimpleNamespace:
    """Give jets the operators and methods of the table; what `ag` means on them."""
    words: dict[str, Any] = {}
    for row in ROWS:
        function = jet_function(row.name)
        for name in (row.name, *row.aliases):
            words[name] = (lambda xs, f=function: f(*xs)) if row.arity is None else function
            if row.arity in (1, 2):
                setattr(Jet, name, function)
        if row.operator:
            setattr(Jet, f"__{row.operator}__", function)
            setattr(Jet, f"__r{row.operator}__", lambda self, other, f=function: f(other, self))
    for name in ("__bool__", "__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__"):
        setattr(Jet, name, compared(name))
    add, mul = words["add"], words["mul"]  # every step of a long sum is rounded, also where the whole is exact
    words["sum"] = lambda xs: reduce(add, xs, constant(0.0))
    words["prod"] = lambda xs: reduce(mul, xs, constant(1.0))
    words["dot"] = lambda xs, ys: words["sum"](list(map(mul, xs, ys)))
    words |= composed(words)
    words["array"] = lambda xs: np.array(xs, dtype=object)
    return SimpleNamespace(**words, numpy=numpy_words(ROWS, words))


def composed(words: dict[str, Any]) -> dict[str, Any]:
    """The composed functions of the library, from their definitions."""
    total, exp = words["sum"], words["exp"]

    def mean(xs: Sequence[Any]) -> Any:
        return total(xs) / len(xs)

    def var(xs: Sequence[Any]) -> Any:
        return mean([x * x for x in [x - mean(xs) for x in xs]])

    def shifted(xs: Sequence[Any]) -> list[Any]:
        jets = [constant(x) for x in xs]
        top = jets[max(range(len(jets)), key=lambda j: jets[j].value)]  # digits are many, but not 160
        if RUN.get().reordered:  # as programs have it: the derivative p - p * p of a share is a difference then
            top = words["stop_gradient"](top)
        return [x - top for x in jets]

    def softmax(xs: Sequence[Any]) -> list[Any]:
        powers = [exp(x) for x in shifted(xs)]
        return [power / total(powers) for power in powers]

    def log_softmax(xs: Sequence[Any]) -> list[Any]:
        terms = shifted(xs)
        return [x - words["logsumexp"](terms) for x in terms]

    def clip(x: Any, low: Any, high: Any) -> Any:
        return words["minimum"](words["maximum"](x, low), high)

    return {"mean": mean, "var": var, "softmax": softmax, "log_softmax": log_softmax, "clip": clip}


jet_words = install()


@contextmanager
def running(run: Run) -> Iterator[None]:
    """Programs in here run as `run` says, with many digits."""
    token, shaking, hearing = RUN.set(run), NOISE.set(run.shake if run.noise is not None else None), HEARD.set(run.hear)
    try:
        with mp.workdps(DIGITS):
            yield
    finally:
        RUN.reset(token)
        NOISE.reset(shaking)
        HEARD.reset(hearing)


def oracle_run(program: Program, run: Run) -> Derivatives:
    """The program on jets: value, gradient and the chosen row of the Hessian, in mpmath's numbers."""
    numbers = flatten(program.argument)
    with running(run):
        inputs = []
        for k, x in enumerate(numbers):
            first = [mp.mpf(1) if j == k else None for j in range(len(numbers))]
            inputs.append(Jet(mp.mpf(x), first, first[program.chosen], [None] * len(numbers)))
        out = constant(program.function(jet_words)(rebuilt(program.argument, iter(inputs))))
    filled = [[mp.mpf(0) if a is None else a for a in row] for row in (out.first, out.second)]
    gradient, second = [row or [mp.mpf(0)] * len(numbers) for row in filled]
    return Derivatives(out.value, gradient, second)


class Oracle:
    """The program on jets of many digits."""

    name = "oracle"

    def value_and_derivatives(self, program: Program) -> Derivatives:
        """The value, the gradient, and one row of the Hessian."""
        return oracle_run(program, Run())
