"""Rendering: every renderer alone and none, what the SVG is made of, files whole or not at all, notebooks, text in its box."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import graphviz
import pytest

import autograd as ag
from autograd import Value, draw_dot, renderers
from autograd.boxes import legible
from autograd.colours import DARK, NEUTRAL, PAPER, POSITIVE
from tests.browser import Tab, chromium, missing
from tests.test_draw import network, small

SVG = "{http://www.w3.org/2000/svg}"
HERE = {
    "dot": bool(shutil.which("dot")),
    "pygraphviz": bool(importlib.util.find_spec("pygraphviz")),
    "graphviz-pure": bool(shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=str(Path(sys.executable).parent))),
}
LABELS = [
    '"quoted"', "back\\slash", "trailing\\", "\\N \\G \\E", "<b>bold</b>", "<i>", "{a|b}|<p>", "&amp; &lt; &#955; &", "%d",
    "λ→∞", "数据", "שלום", "مرحبا", "👩\u200d👩\u200d👧", "\u202eabc", "]]> <!-- x -->", "</text>", "a;b", "[x]", "'", "#",
]  # fmt: skip
SPELLED = {"\0": "\\x00", "\x1b[0m": "\\x1b[0m", "\ud800": "\\ud800", "\u2028": "\\u2028", "\uffff": "\\uffff", "a\tb": "a b"}


def alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave this renderer only."""
    if name and not HERE[name]:
        pytest.skip(f"needs {name}")
    path = str(Path(shutil.which("dot") or "").parent) if name == "dot" else ""
    monkeypatch.setenv("PATH", path)
    if name != "pygraphviz":
        monkeypatch.setitem(sys.modules, "pygraphviz", None)
    if name != "graphviz-pure":
        monkeypatch.setattr(sys, "executable", sys.executable if name == "pygraphviz" else "/nowhere/python")
        which = shutil.which
        monkeypatch.setattr(renderers.shutil, "which", lambda name, **k: None if name == "graphviz-pure" else which(name, **k))


@pytest.fixture(params=["dot", "pygraphviz", "graphviz-pure"])
def renderer(request, monkeypatch):
    alone(request.param, monkeypatch)
    return request.param


@pytest.fixture
def nobody(monkeypatch):
    alone("", monkeypatch)


def texts(svg: str) -> list[str]:
    """Every line of text in the picture; browsers take a space for a run of them."""
    return [re.sub(r"\s+", " ", "".join(element.itertext())) for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_each_renderer_alone_draws(renderer, tmp_path):
    svg = draw_dot(small()).pipe(encoding="utf-8")
    shown = texts(svg)
    assert {"x", "2", "grad 128", "L = **", "64", "grad 1", "×2", "ReLU"} <= {text.strip() for text in shown}
    png = draw_dot(small(), format="png").render(str(tmp_path / "graph"))
    assert Path(png).read_bytes().startswith(b"\x89PNG")
    assert Path(tmp_path / "graph").read_text() == draw_dot(small()).source
    if renderer == "graphviz-pure":
        with pytest.raises(RuntimeError, match=r"graphviz-pure could not draw pdf: .*pdf(.|\n)*for pdf, Graphviz itself"):
            draw_dot(small()).pipe("pdf")
    else:
        assert draw_dot(small()).pipe("pdf").startswith(b"%PDF")


def test_each_renderer_says_the_same(renderer):
    tree = ET.fromstring(draw_dot(network(), depth=3, stack=True).pipe(encoding="utf-8"))
    assert [child.tag for child in tree][:2] == [f"{SVG}title", f"{SVG}style"]
    assert tree[0].text.startswith("Computation graph of sum: ")
    assert tree.get("role") == "img"
    style = tree[1].text
    for day, night in DARK.items():
        assert f'[fill="{day}"]{{fill:{night}}}' in style
    assert "max-width:100%" in style
    colours = {e.get("fill") for e in tree.iter() if e.get("fill")} | {e.get("stroke") for e in tree.iter() if e.get("stroke")}
    assert colours <= {*DARK, "none"}  # every colour has a twin
    assert PAPER in colours


def test_pointing_at_boxes_and_arrows_tells_more(renderer):
    tree = ET.fromstring(draw_dot(small()).pipe(encoding="utf-8"))
    told = [title.text for title in tree.iter(f"{SVG}title")][1:]
    assert "x\ndata 2.0\ngrad 128.0" in told
    assert "local derivative 16.0\n16.0 * 1.0 = 16.0" in told
    assert not [text for text in told if re.match(r"n\d+", text)]  # Graphviz's own names
    assert not [element for element in tree.iter() if element.tag.endswith("}a")]


@pytest.mark.parametrize("label", [*LABELS, *SPELLED], ids=ascii)
def test_any_label_survives(label, renderer):
    shown = texts(draw_dot(Value(1.0, label=label) * 2).pipe(encoding="utf-8"))
    assert SPELLED.get(label, label) in shown


def test_any_label_survives_at_once(renderer):
    y = ag.sum([Value(1.0, label=label) for label in LABELS])
    y.label = "".join(LABELS[:5])
    tree = ET.fromstring(draw_dot(y).pipe(encoding="utf-8"))
    told = "\n".join(title.text for title in tree.iter(f"{SVG}title"))
    assert all(f"{label}\ndata 1.0" in told for label in LABELS)
    assert f"Computation graph of {y.label} = sum: 22 values\n" in told


def test_labels_of_several_lines_and_long_ones(renderer):
    svg = draw_dot(Value(1.0, label="two\nlines") * Value(2.0, label="long" * 50)).pipe(encoding="utf-8")
    assert {"two", "lines"} <= set(texts(svg))
    (cut,) = [text for text in texts(svg) if "..." in text]
    assert len(cut) == 60
    assert "long" * 50 in svg  # the tooltip has all of it


def test_every_character_is_legible():
    for start in (0, 0x80, 0x2000, 0xD7F0, 0xFFF0, 0x1F600, 0x10FFF0):
        for code in range(start, min(start + 128, 0x110000)):
            text = legible(chr(code)).replace("&", "&amp;").replace("<", "&lt;")
            text.encode()
            ET.fromstring(f"<a>{text}</a>")


def test_renderers_are_asked_in_turn(monkeypatch):
    monkeypatch.setattr(renderers.shutil, "which", lambda name, **k: f"/bin/{name}")
    monkeypatch.setattr(renderers.importlib.util, "find_spec", lambda name: True)
    assert [name for name, _ in renderers.renderers("svg", "dot")] == ["Graphviz's dot", "pygraphviz", "graphviz-pure"]


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_broken_renderer_is_passed_over(monkeypatch, tmp_path):
    program(tmp_path / "dot", "echo broken >&2; exit 3")
    program(tmp_path / "graphviz-pure", "echo '<svg width=\"1pt\">ours</svg>'")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin{os.pathsep}/usr/bin")
    assert "ours" in draw_dot(small()).pipe(encoding="utf-8")
    program(tmp_path / "graphviz-pure", "exit 1")
    with pytest.raises(RuntimeError, match=r"dot could not draw svg: broken\ngraphviz-pure could not draw svg: it ended with 1"):
        draw_dot(small()).pipe()


def test_a_renderer_that_does_not_end_is_ended(monkeypatch, tmp_path):
    program(tmp_path / "dot", "exec sleep 30")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin{os.pathsep}/usr/bin")
    monkeypatch.setattr(renderers, "SECONDS", 0.2)
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"dot has not drawn the graph after 0.2 s; draw less"):
        draw_dot(small()).pipe()
    assert time.monotonic() - start < 20
    assert "has not drawn" in draw_dot(small())._repr_mimebundle_()["text/plain"]


def test_without_any_renderer_the_error_lists_the_ways(nobody):
    with pytest.raises(graphviz.ExecutableNotFound) as caught:
        draw_dot(small()).pipe()
    message = str(caught.value)
    assert [line for line in message.splitlines() if "install graphviz |" in line]
    assert [line for line in message.splitlines() if "pip install pygraphviz" in line]
    assert [line for line in message.splitlines() if "pip install graphviz-pure" in line]
    assert 'autograd.explore(root, "graph.html")' in message
    assert draw_dot(small()).source  # the text needs no renderer


def test_a_notebook_shows_a_picture_or_text(renderer):
    bundle = draw_dot(small())._repr_mimebundle_()
    assert list(bundle) == ["image/svg+xml"]
    assert draw_dot(small())._repr_mimebundle_(include=["image/png"])["image/png"].startswith(b"\x89PNG")
    assert "<svg" in small()._repr_svg_()


def test_a_notebook_shows_text_without_renderer(nobody):
    assert "pip install" in draw_dot(small())._repr_mimebundle_()["text/plain"]
    assert small()._repr_svg_() is None


def test_a_value_shows_its_small_graph(monkeypatch):
    assert Value(3.0)._repr_svg_() is None  # text tells as much
    y = Value(1.0)
    for _ in range(200):
        y = y * 2.0
    assert y._repr_svg_() is None
    if HERE["dot"]:
        assert "</svg>" in (Value(3.0) * 2)._repr_svg_()


def test_files_are_named_as_graphviz_does(renderer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture = draw_dot(small())
    assert picture.render() == "Digraph.gv.svg"
    assert picture.render("a/b", cleanup=True) == "a/b.svg"
    assert picture.render(outfile="c.PNG") == "c.PNG"
    assert picture.render("d", "folder", format="png") == os.path.join("folder", "d.png")
    assert picture.save("e.gv") == os.path.join("folder", "e.gv")
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert found == ["Digraph.gv", "Digraph.gv.svg", "a/b.svg", "c.PNG", "c.gv", "folder/d", "folder/d.png", "folder/e.gv"]
    assert Path("c.PNG").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_written_is_said_and_nothing_is_left(tmp_path):
    if not HERE["dot"]:
        pytest.skip("needs Graphviz's dot")
    (tmp_path / "graph.svg").mkdir()
    with pytest.raises(OSError, match=r"the picture cannot be written to '.*graph.svg'"):
        draw_dot(small()).render(str(tmp_path / "graph"), cleanup=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        draw_dot(small()).render(str(tmp_path / "file" / "graph"))
    with pytest.raises(RuntimeError):
        draw_dot(small()).render(str(tmp_path / "other"), format="nonsense")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "graph.svg"]


@pytest.fixture(scope="module")
def browser():
    if reason := missing():
        pytest.skip(reason)
    with chromium() as found:
        yield found


OVERFLOW = """() => [...document.querySelectorAll("g.node")].flatMap(node => {
    const shapes = [...node.querySelectorAll("polygon, path")].map(shape => shape.getBBox());
    if (!shapes.length) return [];
    const left = Math.max(...shapes.map(b => b.x)), right = Math.min(...shapes.map(b => b.x + b.width));
    return [...node.querySelectorAll("text")].filter(text => {
        const box = text.getBBox();
        return box.x < left - 0.5 || box.x + box.width > right + 0.5;
    }).map(text => text.textContent);
})"""


def opened(browser, svg: str, tmp_path: Path, **options) -> Tab:
    path = tmp_path / "graph.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><script>explorer = 1</script>{svg[svg.index('<svg') :]}", "utf-8")
    return Tab(browser, path.as_uri(), **options)


def test_text_is_inside_its_box(browser, renderer, tmp_path):
    pictures = [
        draw_dot(small()), draw_dot(network()), draw_dot(network(), rankdir="TB"), draw_dot(network(3), depth=2),
        draw_dot(network(3), depth=3, stack=True), draw_dot(Value(-1.234e-30, label="λ" * 30) * Value(1e300, label="W" * 30)),
    ]  # fmt: skip
    for picture in pictures:
        tab = opened(browser, picture.pipe(encoding="utf-8"), tmp_path)
        assert tab.run("() => document.querySelectorAll('g.node text').length") > 5
        assert tab.run(OVERFLOW) == []
        assert not tab.errors
        tab.context.close()


def test_one_file_is_light_and_dark(browser, renderer, tmp_path):
    svg = draw_dot(small()).pipe(encoding="utf-8")
    fills = "() => [...document.querySelectorAll('g.node path, g.node polygon')].map(e => getComputedStyle(e).fill)"
    ground = "() => getComputedStyle(document.querySelector('g.graph > polygon')).fill"
    for scheme, twin in (("light", {}), ("dark", DARK)):
        tab = opened(browser, svg, tmp_path, color_scheme=scheme)
        expected = {rgb(twin.get(day, day)) for day in (POSITIVE[3], NEUTRAL)}
        assert expected <= set(tab.run(fills))
        assert tab.run(ground) == rgb(twin.get(PAPER, PAPER))
        tab.context.close()


def rgb(text: str) -> str:
    return f"rgb({', '.join(str(int(text[i : i + 2], 16)) for i in (1, 3, 5))})"


def test_wide_pictures_shrink_to_the_page(browser, tmp_path):
    if not HERE["dot"]:
        pytest.skip("needs Graphviz's dot")
    tab = opened(browser, draw_dot(network(2)).pipe(encoding="utf-8"), tmp_path)
    size = "() => { const b = document.querySelector('svg').getBoundingClientRect(); return [b.width, b.height]; }"
    width, height = tab.run(size)
    assert 1000 < width <= 1400
    box = tab.run("() => { const b = document.querySelector('svg').viewBox.baseVal; return b.width / b.height; }")
    assert width / height == pytest.approx(box, rel=0.01)
    tab.context.close()
