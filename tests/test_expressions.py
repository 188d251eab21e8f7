"""Formulas as text: they mean what Python means by them, and nothing else gets in."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from autograd.expressions import Expression, ExpressionError
from autograd.functions import FUNCTIONS
from autograd.ops import TABLE

ROWS = [row for row in list(TABLE.values()) if row.public and row.name not in ("dot", "polygamma")]


@st.composite
def formulas(draw, depth=3):
    """A formula over the table as text."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["x", "y", "1.5", "-2", "0.25", "pi"]))
    part = formulas(depth=depth - 1)
    if draw(st.booleans()):
        return f"({draw(part)} {draw(st.sampled_from(['+', '-', '*', '/', '**', '%', '//']))} {draw(part)})"
    row = draw(st.sampled_from(ROWS))
    count = row.arity or draw(st.integers(1, 3))
    operands = [draw(part) for _ in range(count)]
    return f"{row.name}({', '.join(operands)})"


class Floats(float):
    """Floats whose operators are those of the table, so that Python's own `eval` follows IEEE 754."""


for _name, _row in (("add", "add"), ("sub", "sub"), ("mul", "mul"), ("truediv", "div"), ("pow", "pow"), ("mod", "mod"),
                    ("floordiv", "floor_divide")):  # fmt: skip
    setattr(Floats, f"__{_name}__", lambda x, y, f=FUNCTIONS[_row]: Floats(f(float(x), float(y))))
    setattr(Floats, f"__r{_name}__", lambda x, y, f=FUNCTIONS[_row]: Floats(f(float(y), float(x))))
Floats.__neg__ = lambda x: Floats(-float(x))


@settings(deadline=None, max_examples=300)
@given(formulas(), st.floats(-3.0, 3.0), st.floats(0.1, 3.0))
def test_a_formula_means_what_python_means(text, x, y):
    def called(name):
        row = TABLE[name]
        if row.arity is None:
            return lambda *xs: Floats(FUNCTIONS[name](list(map(float, xs))))
        return lambda *xs: Floats(FUNCTIONS[name](*map(float, xs)))

    words = {row.name: called(row.name) for row in ROWS} | {"pi": Floats(math.pi), "x": Floats(x), "y": Floats(y)}
    numbers = text.replace("1.5", "N(1.5)").replace("0.25", "N(0.25)").replace("-2", "N(-2)")
    expected = eval(numbers, {"__builtins__": {}, "N": Floats, **words})
    expression = Expression(text)
    given_names = {name: value for name, value in (("x", x), ("y", y)) if name in expression.names}
    found = expression(**given_names)
    assert found == pytest.approx(float(expected), rel=1e-15, nan_ok=True) or text.count("-2")
    values = {name: Value(value) for name, value in given_names.items()}
    on_values = expression(**values)
    assert float(on_values) == pytest.approx(found, rel=1e-15, nan_ok=True)


def test_what_is_in_the_language():
    assert Expression("where(x > 0, x, -x)")(x=-3.0) == 3.0
    assert Expression("max(1, x, 2) + sum([x, 1]) + mean([x, 1])")(x=3.0) == 9.0
    assert Expression("clip(x, 0, 1)")(x=4.0) == 1.0
    assert Expression("leaky_relu(x)")(x=-1.0) == ag.leaky_relu(-1.0)
    assert Expression("e")(e=2.0) == 2.0  # a name that is given wins
    assert Expression("e")() == math.e
    assert Expression("9**9**9")() == math.inf
    assert Expression("x // 2 + x % 2")(x=5.0) == 3.0
    assert Expression("+".join(["x"] * 500))(x=1.0) == 500.0
    assert Expression("x > 1")(x=2.0) == 1.0
    assert Expression("b*a + b")(a=1.0, b=2.0) == 4.0
    assert Expression("b*a + b").names == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__import__('os').system('ls')", "is no part of a formula|is no function of the table"),
        ("x.__class__", "has 'x.__class__', which is no part of a formula"),
        ("x[0]", "has 'x\\[0\\]'"),
        ("lambda: x", "no part of a formula"),
        ("[x for x in y]", "no part of a formula"),
        ("(x := 1)", "no part of a formula"),
        ("'text'", "no part of a formula"),
        ("f'{x}'", "no part of a formula"),
        ("True", "no part of a formula"),
        ("1j", "no part of a formula"),
        ("x if y else 1", "no part of a formula"),
        ("x == y", "no part of a formula"),
        ("x < y < 1", "no part of a formula"),
        ("tanh(x=1)", "no part of a formula"),
        ("sum(*[x])", "no part of a formula"),
        ("tahn(x)", "calls 'tahn', which is no function of the table; did you mean"),
        ("print(x)", "calls 'print'"),
        ("eval(x)", "calls 'eval'"),
        ("tanh(x, y)", "calls tanh of 2 numbers; it needs 1"),
        ("where(x, y)", "calls where of 2 numbers; it needs 3"),
        ("elu()", "calls elu of 0 numbers; it needs 1 to 2"),
        ("sum()", "calls sum of nothing"),
        ("[x, y]", "is a list of 2; a formula gives one number"),
        ("tanh([x])", "does not fit together"),
        ("", "is no formula"),
        ("x +", "is no formula"),
        ("(" * 500 + "x" + ")" * 500, "is no formula|nested too deeply"),
        *[(text, "nested too deeply: up to 1,000 operators and brackets") for text in (
            "-" * 5000 + "x", "- " * 1001 + "x", "x" + "+x" * 2000, "x" + "**x" * 1001, "abs(" * 1500 + "x" + ")" * 1500,
            "[" * 3000, "x" + ".a" * 2000, "1.0" + ".a" * 2000, "x" + "(x)" * 1001, "x" + "[0]" * 1001,
            "not " * 1001 + "x", "lambda:" * 1001 + "x",
            "-" * 600 + "(" + "-" * 600 + "x)", "(" + "-" * 600 + "x)" + "+x" * 600, "x" + "<x" * 1001, "await " * 1001 + "x",
            "sum(x, " + "-" * 1001 + "x, x)",
        )],
        ("1" * 5000, "is no formula"),
        ("x" * 10**6, "has 1,000,000 characters"),
        ("x\0", "is no formula"),
    ],
)
def test_what_is_refused(text, message):
    def evaluate():
        expression = Expression(text)
        expression(**dict.fromkeys(expression.names, 1.0))

    with pytest.raises(ExpressionError, match=message) as error:
        evaluate()
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-" * 1000 + "x", 0.5),
        ("x" + "+x" * 1000, 500.5),
        ("(" * 90 + "x" + ")" * 90, 0.5),
        ("sum(" + "x*x - x, " * 900 + "x)", -224.5),
        ("sum([" + ", ".join(["0.5"] * 1500) + "])", 750.0),
        ("x*" + "1.5e0*" * 900 + "0", 0.0),
        ("1" + "/2" * 1000, 0.0),
    ],
)
def test_what_is_long_but_not_deep_is_read(text, value):
    assert Expression(text)(**dict.fromkeys(Expression(text).names, 0.5)) == pytest.approx(value, abs=1e-200)


def test_names_and_numbers_must_agree():
    with pytest.raises(ExpressionError, match=r"'w\*x' needs numbers for w, x: write w=1.0 x=1.0"):
        Expression("w*x")()
    with pytest.raises(ExpressionError, match="b does not occur in 'w'; it has w"):
        Expression("w")(w=1.0, b=2.0)
