"""What all tests share: no screen, a cache of machine code of their own, and random choices that are the same in every run."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from autograd.functions import FUNCTIONS, ON_FLOATS, ON_VALUES
from autograd.ops import TABLE
from autograd.value import Value

os.environ.setdefault("MPLBACKEND", "agg")
settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=100)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Machine code is built anew in every run, and leaves the user's cache alone."""
    os.environ["AUTOGRAD_CACHE_DIR"] = str(tmp_path_factory.mktemp("autograd_cache", numbered=True))


@pytest.fixture
def own_rows():
    """The table and Value as they were, after a test that adds rows."""
    known = [TABLE, FUNCTIONS, ON_FLOATS.words, ON_VALUES.words]
    before, methods = [dict(names) for names in known], set(vars(Value))
    yield
    for names, were in zip(known, before):
        for name in set(names) - set(were):
            del names[name]
    for name in set(vars(Value)) - methods:
        delattr(Value, name)
