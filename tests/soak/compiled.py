"""Compiled functions as systems: the same program by every back end, in batches, as a function of a module, and in training."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import autograd as ag
import nn
from tests.compiler.native import COMPILER, called, library
from tests.soak.programs import Derivatives, Program, flatten
from tests.soak.systems import SYSTEMS, RefusedError, System, leaves

__all__ = ["COMPILED", "Batch", "Compiled", "Exported", "Functional", "Native", "OnJax", "Training", "available", "systems_for"]


def built(tree: Any, numbers: Iterator[Any]) -> Any:
    """The containers of an argument with other numbers; its arrays are the library's."""
    if isinstance(tree, dict):
        return {key: built(branch, numbers) for key, branch in tree.items()}
    if isinstance(tree, np.ndarray):
        return ag.array([next(numbers) for _ in tree])
    if isinstance(tree, (list, tuple)):
        return type(tree)([built(branch, numbers) for branch in tree])
    return next(numbers)


class Compiled:
    """A compiled function of the argument, at its second call. Sums of sums are one sum in it, taken in another order."""

    is_compiled = True

    def __init__(self, backend: str) -> None:
        self.name, self.backend = f"compiled, {backend}", backend

    def value_and_derivatives(self, program: Program) -> Derivatives:
        """The value and the gradient."""
        compiled = ag.compile(program.function(ag), backend=self.backend, audit=False)
        compiled.value_and_grad(program.point())
        value, gradient = compiled.value_and_grad(program.point())
        return Derivatives(value, leaves(gradient, program))


class Native(Compiled):
    """A compiled function as machine code; what the compiler makes is kept in a folder that is thrown away."""

    def __init__(self) -> None:
        super().__init__("native")

    def value_and_derivatives(self, program: Program) -> Derivatives:
        """The value and the gradient."""
        usual = ag.cache_dir()
        with tempfile.TemporaryDirectory() as folder:
            ag.cache_dir(folder)
            try:
                return super().value_and_derivatives(program)
            finally:
                ag.cache_dir(usual)


class Batch:
    """A compiled function of one example, with three of them."""

    name = "compiled, batch"
    is_compiled = True

    def value_and_derivatives(self, program: Program) -> Derivatives:
        """The value and the gradient of the last example."""
        f = program.function(ag)

        def example(numbers: Any) -> Any:
            return f(built(program.argument, iter(list(numbers))))

        compiled = ag.compile(example, batch=0, reduce=None, audit=False)
        values, slopes = compiled.value_and_grad(np.array([flatten(program.argument)] * 3))
        return Derivatives(float(values[2]), slopes[2].tolist())


class Model(nn.Module):
    """A module whose parameters are the numbers of the argument."""

    def __init__(self, program: Program) -> None:
        self.f, self.argument = program.function(ag), program.argument
        self.numbers = [ag.Value(x) for x in flatten(program.argument)]

    def forward(self, _: Any = None) -> Any:
        """The result of the program."""
        return self.f(built(self.argument, iter(self.numbers)))


class Functional:
    """A compiled function of a module, as a function of an array."""

    name = "compiled, functional"
    is_compiled = True

    def value_and_derivatives(self, program: Program) -> Derivatives:
        """The value and the gradient."""
        model = Model(program)
        run = ag.compile(lambda model: model(), audit=False).functional(model)
        value, slopes = run(np.array(flatten(program.argument)))
        return Derivatives(float(value), slopes.tolist())


class Watched(nn.SGD):
    """An optimizer that keeps the gradient of its last step."""

    def move(self, at: Any, grad: Any, lr: float, *memory: Any) -> tuple[Any, ...]:
        """Keep the gradient, which is an array in a compiled training."""
        self.slopes = list(grad)
        return super().move(at, grad, lr, *memory)


class Training:
    """One step of a compiled training."""

    name = "compiled, fit"
    is_compiled = True

    def value_and_derivatives(self, program: Program) -> Derivatives:
        """The loss and the gradient."""
        model = Model(program)
        optimizer = Watched(model.parameters(), lr=1.0)

        def loss(found: list[Any], _: Any) -> Any:
            return found[0]

        try:
            history = nn.fit(model, [0.0], [0.0], loss=loss, optimizer=optimizer, epochs=1, compile=True, progress=False)
        except FloatingPointError as error:  # a training ends here: "the loss is nan in epoch 1; ..."
            return Derivatives(float(str(error).split()[3]))
        return Derivatives(history.loss[0], optimizer.slopes)


class Exported:
    """A compiled function as C, by the compiler that is here; careful, as the others are."""

    name = "compiled, C"
    is_compiled = True

    def value_and_derivatives(self, program: Program) -> Derivatives:
        """The value and the gradient."""
        compiled = ag.compile(program.function(ag), audit=False)
        compiled.value_and_grad(program.point())
        count = len(flatten(program.argument))
        with tempfile.TemporaryDirectory() as folder:
            made = library(compiled.to_c("f", careful=True), Path(folder), "-O0")
            status, found = called(made.f_gradient, list(compiled.inputs(program.point())), 1, count)
        if status:
            raise RefusedError(f"the C program returns {status}: it does not hold where it was traced")
        return Derivatives(found[0], found[1:])


class OnJax:
    """A compiled function on JAX."""

    name = "compiled, JAX"
    is_compiled = True

    def value_and_derivatives(self, program: Program) -> Derivatives:
        """The value and the gradient."""
        import jax

        compiled = ag.compile(program.function(ag), audit=False)
        compiled.value_and_grad(program.point())
        with jax.enable_x64():
            values, slopes = compiled.to_jax(careful=True)(np.array(compiled.inputs(program.point())))
        jax.clear_caches()  # 12 MB a program
        return Derivatives(float(values[0]), np.ravel(slopes).tolist())


BACKENDS: list[System] = [Compiled("numpy"), Compiled("python")]
USES: list[System] = [Batch(), Functional(), Training()]
RARE: dict[int, System] = {20: Exported(), 30: Native(), 50: OnJax()}  # one program in so many: they take longer
COMPILED = [*BACKENDS, *USES, *RARE.values()]


def available(system: System) -> bool:
    """Whether this machine has what a system needs."""
    needs_compiler, needs_jax = isinstance(system, (Exported, Native)), isinstance(system, OnJax)
    return (COMPILER is not None or not needs_compiler) and (find_spec("jax") is not None or not needs_jax)


def systems_for(program: Program) -> list[System]:
    """What judges a program: the engine in every mode, and of compiled functions a back end, a use, and what is rare, in turn."""
    k = zlib.crc32(program.name.encode())
    rare = [system for every, system in RARE.items() if k % every == 0 and available(system)]
    return [*SYSTEMS, BACKENDS[k % len(BACKENDS)], USES[k // len(BACKENDS) % len(USES)], *rare]
