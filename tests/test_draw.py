"""Pictures: one box per value, one arrow per use, colours that carry data, folding, the guard; the same bytes in every run."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import graphviz
import pytest

import autograd as ag
import nn
from autograd import Graph, Value, draw_dot, scope
from autograd.colours import BAD, DARK, INK, NEGATIVE, NEUTRAL, POSITIVE, SOFT, colour, strongest

ROOT = Path(__file__).resolve().parent.parent


def small() -> Value:
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    loss = (x * x * 2 + ag.relu(w) * w) ** 2
    loss.label = "L"
    loss.backward()
    return loss


def network(samples: int = 1, sizes: tuple[int, ...] = (3, 4, 4, 1)) -> Value:
    model = nn.MLP(sizes[0], sizes[1:], seed=1)
    outputs = []
    for k in range(samples):
        with scope(f"sample{k}"):
            outputs.append(model([Value(0.1 * i + k, label=f"x{i}") for i in range(sizes[0])]))
    with scope("loss"):
        loss = ag.sum([(y - 1.0) ** 2 for y in outputs])
    loss.backward()
    return loss


def rows(source: str) -> dict[str, dict[str, str]]:
    """The attributes of every box, by its name."""
    found = {}
    for name, text in re.findall(r'^\t([ns]\d+) \[((?:[^"\]]|"[^"]*")*)\]', source, flags=re.MULTILINE):
        found[name] = {key: value.strip('"') for key, value in re.findall(r'(\w+)=("[^"]*"|\S+)', text)}
    return found


def arrows(source: str) -> list[tuple[str, str, str]]:
    return re.findall(r'^\t(\w+) -> (\w+)((?: \[(?:[^"\]]|"[^"]*")*\])?)', source, flags=re.MULTILINE)


def test_a_box_for_every_value_with_its_operation_number_and_gradient():
    boxes = rows(draw_dot(small()).source)
    assert boxes["n0"]["label"] == r"x\n2\ngrad 128"
    assert boxes["n0"].get("style") is None  # leaves are square
    assert boxes["n1"]["label"] == r"*\n4\ngrad 32"
    assert boxes["n1"]["style"] == "filled,rounded"
    assert boxes["n2"]["shape"] == "plaintext"  # the constant 2
    assert float(boxes["n2"]["fontsize"]) < 8
    root = [box for box in boxes.values() if "peripheries" in box]
    assert [box["label"] for box in root] == [r"L = **\n64\ngrad 1"]
    assert "rankdir=TB" in draw_dot(small(), rankdir="TB").source


def test_an_arrow_for_every_use_with_its_local_derivative():
    source = draw_dot(small()).source
    twice = [facts for tail, head, facts in arrows(source) if (tail, head) == ("n0", "n1")]
    assert len(twice) == 2  # x * x
    assert all('label="×2"' in facts and "2.0 * 32.0 = 64.0" in facts for facts in twice)
    graph = Graph(small())
    for (tail, head, facts), edge in zip(arrows(source), graph.edges, strict=True):
        assert (tail, head) == (f"n{edge.source}", f"n{edge.target}")
        constant = graph.nodes[edge.source].kind == "constant"
        dead = not constant and (edge.local or 0.0) * graph.nodes[edge.target].grad == 0.0
        assert ("dashed" in facts) == dead
        assert ("label" in facts) == (not constant)


def test_an_arrow_is_dashed_where_nothing_goes_back():
    x = Value(3.0, label="x")
    y = (x * 2.0) * 0.0
    y.backward()
    assert "dashed" in next(facts for tail, _, facts in arrows(draw_dot(y).source) if tail == "n0")  # its user has gradient 0
    w = Value(-1.0)
    assert "dashed" in draw_dot(w.relu()).source  # before backward() too
    assert "dashed" not in draw_dot(w.exp()).source


def test_labels_of_arrows_stop_where_they_cost_more_than_they_tell():
    y = Value(1.0)
    for _ in range(160):
        y = y * 1.5
    assert "label=\"×" not in draw_dot(y).source
    assert draw_dot(y, edge_labels=True).source.count('label="×') == 160
    assert "label=\"×" not in draw_dot(small(), edge_labels=False).source


def test_before_backward_there_are_no_gradients_and_a_note_says_so():
    x = Value(3.0, label="x")
    x.grad = 7.0  # of another root
    source = draw_dot(x * 2).source
    assert r"x\n3\ngrad -" in source
    assert "no backward() has reached the root yet" in source
    assert rows(source)["n0"]["fillcolor"] == NEUTRAL
    assert "no backward()" not in draw_dot(small()).source


def test_colours_are_sign_and_size_of_the_gradient():
    assert [colour(x, 1.0) for x in (1.0, 0.3, 0.1, 0.03, 1e-9)] == [*reversed(POSITIVE), POSITIVE[0]]
    assert [colour(-x, 1.0) for x in (5.0, 0.3, 0.1, 0.03)] == list(reversed(NEGATIVE))
    assert colour(0.0, 1.0) == colour(-0.0, 1.0) == colour(math.nan, 1.0) == NEUTRAL
    assert (colour(math.inf, 1.0), colour(5e-324, 1e308), colour(1e308, 5e-324)) == (POSITIVE[3], POSITIVE[0], POSITIVE[3])
    assert strongest([0.0, 1.0, -2.0, math.inf, math.nan]) == 1.0  # the 98th percentile
    assert strongest(range(1, 102)) == 99
    assert strongest([]) == 1.0
    x = Value(1e-6, label="x")
    loss = x * x
    loss.backward()  # gradients are small, and the root's 1 does not make them pale
    assert rows(draw_dot(loss).source)["n0"]["fillcolor"] == POSITIVE[3]


def luminance(text: str) -> float:
    parts = [int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return sum(w * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for w, c in zip((0.2126, 0.7152, 0.0722), parts))


def test_text_can_be_read_on_every_colour():
    for day in (*POSITIVE, *NEGATIVE, NEUTRAL):
        for ground, ink in ((day, INK), (DARK[day], DARK[INK])):
            low, high = sorted((luminance(ground), luminance(ink)))
            assert (high + 0.05) / (low + 0.05) >= 4.9


def test_the_page_has_the_same_colours():
    css = (ROOT / "autograd" / "explorer" / "page.css").read_text()
    names = {"z": NEUTRAL, "ink": INK, "bad": BAD, "soft": SOFT}
    names |= {f"p{i}": day for i, day in enumerate(POSITIVE, 1)} | {f"n{i}": day for i, day in enumerate(NEGATIVE, 1)}
    for name, day in names.items():
        assert f"--{name}: light-dark({day}, {DARK[day]});" in css


def test_nan_and_infinities_have_a_heavy_border():
    x = Value(0.0, label="x")
    y = x.log() * 0.0
    y.backward()
    boxes = rows(draw_dot(y).source)
    assert [boxes[name].get("penwidth") for name in ("n0", "n1", "n3")] == ["3", "3", "3"]  # 0 * inf is nan
    assert "penwidth" not in draw_dot(small()).source


def test_pointing_at_a_box_tells_its_scope_and_all_digits():
    with scope("a"), scope("b"):
        y = Value(1 / 3, label="third") * 1.0
    y.backward()
    assert 'tooltip="a/b/third\ndata 0.3333333333333333\ngrad 1.0"' in draw_dot(y).source
    with ag.detect_anomaly():
        z = Value(2.0) * 3.0
    assert "test_draw.py" in draw_dot(z).source


def test_minus_is_ascii_and_minus_zero_is_zero():
    source = draw_dot(-Value(0.0) * Value(-2.0)).source
    assert "\u2212" not in source
    assert "-0" not in "".join(box["label"] for box in rows(source).values())


def test_names_give_labels():
    model = nn.Neuron(2)
    y = model([1.0, 2.0])
    assert "w.0" in draw_dot(y, names=model.named_parameters()).source
    assert draw_dot(Graph(y, model.named_parameters())).source == draw_dot(y, names=model.named_parameters()).source
    with pytest.raises(ValueError, match="names come too late for a Graph"):
        draw_dot(Graph(y), names=model.named_parameters())


PROGRAM = """
from tests.test_draw import draw_dot, network, small
print(draw_dot(small()).source, draw_dot(network(), depth=2).source, draw_dot(network(3), depth=3, stack=True).source)
"""


def test_the_same_program_gives_the_same_bytes():
    runs = set()
    for seed in ("0", "1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True, cwd=ROOT, env=environment)
        runs.add(run.stdout)
    assert len(runs) == 1


def test_a_value_alone_is_a_box():
    (box,) = rows(draw_dot(Value(3.0, label="alone")).source).values()
    assert box["label"] == r"alone\n3\ngrad -"
    assert arrows(draw_dot(Value(3.0)).source) == []


def test_scopes_fold_into_boxes_with_what_is_in_them():
    loss = network()
    graph = Graph(loss)
    boxes = rows(draw_dot(loss, depth=3).source)
    labels = [box["label"] for box in boxes.values()]
    layer = next(label for label in labels if label.startswith("sample0/mlp/layer0"))
    inside = [node for node in graph.nodes if node.scope[:3] == ("sample0", "mlp", "layer0")]
    largest = max(abs(node.grad) for node in inside)
    assert layer == rf"sample0/mlp/layer0\n{len(inside)} values\n4 outputs\nmax |grad| {largest:.4g}"
    neuron = next(box["label"] for box in rows(draw_dot(loss, depth=4).source).values() if "layer2/neuron0" in box["label"])
    assert re.search(r"\\nout -?[\d.]+\\n", neuron)  # one output shows its number
    for depth, count in graph.folded_sizes().items():
        assert len(rows(draw_dot(loss, depth=depth).source)) == count
    opened = rows(draw_dot(loss, depth=2, expand="sample0/mlp").source)
    assert {"sample0/mlp/layer0", "sample0/mlp/layer1"} <= {box["label"].split("\\n")[0] for box in opened.values()}


def test_arrows_between_folded_boxes_are_one_with_the_number_of_uses():
    source = draw_dot(network(), depth=3).source
    ends = [(tail, head) for tail, head, _ in arrows(source)]
    assert len(set(ends)) == len(ends)
    assert re.search(r'penwidth=1\.\d+ tooltip="16 uses"', source)  # 4 neurons by 4


def test_equal_boxes_are_stacked():
    loss = network(5)
    plain, stacked = rows(draw_dot(loss, depth=1).source), rows(draw_dot(loss, depth=1, stack=True).source)
    assert len(stacked) < len(plain)
    graph = Graph(loss)
    inside = [node for node in graph.nodes if node.scope[:1] == ("sample0",)]
    (box,) = [box for box in stacked.values() if box["label"].startswith("sample*")]
    assert box["label"].startswith(rf"sample*  ×5\n{len(inside)} values, 1 output each\nmax |grad| ")
    assert "sample4" in box["tooltip"]
    neurons = rows(draw_dot(network(), depth=4, stack=True).source)
    assert any(box["label"].startswith("sample0/mlp/layer1/neuron*  ×4") for box in neurons.values())
    y = ag.sum([Value(float(k), label="x") * 2.0 for k in range(6)])
    assert [box["label"].split("\\n")[:2] for box in rows(draw_dot(y, stack=True).source).values()] == [
        ["x  ×6", "0 ... 5"], ["2  ×6"], ["*  ×6", "0 ... 10"], ["sum", "30"],
    ]  # fmt: skip


def test_many_leaves_share_a_box_with_what_their_names_share():
    model = nn.MLP(3, [4, 1], seed=1)
    y = model([Value(1.0, label=f"input{i}") for i in range(3)]) + model([Value(2.0) for i in range(3)])
    y.backward()
    labels = [box["label"] for box in rows(draw_dot(y, depth=2, names=model.named_parameters()).source).values()]
    crowd = next(label for label in labels if label.startswith("layers.0."))
    weights = [node.data for node in Graph(y, model.named_parameters()).nodes if node.label.startswith("layers.0.")]
    assert crowd.startswith(rf"layers.0.neurons.*  ×16\n{min(weights):.4g} ... {max(weights):.4g}\nmax |grad| ")


def offered(message: str) -> list[tuple[int, bool, int]]:
    found = re.findall(r"depth=(\d+)(, stack=True)?: (?:about )?(\d+) boxes", message)
    return [(int(depth), bool(stack), int(boxes)) for depth, stack, boxes in found]


def test_large_graphs_are_refused_with_the_views_that_fit():
    loss = network(10)
    with pytest.raises(ValueError) as caught:
        draw_dot(loss, max_nodes=100)
    message = str(caught.value)
    size = len(Graph(loss).nodes)
    assert f"this graph has {size} values: too many for one picture (max_nodes=100); it would cover" in message
    assert f"max_nodes={size}" in message
    assert "autograd.explore(root" in message
    views = offered(message)
    assert len(views) >= 4
    for depth, stack, boxes in views:
        assert len(rows(draw_dot(loss, depth=depth, stack=stack, max_nodes=100).source)) == boxes <= 100
    assert "depth=1: 12 boxes" in message
    with pytest.raises(ValueError, match=r"this view has \d+ boxes: too many for one picture \(max_nodes=5\)"):
        draw_dot(loss, depth=3, max_nodes=5)
    assert len(rows(draw_dot(loss, max_nodes=size).source)) == size


def test_the_guard_says_what_a_box_is():
    with pytest.raises(ValueError, match=r"depth=1: \d+ boxes, one per layer"):
        draw_dot(network_of_scopes(), max_nodes=20)


def network_of_scopes() -> Value:
    x = [Value(0.5, label=f"x{i}") for i in range(3)]
    for k in range(3):
        with scope(f"layer{k}"):
            x = [(x[0] * 0.1 + x[1] * 0.2 + x[2] * 0.3).tanh() for _ in range(3)]
    return ag.sum(x)


def test_deep_graphs_without_scopes_are_refused_and_drawn_on_request():
    y = Value(1.0)
    for _ in range(2000):
        y = y * y
    with pytest.raises(ValueError, match=r"this graph has 2001 values: too many for one picture \(max_nodes=500\)") as caught:
        draw_dot(y)
    assert 'with autograd.scope("loss"):' in str(caught.value)
    assert draw_dot(y, max_nodes=5000).source.count(" -> ") == 4000


def test_graphs_too_large_to_be_folded_are_counted(monkeypatch):
    loss = network(10)
    monkeypatch.setattr("autograd.guard.EXACT", 100)
    with pytest.raises(ValueError) as caught:
        draw_dot(loss, max_nodes=100)
    views = offered(str(caught.value))
    assert views
    sizes = Graph(loss).folded_sizes()
    for depth, _, boxes in views:
        assert sizes[depth] <= boxes <= sizes[depth] + 60  # a crowd of leaves is one box only once it is folded


def test_a_million_nodes_are_counted_and_not_frozen(monkeypatch):
    monkeypatch.setattr("autograd.draw.Graph.__init__", None)  # to freeze one would fail
    y = Value(1.0)
    for _ in range(200_000):
        y = -y
    with pytest.raises(ValueError, match="this graph has 200001 values"):
        draw_dot(y)


def test_long_arrows_are_drawn_in_a_hurry():
    x, y = Value(0.5, label="x"), Value(1.0)
    for _ in range(60):
        y = (y * x).tanh()
    source = draw_dot(y).source
    assert "nslimit=0.1" in source
    assert 'label="×' not in source  # labels would make the arrows twice as long
    assert draw_dot(y).pipe().count(b"</svg>") == 1  # took a minute
    assert "nslimit=3" in draw_dot(small()).source


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="needs rankdir 'LR' or 'TB', not 'XY'"):
        draw_dot(Value(1.0), rankdir="XY")
    with pytest.raises(TypeError, match=r"draw_dot needs a Value or a Graph, not float 1.0"):
        draw_dot(1.0)
    with pytest.raises(ValueError, match="depth must be at least 1, not 0"):
        draw_dot(small(), depth=0)
    with pytest.raises(ValueError, match="the graph has no scope 'mlp' to expand"):
        draw_dot(small(), expand="mlp")
    with pytest.raises(ValueError, match="unknown format: 'xyz'"):
        draw_dot(small(), format="xyz")


def test_micrograd_style_calls():
    picture = draw_dot(small(), "png", "TB")
    assert isinstance(picture, graphviz.Digraph)
    assert picture.format == "png"
    assert picture.filename == "Digraph.gv"
    assert draw_dot(small(), format="png", rankdir="TB").source == picture.source
    assert picture.copy().source == picture.source
