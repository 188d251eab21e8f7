"""The room of calculus: derivatives of functions, of any order, over numbers and nested containers of numbers.

Numbers in, numbers out. Called on Values, or inside a function that is being differentiated, each of these gives Values,
which can be differentiated again: `grad(grad(f))` is the second derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

from autograd.chain import pullback, pushforward
from autograd.floats import number
from autograd.functions import FUNCTIONS
from autograd.readings import Readings
from autograd.trees import is_array, leaves, paired, rebuild, transform
from autograd.value import Value, current, note, topological

__all__ = ["derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Function = Callable[..., Any]
Argnums = int | Sequence[int]


class Evaluation:
    """A function evaluated on fresh Values, ready to be differentiated by them."""

    def __init__(self, function: Function, arguments: Sequence[Any], argnums: Argnums, keywords: dict[str, Any]) -> None:
        self.name = getattr(function, "__name__", repr(function))
        chosen = [argnums] if isinstance(argnums, int) else list(argnums)
        for i in chosen:
            if not -len(arguments) <= i < len(arguments):
                raise TypeError(f"{self.name} is differentiated by argument {i}, but was called with {len(arguments)} arguments")
        arguments = list(arguments)
        given = [leaf for i in chosen for leaf in leaves(arguments[i])]
        self.nested = current().nested or any(isinstance(leaf, Value) for leaf in given)
        self.inputs: list[Value] = []  # one fresh Value for every number, also where one Value was given twice
        for i in chosen:
            arguments[i] = transform(self.fresh, arguments[i])
        picked = [arguments[i] for i in chosen]
        self.structure: Any = picked[0] if isinstance(argnums, int) else tuple(picked)
        self.readings = listener(self.inputs)
        with differentiating(read=self.readings or current().read):
            self.output = function(*arguments, **keywords)

    def fresh(self, leaf: Any) -> Value:
        self.inputs.append(+leaf if isinstance(leaf, Value) else Value(number(leaf, f"an argument of {self.name}")))
        return self.inputs[-1]

    @property
    def scalar(self) -> Any:
        """The output, which must be one number."""
        if isinstance(self.output, Value):
            return self.output
        hint = "; use autograd.jacobian for several outputs" if hasattr(self.output, "__len__") else ""
        if self.output is None:
            hint = "; is a return missing?"
        if not hasattr(self.output, "__float__") or hint:
            raise TypeError(f"{self.name} must return one number, not {type(self.output).__name__}{hint}")
        return Value(self.output)

    def graph(self, *outputs: Value) -> list[Value]:
        """What the outputs were made from, in order; a warning if no input is there, and nothing says why."""
        order = topological(*outputs)
        if self.readings is not None:
            self.readings.result(self.name, self.inputs, order)
        return order

    def pull(self, order: Sequence[Value], cotangents: dict[Value, Any]) -> Any:
        """The derivatives by the inputs, in the containers of the inputs; 0.0 for inputs that are not used."""
        with differentiating(self.nested):
            found = pullback(order, cotangents, create_graph=self.nested)
        return rebuild(self.structure, iter([found.get(x, 0.0) for x in self.inputs]))

    def finish(self, tree: Any) -> Any:
        """A result as the caller sees it: Values if derivatives are nested, else floats."""
        return tree if self.nested else transform(lambda x: x._data if isinstance(x, Value) else number(x, self.name), tree)


@contextmanager
def differentiating(nested: bool = True, **facts: Any) -> Iterator[None]:
    """Operations are recorded in here, also under `no_grad`."""
    token = note.set(current().but(recording=True, nested=current().nested or nested, **facts))
    try:
        yield
    finally:
        note.reset(token)


def listener(inputs: Sequence[Value]) -> Readings | None:
    """Who warns of lost derivatives in here; None where somebody else, a trace say, listens already."""
    outer = current().read
    return Readings(inputs, outer) if outer is None or isinstance(outer, Readings) else None


def value_and_grad(f: Function, argnums: Argnums = 0) -> Function:
    """The function that returns `f(...)` and its gradient.

    The gradient has the containers of the argument that `argnums` names: a number for a number, a list for a list. For a
    sequence of `argnums` it is a tuple of such. Inputs that f does not use have gradient 0. Raises TypeError if f does not
    return one number.

    >>> value_and_grad(lambda x, y: x * y)(3.0, 4.0)
    (12.0, 4.0)
    >>> value_and_grad(lambda p: p["w"] ** 2 + p["b"][0])({"w": 3.0, "b": [1.0]})
    (10.0, {'w': 6.0, 'b': [1.0]})
    """
    check_function(f, "value_and_grad")

    @wraps(f)
    def evaluate(*arguments: Any, **keywords: Any) -> tuple[Any, Any]:
        run = Evaluation(f, arguments, argnums, keywords)
        root = run.scalar
        return run.finish(root), run.pull(run.graph(root), {root: 1.0})

    return evaluate


def grad(f: Any, argnums: Any = 0, *, create_graph: bool = False) -> Any:
    """The gradient: of a function, as a function; or of a Value by other Values, at once.

    `grad(f)` takes what f takes and returns the derivatives by argument `argnums`, in the containers of that argument.
    `grad(output, inputs)` returns the derivatives of a Value by other Values in the containers of `inputs`, and leaves
    every `grad` attribute alone; with `create_graph` they are Values.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    >>> x = Value(2.0)
    >>> grad(x**3, [x])
    [12.0]
    """
    if isinstance(f, Value):
        inputs = argnums
        if isinstance(inputs, int) and inputs == 0:
            raise TypeError("grad of a Value needs the Values to differentiate by: grad(output, inputs)")
        for x in leaves(inputs):
            if not isinstance(x, Value):
                raise TypeError(f"grad(output, inputs) differentiates by Values, not by {type(x).__name__} {x!r}")
        order = topological(f)
        if (readings := listener(())) is not None:
            readings.result("grad(output, inputs)", leaves(inputs), order)
        with differentiating(create_graph):
            found = pullback(order, {f: 1.0}, create_graph=create_graph)
        return transform(lambda x: found.get(x, 0.0), inputs)
    evaluate = value_and_grad(f, argnums)

    @wraps(f)
    def gradient(*arguments: Any, **keywords: Any) -> Any:
        return evaluate(*arguments, **keywords)[1]

    return gradient


def derivative(f: Function, order: int = 1) -> Function:
    """The derivative of a function of one number, `order` times.

    >>> derivative(lambda x: x**4, order=3)(2.0)
    48.0
    """
    if not isinstance(order, int) or order < 0:
        raise ValueError(f"the order of a derivative is 0, 1, 2, ..., not {order!r}")
    for _ in range(order):
        f = grad(f)
    return f


def jacobian(f: Function, argnums: Argnums = 0) -> Function:
    """The derivatives of every output by every input, by reverse mode: one pass back per output.

    The result has the containers of the output, and in place of each number the containers of the input.

    >>> jacobian(lambda x: [x[0] * x[1], x[0] ** 2])([3.0, 4.0])
    [[4.0, 3.0], [6.0, 0.0]]
    """
    check_function(f, "jacobian")

    @wraps(f)
    def rows(*arguments: Any, **keywords: Any) -> Any:
        run = Evaluation(f, arguments, argnums, keywords)
        order = run.graph(*[y for y in leaves(run.output) if isinstance(y, Value)])

        def row(y: Any) -> Any:
            return run.pull(order, {y: 1.0} if isinstance(y, Value) else {})

        if is_array(run.output) and is_array(run.structure):
            import numpy as np

            return np.array([row(y) for y in run.output.flat]).reshape(run.output.shape + run.structure.shape)
        return nest(row, run.output)

    return rows


def nest(row: Callable[[Any], Any], tree: Any) -> Any:
    """`transform`, for rows that are containers themselves."""
    return [nest(row, y) for y in tree] if is_array(tree) else transform(row, tree)


def hessian(f: Function, argnums: int = 0) -> Function:
    """The second derivatives by every pair of inputs: the Jacobian of the gradient.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 4.0])
    [[8.0, 6.0], [6.0, 0.0]]
    """
    return jacobian(grad(f, argnums), argnums)


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """The value f(*primals), and the function from a cotangent to its vector-Jacobian product, one entry per primal.

    The cotangent has the containers of the output.

    >>> y, pull = vjp(lambda x: [x[0] * x[1], x[0] ** 2], [3.0, 4.0])
    >>> y, pull([1.0, 0.5])
    ([12.0, 9.0], ([7.0, 3.0],))
    """
    check_function(f, "vjp")
    run = Evaluation(f, primals, range(len(primals)), {})
    outputs = leaves(run.output)
    order = run.graph(*[y for y in outputs if isinstance(y, Value)])

    def pull(cotangent: Any) -> Any:
        seeds: dict[Value, Any] = {}
        for y, seed in zip(outputs, matching(cotangent, run.output, "cotangent", "output")):
            if isinstance(y, Value):  # two outputs may be one Value
                seeds[y] = seeds[y] + seed if y in seeds else seed
        run.nested = run.nested or any(isinstance(seed, Value) for seed in seeds.values())
        return run.pull(order, seeds)

    return run.finish(run.output), pull


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value f(*primals), and its derivative in the direction of the tangents: forward mode, in one pass.

    Primals and tangents are sequences with one entry per argument; the tangents have the containers of the primals. Raises
    TypeError for a hook on the way, which could not be called.

    >>> jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 0.5))
    (12.0, 5.5)
    """
    check_function(f, "jvp")
    if not hasattr(primals, "__len__"):
        raise TypeError(f"autograd.jvp needs primals with one entry per argument, not {primals!r}; write ({primals!r},)")
    run = Evaluation(f, primals, range(len(primals)), {})
    seeds = dict(zip(run.inputs, matching(tangents, tuple(primals), "tangents", "primals")))
    nested = run.nested = run.nested or any(isinstance(seed, Value) for seed in seeds.values())
    order = run.graph(*[y for y in leaves(run.output) if isinstance(y, Value)])
    with differentiating(nested):
        found = pushforward(order, seeds, create_graph=nested)
    if any(node._note.hooks and node in found for node in order):
        raise TypeError(
            f"{run.name} registers a hook, which changes a gradient on its way back, and autograd.jvp has none: it carries "
            "tangents forward; use autograd.vjp or grad, or remove the hook"
        )
    tangent = transform(lambda y: found.get(y, 0.0) if isinstance(y, Value) else 0.0, run.output)
    return run.finish(run.output), tangent


def hvp(f: Function) -> Function:
    """The function of (x, v) that returns the Hessian of f at x times v, without building the Hessian.

    >>> hvp(lambda x: x[0] ** 2 * x[1])([3.0, 4.0], [1.0, 0.0])
    [8.0, 6.0]
    """
    check_function(f, "hvp")

    @wraps(f)
    def product(x: Any, v: Any) -> Any:
        directions = matching(v, x, "v", "x")
        return grad(lambda x: FUNCTIONS["dot"](leaves(grad(f)(x)), directions))(x)

    return product


def matching(tree: Any, like: Any, name: str, partner: str) -> list[Any]:
    """The leaves of a tree that must pair up with others, checked."""
    found = [x if isinstance(x, Value) else number(x, name) for x in paired(tree, like)]
    count = len(leaves(like))
    if len(found) != count:
        raise ValueError(f"{name} has {len(found)} numbers, {partner} has {count}: they must have the same containers")
    return found


def check_function(f: Any, name: str) -> None:
    if not callable(f):
        raise TypeError(f"autograd.{name} needs a function, not {type(f).__name__} {f!r}")
