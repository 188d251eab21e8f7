"""Whether systems agree with the oracle on a program, how much of it could be compared, and the smallest program that differs."""

from __future__ import annotations

import random
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Any

import mpmath as mp
import numpy as np

import autograd as ag
from tests.soak.compiled import systems_for
from tests.soak.jets import SMALLEST, UndefinedError
from tests.soak.oracle import DIGITS, LARGEST, SHAKE, Run, oracle_run
from tests.soak.programs import Derivatives, Program, Step, flatten
from tests.soak.systems import RefusedError, System

__all__ = ["FULL", "OPEN", "PARTLY", "WRONG", "Verdict", "judge", "shrink"]

FULL, PARTLY, OPEN, WRONG = "fully compared", "partly compared", "skipped", "different"
CLOSE = mp.mpf("1e-12")  # relative: agreement that needs no further thought
RELATIVE = mp.mpf("1e-10")  # what is asked of everything that is well conditioned
ROUNDINGS = 100  # in units of the movement under perturbations of half a unit in the last place, scaled from SHAKE
LOOSE = mp.mpf("1e-6")  # a tolerance beyond this part of the number says nothing
RUNS = 6  # perturbed ones



@dataclass(frozen=True)
class Verdict:
    """What was found for one program."""

    kind: str
    reason: str = ""
    system: str = ""


class Judgement:
    """The oracle's answer to one program, and how far rounding may move it."""

    def __init__(self, program: Program) -> None:
        self.program, self.run = program, Run()
        self.numbers = in_range(oracle_run(program, self.run))
        self._slack: dict[bool, list[Any]] = {}
        self.branches = self.run.close  # whether roundings decide a comparison or a jump

    def slack(self, *, reordered: bool = False) -> list[Any]:
        """For every number how far it moves when results are rounded: found by perturbing every step, when first needed.

        If sums may be `reordered`, also when each of their terms is rounded as the largest is.
        """
        if reordered not in self._slack:
            exact = self.numbers
            self._slack[reordered] = [mp.mpf(0)] * len(exact)
            runs = [Run(noise=random.Random(k), reordered=reordered) for k in range(RUNS)] + [Run(rounded=True)]
            for run in runs:
                scale = 1 if run.rounded else mp.mpf(2) ** -53 / SHAKE
                try:
                    moved = in_range(oracle_run(self.program, run))
                except (UndefinedError, LookupError, ValueError):
                    self.branches = True
                    continue
                self.branches |= run.trail != self.run.trail
                self._slack[reordered] = [max(s, distance(m, x) * scale) for s, m, x in zip(self._slack[reordered], moved, exact)]
        return self._slack[reordered]

    def branches_within_rounding(self) -> bool:
        """Whether a comparison may come out otherwise because sums are taken in another order."""
        self.slack(reordered=True)
        return self.branches

    def verdict(self, k: int, found: Any, *, reordered: bool = False) -> str:
        """How the k-th number of a system stands to the oracle's; `reordered` says that it takes sums in orders of its own."""
        kind = self.compared(k, found, reordered=False)
        return self.compared(k, found, reordered=True) if kind == WRONG and reordered else kind

    def compared(self, k: int, found: Any, *, reordered: bool) -> str:
        """The same, by what one kind of perturbation makes."""
        exact = self.numbers[k]
        if isnan(found) and self.run.infinite:
            return PARTLY  # infinities of both signs on several paths, or times a tangent of 0: every order has its own
        if mp.isnan(exact):
            return FULL if isnan(found) else PARTLY if k else WRONG  # a value that is nan looks healthy in no system
        if not mp.isfinite(exact):
            return FULL if found == exact else OPEN if self.is_open(k, reordered=reordered) else WRONG
        if mp.isfinite(found) and abs(found - exact) <= CLOSE * abs(exact):
            return FULL
        if self.is_open(k, reordered=reordered):
            return OPEN
        allowed = RELATIVE * abs(exact) + ROUNDINGS * self.slack(reordered=reordered)[k] + SMALLEST
        return FULL if mp.isfinite(found) and abs(found - exact) <= allowed else WRONG

    def is_open(self, k: int, *, reordered: bool) -> bool:
        """Whether the k-th number depends on roundings so much that it is none to compare with."""
        size = abs(self.numbers[k]) if mp.isfinite(self.numbers[k]) else 0
        moves = self.slack(reordered=reordered)[k]  # first, as it finds out whether branches do
        return moves * ROUNDINGS > LOOSE * max(size, 1) or self.branches


def distance(moved: Any, exact: Any) -> Any:
    """How far a number moved: infinitely, if it became an infinity or nan; not at all, if it was nan before."""
    if moved == exact or mp.isnan(exact):
        return mp.mpf(0)
    return mp.inf if mp.isnan(moved - exact) else abs(moved - exact)


def numbers_of(answer: Derivatives) -> list[Any]:
    """All numbers of an answer: the value, the gradient, the row of the Hessian."""
    return [answer.value, *(answer.gradient or []), *(answer.second or [])]


def in_range(answer: Derivatives) -> list[Any]:
    """The numbers of the oracle, infinite where they are beyond the doubles."""
    return [mp.sign(x) * mp.inf if abs(x) > LARGEST else x for x in numbers_of(answer)]


@np.errstate(all="ignore")
def judge(program: Program, systems: Sequence[System] | None = None) -> Verdict:
    """Run a program on the oracle and on the systems (those that `systems_for` chooses, if none are given), and compare."""
    try:
        judgement = Judgement(program)
    except UndefinedError as error:
        return Verdict(OPEN, str(error).split(":")[0])
    worst = Verdict(FULL)
    for system in systems or systems_for(program):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ag.GradientWarning)
                found = numbers_of(system.value_and_derivatives(program))
        except RefusedError:
            if not judgement.branches_within_rounding():
                return Verdict(WRONG, traceback.format_exc(limit=-3), system.name)
            worst = Verdict(OPEN, "a comparison within rounding")
            continue
        except Exception:
            return Verdict(WRONG, traceback.format_exc(limit=-3), system.name)
        with mp.workdps(DIGITS):
            for k, x in enumerate(found):
                kind = judgement.verdict(k, x, reordered=getattr(system, "is_compiled", False))
                if kind == WRONG:
                    return Verdict(WRONG, difference(program, judgement, k, x), system.name)
                if kind == PARTLY and worst.kind == FULL:
                    worst = Verdict(PARTLY, "an infinity on the way, or a slope that depends on the sign of a 0")
                if kind == OPEN:
                    worst = Verdict(OPEN, "a comparison within rounding" if judgement.branches else "ill conditioned")
    return worst


def difference(program: Program, judgement: Judgement, k: int, found: Any) -> str:
    """What differs, in words."""
    count = len(flatten(program.argument))
    what = "value" if k == 0 else f"gradient {k - 1}" if k <= count else f"second derivative {program.chosen}, {k - 1 - count}"
    return f"{what}: {float(found)!r}, the oracle says {mp.nstr(judgement.numbers[k], 17)}"


def shrink(program: Program, systems: Sequence[System] | None = None) -> Program:
    """A smaller program that differs still: steps are dropped, and what they made is read from their operands, while it does."""
    shrunk = True
    while shrunk:
        shrunk = False
        for smaller in candidates(program):
            try:
                wrong = judge(smaller, systems).kind == WRONG
            except Exception:  # no program any more: a name or a key is missing
                continue
            if wrong:
                program, shrunk = smaller, True
                break
    return program


def candidates(program: Program) -> list[Program]:
    """Programs that are smaller by one result or one step."""
    found = []
    if len(program.results) > 1:
        found += [replace(program, results=(name,)) for name in program.results]
    for k in range(len(program.steps) - 1, -1, -1):
        step = program.steps[k]
        rest = program.steps[:k] + program.steps[k + 1 :]
        if not any(step.out in other.operands for other in rest) and step.out not in program.results:
            found.append(replace(program, steps=rest))
        for heir in (*step.operands, *[earlier.out for earlier in program.steps[:k]][:2]):
            if isinstance(heir, str):
                steps = tuple(renamed(other, step.out, heir) for other in rest)
                results = tuple(heir if name == step.out else name for name in program.results)
                found.append(replace(program, steps=steps, results=results))
    return found


def renamed(step: Step, old: str, new: str) -> Step:
    """The step with another operand in place of one that is gone."""
    return replace(step, operands=tuple(new if operand == old else operand for operand in step.operands))
