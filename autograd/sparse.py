"""The room of sparse derivatives: the entries of Jacobians and Hessians in few passes, as SciPy's sparse arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from autograd.chain import pullback, pushforward
from autograd.controls import no_grad
from autograd.dependence import dependences, interactions
from autograd.evaluation import Argnums, Evaluation, Function, chosen_by, differentiating
from autograd.sparsity import Pattern
from autograd.trees import leaves
from autograd.value import Value, current, topological

__all__ = ["Sparse", "matrix_of"]


class Sparse(Evaluation):
    """A function evaluated, and the pattern of its derivatives of a degree: those of the first or of the second order."""

    def __init__(
        self, function: Function, arguments: Sequence[Any], argnums: Argnums, keywords: dict[str, Any], degree: int
    ) -> None:  # fmt: skip
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


def matrix_of(f: Function, argnums: Argnums, degree: int) -> Function:
    """The function that returns the first or second derivatives as a SciPy array."""
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


def matrices(name: str) -> Callable[[Pattern, Sequence[float]], Any]:
    """What makes a SciPy matrix of a pattern and the numbers of its entries. Raises ImportError without SciPy.

    It is a `csr_array`, SciPy's sparse array: `*` goes element by element and `@` is the product of matrices, as in NumPy. Who
    needs the older `csr_matrix`, where `*` is the product, writes `scipy.sparse.csr_matrix(found)`. Every entry of the pattern is
    stored, also where its number is 0: the structure is the same at every point.
    """
    try:
        import numpy as np
        from scipy.sparse import csr_array  # type: ignore[import-untyped]
    except ImportError:
        raise ImportError(
            f"{name}(f, sparse=True) returns SciPy's sparse arrays: pip install 'scipy>=1.8', or leave sparse=True out; "
            "autograd.pattern(f) shows where the entries are without it"
        ) from None

    def matrix(pattern: Pattern, numbers: Sequence[float]) -> Any:
        columns, starts = pattern.indices
        return csr_array((np.array(numbers, float), columns.copy(), starts.copy()), shape=pattern.shape)

    return matrix
