"""The README: its examples run, its tables are those of the code, and its pictures are there."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tables import edges, operations

README = Path(__file__).resolve().parent.parent / "README.md"


def test_examples(own_rows):
    found = doctest.testfile(str(README), module_relative=False)
    assert found.attempted > 20
    assert found.failed == 0


def test_tables_are_printed_by_the_code():
    text = README.read_text()
    assert operations() in text
    assert edges() in text


def test_pictures_and_links_exist():
    text = README.read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text) + re.findall(r'src(?:set)?="([^"]+)"', text):
        assert (README.parent / target).exists(), target


def test_pictures_are_small_and_shown():
    pictures = list((README.parent / "demos" / "pictures").iterdir())
    assert pictures
    assert max(path.stat().st_size for path in pictures) < 150_000
    assert sum(path.stat().st_size for path in pictures) < 1_000_000
    for path in pictures:
        assert f"demos/pictures/{path.name}" in README.read_text(), path.name


def test_a_mixture_with_the_other_autograd_is_refused(tmp_path):
    package = tmp_path / "autograd"
    package.mkdir()
    source = README.parent / "autograd"
    for file in source.glob("*.py"):
        (package / file.name).write_text(file.read_text())
    (package / "tracer.py").write_text("")  # a file of the PyPI package of that name
    run = subprocess.run([sys.executable, "-c", "import autograd"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode == 1
    assert "ImportError: two packages named autograd are mixed in" in run.stderr
    assert "pip uninstall autograd scalar-autograd" in run.stderr


@pytest.mark.parametrize(
    ("file", "found"),
    [("__init__.py", "__init__.py; the PyPI package"), ("value.py", "found what is left of it; the PyPI package")],
    ids=["another package", "a folder from which `pip uninstall autograd` took our __init__.py"],
)
def test_networks_say_which_autograd_they_need(tmp_path, file, found):
    package = tmp_path / "autograd"
    package.mkdir()
    (package / file).write_text("")
    shutil.copytree(README.parent / "nn", tmp_path / "nn")  # -S: an installed autograd would be preferred to a mere folder
    run = subprocess.run([sys.executable, "-ES", "-c", "import nn"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode == 1
    assert "ImportError: nn needs the package scalar-autograd" in run.stderr
    assert found in run.stderr
    assert "run `pip uninstall autograd scalar-autograd`" in run.stderr
