"""The room of the pytest plugin: a fixture to grade a class, with `pytest -p autograd.exercises.pytest_plugin`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autograd.exercises.folder import seed_of
from autograd.exercises.judge import Verdict
from autograd.exercises.marking import grade

__all__ = ["grade_submission"]


@pytest.fixture
def grade_submission() -> Callable[..., Verdict]:
    """`grade_submission(exercise, file, student="")`: fails the test with the verdict as its message, unless it is right."""

    def graded(exercise: str, file: str | Path, student: str = "") -> Verdict:
        verdict = grade(exercise, file, seed=seed_of(student))
        if not verdict:
            pytest.fail(str(verdict), pytrace=False)
        return verdict

    return graded
