"""The room of JAX: the printed NumPy text on `jax.numpy`, as a pure function that can be jit-ed, mapped and sharded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd.compiler.printers.numpy_text import Result, printed
from autograd.compiler.printers.rows import vectorized
from autograd.compiler.program import Program
from autograd.compiler.recover import Tensors, recover
from autograd.compiler.reverse import differentiated
from autograd.compiler.texts import Text

__all__ = ["to_jax"]


def to_jax(program: Program, wanted: Sequence[int], *, careful: bool = False, checked: bool = False) -> Callable[[Any], Any]:
    """`run(inputs)`: the results of a program in an array; with inputs that are `wanted`, results and derivatives.

    The derivatives are with respect to all inputs. Where a comparison has another outcome than in the trace, or an input that
    indexes is out of range, everything is nan; with `checked`, that is an error of `jax.experimental.checkify`. With `careful`,
    derivatives that come out as nan are computed again with care, as the room of reverse mode has it.
    """
    import jax
    import jax.numpy as jnp

    count, size = len(program.outputs), len(program.inputs)
    places = jnp.array([o * size + k for o in range(count) for k in wanted], dtype=int)
    plain = Executor(differentiated(program, wanted), count, checked)
    again = Executor(differentiated(program, wanted, careful=True), count) if careful and wanted else plain

    def slopes(found: Any) -> Any:
        """In an array of all inputs, for each result."""
        array = jnp.zeros(count * size, dtype=found.dtype).at[places].set(found)
        return array if count == 1 else array.reshape(count, size)

    def run(inputs: Any) -> Any:
        inputs = jnp.asarray(inputs)
        results, found = plain(inputs)
        if len(again.program.rows) != len(plain.program.rows):
            results, found = jax.lax.cond(jnp.isnan(found).any(), again, lambda _: (results, found), inputs)
        return (results, slopes(found)) if wanted else results

    return run


class Executor:
    """A program as a function of arrays of JAX: its first `count` results, and the others.

    If it is `checked`, a failed check is an error.
    """

    def __init__(self, program: Program, count: int, checked: bool = False) -> None:
        self.program, self.checked, tensors = program, checked, recover(program)
        at = {ref: k for k, ref in enumerate(program.inputs)}
        self.order = [at[ref] for block in tensors.inputs for ref in block.entries if ref is not None]
        self.limits = limits(tensors, at)
        sides = [ref for guard in program.guards for ref in (guard.left, guard.right)]
        lists = [program.outputs[:count], program.outputs[count:], sides]
        self.is_given = [bool(refs) for refs in lists]
        self.function = function(printed(tensors, [Result("", refs, (len(refs),)) for refs in lists if refs]))

    def __call__(self, inputs: Any) -> tuple[Any, Any]:
        """The results, and the derivatives; nan where the program is not valid."""
        import jax.numpy as jnp

        order = jnp.array(self.order, dtype=int)
        found = iter(self.function(inputs[order]))
        results, slopes, sides = (next(found) if given else jnp.zeros(0) for given in self.is_given)
        signs = {"<": jnp.less, "<=": jnp.less_equal, ">": jnp.greater, ">=": jnp.greater_equal}
        signs |= {"==": jnp.equal, "!=": jnp.not_equal}
        valid = jnp.array(True)
        for k, guard in enumerate(self.program.guards):
            holds = signs[guard.sign](sides[2 * k], sides[2 * k + 1]) == guard.answer
            told = guard.told(self.program)
            valid &= self.check(holds, f"{told} in the program, and not for these inputs; use where or maximum")
        for k, limit in self.limits.items():
            holds = (inputs[k] >= 0) & (inputs[k] < limit)
            valid &= self.check(holds, f"{self.program.names[k]} indexes {limit} rows: it must be from 0 to {limit - 1}")
        return jnp.where(valid, results, jnp.nan), jnp.where(valid, slopes, jnp.nan)


    def check(self, holds: Any, message: str) -> Any:
        """Whether something holds. If that is checked, it is an error if not: at once, or where `checkify` looks."""
        if self.checked:
            from jax.experimental import checkify

            checkify.check(holds, message.replace("{", "{{").replace("}", "}}"))  # it is a format
        return holds


def limits(tensors: Tensors, at: dict[int, int]) -> dict[int, int]:
    """The inputs that index, and the lengths of what they index."""
    found: dict[int, int] = {}
    for group in tensors.groups:
        if group.form in ("taken", "picked"):
            (indices, _), (_, shape) = group.arguments
            length = shape[0] if group.form == "taken" else shape[1]
            found |= {at[ref]: min(length, found.get(at[ref], length)) for ref in indices if ref in at}
    return found


class Names:
    """The names of NumPy in `jax.numpy`, with what is missing there."""

    def __getattr__(self, name: str) -> Any:
        import jax.numpy as jnp

        return getattr(jnp, name)

    class hypot:  # noqa: N801 - NumPy's name
        """NumPy's hypot, which can be reduced."""

        def __new__(cls, x: Any, y: Any) -> Any:
            import jax.numpy as jnp

            return jnp.hypot(x, y)

        @staticmethod
        def reduce(x: Any, axis: int) -> Any:
            """The Euclidean length along an axis, scaled by the largest element."""
            import jax.numpy as jnp

            top = jnp.abs(x).max(axis, keepdims=True)
            scale = jnp.where(jnp.isfinite(top) & (top > 0), top, 1.0)
            length = jnp.sqrt(jnp.square(x / scale).sum(axis)) * jnp.squeeze(scale, axis)
            return jnp.where(jnp.isinf(x).any(axis), jnp.inf, length)


def function(text: Text) -> Callable[..., Any]:
    """The text as a function on arrays of JAX."""
    import jax.numpy as jnp

    words: dict[str, Any] = {name: word(name, meaning) for name, meaning in text.words.items()}
    words |= {name: jnp.asarray(table) for name, table in text.tables.items()}
    words["np"] = Names()
    exec(compile(text.source, "<autograd program on jax>", "exec"), words)
    words["masked"] = masked
    found: Callable[..., Any] = words["program"]
    return found


def masked(mask: Any, x: Any, y: Any) -> Any:
    """The product of matrices of which only some terms count; where no number can be looked at."""
    return (x[..., None] * y[..., None, :, :]).sum(-2, where=mask[..., None])


def word(name: str, meaning: Callable[..., float]) -> Callable[..., Any]:
    """A function that jax.numpy does not have: JAX's own, or a call back into Python, number by number."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.scipy import special

    own: dict[str, Callable[..., Any]] = {"mod": jnp.mod, "erf": special.erf, "erfc": special.erfc, "lgamma": special.gammaln}
    if name in own:
        return own[name]
    called = vectorized(meaning)

    def word(*xs: Any) -> Any:
        xs = tuple(jnp.broadcast_arrays(*[jnp.asarray(x, dtype=float) for x in xs]))
        return jax.pure_callback(quietly, xs[0], *xs, vmap_method="expand_dims")

    def quietly(*xs: Any) -> Any:
        with np.errstate(all="ignore"):
            return called(*map(np.asarray, xs)).astype(xs[0].dtype)

    return word
