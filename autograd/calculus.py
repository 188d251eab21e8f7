"""The room of calculus: derivatives of functions, of any order, over numbers and nested containers of numbers.

Numbers in, numbers out. Called on Values, or inside a function that is being differentiated, each of these gives Values,
which can be differentiated again: `grad(grad(f))` is the second derivative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import wraps
from numbers import Integral
from typing import Any

from autograd.chain import pullback, pushforward
from autograd.evaluation import Argnums, Evaluation, Function, differentiating, listener
from autograd.functions import FUNCTIONS
from autograd.trees import leaves, number_in, outer, paired, transform
from autograd.value import Value, topological

__all__ = ["derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "pattern", "value_and_grad", "vjp"]


def value_and_grad(f: Function, argnums: Argnums = 0) -> Function:
    """The function that returns `f(...)` and its gradient.

    The gradient has the containers of the argument that `argnums` names, as it was given: a number for a number, a list for a
    list. For a sequence of `argnums` it is a tuple of such. f gets containers of its own, which it may change. Inputs that f does
    not use have gradient 0. Raises TypeError if f does not return one number.

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

    `grad(f)` takes what f takes and returns the derivatives with respect to argument `argnums`, in its
    containers.
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
        if isinstance(inputs, Integral) and inputs == 0:
            raise TypeError("grad of a Value needs the Values with respect to which it is differentiated: grad(output, inputs)")
        for x in leaves(inputs):
            if not isinstance(x, Value):
                raise TypeError(f"grad(output, inputs) is with respect to Values, not {type(x).__name__} {x!r}")
        order = topological(f)
        if (readings := listener(())) is not None:
            readings.result("grad(output, inputs)", leaves(inputs), order)
        with differentiating(create_graph):
            found = pullback(order, {f: 1.0}, create_graph=create_graph)
        return transform(lambda x: found.get(x, 0.0), inputs)
    check_function(f, "grad")
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
    if not isinstance(order, Integral) or order < 0:
        raise ValueError(f"the order of a derivative is 0, 1, 2, ..., not {order!r}")
    for _ in range(order):
        f = grad(f)
    return f


def jacobian(f: Function, argnums: Argnums = 0, *, sparse: bool = False) -> Function:
    """The derivatives of every output with respect to every input, by reverse mode: one pass back per output.

    The result has the containers of the output, and in place of each number the containers of the input (for a sequence of
    `argnums`, a tuple with one entry per argument). Arrays count as one, as in JAX: an array y and an array x give one array
    of shape `y.shape + x.shape`, an array and a number give an array of the shape of the array.

    With `sparse`, it is one SciPy `csr_array`: a row for every number in the output, a column for every number in the input, in
    the order in which they stand. The graph says where the entries are (see `pattern`); outputs that share no input, or inputs
    that share no output, share a pass. Of a compiled function the passes are compiled, too. Raises ImportError without SciPy, and
    TypeError for Values, which it cannot hold, and for hooks.

    >>> jacobian(lambda x: [x[0] * x[1], x[0] ** 2])([3.0, 4.0])
    [[4.0, 3.0], [6.0, 0.0]]
    >>> jacobian(lambda x, y: {"product": x * y}, argnums=(0, 1))(3.0, 4.0)
    {'product': (4.0, 3.0)}
    >>> print(jacobian(lambda x: [x[0] * x[1], x[0] ** 2], sparse=True)([3.0, 4.0]).toarray())
    [[4. 3.]
     [6. 0.]]
    """
    check_function(f, "jacobian")
    if sparse:
        from autograd.sparse import matrix_of  # opened on request, as everything sparse is

        return matrix_of(f, argnums, 1)

    @wraps(f)
    def rows(*arguments: Any, **keywords: Any) -> Any:
        run = Evaluation(f, arguments, argnums, keywords)
        outputs = run.outputs()
        found: dict[Any, dict[Value, Any]] = {y: {} for y in leaves(outputs) if isinstance(y, Value)}
        order = run.graph(*leaves(outputs))
        for y in found:
            found[y] = run.cotangents(order, {y: 1.0})
        return outer(outputs, run.structure, lambda y, x: found[y].get(x, 0.0) if isinstance(y, Value) else 0.0)

    return rows


def hessian(f: Function, argnums: Argnums = 0, *, sparse: bool = False) -> Function:
    """The second derivatives with respect to every pair of inputs: the Jacobian of the gradient.

    For a sequence of `argnums` it is a tuple of tuples, one block for every pair of arguments. With `sparse`, it is one SciPy
    `csr_array`, found in a few passes, as by `jacobian`.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 4.0])
    [[8.0, 6.0], [6.0, 0.0]]
    >>> hessian(lambda x, y: x**2 * y, argnums=(0, 1))(3.0, 4.0)
    ((8.0, 6.0), (6.0, 0.0))
    >>> hessian(lambda x: sum((b - a * a) ** 2 for a, b in zip(x, x[1:])), sparse=True)([0.5] * 1000).nnz  # in three passes
    2998
    """
    if not sparse:
        return jacobian(grad(f, argnums), argnums)
    from autograd.sparse import matrix_of

    check_function(f, "hessian")
    return matrix_of(f, argnums, 2)


def pattern(f: Function, argnums: Argnums = 0, order: int = 1) -> Function:
    """The function that returns which entries of the Jacobian may be nonzero, a `Pattern`; with order=2, of the Hessian.

    An entry is in it if the graph has a path from the input to the output, or an operation that is not linear in what depends on
    the two inputs: whatever the number is at this point, 0 or nan. Of choices (`where`, `maximum`) both sides count. It is the
    pattern of the branches that f takes at this point.

    >>> print(pattern(lambda x: x[0] * x[1] + x[1] * x[2] + x[3], order=2)([1.0, 2.0, 3.0, 4.0]))
    4 x 4, 4 entries, 1 pass (star colouring)
    · ■ · ·
    ■ · ■ ·
    · ■ · ·
    · · · ·
    """
    from autograd.sparse import Sparse

    check_function(f, "pattern")
    if order not in (1, 2):
        raise ValueError(f"a pattern is that of the first or the second derivatives: order is 1 or 2, not {order!r}")

    @wraps(f)
    def found(*arguments: Any, **keywords: Any) -> Any:
        return Sparse(f, arguments, argnums, keywords, order).pattern

    return found


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """The value f(*primals), and the function from a cotangent to its vector-Jacobian product, one entry per primal.

    The cotangent has the containers of the output.

    >>> y, pull = vjp(lambda x: [x[0] * x[1], x[0] ** 2], [3.0, 4.0])
    >>> y, pull([1.0, 0.5])
    ([12.0, 9.0], ([7.0, 3.0],))
    """
    check_function(f, "vjp")
    run = Evaluation(f, primals, range(len(primals)), {})
    outputs = run.outputs()
    order = run.graph(*leaves(outputs))

    def pull(cotangent: Any) -> Any:
        seeds: dict[Value, Any] = {}
        for y, seed in zip(leaves(outputs), matching(cotangent, outputs, "cotangent", "output has")):
            if isinstance(y, Value):  # two outputs may be one Value
                seeds[y] = seeds[y] + seed if y in seeds else seed
        run.nested = run.nested or any(isinstance(seed, Value) for seed in seeds.values())
        return run.pull(order, seeds)

    return run.finish(outputs), pull


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value f(*primals), and its derivative in the direction of the tangents: forward mode, in one pass.

    Primals and tangents are sequences with one entry per argument; the tangents have the containers of the primals. Raises
    TypeError for a hook on the way, which could not be called.

    >>> jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 0.5))
    (12.0, 5.5)
    """
    check_function(f, "jvp")
    if not hasattr(primals, "__len__") or isinstance(primals, Mapping):
        raise TypeError(f"autograd.jvp needs primals with one entry per argument, not {primals!r}; write ({primals!r},)")
    run = Evaluation(f, primals, range(len(primals)), {})
    seeds = dict(zip(run.inputs, matching(tangents, tuple(primals), "tangents", "primals has")))
    nested = run.nested = run.nested or any(isinstance(seed, Value) for seed in seeds.values())
    outputs = run.outputs()
    order = run.graph(*leaves(outputs))
    with differentiating(nested):
        found = pushforward(order, seeds, create_graph=nested)
    if any(node._note.hooks and node in found for node in order):
        raise TypeError(
            f"{run.name} registers a hook, which changes a gradient on its way back, and autograd.jvp has none: it carries "
            "tangents forward; use autograd.vjp or grad, or remove the hook"
        )
    tangent = transform(lambda y: found.get(y, 0.0) if isinstance(y, Value) else 0.0, outputs)
    return run.finish(outputs), tangent


def hvp(f: Function) -> Function:
    """The function of (x, v) that returns the Hessian of f at x times v, without building the Hessian.

    >>> hvp(lambda x: x[0] ** 2 * x[1])([3.0, 4.0], [1.0, 0.0])
    [8.0, 6.0]
    """
    check_function(f, "hvp")

    @wraps(f)
    def product(x: Any, v: Any) -> Any:
        directions = matching(v, x, "v", "x has")
        return grad(lambda x: FUNCTIONS["dot"](leaves(grad(f)(x)), directions))(x)

    return product


def matching(tree: Any, like: Any, name: str, partner: str) -> list[Any]:
    """The leaves of a tree that must pair up with others, checked; `partner` is what a message says of the others: 'x has'."""
    try:
        found = paired(tree, like, name)
    except ValueError as error:
        given, expected = len(leaves(tree)), len(leaves(like))
        counts = f"{name} has {given} numbers, {partner} {expected}: " if given != expected else ""
        raise ValueError(f"{counts}{error}") from None
    return [number_in(x, name) for x in found]


def check_function(f: Any, name: str) -> None:
    if not callable(f):
        raise TypeError(f"autograd.{name} needs a function, not {type(f).__name__} {f!r}")
