"""The frozen graph: nodes in order, edges with their derivatives, folding by scope, and the same data in other forms."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest

import autograd as ag
import nn
from autograd import Graph, Value, scope, topological


def small() -> Value:
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    loss = (x * x * 2 + ag.relu(w) * w) ** 2
    loss.label = "L"
    loss.backward()
    return loss


def network(samples: int = 1) -> Value:
    model = nn.MLP(3, [4, 4, 1], seed=1)
    inputs = [[Value(0.1 * i + k, label=f"x{i}") for i in range(3)] for k in range(samples)]
    outputs = [model(x) for x in inputs]
    with scope("loss"):
        loss = ag.sum([(y - 1.0) ** 2 for y in outputs])
    loss.backward()
    return loss


def test_nodes_are_in_topological_order_and_numbered():
    loss = small()
    graph = Graph(loss)
    assert [node.id for node in graph.nodes] == list(range(len(graph.nodes)))
    assert all(edge.source < edge.target for edge in graph.edges)
    assert [edge.target for edge in graph.edges] == sorted(edge.target for edge in graph.edges)
    values = [node for node in graph.nodes if node.kind != "constant"]
    assert [(node.label, node.op, node.data, node.grad) for node in values] == [
        (v.label, v._op, v.data, v.grad) for v in topological(loss)
    ]
    assert graph.nodes[graph.root].label == "L"
    assert [node.data for node in graph.nodes if node.kind == "constant"] == [2.0, 2.0]


def test_an_edge_for_every_use_with_its_derivative():
    x, y = Value(3.0, label="x"), Value(4.0, label="y")
    graph = Graph(x * x - 2.0 * ag.dot([x, y], [y, 5.0]) + ag.maximum(x, y))
    name = {node.id: node.title for node in graph.nodes}
    uses = [(name[edge.source], name[edge.target], edge.local) for edge in graph.edges]
    assert uses[:2] == [("x", "*", 3.0)] * 2
    assert uses[2:6] == [("x", "dot", 4.0), ("y", "dot", 5.0), ("y", "dot", 3.0), ("", "dot", None)]
    assert ("x", "max", None) in uses
    assert ("y", "max", 1.0) in uses


def test_a_graph_is_frozen():
    x = Value(2.0)
    y = x * x
    graph = Graph(y)
    y.backward()
    x.data = 7.0
    assert graph.nodes[0].data == 2.0
    assert graph.nodes[0].grad == 0.0
    assert not graph.differentiated
    assert Graph(y).differentiated
    with pytest.raises(AttributeError):
        graph.nodes[0].data = 1.0


def test_gradients_are_checked():
    loss = small()
    assert Graph(loss).check() == []
    loss.backward()
    assert Graph(loss).check() == ["x has the gradient 256.0, but this graph gives it 128.0"]
    loss.zero_grad()
    loss.backward()
    loss._operands[0].grad = 5.0
    assert "+ has the gradient 5.0, but this graph gives it 16.0" in Graph(loss).check()
    assert Graph(network(3)).check() == []


def test_rounding_and_special_numbers_pass_the_check():
    x = Value(1e-3)
    y = (x * 1e16 - x * 1e16) * 3.0 + x
    y.backward()
    assert Graph(y).check() == []
    for start in (0.0, -1.0, math.inf, math.nan):
        y = Value(start).log() * Value(2.0) + Value(start).sqrt()
        y.backward()
        assert Graph(y).check() == []


def test_the_root_may_be_a_leaf_and_must_be_a_value():
    graph = Graph(Value(3.0, label="x"))
    assert (graph.root, len(graph.nodes), graph.edges) == (0, 1, ())
    assert graph.check() == []
    assert len(graph.fold(1).boxes) == 1
    with pytest.raises(TypeError, match=r"a graph starts at a Value, not at float 1.0"):
        Graph(1.0)


def test_gradients_that_are_values_are_read():
    x = Value(3.0)
    y = x * x
    y.backward(create_graph=True)
    assert Graph(y).nodes[0].grad == 6.0


def test_equal_programs_give_equal_text_in_two_processes():
    program = "from tests.test_graphs import *; g = Graph(network(2)); print(g, g.to_json(), g.fold(2))"
    runs = {subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(runs) == 1


def test_parameters_take_the_scope_of_their_users_and_given_names():
    model = nn.MLP(2, [3, 1], seed=1)
    once = Graph(model([1.0, 2.0]), names=model.named_parameters())
    leaves = [node for node in once.nodes if node.kind == "leaf"]
    assert sorted((node.label, "/".join(node.scope)) for node in leaves)[:3] == [
        ("b", "mlp/layer0/neuron0"), ("b", "mlp/layer0/neuron1"), ("b", "mlp/layer0/neuron2"),
    ]  # fmt: skip
    assert sum(node.label == "w.1" for node in leaves) == 4
    model.zero_grad()
    with scope("step"):
        twice = Graph(model([1.0, 2.0]) + model([2.0, 1.0]), names=model.named_parameters())
    assert {"/".join(node.scope) for node in twice.nodes if node.kind == "leaf"} == {"step"}
    outside = Graph(model([1.0, 2.0]) + model([2.0, 1.0]), names=model.named_parameters())
    leaves = [node for node in outside.nodes if node.kind == "leaf"]
    assert {node.scope for node in leaves} == {()}
    assert {node.label for node in leaves} == set(model.named_parameters())


def test_labelled_leaves_stay_where_they_were_made():
    x = Value(2.0, label="x")
    with scope("inside"):
        y = x * Value(3.0, label="w") * Value(4.0)
    assert [node.scope for node in Graph(y).nodes if node.kind == "leaf"] == [(), ("inside",), ("inside",)]


def test_folding_makes_a_box_per_scope():
    graph = Graph(network())
    everything = graph.fold()
    assert len(everything.boxes) == len(graph.nodes)
    assert all(box.single for box in everything.boxes)
    folded = graph.fold(depth=3)
    paths = [box.path for box in folded.boxes if box.path]
    assert len(paths) == len(set(paths)) == 9
    assert all(box.shape == folded.boxes[3].shape for box in folded.boxes if box.path[1:2] == ("layer0",))
    assert len({box.shape for box in folded.boxes if box.path}) == 3
    members = sorted(id for box in folded.boxes for id in box.nodes)
    assert members == list(range(len(graph.nodes)))
    assert all(link.source < link.target for link in folded.links)
    place = {id: i for i, box in enumerate(folded.boxes) for id in box.nodes}
    crossing = [i for i, edge in enumerate(graph.edges) if place[edge.source] != place[edge.target]]
    assert sorted(i for link in folded.links for i in link.edges) == crossing
    assert graph.folded_sizes() == {depth: len(graph.fold(depth).boxes) for depth in (1, 2, 3)}


def test_expand_opens_one_scope():
    graph = Graph(network())
    view = graph.fold(expand="mlp/layer0")
    assert [box.path for box in view.boxes if box.path] == [
        *[("mlp", "layer0", f"neuron{i}") for i in range(4)], ("mlp", "layer1"), ("mlp", "layer2"), ("loss",),
    ]  # fmt: skip
    deeper = graph.fold(depth=2, expand=["mlp/layer0", "mlp/layer0/neuron1"])
    assert sum(box.single and graph.nodes[box.nodes[0]].scope[-1:] == ("neuron1",) for box in deeper.boxes) == 7
    with pytest.raises(ValueError, match=r"the graph has no scope 'mlp/layer9' to expand; it has loss, mlp, mlp/layer0, "):
        graph.fold(expand=["mlp/layer9"])
    with pytest.raises(ValueError, match="depth must be at least 1, not 0"):
        graph.fold(0)


def test_a_scope_that_would_make_a_cycle_stays_open():
    with scope("a"):
        y = Value(1.0) * 2
    z = y + 1
    with scope("a"):
        z = z * 2
    with scope("b"):
        w = z * 3 + 1
    view = Graph(w).fold(1)
    assert view.kept_open == ("a",)
    assert [box.path for box in view.boxes if box.path] == [("b",)]
    assert all(link.source < link.target for link in view.links)


def test_a_crowd_of_leaves_is_one_box():
    view = Graph(network(samples=20)).fold(2)
    crowds = [box for box in view.boxes if not box.path and len(box.nodes) > 1]
    assert [len(box.nodes) for box in crowds] == [20, 16]  # the parameters of two layers; the third has five only
    assert not any(box.path for box in crowds)


def test_json_reads_back():
    graph = Graph(ag.log(Value(0.0, label="λ \"x\" \\")) * 2.0)
    assert json.loads(graph.to_json())["nodes"][1]["data"] == "-Infinity"
    data = json.loads(graph.to_json())
    assert [float(node["data"]) for node in data["nodes"]] == [node.data for node in graph.nodes]
    assert data["nodes"][0]["label"] == 'λ "x" \\'
    assert [edge["local"] for edge in data["edges"]] == ["Infinity", 2.0, None]
    assert Graph(small()).to_dict() == json.loads(Graph(small()).to_json())


def test_networkx():
    networkx = pytest.importorskip("networkx", reason="needs networkx")
    loss = small()
    graph = Graph(loss).to_networkx()
    assert networkx.is_directed_acyclic_graph(graph)
    assert graph.number_of_edges(0, 1) == 2
    # the chain rule on networkx's own traversal
    grads = dict.fromkeys(graph, 0.0) | {graph.graph["root"]: 1.0}
    for node in reversed(list(networkx.topological_sort(graph))):
        for source, _, local in graph.in_edges(node, data="local"):
            grads[source] += (local or 0.0) * grads[node]
    assert all(grads[id] == facts["grad"] for id, facts in graph.nodes.items() if facts["kind"] != "constant")


def test_the_table():
    lines = str(Graph(small())).splitlines()
    assert lines[0].split() == ["name", "node", "data", "grad", "made", "from"]
    assert lines[-1].split() == ["n9", "L", "=", "**", "64", "1", "n7", "(x", "16),", "n8"]
    assert str(Graph(Value(1.0) + 2.0)).splitlines()[1].split() == ["n0", "leaf", "1", "-"]


def test_long_chains_need_no_recursion():
    x = y = Value(1.0)
    for _ in range(50_000):
        y = y * x
    y.backward()
    graph = Graph(y)
    assert len(graph.edges) == 100_000
    assert graph.check() == []
    assert len(graph.fold().boxes) == 50_001


def test_a_long_table_is_printed_without_its_middle():
    x = Value(1.0, label="x")
    root = x
    for _ in range(1000):
        root = root + x
    graph = Graph(root)
    lines = str(graph).splitlines()
    assert len(lines) == 402
    assert lines[301] == "... 601 more; graph.table() has them all ..."
    assert lines[1].startswith("n0")
    assert lines[-1].startswith("n1000")
    assert len(graph.table().splitlines()) == 1002
