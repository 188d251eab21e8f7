"""The page in a real browser: it finds the engine's gradients, says what they are made of, and asks for nothing."""

from __future__ import annotations

import math
import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import islice, product

import pytest

import autograd as ag
import nn
from autograd import Graph, Value, explore, scope
from autograd.explorer.layout import layered
from autograd.explorer.page import PLAIN, Page
from autograd.explorer.views import Views, parted
from autograd.ops import NUMBERS, TABLE
from tests.browser import Tab, chromium, missing

needs_browser = pytest.mark.skipif(bool(missing()), reason=missing() or "there is one")


def network(*sizes: int) -> tuple[Value, nn.MLP]:
    """A loss with a scope for every layer and neuron, and every product and sum a node."""
    rng = random.Random(1)
    model = nn.MLP(sizes[0], list(sizes[1:]), seed=1)
    x = [Value(rng.uniform(-1.0, 1.0), label=f"x{i}") for i in range(sizes[0])]
    for k, layer in enumerate(model.layers):
        with scope(f"layer{k}"):
            out = []
            for j, neuron in enumerate(layer.neurons):
                with scope(f"neuron{j}"):
                    out.append(sum((w * xi for w, xi in zip(neuron.w, x)), neuron.b).tanh())
        x = out
    loss = (x[0] - Value(1.0, label="y")) ** 2
    loss.label = "loss"
    loss.backward()
    return loss, model


def small() -> Value:
    """loss = (w * x + b) ** 2 with x used twice."""
    w, x, b = Value(3.0, label="w"), Value(2.0, label="x"), Value(-4.0, label="b")
    loss = (w * x + b * x) ** 2
    loss.label = "loss"
    loss.backward()
    return loss


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture
def visit(browser, tmp_path):
    """Opens pages, and afterwards holds each of them to have been silent and alone."""
    tabs: list[Tab] = []

    def opened(page: Page, anchor: str = "", **options) -> Tab:
        path = tmp_path / f"{len(tabs)}.html"
        page.save(path)
        tabs.append(Tab(browser, path.as_uri() + anchor, **options))
        return tabs[-1]

    yield opened
    for tab in tabs:
        assert tab.errors == []
        assert [address for address in tab.requests if not address.startswith(("file:", "data:", "blob:"))] == []
        assert len([address for address in tab.requests if address.startswith("file:")]) <= 1
        tab.context.close()


def found(tab: Tab, graph: Graph) -> None:
    """The gradients of the page are those of the engine, to the last bit."""
    shown = tab.run("() => explorer.gradients()")
    for node, grad in zip(graph.nodes, shown):
        if node.kind != "constant":
            assert grad == node.grad or (math.isnan(grad) and math.isnan(node.grad)), node


# What the page computes.
@needs_browser
@pytest.mark.parametrize("sizes", [(2, 2, 1), (4, 8, 7, 1), (8, 20, 20, 19, 1)], ids=["30", "300", "3000"])
def test_the_replayed_gradients_are_the_engines(visit, sizes):
    loss, model = network(*sizes)
    graph = Graph(loss)
    tab = visit(explore(loss, names=model.named_parameters()))
    last = tab.run("() => explorer.frame.lastStep")
    results = sum(node.kind == "result" for node in graph.nodes)
    assert last == 2 * results + 1
    found(tab, graph)
    tab.press("Home")
    assert tab.run("() => explorer.gradients().every(grad => grad === null)")
    tab.press("End")
    found(tab, graph)
    if results < 100:
        tab.press(*["ArrowLeft"] * last)
        assert tab.run("() => explorer.state.t") == 0
        tab.press(*["ArrowRight"] * last)
        found(tab, graph)
    # Half way, a gradient is the sum of what the results behind that point passed on, in their order.
    half = results + 1 + results // 2
    tab.run("t => explorer.go(t)", half)
    so_far = [0.0] * len(graph.nodes)
    so_far[graph.root] = 1.0
    for target, edges in islice(graph.uses_backward(), results // 2):
        for edge in edges:
            if edge.local is not None:
                so_far[edge.source] += edge.local * so_far[target]
    shown = tab.run("() => explorer.gradients()")
    assert all(shown[node.id] == so_far[node.id] for node in graph.nodes if node.kind != "constant")


@needs_browser
def test_every_kind_of_operation_and_every_kind_of_number(visit):
    x, y, z = Value(0.5, label="x"), Value(-0.0, label="y"), Value(2.0, label="z")
    many = ag.dot([x, y, z], [z, x, x]) + ag.logsumexp([x, y, z]) + max(x, z) + ag.max([x, y, y]) + ag.norm([x, z])
    root = many * ag.relu(x) + many * ag.relu(y - 1) + ag.where(x > 0, x / z, z)
    root = root + ag.maximum(x, x) - ag.floor(z) + x**z + ag.erf(-x)
    root.backward(2.5)
    found(visit(explore(root)), Graph(root))
    bad = Value(0.0, label="nothing").log() * Value(0.0) + ag.inf * Value(1.0)
    bad.backward()
    tab = visit(explore(bad))
    found(tab, Graph(bad))
    assert tab.page.locator(".box.odd").count() > 0
    alone = Value(3.0, label="alone")
    alone.backward()
    found(visit(explore(alone)), Graph(alone))


# What the page says.
@needs_browser
def test_every_step_is_a_sentence(visit):
    tab = visit(explore(small()))
    tab.press("Home")
    assert tab.text("#say") == "Inputs: 3 values are given: w = 3, x = 2, b = -4."
    said = []
    for _ in range(9):
        tab.press("ArrowRight")
        said.append(tab.text("#say"))
    assert said[:5] == [
        "Forward 1 of 4: w \u00d7 x = 3 \u00d7 2 = 6.",
        "Forward 2 of 4: b \u00d7 x = (-4) \u00d7 2 = -8.",
        "Forward 3 of 4: \u00d7#2 + \u00d7#4 = 6 + (-8) = -2.",
        "Forward 4 of 4: loss = +#5 ** 2 = (-2) ** 2 = 4.",
        "Seed: the derivative of loss by itself is 1. From here gradients go back.",
    ]
    assert said[5].endswith("passes it on. To +#5: -4 \u00d7 1 = -4; grad 0 + (-4) = -4.")
    assert said[8].endswith("To w: 2 \u00d7 (-4) = -8; grad 0 + (-8) = -8. To x: 3 \u00d7 (-4) = -12; grad 16 + (-12) = 4.")
    assert tab.page.get_attribute("#say", "aria-live") == "polite"


@needs_browser
def test_the_panel_takes_a_gradient_apart(visit):
    tab = visit(explore(small()))
    tab.page.locator(".box", has_text="x").first.hover()
    tab.run("() => explorer.find(1)")
    panel = tab.text("#panel")
    assert "Its gradient: 4" in panel
    assert "The sum of what 2 uses send back" in panel
    rows = [re.split(r"\s+", row.inner_text().strip()) for row in tab.page.locator("#panel tbody tr").all()]
    assert ["\u00d7#4", "-4", "(-4)", "16"] in rows
    assert ["\u00d7#2", "3", "(-4)", "-12"] in rows
    assert "2 paths to loss" in panel
    assert "(-4) \u00d7 1 \u00d7 (-4) = 16" in panel
    assert "\u2202(w \u00d7 x) / \u2202 x = w" in panel
    assert tab.page.locator(".edge.path").count() == 5
    assert tab.page.locator(".box.chosen").count() == 1


def hinges() -> tuple[Value, Value]:
    """A weight that four samples share, each in a scope of its own; nothing comes back from the second and the last."""
    w = Value(0.5, label="w")
    losses = []
    for i, x in enumerate((1.0, -4.0, 3.0, -2.0)):
        with scope(f"sample{i}"):
            losses.append((w * x * w + 0.25).relu())
    loss = losses[0] + losses[1] + losses[2] + losses[3]
    loss.backward()
    return loss, w


@needs_browser
def test_uses_that_send_nothing_hide_no_other_use(visit):
    loss, w = hinges()
    tab = visit(explore(loss))
    found(tab, Graph(loss))
    sums = [0.0]  # of a gradient that has come back to w, after every step
    for t in range(tab.run("() => explorer.frame.seedStep"), tab.run("() => explorer.frame.lastStep") + 1):
        tab.run("t => explorer.go(t)", t)
        shown, passed = tab.run("() => [explorer.frame.gradAt(0, explorer.state.t), document.querySelector('#say').textContent]")
        if shown != sums[-1]:
            assert "To w: " in passed
            assert f"= {shown:g}." in passed
            sums.append(shown)
    assert sums == [0.0, 1.5, 3.0, 3.5, 4.0]
    assert w.grad == 4.0


@needs_browser
def test_a_box_and_the_panel_say_one_gradient(visit):
    loss, _ = hinges()
    tab = visit(explore(loss))
    inside = tab.run("() => explorer.views.findIndex(v => v.kind === 'inside')")
    tab.run("i => { explorer.setView(i); explorer.find(0); }", inside)
    box = tab.page.locator(".box.leaf", has_text="w")
    assert box.text_content().endswith("grad 4")
    panel = tab.text("#panel")
    assert "Its gradient: 4" in panel
    assert "Of this, 1 comes from sample0, which is shown (2 of the 4 uses)" in panel
    tab.press(".", ".", ".")  # to another sample, from which nothing comes
    tab.run("() => explorer.find(0)")
    assert "Nothing of this comes from sample3, which is shown." in tab.text("#panel")
    tab.press(",", ",", ",")
    tab.run("() => explorer.go(explorer.frame.lastStep - 1)")  # one use of w is still to come
    assert "so far 3.5" in box.text_content()
    assert "Its gradient so far: 3.5" in tab.text("#panel")
    assert "sum at the end" in tab.text("#panel")
    tab.run("() => explorer.go(1)")
    assert "Its gradient will be: 4" in tab.text("#panel")


@needs_browser
def test_many_paths_are_counted_and_the_largest_is_shown(visit):
    x = Value(1.0, label="x")
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    tab = visit(explore(y))
    tab.run("() => explorer.find(0)")
    assert "about 1.2e+18 paths" in tab.text("#panel")
    assert x.grad == 2.0**60


@needs_browser
def test_differences_from_the_program_are_told(visit):
    x = Value(3.0, label="x")
    (x * x).backward()
    y = x * x
    y.backward()
    assert "x has the gradient 12.0, but this graph gives it 6.0" in visit(explore(y)).text("#panel")
    tab = visit(explore(x * 2))
    assert "backward() was not called" in tab.text("#panel")
    assert tab.page.locator("#panel details").count() == 0  # there is nothing to unfold


# What the page can do.
@needs_browser
def test_keys_alone_reach_everything(visit):
    loss, model = network(4, 8, 7, 1)
    tab = visit(explore(loss, names=model.named_parameters()))
    state = "() => explorer.state"
    tab.press("Home", "ArrowRight", "ArrowRight")
    assert tab.run(state)["t"] > 1  # by boxes, as the view is folded
    tab.press("ArrowDown", "ArrowDown")
    assert tab.run("() => document.activeElement.classList.contains('box')")
    index = tab.run("() => explorer.stage.boxes.findIndex(box => box.kind === 'scope')")
    tab.run("i => explorer.stage.focus(i)", index)
    assert "folded" in tab.run("() => document.activeElement.getAttribute('aria-label')")
    tab.press("Enter")
    assert tab.run("() => explorer.views[explorer.state.view].kind") == "inside"
    assert "neuron" in tab.text("#trail")
    tab.press("Escape")
    tab.press("/")
    tab.page.keyboard.type("loss")
    tab.press("Enter")
    assert tab.run(state)["chosen"] == len(Graph(loss).nodes) - 1
    tab.press("Escape", "t")
    assert tab.page.is_visible("#list table")
    tab.press("t", "d")
    assert tab.run("() => document.documentElement.dataset.theme") == "dark"
    tab.press("?")
    assert tab.page.is_visible("#guide")
    tab.press("Escape")
    zoom = tab.run("() => explorer.stage.k")
    tab.press("+")
    assert tab.run("() => explorer.stage.k") > zoom
    tab.press("0", "Home", " ")
    tab.wait("() => explorer.state.t > 0")
    tab.press(" ")
    assert tab.page.get_attribute("#play", "aria-label") == "Play"


@needs_browser
def test_every_control_has_a_name_and_does_something(visit):
    loss, model = network(4, 8, 7, 1)
    tab = visit(explore([Graph(loss, model.named_parameters())] * 2))
    tab.press("Home", "ArrowRight")
    nameless = """() => [...document.querySelectorAll("button, input, select")].filter(control =>
        !(control.innerText.trim() || control.getAttribute("aria-label") || control.labels?.length)).map(c => c.outerHTML)"""
    assert tab.run(nameless) == []
    picture = "() => [explorer.state.t, explorer.state.frame, explorer.stage.k, explorer.state.list, document.querySelector('#play').innerText, document.documentElement.dataset.theme, document.querySelector('#guide').open].join()"  # noqa: E501
    for button in ("forward", "back", "last", "first", "play", "play", "in", "fit", "out", "table", "table", "theme", "help"):
        before = tab.run(picture)
        tab.page.click(f"#{button}")
        assert tab.run(picture) != before, button
    tab.press("Escape")
    tab.page.select_option("#frame", "1")
    assert tab.run("() => explorer.state.frame") == 1
    for option in tab.run("() => [...document.querySelectorAll('#view option:not([hidden])')].map(o => o.value)"):
        tab.page.select_option("#view", option)
        assert tab.run("() => explorer.state.view") == int(option)
        assert tab.page.locator(".box").count() == tab.run("() => explorer.views[explorer.state.view].boxes.length")


@needs_browser
def test_folded_boxes_open_and_equal_ones_are_leafed_through(visit):
    loss, _ = network(8, 20, 20, 19, 1)
    tab = visit(explore(loss))
    stacked = tab.run("() => explorer.views.findIndex(view => view.kind === 'stacked' && view.of === 2)")
    tab.run("i => explorer.setView(i)", stacked)
    box = tab.page.locator(".box", has_text="neuron# \u00d7 20").first
    assert "26 values each" in box.text_content()
    box.click()
    assert "neuron0" in tab.text("#trail")
    assert "1 of 20" in tab.text("#trail")
    tab.press(".")
    assert "neuron1" in tab.text("#trail")
    assert "2 of 20" in tab.text("#trail")
    tab.press("Escape")
    assert "layer0" in tab.text("#trail")
    tab.page.click("#trail button")
    assert tab.run("() => explorer.state.view") == stacked


@needs_browser
def test_what_is_opened_is_what_the_panel_tells_of(visit):
    model = nn.MLP(2, [8, 8, 1], seed=1)
    loss = nn.hinge_loss([model([0.5, -1.0]), model([1.0, 2.0])], [1, -1])
    loss.backward()
    tab = visit(explore(loss, names=model.named_parameters()))
    tab.run("() => explorer.setView(explorer.views.findIndex(view => view.kind === 'stacked'))")
    crowd = tab.page.locator(".box.crowd", has_text="of layers").first
    assert re.fullmatch(r"\d+ leavesof layers.*max \|grad\| [\d.e-]+", crowd.text_content())
    while tab.text("#count") != "inputs":
        tab.press("ArrowLeft")
        assert ": ." not in tab.text("#say")
    tab.press("End", "/")  # the last step is in the first call of the model
    tab.page.keyboard.type("mlp#2/layer1")
    tab.press("Enter")
    assert tab.text("#panel h2") == "mlp#2/layer1"
    tab.press("Home", "ArrowRight")
    while tab.run("() => explorer.stage.boxOf[explorer.frame.active(explorer.state.t)]") < 0:
        tab.press("ArrowRight")
    assert tab.text("#panel h2") != "mlp#2/layer1"  # a step that is shown


@needs_browser
def test_a_shared_weight_is_found_where_it_has_a_box_of_its_own(visit):
    model = nn.MLP(2, [8, 8, 1], seed=1)
    with scope("loss"):
        data = nn.hinge_loss([model([0.5, -1.0]), model([1.0, 2.0])], [1, -1])
    with scope("penalty"):
        loss = data + nn.l2_penalty(model, 1e-4)
    loss.backward()
    tab = visit(explore(loss, names=model.named_parameters()))
    tab.press("/")
    tab.page.keyboard.type("layers.1.neurons.2.w.1")
    tab.press("Enter")
    assert "neuron2" in tab.text("#trail")
    chosen = tab.page.locator(".box.chosen .title")
    assert chosen.text_content() == "layers.1.neurons.2.w.1"
    tab.press("t")
    assert re.match(r"\d+ values in \S*layer1/neuron2", tab.text("#list"))


@needs_browser
def test_the_address_holds_the_place(visit):
    tab = visit(explore(small()), "#step=3&value=1")
    assert tab.text("#count") == "forward 3/4"
    assert "Its gradient will be: 4" in tab.text("#panel")
    tab.press("ArrowRight")
    tab.wait("() => location.hash.includes('step=4')")
    assert visit(explore(small()), "#step=99&view=7&value=x").text("#count") == "backward 4/4"


@needs_browser
def test_frames_of_a_training_keep_their_place(visit):
    model = nn.MLP(2, [2, 1], seed=1)
    optimizer = nn.SGD(model.parameters(), lr=0.1)
    frames = {}
    for step in range(3):
        loss = (model([1.0, -1.0]) - 0.5) ** 2
        model.zero_grad()
        loss.backward()
        frames[f"epoch {step}"] = Graph(loss, model.named_parameters())
        optimizer.step()
    tab = visit(explore(frames))
    for i, graph in enumerate(frames.values()):
        found(tab, graph)
        assert tab.page.locator("#frame option:checked").inner_text() == f"epoch {i}"
        tab.press("]")
    assert tab.run("() => explorer.state.frame") == 0
    assert "Over the training" in tab.text("#panel")


@needs_browser
def test_a_box_has_the_colour_of_its_own_frame_alone(visit):
    frames = []
    for slope in (1.0, -1.0, 0.01):
        x = Value(slope, label="x")
        y = x * x
        y.backward()
        frames.append(Graph(y))
    tab = visit(explore(frames))
    for colour, size in (("p4", "2"), ("n4", "2"), ("p4", "0.02")):
        assert tab.text("#legend").endswith(f"full colour from {size}")
        classes = tab.page.locator(".box.leaf").get_attribute("class").split()
        assert [c for c in classes if re.fullmatch(r"[npz]\d?", c)] == [colour]
        tab.press("]")


@needs_browser
def test_a_view_can_change_while_a_box_has_the_focus(visit):
    loss, _ = network(4, 8, 7, 1)
    tab = visit(explore(loss))
    for option in tab.run("() => [...document.querySelectorAll('#view option:not([hidden])')].map(o => o.value)"):
        tab.press("ArrowDown")
        assert tab.run("() => document.activeElement.matches('.box')")
        tab.run("i => explorer.setView(i)", int(option))
        assert tab.run("() => document.activeElement.id") == "stage"  # and no error on the console
        tab.press("ArrowDown")
        assert tab.run("() => document.activeElement.matches('.box')")


@needs_browser
def test_very_many_lines_are_not_dashed(visit):
    def losses(count: int) -> Value:
        w = [Value(0.1 * i) for i in range(10)]
        loss = sum((a * (i + 1.0)).relu() * -1.0 for i in range(count) for a in w).relu()
        loss.backward()
        return loss

    dashes = """() => {
        explorer.setView(explorer.views.findIndex(view => view.kind === "all"));
        return [...document.querySelectorAll(".edge.dead")].map(line => getComputedStyle(line).strokeDasharray);
    }"""
    few, many = visit(explore(losses(4))).run(dashes), visit(explore(losses(30), max_boxes=3000)).run(dashes)
    assert set(few) == {"4px, 4px"}
    assert len(many) > 900
    assert set(many) == {"none"}


@needs_browser
def test_the_table_has_the_numbers_in_full(visit):
    loss, _ = network(2, 2, 1)
    tab = visit(explore(loss))
    tab.press("t")
    titles = "row => [...row.querySelectorAll('[title]')].map(cell => cell.title)"
    cells = tab.run(f"() => [...document.querySelectorAll('#list tbody tr')].map({titles})")
    for (data, grad), node in zip(cells, Graph(loss).nodes):
        assert float(data) == node.data
        if node.kind != "constant":
            assert float(grad) == node.grad


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_saved_picture_is_a_file_of_its_own(visit, scheme, tmp_path):
    tab = visit(explore(small()), color_scheme=scheme)
    with tab.page.expect_download() as download:
        tab.page.click("#svg")
    download.value.save_as(tmp_path / "graph.svg")
    text = (tmp_path / "graph.svg").read_text()
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in text
    assert "grad 4" in text


@needs_browser
def test_readable_in_both_schemes_and_in_a_narrow_window(visit):
    contrast = """() => {
        const light = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(c => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        return [...document.querySelectorAll(".box:not(.constant)")].map(box => {
            const [a, b] = [getComputedStyle(box.querySelector("text")).fill, getComputedStyle(box.querySelector("rect")).fill].map(light);
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); });
    }"""  # noqa: E501
    loss, _ = network(2, 2, 1)
    for scheme in ("light", "dark"):
        tab = visit(explore(loss), color_scheme=scheme)
        assert min(tab.run(contrast)) >= 4.5
    tab.page.set_viewport_size({"width": 360, "height": 720})
    assert tab.run("() => document.documentElement.scrollWidth") <= 360
    assert tab.page.is_visible("#panel")
    assert tab.run("() => document.getElementById('stage').clientHeight") > 100


@needs_browser
def test_no_text_leaves_its_box_and_no_box_covers_another(visit):
    loss, model = network(4, 8, 7, 1)
    tab = visit(explore(loss, names=model.named_parameters()))
    wide = """() => [...document.querySelectorAll(".box:not(.constant)")].filter(box => {
        const width = box.querySelector(":scope > rect").getBBox().width;
        return [...box.querySelectorAll("text")].some(text => text.getComputedTextLength() > width);
    }).map(box => box.textContent)"""
    for i in range(tab.run("() => explorer.views.length")):
        tab.run("i => explorer.setView(i)", i)
        assert tab.run(wide) == []


@needs_browser
def test_no_line_crosses_a_box_it_does_not_touch(visit):
    model = nn.MLP(2, [16, 2, 1], seed=1)  # wide boxes of weights stand in the columns of narrow ones
    y = model([0.5, -1.0]) + model([1.0, 2.0])  # used twice, they keep their long names
    tab = visit(explore(y, names=model.named_parameters()))
    crossing = """() => {
        const d = explorer.stage.drawing, count = explorer.stage.boxes.length;
        return [...document.querySelectorAll(".edge")].filter(line => {
            const key = Number(line.dataset.k), ends = [Math.floor(key / count), key % count], length = line.getTotalLength();
            return [...Array(41).keys()].map(i => line.getPointAtLength(length * i / 40)).some(p => d.x.some((x, i) =>
                !ends.includes(i) && Math.abs(p.x - x) < d.w[i] / 2 - 3 && Math.abs(p.y - d.y[i]) < d.h[i] / 2 - 3));
        }).length;
    }"""
    for i in range(tab.run("() => explorer.views.length")):
        tab.run("i => explorer.setView(i)", i)
        assert tab.run(crossing) == 0


@needs_browser
def test_long_numbers_stay_in_their_boxes(visit):
    x = Value(-1.234567e-15, label="x")
    y = x * 2.0 + x * -1.234567e-10
    y.backward()
    tab = visit(explore(y))
    tab.press("ArrowLeft")
    box = tab.page.locator(".box.leaf")
    assert "so far -1.235e-10" in box.text_content()
    assert box.evaluate("g => g.querySelector('.grad').getBBox().width <= g.getBBox().width")


@needs_browser
def test_derivatives_beside_lines_are_not_on_boxes(visit):
    w, x = [Value(0.123456 * i, label=f"layer.weights.w{i}") for i in range(1, 7)], [Value(0.654321 * i) for i in range(1, 7)]
    y = sum((a * b for a, b in zip(w, x)), Value(-0.5))
    y = sum((y * a for a in w), Value(0.0))
    y.backward()
    tab = visit(explore(y))
    touching = """() => {
        const frames = selector => [...document.querySelectorAll(selector)].map(element => element.getBoundingClientRect());
        const boxes = frames(".box:not(.constant)"), labels = frames(".local");
        const common = (a, b, from, to) => Math.min(a[to], b[to]) - Math.max(a[from], b[from]);
        const touch = (a, b) => common(a, b, "left", "right") > 4 && common(a, b, "top", "bottom") > 4;
        return [labels.length, labels.filter(a => boxes.some(b => touch(a, b))).length];
    }"""
    labels, on_boxes = tab.run(touching)
    assert labels > 20
    assert on_boxes == 0


@needs_browser
def test_any_label_survives(visit):
    labels = ["</script><script>alert(1)</script>", "<b>&amp;", '"', "\u03bb\u2192\u221e", "{{data}}", "a/b", "\U0001f600 " * 30]
    total = sum((Value(1.0, label=label) for label in labels), Value(0.0))
    total.backward()
    with scope("<i>"):
        root = total * total
    root.backward()
    tab = visit(explore(root, title="</title><b>"))
    assert tab.page.title() == "</title><b>"
    shown = tab.run("() => [...document.querySelectorAll('.box .title')].map(text => text.textContent)")
    assert {"<b>&amp;", '"', "\u03bb\u2192\u221e", "{{data}}", "a/b"} <= set(shown)
    assert "in <i>" in tab.text("#panel") or tab.run("() => explorer.views.length") > 1


@needs_browser
def test_a_notebook_shows_it_in_a_sandbox(browser):
    html = explore(small())._repr_html_()
    assert 'sandbox="allow-scripts allow-downloads"' in html
    tab = browser.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.set_content(html)
    frame = tab.frame_locator("iframe")
    frame.locator(".box").first.wait_for()
    frame.locator("#back").click()
    assert frame.locator("#count").inner_text() == "backward 3/4"
    assert errors == []
    tab.close()


@needs_browser
def test_graphs_without_scopes_are_shown_in_parts(visit):
    y = Value(1.0, label="x")
    for _ in range(3000):
        y = (y * 0.999).sin()
    y.backward()
    tab = visit(explore(y))
    found(tab, Graph(y))
    tab.page.locator(".box.scope").first.click()
    assert "part 1" in tab.text("#trail")


# What is written in Python.
def test_the_same_program_gives_the_same_page():
    program = "from tests.test_explorer import network, explore; print(explore(network(2, 3, 1)[0]))"
    runs = {subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(runs) == 1


@pytest.mark.parametrize(("sizes", "most"), [((2, 2, 1), 50), ((4, 8, 7, 1), 350), ((8, 20, 20, 19, 1), 3500)])
def test_pages_are_small(sizes, most):
    assert len(str(explore(network(*sizes)[0]))) < most * 1000


def test_a_page_is_saved_whole_or_not_at_all(tmp_path):
    path = tmp_path / "graph.html"
    page = explore(small(), path)
    assert path.read_text(encoding="utf-8") == str(page)
    assert repr(page).startswith("Page(8 values, ")
    with pytest.raises(FileNotFoundError, match=r"the page cannot be written to '.*nowhere/graph\.html': No such file"):
        explore(small(), tmp_path / "nowhere" / "graph.html")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="cannot be written to"):
        explore(small(), tmp_path / "folder")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "graph.html"]


def test_bad_input_is_named():
    with pytest.raises(TypeError, match="explore needs a Value, a Graph or a list of them, not int 3"):
        explore(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="an empty list has none"):
        explore([])
    x = Value(2.0)
    with pytest.raises(ValueError, match="frame 'step 2' is another graph: 4 values instead of 3"):
        explore([x * 2, x * 2 + x])
    with pytest.raises(ValueError, match=r"frame 'step 2' is another graph: n2 is \+, not \*"):
        explore([x * 2, x + 2])
    y = Value(3.0)
    with pytest.raises(ValueError, match="frame 'step 2' is another graph: n3 is made from n1, not n0"):
        explore([x * y * x, x * y * y])
    with pytest.raises(ValueError, match="this graph has 3 values, its page would be about 1 MB; explore a part of it"):
        explore(x * 2 * 3, max_values=2)
    with pytest.raises(ValueError, match=r"names come too late for a Graph.*Graph\(root, names\)"):
        explore([Graph(x * 2)], names={"x": x})


# Views and drawings.
def test_a_view_for_every_scope_and_a_drawing_for_every_shape():
    loss, model = network(8, 20, 20, 19, 1)
    views = Views(parted(Graph(loss, model.named_parameters())), 1000)
    inside = [view for view in views.views if view.kind == "inside"]
    assert len(inside) == len(views.scopes) == 4 + 60
    assert len({view.drawing for view in inside if len(views.scopes[view.of]) == 2}) == 4  # one for each layer
    assert not any(view.kind == "all" for view in views.views)
    assert any(view.kind == "all" for view in Views(Graph(loss), 10_000).views)
    stacked = next(view for view in views.views if view.kind == "stacked" and view.of == 2)
    assert sorted(len(box) for box in stacked.boxes if isinstance(box, list) and box[0] < 0) == [19, 20, 20]


def test_wide_graphs_without_scopes_have_a_view_too():
    xs = [Value(float(i), label=f"x{i}") for i in range(3000)]
    views = Views(parted(Graph(ag.dot(xs[:1500], xs[1500:]))), 1000)
    assert [len(view.boxes) for view in views.views] == [2]


def test_views_hold_every_value_once():
    loss, _ = network(4, 8, 7, 1)
    graph = Graph(loss)
    views = Views(graph, 1000)

    def values(box) -> list[int]:
        if isinstance(box, list):
            return [id for one in box for id in values(one)]
        path = views.scopes[-1 - box] if box < 0 else ()
        return [box] if box >= 0 else [node.id for node in graph.nodes if node.scope[: len(path)] == path]

    for view in views.views:
        ids = [id for box in view.boxes for id in values(box)]
        assert len(ids) == len(set(ids))
        if view.kind != "inside":
            assert sorted(ids) == list(range(len(graph.nodes)))
        else:
            path = views.scopes[view.of]
            assert {node.id for node in graph.nodes if node.scope[: len(path)] == path} <= set(ids)


@pytest.mark.parametrize("seed", range(8))
def test_boxes_of_a_drawing_do_not_overlap_and_links_lead_to_the_right(seed):
    rng = random.Random(seed)
    count = rng.choice([1, 2, 30, 200])
    sizes = [(rng.choice([50, 110, 184]), rng.choice([24, 58, 76])) for _ in range(count)]
    links = sorted({tuple(sorted(rng.sample(range(count), 2))) for _ in range(2 * count)}) if count > 1 else []
    drawing = layered(sizes, links)
    for source, target in links:
        assert drawing.x[source] + sizes[source][0] / 2 < drawing.x[target] - sizes[target][0] / 2
    for a in range(count):
        assert sizes[a][0] / 2 <= drawing.x[a] + 1 <= drawing.size[0] + 1
        assert sizes[a][1] / 2 - 1 <= drawing.y[a] <= drawing.size[1] - sizes[a][1] / 2 + 1
        for b in range(a):
            dx, dy = abs(drawing.x[a] - drawing.x[b]), abs(drawing.y[a] - drawing.y[b])
            assert dx >= (sizes[a][0] + sizes[b][0]) / 2 or dy >= (sizes[a][1] + sizes[b][1]) / 2, (a, b)
    for route in drawing.routes.values():
        assert all(right >= left for left, right, _ in route)


def test_drawings_of_trees_have_no_crossings_and_cycles_are_drawn():
    tree = [(2 * i + 1, i) for i in range(31)] + [(2 * i + 2, i) for i in range(31)]
    rng = random.Random(2)
    rng.shuffle(tree)
    drawing = layered([(100, 40)] * 63, tree)
    for (a, b), (c, d) in [(p, q) for p in tree for q in tree if p < q and drawing.x[p[0]] == drawing.x[q[0]]]:
        assert (drawing.y[a] - drawing.y[c]) * (drawing.y[b] - drawing.y[d]) >= 0
    assert len(layered([(10, 10)] * 3, [(0, 1), (1, 2), (2, 0)]).x) == 3
    chain = layered([(10, 10)] * 20_000, [(i, i + 1) for i in range(19_999)])
    assert len(set(chain.y)) == 1


# A picture beside the graph.
@pytest.mark.parametrize("name", PLAIN)
def test_derivatives_in_plain_words_are_those_of_the_table(name):
    row = TABLE[name]
    assert len(PLAIN[name]) == row.arity
    for point in product((2.0, 0.5, -1.5), repeat=row.arity):
        if name in ("pow", "log2", "log10") and point[0] < 0.0:
            continue  # not in the domain
        names = dict(zip("xyz", point)) | {"out": row.function(*point)}
        for plain, partial in zip(PLAIN[name], row.partials):
            wanted = row.evaluate(partial, NUMBERS, "out")(*names.values())
            assert wanted is None or eval(plain, vars(math), names) == pytest.approx(wanted, rel=1e-14), (plain, point)


@needs_browser
def test_the_derivative_of_relu_is_said_plainly(visit):
    x = Value(2.0, label="x")
    y = x.relu()
    y.label = "y"
    y.backward()
    tab = visit(explore(y))
    tab.run("() => explorer.find(0)")
    assert "local: \u2202(ReLU(x)) / \u2202 x = 1 if x > 0 else 0" in tab.text("#panel")


def test_an_overview_is_svg():
    loss = small()
    for bad in ("a picture", "<svg", "<p>no</p>"):
        with pytest.raises(ValueError, match=r"an overview in SVG, '<svg ...>...</svg>', not '"):
            explore(loss, overview=bad)


@needs_browser
def test_an_overview_opens_scopes_and_values(visit):
    with scope("left"):
        a = Value(2.0, label="a") * 3
    with scope("right"):
        b = a.tanh() * 2
    b.backward()
    parts = {"left": 'data-scope="left"', "right": 'data-scope="right"', "a": 'data-scope="left" data-value="a"'}
    parts |= {"nowhere": 'data-scope="nowhere"', "nothing": 'data-scope="left" data-value="z"', "all": 'data-scope=""'}
    drawn = "".join(f'<g id="{name}" {place}><title>to {name}</title><rect/></g>' for name, place in parts.items())
    tab = visit(explore(b, overview=f'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">{drawn}</svg>'))
    assert tab.page.get_by_role("button", name="to ").count() == 4  # not what leads nowhere
    tab.run("() => document.querySelector('#overview #right').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    assert tab.run("() => scopePath[explorer.views[explorer.state.view].of + 1]") == "right"
    assert tab.run("() => document.querySelector('#right').getAttribute('aria-current')") == "true"
    tab.run("() => document.querySelector('#overview #a').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    assert tab.text("#panel h2") == "a"
    tab.run("() => document.querySelector('#overview #all').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    assert tab.run("() => explorer.views[explorer.state.view].kind") != "inside"
    assert tab.run("() => explorer.state.chosen") == -1
    alone = visit(explore(small()))
    assert not alone.page.locator("#overview").is_visible()
    assert not alone.page.locator("#show-overview").is_visible()
