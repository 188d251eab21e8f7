"""The room of exercises: learn backpropagation by getting gradients right, with a checker that names your mistake.

In a terminal, `python -m autograd.exercises start` writes the course into a folder; in a notebook, `check` takes a function:

>>> from autograd.exercises import check
>>> print(check("power", lambda x, n: x ** (n - 1)))  # doctest: +ELLIPSIS
01 power: the mistake "factor forgotten"
...
>>> bool(check("power", lambda x, n: n * x ** (n - 1)))
True
"""

from __future__ import annotations

from autograd.exercises.catalogue import Exercise, course, find
from autograd.exercises.folder import submissions
from autograd.exercises.marking import check, grade
from autograd.exercises.judge import Verdict

__all__ = ["Exercise", "Verdict", "check", "course", "find", "grade", "submissions"]
