"""The room of `autograd.compile`: functions that are traced once, and run as programs of arrays from then on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial, update_wrapper
from typing import Any

from autograd.calculus import grad
from autograd.compiler.emit import Result, Text, printed
from autograd.compiler.program import Guard, Program, rebuilt, sums_of_products
from autograd.compiler.recover import recover
from autograd.compiler.reverse import gradients
from autograd.compiler.signature import Leaf, flatten, frozen, parameter_names, surroundings
from autograd.compiler.trace import Index, Trace, TraceError
from autograd.functions import apply
from autograd.ops import Primitive
from autograd.trees import is_array, leaves, rebuild, transform
from autograd.value import ORDER, Value, current, record

__all__ = ["Compiled", "TraceError", "compile"]

VARIANTS = 16  # programs that are kept for one signature


def compile(function: Callable[..., Any]) -> Compiled:
    """The same function, traced at the first call and run as a program of NumPy arrays from then on.

    Arguments may be numbers, Values, arrays, modules, and containers of them; results come in the same containers. Called with
    Values or modules, or using Values from outside, it returns Values whose `backward()` fills the same `grad`s. Called with
    numbers and arrays alone it returns floats. What the function branches on is compared again at every call: where a
    comparison comes out otherwise, the function is traced anew. `value_and_grad` works on arrays.

    Raises TraceError where the function reads the number inside a Value: what it does with it cannot be known.

    >>> @compile
    ... def energy(x):
    ...     return x[0] * x[0] + 3.0 * x[1]
    >>> energy([2.0, 1.0])
    7.0
    >>> energy.value_and_grad([2.0, 1.0])
    (7.0, [4.0, 3.0])
    >>> x = [Value(2.0), Value(1.0)]
    >>> energy(x).backward()
    >>> x[0].grad, x[1].grad
    (4.0, 3.0)
    """
    if not callable(function):
        raise TypeError(f"autograd.compile needs a function, not {type(function).__name__} {function!r}")
    return Compiled(function)


class Compiled:
    """A compiled function; see `compile`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self.__name__: str = getattr(function, "__name__", type(function).__name__)
        self.function = function
        self.variants: dict[Any, list[Variant]] = {}
        self.latest: Variant | None = None
        self._outside: dict[str, Callable[[], Any]] | None = None
        self._warned = False

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """What the function returns: floats for numbers and arrays, Values where Values or modules are involved."""
        if getattr(current(), "trace", None) is not None:
            return self.function(*arguments, **keywords)  # part of another program
        found, key = self.signature(arguments, keywords)
        for variant in self.candidates(found, key, arguments, keywords):
            inputs = variant.inputs(found)
            nodes = variant.nodes(found)
            if not nodes:
                numbers = variant.executable(()).run(inputs)
            elif variant.is_scalar and current().recording:
                numbers = variant.executable(tuple([k for k, node in enumerate(nodes) if node is not None])).run(inputs)
            else:
                if variant.executable(()).run(inputs) is None:
                    continue
                return variant.replayed(nodes, inputs)
            if numbers is None:
                continue  # a comparison came out otherwise
            self.settle(key, variant)
            if not nodes:
                return variant.rebuilt(numbers[0])
            used = [node for node in nodes if node is not None]
            return record(numbers[0][0], variant.primitive(), tuple(used), tuple(numbers[1]))
        return self.function(*arguments, **keywords)

    def value_and_grad(self, *arguments: Any, argnums: int | Sequence[int] = 0, **keywords: Any) -> tuple[Any, Any]:
        """The value and its gradient by the arguments `argnums`, in their containers; no Value is touched.

        The gradient by a module is a dictionary of its parameters by name. Raises TypeError if the function does not return one
        number.
        """
        chosen = [argnums] if isinstance(argnums, int) else list(argnums)
        for k in chosen:
            if not 0 <= k < len(arguments):
                raise TypeError(f"{self.__name__} is differentiated by argument {k}, but was called with {len(arguments)}")
        arguments = tuple([as_floats(x) if k in chosen else x for k, x in enumerate(arguments)])
        found, key = self.signature(arguments, keywords)
        names = parameter_names(self.function, len(arguments))
        for variant in self.candidates(found, key, arguments, keywords):
            if not variant.is_scalar:
                kind = type(variant.structure).__name__
                raise TypeError(f"{self.__name__} must return one number to be differentiated, not {kind}")
            spans = [variant.span(found, names[k]) for k in chosen]
            numbers = variant.executable(tuple([k for span in spans for k in span])).run(variant.inputs(found))
            if numbers is None:
                continue
            self.settle(key, variant)
            slopes, results = iter(numbers[1]), []
            for k, span in zip(chosen, spans):
                part = [next(slopes) for _ in span]
                x = arguments[k]
                results.append(dict(zip(x.named_parameters(), part)) if hasattr(x, "named_parameters") else filled(x, iter(part)))
            return numbers[0][0], results[0] if isinstance(argnums, int) else tuple(results)
        from autograd.calculus import value_and_grad

        return value_and_grad(self.function, argnums)(*arguments, **keywords)  # type: ignore[no-any-return]

    def signature(self, arguments: Sequence[Any], keywords: dict[str, Any]) -> tuple[list[Leaf], Any]:
        """The leaves of the arguments, and what must be as it was at the trace."""
        if self._outside is None:
            self._outside = surroundings(self.function)
        found, key = flatten(parameter_names(self.function, len(arguments)), arguments, keywords)
        return found, (key, tuple([frozen(look()) for look in self._outside.values()]))

    def candidates(self, found: list[Leaf], key: Any, arguments: Sequence[Any], keywords: dict[str, Any]) -> Iterator[Variant]:
        """The programs that may fit, and in the end a new one."""
        known = self.variants.setdefault(key, [])
        for variant in list(known):
            if variant.fits(found):
                yield variant
        if len(known) >= VARIANTS:
            if not self._warned:
                self._warned = True
                guards = known[0].program.guards
                where = f"the comparison at {guards[0].line}" if guards else "an integer argument"
                warnings.warn(
                    f"{self.__name__} was compiled {VARIANTS} times, because {where} keeps coming out otherwise, and runs "
                    "without compilation from now on; use autograd.where, maximum or take instead",
                    RuntimeWarning, stacklevel=3,
                )  # fmt: skip
            return
        variant = Variant(self, found, arguments, keywords)
        known.insert(0, variant)
        self.latest = variant
        yield variant

    def settle(self, key: Any, variant: Variant) -> None:
        """Try this program first the next time."""
        known = self.variants[key]
        if known[0] is not variant:
            known.remove(variant)
            known.insert(0, variant)
        self.latest = variant

    @property
    def frozen(self) -> list[str]:
        """What the latest program has fixed: comparisons, integers, and names from outside."""
        if self.latest is None:
            return []
        lines = [f"{guard.line}: a comparison {guard.sign} came out {guard.answer}" for guard in self.latest.program.guards]
        lines += [f"{path} is {number}" for path, number in self.latest.fixed.values()]
        for name, look in (self._outside or {}).items():
            thing = look()
            if isinstance(thing, (bool, int, float, str)):
                lines.append(f"{name} is {thing!r}")
            elif isinstance(thing, (list, tuple)) or is_array(thing):
                lines.append(f"{name} has {len(thing)} elements" + (", which are not compared" if len(thing) > 2000 else ""))
        return lines

    @property
    def source(self) -> str:
        """The latest program as NumPy text: with gradients, if it was run with gradients."""
        return self.latest_text().source

    def latest_text(self) -> Text:
        """The text of the latest program."""
        if self.latest is None:
            raise ValueError(f"{self.__name__} has no program yet; call it first")
        text = list(self.latest.executables.values())[-1].text
        if text is None:
            raise ValueError("the program is not printed without NumPy; install numpy")
        return text

    def summary(self) -> str:
        """How many scalar operations became how many lines, and what was not recovered."""
        text, variant = self.latest_text(), self.latest
        assert variant is not None
        executable = list(variant.executables.values())[-1]
        forms: dict[str, int] = {}
        for group in executable.tensors.groups:
            forms[group.form] = forms.get(group.form, 0) + 1
        groups, entries = executable.tensors.groups, len(executable.program.rows)
        lines = [f"{variant.size} scalar operations traced, {entries} with derivatives, {len(groups)} groups"]
        lines += [f"{count} {form}" for form, count in sorted(forms.items())]
        lines += [f"gathered from {name}" for name in text.gathers]
        return "\n".join(lines)


class Variant:
    """One trace of a function: valid for arguments of one structure, and where its guards hold."""

    def __init__(self, owner: Compiled, found: list[Leaf], arguments: Sequence[Any], keywords: dict[str, Any]) -> None:
        trace = Trace()
        self.owner = owner
        for look in (owner._outside or {}).values():
            thing = look()
            if hasattr(thing, "named_parameters") and not isinstance(thing, type):
                trace.names |= {value: path for path, value in thing.named_parameters().items()}
        self.sources: list[tuple[int, int]] = []  # for each input of the leaves: which leaf, and where in it
        self.indices: dict[int, Index] = {}
        leaf_inputs: list[Any] = []
        for k, leaf in enumerate(found):
            leaf_inputs.append(self.enter(trace, k, leaf))
        filled_in = iter(leaf_inputs)
        given = [replaced(x, filled_in) for x in arguments]
        named = {name: replaced(x, filled_in) for name, x in keywords.items()}
        output = trace.run(owner.function, given, named)
        program = trace.program
        program.outputs = [
            trace.reference(x) if isinstance(x, Value) else program.constant(float(x)) for x in leaves(output)
        ]  # fmt: skip
        self.is_scalar = isinstance(output, Value) or (hasattr(output, "__float__") and not hasattr(output, "__len__"))
        self.size = len(program.rows) - len(program.inputs)
        self.captured = trace.captured
        self.fixed = {k: (found[k].path, index.number) for k, index in self.indices.items() if index.fixed}
        self.limits = {k: index.limit for k, index in self.indices.items() if index.limit is not None}
        # The inputs in the order of leaves, then captured Values.
        where = {trace.refs[value]: (-1, k) for k, value in enumerate(self.captured)}
        own = iter(self.sources)
        order = []
        for ref in program.inputs:
            order.append(where[ref] if ref in where else next(own))
        self.order = order
        self.program = rebuilt(sums_of_products(rebuilt(program).new).new).new
        self.structure = transform(lambda _: 0.0, output)
        self.executables: dict[tuple[int, ...], Executable] = {}
        self._primitive: Replay | None = None

    def enter(self, trace: Trace, k: int, leaf: Leaf) -> Any:
        """What the function gets in place of a leaf."""
        if leaf.kind == "module":
            named = leaf.thing.named_parameters()
            for path, value in named.items():
                trace.names[value] = path
                trace.reference(value)
            return leaf.thing
        if leaf.kind == "array":
            values = []
            for j, number in enumerate(leaf.thing.ravel().tolist()):
                at = ".".join(map(str, unravel(j, leaf.thing.shape)))
                values.append(trace.input(number, f"{leaf.path}.{at}"))
                self.sources.append((k, j))
            import numpy as np

            array = np.empty(len(values), dtype=object)
            array[:] = values
            return array.reshape(leaf.thing.shape)
        number = leaf.thing._data if leaf.kind == "Value" else float(leaf.thing)
        value = trace.input(number, leaf.path)
        self.sources.append((k, 0))
        if leaf.kind == "integer":
            self.indices[k] = Index(leaf.thing, value)
            return self.indices[k]
        return value

    def fits(self, found: list[Leaf]) -> bool:
        """Whether the integers that the trace has fixed are the same."""
        return all(found[k].thing == number for k, (_, number) in self.fixed.items())

    def inputs(self, found: list[Leaf]) -> list[float]:
        """The numbers of all inputs, in the order of the program."""
        for k, limit in self.limits.items():
            if not 0 <= found[k].thing < limit:
                raise IndexError(
                    f"{found[k].path} is {found[k].thing}, but {self.owner.__name__} indexes {limit} rows with it: "
                    f"it must be from 0 to {limit - 1}"
                )
        parts = [numbers_of(leaf) for leaf in found]
        captured = self.captured
        return [captured[j]._data if k < 0 else parts[k][j] for k, j in self.order]

    def nodes(self, found: list[Leaf]) -> list[Value | None]:
        """The Values among the inputs, None for numbers; empty if there are none."""
        nodes = [self.captured[j] if k < 0 else found[k].thing if found[k].kind == "Value" else None for k, j in self.order]
        return nodes if any(node is not None for node in nodes) else []

    def span(self, found: list[Leaf], name: str) -> list[int]:
        """The inputs that belong to one argument."""
        mine = {k for k, leaf in enumerate(found) if leaf.path == name or leaf.path.startswith(f"{name}.")}
        chosen: list[int] = []
        for k in sorted(mine):
            if found[k].kind == "module":
                at = {self.captured[j]: p for p, (source, j) in enumerate(self.order) if source < 0}
                chosen += [at[value] for value in found[k].thing.named_parameters().values()]
            else:
                chosen += [p for p, (source, _) in enumerate(self.order) if source == k]
        return chosen

    def executable(self, wanted: tuple[int, ...]) -> Executable:
        """The program that computes the results, and the derivatives by these inputs."""
        if wanted not in self.executables:
            self.executables[wanted] = Executable(self.program, wanted)
        return self.executables[wanted]

    def rebuilt(self, numbers: Sequence[float]) -> Any:
        """The results in the containers of the function."""
        return filled(self.structure, iter(numbers))

    def replayed(self, nodes: Sequence[Value | None], inputs: Sequence[float]) -> Any:
        """The results as Values, by carrying out the program on the engine."""
        values = replay(self.program, [number if node is None else node for node, number in zip(nodes, inputs)])
        return filled(self.structure, iter(values))

    def primitive(self) -> Primitive:
        if self._primitive is None:
            self._primitive = Replay(self.owner.__name__, self)
        return self._primitive


class Executable:
    """A program with the derivatives that somebody asked for, ready to run."""

    def __init__(self, program: Program, wanted: Sequence[int], *, careful: bool = False) -> None:
        self.careful: Executable | None = None
        self.remake: Callable[[], Executable] | None = None
        if wanted and not careful:
            self.remake = partial(Executable, program, wanted, careful=True)
        count = len(program.outputs)
        program = rebuilt(program).new
        if wanted:
            program.outputs += gradients(program, program.outputs[0], [program.inputs[k] for k in wanted], careful=careful)
        self.program = rebuilt(program).new
        self.count, self.guards = count, self.program.guards
        self.tensors = recover(self.program)
        self.text: Text | None = None
        self.slopes: list[int] = []
        try:
            import numpy as np
        except ImportError:
            return
        self.np = np
        at = {ref: k for k, ref in enumerate(self.program.inputs)}
        entries = [ref for block in self.tensors.inputs for ref in block.entries if ref is not None]
        self.order = np.array([at[ref] for ref in entries], dtype=np.intp)
        self.is_ordered = bool((self.order == np.arange(len(self.order))).all())
        outputs = self.program.outputs
        results = [Result("value", outputs[:count], (count,) if count > 1 else ())] if count else []
        slope_of = dict(zip([self.program.inputs[k] for k in wanted], outputs[count:]))
        place = {self.program.inputs[k]: j for j, k in enumerate(wanted)}
        for block in self.tensors.inputs:
            chosen = [ref for ref in block.entries if ref in slope_of]
            if chosen:
                shape = block.shape if len(chosen) == len(block.entries) else (len(chosen),)
                results.append(Result(f"d_{block.name}", [slope_of[ref] for ref in chosen], shape))
                self.slopes += [place[ref] for ref in chosen]
        if self.guards:
            sides = [ref for guard in self.guards for ref in (guard.left, guard.right)]
            results.append(Result("guards", sides, (len(sides),)))
        self.text = printed(self.tensors, results)
        self.function = self.text.function()
        self.back = np.argsort(np.array(self.slopes, dtype=np.intp))

    def run(self, inputs: Sequence[float]) -> tuple[list[float], list[float]] | None:
        """The results and the derivatives; None if a guard does not hold.

        A nan among the derivatives may come from a branch that was not taken: then they are computed with care.
        """
        found = self.run_plainly(inputs) if self.text is None else self.run_arrays(inputs)
        if found is None or self.remake is None or not any(slope != slope for slope in found[1]):
            return found
        self.careful = self.careful or self.remake()
        return self.careful.run(inputs)

    def run_arrays(self, inputs: Sequence[float]) -> tuple[list[float], list[float]] | None:
        """The same by NumPy."""
        np = self.np
        array = np.array(inputs, dtype=float)
        with np.errstate(all="ignore"):
            found = list(self.function(array if self.is_ordered else array[self.order]))
        if self.guards and not holds(self.guards, found.pop().tolist()):
            return None
        values = found.pop(0) if self.count else []
        values = np.asarray(values).ravel().tolist()
        if not found:
            return values, []
        return values, np.concatenate([np.ravel(part) for part in found])[self.back].tolist()

    def run_plainly(self, inputs: Sequence[float]) -> tuple[list[float], list[float]] | None:
        """The same without NumPy, one operation after the other."""
        sides = [side for guard in self.guards for side in (guard.left, guard.right)]
        found = self.program.run(inputs, [*self.program.outputs, *sides])
        total = len(self.program.outputs)
        return (found[: self.count], found[self.count : total]) if holds(self.guards, found[total:]) else None


class Replay(Primitive):
    """The operation of a compiled call: its derivatives of higher order are those of the program, on the engine."""

    __slots__ = ("variant",)

    def __init__(self, name: str, variant: Variant) -> None:
        super().__init__(name, "program(xs)", "slopes(xs)", public=False)
        self.variant = variant

    def evaluate(self, text: str, namespace: dict[str, Any], *names: str) -> Callable[..., Any]:  # noqa: ARG002 - as a row
        """The program on any operands; or its derivatives by them."""
        return self.slopes if names else self.value

    def value(self, xs: Sequence[Any]) -> Any:
        return replay(self.variant.program, xs)[0]

    def slopes(self, xs: Sequence[Any], _: Any) -> list[Any]:
        return grad(self.value)(list(xs))  # type: ignore[no-any-return]


def replay(program: Program, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of a program on Values, by the engine."""
    given, found = iter(inputs), []
    for row, refs in zip(program.rows, program.operands):
        if row is None:
            found.append(next(given))
        else:
            found.append(apply(row, *[found[ref] if ref >= 0 else program.number(ref) for ref in refs]))
    return [found[ref] if ref >= 0 else program.number(ref) for ref in program.outputs]


def holds(guards: Sequence[Guard], sides: Sequence[float]) -> bool:
    """Whether every comparison comes out as it did."""
    return all(ORDER[guard.sign](sides[2 * k], sides[2 * k + 1]) is guard.answer for k, guard in enumerate(guards))


def numbers_of(leaf: Leaf) -> Sequence[float]:
    """The numbers in a leaf."""
    if leaf.kind == "array":
        return leaf.thing.ravel().tolist()  # type: ignore[no-any-return]
    return (leaf.thing._data if leaf.kind == "Value" else leaf.thing,)


def as_float(x: Any) -> Any:
    return x if isinstance(x, Value) else float(x)


def as_floats(x: Any) -> Any:
    """An argument that is differentiated by: its integers are numbers."""
    if hasattr(x, "named_parameters") or (is_array(x) and x.dtype.kind == "f"):
        return x
    return transform(as_float, x)


def filled(tree: Any, numbers: Iterator[Any]) -> Any:
    """The containers of a tree with other numbers."""
    return rebuild(tree, numbers)


def replaced(x: Any, leaves_of: Iterator[Any]) -> Any:
    """An argument with its leaves replaced, in the order of `flatten`."""
    if x is None or isinstance(x, (bool, str, bytes)):
        return x
    if isinstance(x, dict):
        return type(x)({key: replaced(part, leaves_of) for key, part in x.items()})
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*[replaced(part, leaves_of) for part in x])
    if isinstance(x, (list, tuple)):
        return type(x)([replaced(part, leaves_of) for part in x])
    if is_array(x) and x.dtype.kind != "f":
        import numpy as np

        array = np.empty(x.size, dtype=object)
        array[:] = [replaced(part, leaves_of) for part in x.ravel().tolist()]
        return array.reshape(x.shape)
    if is_array(x) or any(hasattr(x, name) for name in ("named_parameters", "__index__", "__float__")):
        return next(leaves_of)
    return x


def unravel(place: int, shape: tuple[int, ...]) -> list[int]:
    found: list[int] = []
    for size in reversed(shape):
        place, rest = divmod(place, size)
        found.append(rest)
    return found[::-1]

