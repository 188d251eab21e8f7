"""What is written for micrograd runs here after changing the import, with the same numbers."""

import random

import graphviz
import pytest

import autograd
import nn

micrograd_engine = pytest.importorskip("micrograd.engine", reason="needs micrograd to compare with")
micrograd_nn = pytest.importorskip("micrograd.nn", reason="needs micrograd to compare with")
ENGINES = {"ours": (autograd.Value, nn), "micrograd": (micrograd_engine.Value, micrograd_nn)}


def readme(value):
    a, b = value(-4.0), value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return g.data, a.grad, b.grad


def sanity(value):
    x = value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    return y.data, x.grad


def operators(value):
    a, b = value(3.0), value(-0.5)
    c = -a - 2 + (1 - b) / a + 5 / b - a / 4
    d = c * b**-2 + 7 * a**0.5 - (a - b) ** 3
    d.backward()
    return d.data, a.grad, b.grad


@pytest.mark.parametrize("expression", [readme, sanity, operators])
def test_expressions(expression):
    ours, theirs = (expression(value) for value, _ in ENGINES.values())
    assert ours == pytest.approx(theirs, rel=1e-12)


def test_readme_numbers():
    assert readme(autograd.Value) == pytest.approx((24.70408163265306, 138.83381924198252, 645.5772594752186), rel=1e-12)


def moons_demo(value, nets, steps):
    """micrograd's demo notebook as a function: SVM max-margin loss with L2, decaying rate, all samples in each step."""
    random.seed(1337)
    points = [[random.gauss(0, 1), random.gauss(0, 1)] for _ in range(30)]
    labels = [1 if x * x + y > 0.5 else -1 for x, y in points]
    model = nets.MLP(2, [8, 8, 1])
    shown = [repr(model)]
    for k in range(steps):
        inputs = [list(map(value, row)) for row in points]
        scores = list(map(model, inputs))
        losses = [(1 + -label * score).relu() for label, score in zip(labels, scores)]
        data_loss = sum(losses) * (1.0 / len(losses))
        reg_loss = 1e-4 * sum(p * p for p in model.parameters())
        total_loss = data_loss + reg_loss
        accuracy = [(label > 0) == (score.data > 0) for label, score in zip(labels, scores)]
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        shown += [total_loss.data, sum(accuracy) / len(accuracy)]
    return shown, [p.data for p in model.parameters()]


def test_moons_loop():
    (shown, weights), (their_shown, their_weights) = (moons_demo(*engine, steps=15) for engine in ENGINES.values())
    assert shown[0] == their_shown[0]
    assert shown[1:] == pytest.approx(their_shown[1:], rel=1e-9)
    assert weights == pytest.approx(their_weights, rel=1e-9)


def trace(root):
    """The traversal of micrograd's trace_graph notebook."""
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return nodes, edges


def notebook_draw(root):
    nodes, edges = trace(root)
    dot = graphviz.Digraph(format="svg", graph_attr={"rankdir": "LR"})
    for n in nodes:
        dot.node(name=str(id(n)), label=f"{{ data {n.data:.4f} | grad {n.grad:.4f} }}", shape="record")
        if n._op:
            dot.node(name=str(id(n)) + n._op, label=n._op)
            dot.edge(str(id(n)) + n._op, str(id(n)))
    for n1, n2 in edges:
        dot.edge(str(id(n1)), str(id(n2)) + n2._op)
    return dot


def boxes(root):
    return sorted(line[line.index("label=") :] for line in notebook_draw(root).body if "data" in line)


def test_trace_graph_notebook():
    drawn = []
    for value, _ in ENGINES.values():
        a, b, c = value(2.0), value(-3.0), value(10.0)
        y = (a * b + c + a).relu()
        y.backward()
        drawn.append(boxes(y))
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 7


def test_trace_graph_notebook_of_a_neuron():
    drawn = []
    for value, nets in ENGINES.values():
        random.seed(1337)
        y = nets.Neuron(2)([value(1.0), value(-2.0)])
        y.backward()
        drawn.append(boxes(y))
    ours, theirs = drawn  # in micrograd every product and partial sum is a box, here they are one dot
    assert len(ours) == 8
    assert set(ours) < set(theirs)


def test_subclass_of_module_in_their_style():
    class Line(nn.Module):
        def __init__(self):
            self.w = [autograd.Value(2.0)]

        def __call__(self, x):
            return self.w[0] * x

        def parameters(self):
            return self.w

    line = Line()
    line(3.0).backward()
    assert line.w[0].grad == 3.0
    line.zero_grad()
    assert line.w[0].grad == 0
