"""The room of batches: a function of one example, compiled once, and run on many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import is_
from typing import Any

from autograd.calculus import value_and_grad
from autograd.compiler.api import Compiled
from autograd.compiler.audit import Report
from autograd.compiler.blocks import Blocks, Found
from autograd.compiler.changing import Changing
from autograd.compiler.examples import example_of, length_of
from autograd.compiler.functional import Functional
from autograd.compiler.requests import check_scalar, contained, inputs_of, is_observed, positions, value_and_gradient
from autograd.compiler.results import Result, in_arrays, merged, stacked
from autograd.compiler.task import Task, Traced
from autograd.compiler.tracing import Call
from autograd.compiler.variant import Variants, replay
from autograd.functions import FUNCTIONS
from autograd.ops import Primitive
from autograd.trees import leaves, rebuild
from autograd.value import Value, current, record

__all__ = ["Batched"]

# The inputs of a program to differentiate with respect to, the same for all examples and varying ones, and a short name for them.
Targets = Callable[[Traced], tuple[Any, Callable[[], tuple[Sequence[int], Sequence[int]]]]]
NOTHING: Any = (), lambda: ((), ())


class Batched(Compiled):
    """A compiled function of one example that is called with many; see `compile`."""

    def __init__(
        self, function: Callable[..., Any], batch: int | str | Sequence[int | str], reduce: str | None, backend: str = "numpy",
        audit: bool | None = None, threads: int = 1,
    ) -> None:  # fmt: skip
        super().__init__(function, backend, audit=audit)
        self.options = batch, reduce, backend, audit, threads
        self.threads = threads
        self._changing = Changing(None)  # numbers outside are compared
        if reduce not in ("mean", "sum", None):
            raise ValueError(f"reduce is 'mean', 'sum' or None, not {reduce!r}")
        self.reduce = reduce
        names = self._names
        chosen = [batch] if isinstance(batch, (int, str)) else list(batch)
        if not chosen or not all(isinstance(k, (int, str)) for k in chosen):
            raise TypeError(f"batch names the batched arguments of {self.__name__}, by position or name: it cannot be {batch!r}")
        for k in chosen:
            if k not in names if isinstance(k, str) else not 0 <= k < (len(names) or k + 1):
                raise TypeError(f"batch is {batch!r}, but {self.__name__} has the arguments {', '.join(names)}")
        self.batch = sorted([names.index(k) if isinstance(k, str) else k for k in chosen])

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """The mean or sum of what the function returns for the examples, a Value where Values or modules are involved.

        With reduce=None, arrays whose first axis is that of the examples.
        """
        call = Call(arguments, keywords)
        if is_observed():
            return self.observed(*arguments, **keywords)
        task = Task(self, call)
        if self.reduce is None:
            result = self.collected(task, self.variants, lambda _: NOTHING)
            return stacked(result.variant.structure, iter(result.values))

        def targets(variant: Traced) -> Any:
            places = tuple(variant.nodes(task.found.things))
            return ("nodes", places), lambda: (places, ())

        parts = list(self.parts(task, self.variants, targets))
        variant, values = parts[0][0], sum(found.values for _, _, found in parts)
        if not any(variant.nodes(task.found.things) for variant, _, _ in parts):
            return variant.rebuilt(values)
        if not current().recording:
            return variant.rebuilt([Value(float(number)) for number in values])
        nodes: list[Value] = []
        slopes: Any = None
        for part, _, found in parts:
            mine, rows = list(part.nodes(task.found.things).values()), found.slopes.reshape(len(values), -1)
            if slopes is None or (len(mine) == len(nodes) and all(map(is_, mine, nodes))):
                nodes, slopes = mine, rows if slopes is None else slopes + rows
            else:
                nodes, slopes = merged(nodes, slopes, mine, rows)
        used = tuple(nodes)
        return variant.rebuilt([
            record(float(value), Replay(self, task, row, used, parts), used, tuple(slopes[row].tolist()))
            for row, value in enumerate(values)
        ])  # fmt: skip

    def value_and_grad(self, *arguments: Any, argnums: int | Sequence[int] = 0, **keywords: Any) -> tuple[Any, Any]:
        """The value and its gradient with respect to `argnums`: arrays, example by example, for batched arguments.

        With reduce=None the values of the examples are an array, and so are the derivatives of each with respect to its
        example. Raises ValueError for the gradient with respect to another argument then: it is a sum over the examples.
        """
        chosen = positions(self.__name__, argnums, arguments)
        self.check_argnums(chosen)
        if is_observed():
            return self.derived(argnums, arguments, keywords)
        task = Task(self, Call(arguments, keywords), floats=chosen)
        key = tuple(dict.fromkeys(chosen))
        result = self.collected(task, self.variants, lambda variant: (key, lambda: self.targets(task, variant, key)))
        start, rows, results = 0, 0, {}
        spans = result.variant.spans[key]
        for k in key:
            count = len(spans[k])
            if k in self.batch:
                results[k] = task.examples.filled(task.trees[k], result.each[rows : rows + count], self.scale(task))
                rows += count
            else:
                results[k] = contained(task.call.arguments[k], result.slopes[start : start + count])
                start += count
        value = result.values[0] if self.reduce is None else float(result.values[0])
        return value, results[chosen[0]] if isinstance(argnums, int) else tuple([results[k] for k in chosen])

    def functional(self, model: Any, argnum: int = 0) -> Functional:
        """The same function of arrays alone; see `Compiled.functional`."""
        return BatchedFunctional(self, model, argnum)

    def audit(self, *arguments: Any, **keywords: Any) -> Report:
        """Whether the function still does what its programs do, for the first example of each; see `Compiled.audit`."""
        task = Task(self, Call(arguments, keywords))
        report = Report(self.__name__)
        for variant, rows, found in self.parts(task, self.variants, lambda _: NOTHING):
            import numpy as np

            examples = np.delete(np.arange(task.examples.size) if rows is None else rows, found.refused)
            report = self.report(variant, partial(task.trace, int(examples[0])))
            if not report:
                return report
        return report

    def check_argnums(self, chosen: Sequence[int]) -> None:
        """Raise ValueError for a gradient that is a sum over the examples where nothing else is summed."""
        for k in chosen:
            if self.reduce is None and k not in self.batch:
                raise ValueError(
                    f"the gradient with respect to {self.name_of(k)} is a sum over the examples, but {self.__name__} has "
                    "reduce=None: choose reduce='sum' or reduce='mean'"
                )

    def targets(self, task: Task, variant: Traced, chosen: tuple[int, ...]) -> tuple[Sequence[int], Sequence[int]]:
        """The inputs that belong to the arguments that the function is differentiated with respect to."""
        check_scalar(variant)
        spans = variant.spans[chosen] = {k: inputs_of(variant, task.found, k, task.call.arguments[k]) for k in chosen}
        flat = [place for k, places in spans.items() if k not in self.batch for place in places]
        return flat, [place for k, places in spans.items() if k in self.batch for place in places]

    def scale(self, task: Task) -> float:
        """What sums over the examples are multiplied by."""
        return 1.0 / task.examples.size if self.reduce == "mean" else 1.0

    def parts(self, task: Task, variants: Variants, targets: Targets) -> Iterator[tuple[Traced, Any, Found]]:
        """Every example by a program that fits it: programs, the numbers of their examples (None: all), what they found."""
        import numpy as np

        is_due = self.auditor.is_due()
        rows: Any = None  # the examples that are left
        known: list[Any] = variants.of(task.found)
        tried: list[Traced] = []
        while rows is None or len(rows):
            left = np.arange(task.examples.size) if rows is None else rows
            old: Traced | None = next((v for v in known if v not in tried), None)
            variant = old or task.traced(int(left[0]))
            if old is None and not variants.is_full(known):
                known.insert(0, variant)
            tried.append(variant)
            fits = task.fitting(variant, rows)
            mine, rows = (rows, left[:0]) if fits is None else (left[fits], left[~fits])
            if fits is not None and not fits.any():
                continue
            task.check_limits(variant, mine)
            key, find = targets(variant)
            tested = left if mine is None else mine
            options = {"summed": self.reduce is not None, "expected": len(tested), "threads": self.threads}
            blocks = variant.blocks(key, find, **options)
            self.latest = variant
            given = variant.same(task.found.things, task.head), task.examples.matrices
            found = blocks.run(*given, mine, self.scale(task))
            if variant.chose and np.isnan(found.values).any():
                found = self.checked(task, blocks, tested, found)
            if len(found.refused) < len(tested):
                if is_due:
                    is_due = False
                    example = int(np.delete(tested, found.refused)[0])
                    self.verify(variant, partial(task.trace, example), variants)
                yield variant, mine, found
            refused = tested[found.refused]
            if old is None and left[0] in refused:  # the engine's last digit tips a comparison of its own trace
                yield variant, left[:1], blocks.run(*given, left[:1], self.scale(task), guarded=False)
                refused = refused[refused != left[0]]
            rows = np.concatenate([rows, refused])

    def checked(self, task: Task, blocks: Blocks, rows: Any, found: Found) -> Found:
        """Results among which are nan, by the engine: where choices were differentiated, it may come from the side not taken."""
        import numpy as np

        if blocks.wanted or blocks.each:
            return found
        kept = np.setdiff1d(np.arange(len(rows)), found.refused)
        columns = np.array([task.results(int(j)) for j in rows[kept]]).T
        if self.reduce is not None:
            return found._replace(values=columns.sum(1) * self.scale(task))
        found.values[:, kept] = columns
        return found

    def collected(self, task: Task, variants: Variants, targets: Targets) -> Result:
        """What all programs find, put together."""
        result = Result(task.examples.size)
        for variant, rows, found in self.parts(task, variants, targets):
            result.add(variant, rows, found, summed=self.reduce is not None)
        return result

    def by_engine(self, *arguments: Any, **keywords: Any) -> Any:
        """The function of every example, as it was given; their mean or sum, or with reduce=None a list."""
        results = self.of_examples(arguments, keywords)
        if self.reduce is None:
            return results
        total = FUNCTIONS["sum"]
        sums = [total(column) * (1.0 / len(results) if self.reduce == "mean" else 1.0) for column in zip(*map(leaves, results))]
        return rebuild(results[0], iter(sums))

    def of_examples(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> list[Any]:
        """What the function returns for every example."""
        batched = {self.name_of(k) for k in self.batch}
        sizes = [length_of(x) for k, x in enumerate(arguments) if k in self.batch]
        sizes += [length_of(x) for name, x in keywords.items() if name in batched]
        results = []
        for j in range(sizes[0]):
            given = [example_of(x, j) if k in self.batch else x for k, x in enumerate(arguments)]
            named = {name: example_of(x, j) if name in batched else x for name, x in keywords.items()}
            results.append(self.function(*given, **named))
        return results

    def compile_alike(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: it is one of all examples, and not of one."""
        return function

    def derived(self, argnums: int | Sequence[int], arguments: Sequence[Any], keywords: dict[str, Any]) -> tuple[Any, Any]:
        """The value and its gradient by the engine."""
        values: list[Any] = []

        def total(*given: Any, **named: Any) -> Any:
            if self.reduce is not None:
                return self.by_engine(*given, **named)
            values.extend(self.of_examples(given, named))
            return FUNCTIONS["sum"](values)

        value, slopes = value_and_gradient(total, self.__name__, argnums, arguments, keywords)
        return value if self.reduce is not None else in_arrays(list(map(float, values))), slopes

    def observed(self, *arguments: Any, **keywords: Any) -> Any:
        """The function by the engine; with reduce=None in arrays, unless it is part of another program."""
        result = super().observed(*arguments, **keywords)
        return result if self.reduce is not None or current().trace is not None else in_arrays(result)

    def inputs(self, *arguments: Any, **keywords: Any) -> list[list[float]]:  # type: ignore[override]
        """For every example, the numbers that `to_c` and `to_jax` want: their program is that of one example."""
        task = Task(self, Call(arguments, keywords))
        variant = self.latest_variant() if self.latest in self.variants.of(task.found) else task.traced(0)
        self.latest = variant
        rows = []
        for k in range(task.examples.size):
            row = list(map(float, variant.inputs(task.found.things)))
            for place, (matrix, column) in variant.varying.items():
                row[place] = float(task.examples.matrices[matrix][k, column])
            rows.append(row)
        return rows


class BatchedFunctional(Functional):
    """A batched function of arrays: the parameters of a model as one flat array, and the other arguments."""

    compiled: Batched

    def run(self, weights: Any, others: Sequence[Any], keywords: dict[str, Any], wanted: tuple[int, ...]) -> tuple[Any, Any]:
        """The value, and the gradient with respect to these inputs."""
        compiled, head = self.compiled, self.head(weights)
        if wanted:
            compiled.check_argnums([self.argnum])
        call = Call((*others[: self.argnum], self.model, *others[self.argnum :]), keywords)
        if is_observed():
            value, slopes = self.observed(call, head, wanted)
            return (value if compiled.reduce is not None else in_arrays(value)), slopes
        task = Task(compiled, call, start=(self.plain, self.owned), skip=self.argnum, head=head, values=self.values)

        def targets(variant: Traced) -> Any:
            if wanted:
                check_scalar(variant)
            return bool(wanted), lambda: (wanted, ())

        result = compiled.collected(task, self.variants, targets)
        if compiled.reduce is None:
            return stacked(result.variant.structure, iter(result.values)), ()
        return float(result.values[0]) if wanted else result.variant.rebuilt(result.values), result.slopes


class Replay(Primitive):
    """The operation of a batched call: its derivatives of higher order are those of its programs, on the engine."""

    __slots__ = ("owner", "parts", "row", "task", "used")
    is_exact = False  # arrays add up in another order than the engine

    def __init__(self, owner: Batched, task: Task, row: int, used: Sequence[Value], parts: Sequence[Any]) -> None:
        super().__init__(owner.__name__, "program(xs)", "slopes(xs)", public=False)
        self.owner, self.task, self.row, self.used, self.parts = owner, task, row, used, parts

    def evaluate(self, text: str, namespace: dict[str, Any], *names: str) -> Callable[..., Any]:  # noqa: ARG002 - as a row
        """The programs on any operands; or their derivatives with respect to them."""
        return self.slopes if names else self.value

    def value(self, xs: Sequence[Any]) -> Any:
        """One result, by the engine."""
        import numpy as np

        place, terms = dict(zip(self.used, xs)), []
        for variant, rows, found in self.parts:
            given = list(variant.inputs(self.task.found.things))
            for k, node in variant.nodes(self.task.found.things).items():
                given[k] = place[node]
            rows = np.arange(self.task.examples.size) if rows is None else rows
            for j in np.delete(rows, found.refused).tolist():
                for k, (matrix, column) in variant.varying.items():
                    given[k] = float(self.task.examples.matrices[matrix][j, column])
                terms.append(replay(variant.program, given)[self.row])
        return FUNCTIONS["sum"](terms) * self.owner.scale(self.task)

    def slopes(self, xs: Sequence[Any], _: Any) -> list[Any]:
        """Its derivatives, by the engine."""
        return value_and_grad(self.value)(list(xs))[1]  # type: ignore[no-any-return]
