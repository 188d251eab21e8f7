"""What the tests share: calls that are prepared at once; a cache and a temporary folder; compilers that are small scripts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograd.compiler.native import building
from autograd.compiler.prepared import Ready


@pytest.fixture(params=[1, 1_000_000], ids=["prepared", "unprepared"])
def each_way(request, monkeypatch):
    """Calls are prepared after the first, or never."""
    monkeypatch.setattr(Ready, "first", request.param)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """`cache`, which does not exist yet, `temporary`, and `kept()`: the files in the cache; nothing is loaded."""
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("AUTOGRAD_CACHE_DIR", str(cache))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(building, "_loaded", {})
    monkeypatch.delenv("CC", raising=False)
    return SimpleNamespace(cache=cache, temporary=temporary, kept=lambda: sorted(cache.iterdir()) if cache.exists() else [])


@pytest.fixture
def script(tmp_path, monkeypatch) -> Callable[..., Path]:
    """`script(lines)`: a program of the shell that is the compiler from now on, and where it is.

    Its lines may use $out, the library that it shall write, and `real`, which runs the real compiler. It counts its runs.
    """
    real = building.compiler()[0] if os.name == "posix" else ""

    def written(lines: str, name: str = "fake") -> Path:
        path = tmp_path / name
        path.write_text(
            f'#!/bin/sh\nreal() {{ "{real}" "$@"; }}\necho run >> "{path}.runs"\n'
            f'out=; for word in "$@"; do [ "$last" = -o ] && out=$word; last=$word; done\n{lines}\n'
        )
        path.chmod(0o755)
        monkeypatch.setenv("CC", str(path))
        return path

    return written


@pytest.fixture
def runs() -> Callable[[Path], int]:
    """How often a script has run."""
    return lambda path: len(Path(f"{path}.runs").read_text().splitlines())
