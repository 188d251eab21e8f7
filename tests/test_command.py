"""The command line: every form of output, and messages instead of tracebacks."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from autograd.command import main

NEURON = ["tanh(w*x + b)", "w=0.5", "x=2", "b=-1"]


@pytest.mark.parametrize(
    ("ending", "start"), [("svg", b"<?xml"), ("html", b"<!doctype html>"), ("dot", b"// "), ("json", b"{"), ("gv", b"// ")]
)
def test_files(tmp_path, capsys, ending, start):
    path = tmp_path / f"neuron.{ending}"
    assert main(["draw", *NEURON, "-o", str(path)]) == 0
    assert path.read_bytes().lower().startswith(start) or (ending in ("dot", "gv") and b"digraph" in path.read_bytes())
    assert capsys.readouterr().out == f"{path}\n"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_the_gradients_are_in_the_file(tmp_path):
    path = tmp_path / "neuron.json"
    assert main(["draw", "w*x", "w=3", "x=-2", "-o", str(path)]) == 0
    nodes = {node["label"]: node for node in json.loads(path.read_text())["nodes"] if node.get("label")}
    assert (nodes["w"]["grad"], nodes["x"]["grad"], nodes["out"]["data"]) == (-2.0, 3.0, -6.0)


def test_a_page(tmp_path, capsys):
    path = tmp_path / "page.html"
    assert main(["explore", *NEURON, "-o", str(path)]) == 0
    assert "tanh(w*x + b)" in path.read_text()


def test_numbers(capsys):
    assert main(["grad", "w*x + e", "w=3", "x=-2"]) == 0
    assert capsys.readouterr().out.splitlines() == ["value  -3.2817181715409549", "d/dw   -2", "d/dx   3"]
    assert main(["draw", "w*x", "w=3", "x=-2"]) == 0
    assert capsys.readouterr().out.startswith("name")
    assert main(["grad", "x", "x=nan"]) == 0
    assert main(["check", "relu(x) * y", "x=0", "y=2"]) == 0
    assert "valid subgradient" in capsys.readouterr().out
    assert main(["check", "stop_gradient(x) * x", "x=2"]) == 1
    assert "x  " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["grad", "tahn(x)", "x=1"], "no function of the table; did you mean"),
        (["grad", "x", "x=abc"], "x=abc is no number"),
        (["grad", "x", "x"], "'x' is not name=number"),
        (["grad", "x", "x=1", "x=2"], "x is given twice"),
        (["grad", "x*y", "x=1"], "needs numbers for y"),
        (["grad", "x", "x=1", "y=1"], "y does not occur"),
        (["grad", "1 + 2"], "nothing to differentiate by"),
        (["check", "1 + 2"], "nothing to differentiate by"),
        (["draw", "x", "x=1", "-o", "x.tiff"], "must end in .svg, .png, .pdf, .html, .dot or .json"),
        (["explore", "x", "x=1", "-o", "x.svg"], "must end in .html"),
    ],
)
def test_what_cannot_be_done_is_said(arguments, message, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("python -m autograd: ")
    assert message in err


@pytest.mark.parametrize("ending", ["svg", "html", "json", "dot"])
def test_a_file_that_cannot_be_written(ending, tmp_path, capsys):
    assert main(["draw", *NEURON, "-o", str(tmp_path / "missing" / f"x.{ending}")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_help_and_the_process(capsys):
    for arguments in (["--help"], ["draw", "--help"]):
        with pytest.raises(SystemExit, match="0"):
            main(arguments)
        assert 'draw "tanh(w*x + b)"' in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main([])
    found = subprocess.run([sys.executable, "-m", "autograd", "grad", "x*x", "x=3"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout.splitlines()[1]) == (0, "d/dx   6")
    found = subprocess.run([sys.executable, "-m", "autograd", "grad", "x +", "x=3"], capture_output=True, text=True, check=False)
    assert (found.returncode, "Traceback" in found.stderr) == (2, False)
