"""The room of calculus: derivatives of functions, of any order, over numbers and nested containers of numbers.

Numbers in, numbers out. Called on Values, or inside a function that is being differentiated, each of these gives Values,
which can be differentiated again: `grad(grad(f))` is the second derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from numbers import Integral
from typing import Any

from autograd.chain import pullback, pushforward
from autograd.controls import no_grad
from autograd.functions import FUNCTIONS
from autograd.readings import Readings
from autograd.trees import branches, copied, leaves, number_in, outer, paired, places, transform
from autograd.value import Value, current, note, topological

__all__ = ["derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "pattern", "value_and_grad", "vjp"]

Function = Callable[..., Any]
Argnums = int | Sequence[int]


class Evaluation:
    """A function evaluated on fresh Values, ready to be differentiated by them."""

    def __init__(self, function: Function, arguments: Sequence[Any], argnums: Argnums, keywords: dict[str, Any]) -> None:
        self.name = getattr(function, "__name__", repr(function))
        arguments, chosen = list(arguments), chosen_by(argnums)
        for i in chosen:
            if not -len(arguments) <= i < len(arguments):
                raise TypeError(
                    f"{self.name} is differentiated with respect to argument {i}, but was called with {len(arguments)} arguments"
                )
        given = [leaf for i in chosen for leaf in leaves(arguments[i])]
        self.nested = current().nested > 0 or any(isinstance(leaf, Value) for leaf in given)
        self.inputs: list[Value] = []  # one fresh Value for every number, also where one Value was given twice
        picked = []
        with differentiating():
            for i in chosen:
                start = len(self.inputs)
                try:
                    picked.append(transform(self.fresh, arguments[i]))
                except (TypeError, OverflowError) as error:
                    raise type(error)(f"{error}{place_of(function, arguments, i, len(self.inputs) - start)}") from None
                arguments[i] = copied(picked[-1])  # the function's own, to change as it likes
        self.structure: Any = picked[0] if isinstance(argnums, Integral) else tuple(picked)
        self.readings = listener(self.inputs)
        with differentiating(read=self.readings or current().read):
            self.returned = function(*arguments, **keywords)
        if self.readings is not None:
            self.readings.returned()

    def fresh(self, leaf: Any) -> Value:
        x = number_in(leaf, f"an argument of {self.name}")
        self.inputs.append(+x if isinstance(x, Value) else Value(x))
        return self.inputs[-1]

    @property
    def scalar(self) -> Any:
        """The output, which must be one number."""
        output = copied(self.returned)  # an array of no dimensions is the Value in it
        if isinstance(output, Value):
            return output
        hint = "; use autograd.jacobian for several outputs" if branches(output) is not None else ""
        if output is None:
            hint = "; is a return missing?"
        if not hasattr(output, "__float__") or hint:
            raise TypeError(f"{self.name} must return one number, not {type(output).__name__}{hint}")
        return Value(output)

    def outputs(self) -> Any:
        """The output in containers of its own, every leaf a Value or a float."""
        if self.returned is None:
            raise TypeError(f"{self.name} must return numbers, not NoneType; is a return missing?")
        return transform(lambda y: number_in(y, f"the result of {self.name}"), self.returned)

    def graph(self, *outputs: Any) -> list[Value]:
        """What the outputs were made from, in order; a warning if no input is there, and nothing says why."""
        order = topological(*[y for y in outputs if isinstance(y, Value)])
        if self.readings is not None and outputs:
            self.readings.result(self.name, self.inputs, order)
        return order

    def cotangents(self, order: Sequence[Value], seeds: dict[Value, Any]) -> dict[Value, Any]:
        """The derivatives with respect to the inputs that are used."""
        with differentiating(self.nested):
            found = pullback(order, seeds, create_graph=self.nested)
        return {x: found[x] for x in self.inputs if x in found}

    def pull(self, order: Sequence[Value], seeds: dict[Value, Any]) -> Any:
        """The derivatives in the containers of the inputs as they were given; 0.0 for inputs that are not used."""
        found = self.cotangents(order, seeds)
        return transform(lambda x: found.get(x, 0.0), self.structure)

    def finish(self, tree: Any) -> Any:
        """A result as the caller sees it: Values if derivatives are nested, else floats."""
        return tree if self.nested else transform(lambda x: x._data if isinstance(x, Value) else x, tree)


class Sparse(Evaluation):
    """A function evaluated, and which of its first or second derivatives are nonzero."""

    def __init__(
        self, function: Function, arguments: Sequence[Any], argnums: Argnums, keywords: dict[str, Any], degree: int
    ) -> None:  # fmt: skip
        from autograd.dependence import dependences, interactions  # not needed before a derivative is sparse
        from autograd.sparsity import Pattern

        with differentiating(nested=False, watch=current().watch or unseen):  # compiled functions inside show every operation
            super().__init__(function, arguments, argnums, keywords)
        self.root = self.scalar if degree == 2 else None
        self.results: list[Any] = leaves(self.outputs()) if self.root is None else [self.root]
        self.order = self.graph(*self.results)
        self.dependent = dependences(self.order, {x: 1 << i for i, x in enumerate(self.inputs)})
        if self.root is None:
            rows = [self.dependent.get(y, 0) if isinstance(y, Value) else 0 for y in self.results]
        else:
            rows = interactions(self.order, self.root, self.dependent, len(self.inputs))
        self.pattern = Pattern(rows, len(self.inputs), is_hessian=degree == 2)

    def entries(self) -> list[Any]:
        """The derivatives, entry by entry: a pass for every colour, which carries 1 from each member of its group."""
        for node in self.order:
            if node._note.hooks and node in self.dependent:
                raise TypeError(
                    f"{self.name} registers a hook, which may do anything to a gradient on its way back, and sparse=True carries "
                    "several gradients at once, or tangents forward; leave sparse=True out, or remove the hook"
                )
        order, results = self.order, self.results
        if self.root is not None:
            with differentiating():
                gradient = pullback(order, {self.root: 1.0}, create_graph=True)
            results = [gradient.get(x, 0.0) for x in self.inputs]
            order = topological(*[y for y in results if isinstance(y, Value)])
        colouring = self.pattern.colouring
        found = []
        for group in colouring.groups:
            if colouring.mode == "reverse":
                cotangents = self.cotangents(order, {results[i]: 1.0 for i in group})
                found.append([cotangents.get(x, 0.0) for x in self.inputs])
            else:
                with differentiating(self.nested):
                    tangents = pushforward(order, {self.inputs[j]: 1.0 for j in group}, create_graph=self.nested)
                found.append([tangents.get(y, 0.0) if isinstance(y, Value) else 0.0 for y in results])
        return [found[color][place] for color, place in colouring.sources]


def sparse_matrix(f: Function, argnums: Argnums, degree: int) -> Function:
    """The function that returns the first or second derivatives as a SciPy array."""
    from autograd.sparsity import matrices

    name = "jacobian" if degree == 1 else "hessian"
    matrix = matrices(f"autograd.{name}")

    @wraps(f)
    def entries(*arguments: Any, **keywords: Any) -> dict[Any, list[Any]]:
        run = Sparse(f, arguments, argnums, keywords, degree)
        return {run.pattern: run.entries()}  # a container whose key says where the numbers belong

    compiled: Any = f if hasattr(type(f), "compile_alike") else None
    compute = entries if compiled is None else compiled.compile_alike(entries)

    @wraps(f)
    def filled(*arguments: Any, **keywords: Any) -> Any:
        chosen = [arguments[i] for i in chosen_by(argnums) if -len(arguments) <= i < len(arguments)]
        if current().nested or any(isinstance(x, Value) for x in leaves(chosen)):
            raise TypeError(
                f"autograd.{name}(f, sparse=True) returns a SciPy array, which holds numbers and no Values: nothing can be "
                "differentiated or compiled through it; leave sparse=True out there, or compile f itself"
            )
        with no_grad():  # a compiled function gives numbers
            ((pattern, numbers),) = compute(*arguments, **keywords).items()
        return matrix(pattern, [x._data if isinstance(x, Value) else x for x in numbers])

    return filled


def unseen(node: Value) -> None:
    """Nobody looks; but where somebody may, compiled functions run by the engine."""


def chosen_by(argnums: Argnums) -> list[int]:
    """The places of the arguments with respect to which a function is differentiated."""
    chosen = list(argnums) if isinstance(argnums, Iterable) and not isinstance(argnums, str) else [argnums]
    for i in chosen:
        if not isinstance(i, Integral):
            raise TypeError(f"argnums are whole numbers, not {type(i).__name__} {i!r}")
    return list(map(int, chosen))


def place_of(function: Function, arguments: Sequence[Any], i: int, k: int) -> str:
    """What a message says of the k-th entry of a container, the i-th argument; nothing of an argument that is no container."""
    from autograd.arguments import argument_names  # not needed before something is wrong

    name = argument_names(function, len(arguments))[i]
    place = places(arguments[i], name)[k]
    return "" if place == name else f"; it is {place}: leave it out, or pass it as an argument of its own"


@contextmanager
def differentiating(nested: bool = True, **facts: Any) -> Iterator[None]:
    """Operations are recorded in here, also under `no_grad`."""
    token = note.set(current().but(recording=True, nested=current().nested + nested, **facts))
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
        return sparse_matrix(f, argnums, 1)

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
    check_function(f, "hessian")
    return sparse_matrix(f, argnums, 2)


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
