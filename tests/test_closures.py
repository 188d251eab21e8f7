"""Programs written for micrograd that define operations of their own, subclass Value, or look at its parts, run as they are."""

from __future__ import annotations

import copy
import math
import pickle

import pytest

import autograd as ag
from autograd import GradientWarning, Value, grad, gradcheck, jvp
from nn import Neuron


def lecture_tanh(x: Value) -> Value:
    """An operation as the best-known lecture writes it."""
    t = math.tanh(x.data)
    out = Value(t, (x,), "tanh")

    def _backward():
        x.grad += (1 - t**2) * out.grad

    out._backward = _backward
    return out


def lecture_product(a: Value, b: Value) -> Value:
    out = Value(a.data * b.data, (a, b), "*", label="product")

    def _backward():
        a.grad += b.data * out.grad
        b.grad += a.data * out.grad

    out._backward = _backward
    return out


def local_tanh(x: Value) -> Value:
    """The same with the local derivatives themselves, as a short GPT in pure Python writes it."""
    t = math.tanh(x.data)
    return Value(t, (x,), (1 - t * t,))


@pytest.mark.parametrize("tanh", [lecture_tanh, local_tanh])
def test_an_operation_by_closure_is_a_node_like_any_other(tanh):
    x, w = Value(0.7, label="x"), Value(-1.3)
    y = (tanh(x * w) * x + tanh(x)) * 2.0
    y.backward()
    u, v = Value(0.7), Value(-1.3)
    ((ag.tanh(u * v) * u + ag.tanh(u)) * 2.0).backward()
    assert (x.grad, w.grad) == pytest.approx((u.grad, v.grad), rel=1e-15)
    assert y.data == pytest.approx(((ag.tanh(u * v) * u + ag.tanh(u)) * 2.0).data, rel=1e-15)
    y.backward()  # leaves accumulate, nodes do not: twice the derivative
    assert x.grad == pytest.approx(2 * u.grad, rel=1e-15)
    assert ag.Graph(y).check()


@pytest.mark.parametrize("tanh", [lecture_tanh, local_tanh])
def test_first_derivatives_of_functions_with_closures(tanh):
    f = lambda x: tanh(x) * x  # noqa: E731
    expected = math.tanh(0.5) + 0.5 * (1 - math.tanh(0.5) ** 2)
    assert grad(f)(0.5) == pytest.approx(expected, rel=1e-15)
    assert jvp(f, (0.5,), (2.0,))[1] == pytest.approx(2 * expected, rel=1e-15)
    assert ag.jacobian(lambda x: [tanh(x), x])(0.5) == pytest.approx([1 - math.tanh(0.5) ** 2, 1.0])
    assert gradcheck(f, 0.5)


def test_operands_that_are_used_twice_and_shared_nodes():
    x = Value(3.0)
    square = lecture_product(x, x)
    assert square._locals == (6.0, None)
    (square + square * x).backward()
    assert x.grad == 2 * 3.0 + 3 * 9.0
    assert square.label == "product"
    assert square._op == "*"


def test_a_constant_beside_a_closure_keeps_its_gradients():
    a, b = Value(2.0), Value(5.0)
    a.grad, b.grad = 7.0, -1.0  # what an earlier backward() left
    out = lecture_product(a, b)
    assert (a.grad, b.grad, out.grad) == (7.0, -1.0, 0.0)
    out.backward()
    assert (a.grad, b.grad) == (12.0, 1.0)


def test_backward_by_hand_as_in_the_lecture():
    x, w, b = Value(2.0), Value(-3.0), Value(6.8813735870195432)
    n = x * w + b
    o = lecture_tanh(n)
    o.grad = 1.0
    for node in (o, n, n._prev[0]):
        node._backward()
    assert (round(x.grad, 6), round(w.grad, 6), round(b.grad, 6)) == (-1.5, 1.0, 0.5)

    def order_of(root):
        order, visited = [], set()

        def build(node):
            if node not in visited:
                visited.add(node)
                for child in node._prev:
                    build(child)
                order.append(node)

        build(root)
        return order

    for node in (x, w, b, n, o):
        node.grad = 0.0
    n._prev[0].grad = 0.0
    o.grad = 1.0
    for node in reversed(order_of(o)):
        node._backward()
    assert (round(x.grad, 6), round(w.grad, 6), round(b.grad, 6)) == (-1.5, 1.0, 0.5)


def test_a_constant_operand_has_no_gradient_to_add_to():
    x = Value(3.0)
    y = 2.0 * x
    y.grad = 1.0
    y._backward()
    assert x.grad == 2.0
    Value(1.0)._backward()  # a leaf passes nothing on


def test_without_backward_nothing_is_passed_on():
    x = Value(1.5)
    step = Value(float(x.data > 0), (x,), "step")
    (step * x).backward()
    assert x.grad == 1.0


def test_a_second_derivative_is_refused_with_the_way_out():
    with pytest.raises(TypeError, match=r"the operation 'tanh' was given as a closure.*autograd\.primitive"):
        grad(grad(lecture_tanh))(0.5)
    with pytest.raises(TypeError, match=r"autograd\.primitive"):
        ag.hessian(lambda x: local_tanh(x[0]))([0.5])
    with pytest.raises(TypeError, match=r"autograd\.primitive"):
        pickle.dumps(lecture_tanh(Value(0.5)))
    with pytest.raises(TypeError, match="the number inside a Value is read"):
        ag.compile(lecture_tanh)(0.5)
    with pytest.raises(TypeError, match=r"'given' at .* cannot be compiled; define it by autograd\.primitive"):
        ag.compile(lambda x: Value(2.0, (x,), (3.0,)))(0.5)


def test_a_closure_that_is_no_derivative_is_refused():
    x = Value(1.0)
    out = Value(2.0, (x,), "clipped")

    def clipped():
        x.grad += max(-1.0, min(1.0, 3.0 * out.grad))

    with pytest.raises(ValueError, match=r"the _backward of 'clipped' adds 1.0 for a gradient of 1 and -1.0 for one of -2.0"):
        out._backward = clipped
    assert (x.grad, out.grad) == (0.0, 0.0)

    def broken():
        x.grad += 1.0
        raise KeyError("broken")

    with pytest.raises(KeyError):
        out._backward = broken
    assert x.grad == 0.0
    with pytest.raises(TypeError, match="_backward is a function without arguments, not float"):
        out._backward = 3.0
    with pytest.raises(TypeError, match="has no operands to carry a gradient back to"):
        x._backward = clipped


def test_a_closure_that_reaches_further_than_its_operands_is_refused():
    x, y = Value(2.0), Value(3.0, label="y")
    out = Value(x.data * y.data, (x,), "leak")

    def _backward():
        x.grad += y.data * out.grad
        y.grad += x.data * out.grad

    with pytest.raises(ValueError, match=r"the _backward of 'leak' adds to the gradient of y = 3.0, which is not among"):
        out._backward = _backward
    assert (x.grad, y.grad, out.grad) == (0.0, 0.0, 0.0)

    weights = [Value(1.0), Value(4.0)]
    out = Value(5.0 * x.data, (x,), "linear")

    def of_all():
        for w in weights:
            w.grad += x.data * out.grad
            x.grad += w.data * out.grad

    with pytest.raises(ValueError, match="which is not among its operands"):
        out._backward = of_all
    assert [w.grad for w in weights] == [0.0, 0.0]
    out = Value(5.0 * x.data, (x, *weights), "linear")
    out._backward = of_all
    out.backward()
    assert (x.grad, [w.grad for w in weights]) == (5.0, [2.0, 2.0])


@pytest.mark.parametrize("limit", [0.5, 1.0, 5.0, 100.0])
def test_clipping_in_a_closure_is_refused(limit):
    x = Value(1.0)
    out = Value(2.0, (x,), "clipped")

    def clipped():
        x.grad += 3.0 * max(-limit, min(limit, out.grad))

    with pytest.raises(ValueError, match="that is no derivative"):
        out._backward = clipped


def test_an_operation_without_backward_is_named_inside_grad():
    with pytest.warns(GradientWarning, match="the operation 'sq' has no _backward, so no derivative leads back through it"):
        assert grad(lambda x: Value(x.data**2, (x,), "sq") * 1.0)(3.0) == 0.0


def test_what_no_operation_is_is_refused():
    a, b = Value(1.0), Value(2.0)
    for wrong in ((a,), [a], {a}, 5, a, 0):
        with pytest.raises(TypeError, match="the label of a Value is text"):
            Value(1.0, wrong)
    with pytest.raises(TypeError, match="the label of a Value is text, not int 3; write label='3'"):
        Value(1.0, label=3)
    with pytest.raises(TypeError, match="the label of a Value is text, not NoneType None; write label=''"):
        a.label = None
    with pytest.raises(TypeError, match=r"the operands of a Value are Values, not float 2.0"):
        Value(1.0, (a, 2.0), "*")
    with pytest.raises(ValueError, match="got 2 operands and 1 local derivatives"):
        Value(1.0, (a, b), (1.0,))
    with pytest.raises(TypeError, match="a local derivative needs a number, not str"):
        Value(1.0, (a,), ("1",))
    assert Value(1.0, "x").label == Value(1.0, label="x").label == "x"
    assert Value(1.0, (), "").label == ""
    assert Value(1.0, (), "", "x").label == "x"


def test_none_says_nothing():
    for x in (
        Value(1.0, label=None),
        Value(1.0, None),
        Value(1.0, None, None),
        Value(1.0, (), None, None),
        Value(1.0, None, "", None),
    ):
        assert (x.label, x._op, x._prev) == ("", "", ())
    assert Value(1.0, None, "", "x").label == Value(1.0, None, None, "x").label == "x"
    x = Value(3.0)
    assert Value(9.0, (x,), "sq", None)._prev == (x,)
    with pytest.raises(TypeError, match="the label of a Value is text"):
        Value(9.0, (x,), None)


def test_under_no_grad_and_inside_a_scope():
    x = Value(1.0)
    with ag.no_grad():
        assert local_tanh(x)._prev == ()
        assert lecture_tanh(x)._prev == ()
    with ag.scope("head"):
        assert lecture_tanh(x).scope == "head"
    with ag.detect_anomaly(), pytest.raises(FloatingPointError, match=r"bad\(1.0\) is nan"):
        Value(math.nan, (x,), "bad")


def test_closures_in_pictures_and_copies():
    x = Value(0.5, label="x")
    y = lecture_tanh(x) * 2.0
    y.backward()
    assert "tanh" in ag.draw_dot(y).source
    assert "tanh" in str(ag.Graph(y))
    assert str(ag.explore(y)).startswith("<!doctype html>")
    assert ag.explain(y, x)
    twin = copy.deepcopy(y)
    twin.backward()
    assert twin._prev[0]._prev[0].grad == x.grad + x.grad  # the copy had the gradient of the original


def test_a_wrong_closure_is_found_by_gradcheck():
    def wrong(x):
        out = Value(x.data**2, (x,), "square")

        def _backward():
            x.grad += 3 * x.data * out.grad

        out._backward = _backward
        return out

    report = gradcheck(lambda x: wrong(x) + x, 2.0)
    assert not report
    assert "the operation to blame is 'square', made at" in report.guilty
    with ag.lint():
        wrong(Value(2.0)).backward()


class Parameter(Value):
    """A subclass as programs write it: results are plain Values."""

    def __init__(self, data, decay=0.0):
        super().__init__(data)
        self.decay = decay


def test_a_subclass_is_a_value_everywhere():
    p, q, x = Parameter(3.0, decay=0.1), Parameter(2.0), Value(0.5)
    y = (p * x + x * p - p / q + 2 * p - p**2 + x.maximum(p) + 1.0 - p) * q
    assert type(y) is Value
    y.backward()
    a, b, c = Value(3.0), Value(2.0), Value(0.5)
    ((a * c + c * a - a / b + 2 * a - a**2 + c.maximum(a) + 1.0 - a) * b).backward()
    assert (p.grad, q.grad, x.grad) == (a.grad, b.grad, c.grad)
    assert (ag.sum([p, q, 1.0]).data, ag.dot([p, q], [q, 2.0]).data, ag.atan2(p, q).data) == (6.0, 10.0, math.atan2(3, 2))
    p.grad = 0.0
    ag.atan2(x, p).backward()
    assert p.grad == pytest.approx(-0.5 / (0.25 + 9.0))
    assert grad(p * p, [p]) == [6.0]
    assert ag.hessian(lambda v: v[0] * p * v[1])([1.0, 2.0]) == [[0.0, 3.0], [3.0, 0.0]]
    assert (p < 4.0, p == 3, p != q, x < p, bool(p)) == (True, True, True, True, True)
    assert ag.topological(p * x)[0] is p


def test_a_subclass_keeps_attributes_and_survives_copies():
    p = Parameter(3.0, decay=0.1)
    p.m = 0.25
    for twin in (copy.copy(p), copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert type(twin) is Parameter
        assert (twin.data, twin.decay, twin.m) == (3.0, 0.1, 0.25)
    y = pickle.loads(pickle.dumps(p * 2.0))
    assert type(y._prev[0]) is Parameter
    assert y._prev[0].m == 0.25


def test_a_subclass_is_an_input_of_compiled_functions():
    p = Parameter(3.0)
    f = ag.compile(lambda p, x: p * p * x)
    for number in (3.0, 4.0):
        p.data, p.grad = number, 0.0
        out = f(p, 2.0)
        out.backward()
        assert (out.data, p.grad) == (2 * number**2, 4 * number)
    g = ag.compile(lambda x: p * x)
    p.data = 7.0
    assert float(g(2.0)) == 14.0


def test_parents_compare_as_nodes():
    a, b = Value(1.0), Value(1.0)
    c = a + b
    assert c._prev == {a, b}
    assert {b, a} == c._prev
    assert c._prev != {a}
    assert c._prev == (a, b)
    assert c._prev != (b, a)
    assert (a + a)._prev == (a, a)
    assert (a + a)._prev == {a}
    assert b not in (a + 1.0)._prev
    assert a in (a + 1.0)._prev
    assert set(c._prev) == {a, b}
    assert c._prev != 3


def test_item_reads_the_number():
    assert Value(2.5).item() == 2.5
    assert type((Value(2.5) * 2).item()) is float


def test_nonlin_is_read_and_set():
    neuron = Neuron(2, seed=1)
    assert neuron.nonlin is True
    out = neuron([-3.0, -4.0]).data
    neuron.nonlin = False
    assert neuron.nonlin is False
    assert repr(neuron) == "LinearNeuron(2)"
    linear = neuron([-3.0, -4.0]).data
    assert max(linear, 0.0) == out
    neuron.nonlin = True
    assert neuron([-3.0, -4.0]).data == out
    assert Neuron(2, nonlin=False).nonlin is False
    tanh = Neuron(2, activation="tanh")
    tanh.nonlin = True
    assert tanh.activation == "tanh"
