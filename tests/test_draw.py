"""Pictures: one box per value, one edge per use, the same bytes in every run, with every renderer and with none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import graphviz
import pytest

import autograd as ag
from autograd import Value, draw_dot


def small() -> Value:
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    loss = (x * x * 2 + ag.relu(w) * w) ** 2
    loss.label = "L"
    loss.backward()
    return loss


def test_a_box_for_every_value_and_an_edge_for_every_use():
    source = draw_dot(small()).source
    assert source.count("n0 -> n1") == 2  # x * x
    assert 'label="x\\n2\\ngrad 128" ' in source
    assert "L = **" in source
    assert "peripheries=2" in source
    assert "style=dashed" in source  # w is negative: nothing flows through the ReLU
    assert "rankdir=TB" in draw_dot(small(), rankdir="TB").source


def test_grads_before_backward_print_as_a_dash():
    assert "grad -" in draw_dot(Value(1.0) * 2).source


def test_the_same_program_gives_the_same_bytes():
    program = "from tests.test_draw import small, draw_dot; print(draw_dot(small()).source)"
    runs = {subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(runs) == 1


def test_deep_graphs_are_refused_with_their_size_and_drawn_on_request():
    y = Value(1.0)
    for _ in range(2000):
        y = y * y
    with pytest.raises(ValueError, match=r"this graph has 2001 values: too many for one picture \(max_nodes=500\)"):
        draw_dot(y)
    assert draw_dot(y, max_nodes=5000).source.count(" -> ") == 4000


@pytest.mark.parametrize("label", ['"quoted"', "back\\slash", "trailing\\", "<b>", "λ→∞", "new\nline", "", "%", "\\N"])
def test_any_label_survives(label, tmp_path):
    if not shutil.which("dot"):
        pytest.skip("needs Graphviz's dot")
    svg = draw_dot(Value(1.0, label=label) * 2).pipe(encoding="utf-8")
    shown = label.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;").split("\n")[0]
    assert shown in svg


def test_special_numbers_have_a_heavy_border():
    assert "penwidth=3" in draw_dot(Value(0.0).log()).source


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="needs rankdir 'LR' or 'TB', not 'XY'"):
        draw_dot(Value(1.0), rankdir="XY")
    with pytest.raises(TypeError, match=r"a graph starts at a Value, not at float 1.0"):
        draw_dot(1.0)


def test_micrograd_style_calls(tmp_path):
    picture = draw_dot(small(), "svg", "LR")
    assert isinstance(picture, graphviz.Digraph)
    path = picture.render(str(tmp_path / "graph"))
    assert "<svg" in Path(path).read_text()


def test_without_dot_graphviz_pure_draws(monkeypatch, tmp_path):
    program = shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=str(Path(sys.executable).parent))
    if not program:
        pytest.skip("needs graphviz-pure")
    monkeypatch.setenv("PATH", "")
    assert "<svg" in draw_dot(small()).pipe(encoding="utf-8")
    path = draw_dot(small(), format="png").render(str(tmp_path / "graph"), cleanup=True)
    assert Path(path).read_bytes().startswith(b"\x89PNG")
    assert "image/svg+xml" in draw_dot(small())._repr_mimebundle_()


def test_without_any_renderer_the_error_lists_the_ways(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(graphviz.ExecutableNotFound, match="pip install graphviz-pure"):
        draw_dot(small()).pipe()
    assert "pip install" in draw_dot(small())._repr_mimebundle_()["text/plain"]
