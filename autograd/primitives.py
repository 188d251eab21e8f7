"""The room where users add rows to the table: operations of their own are not second class."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from autograd.functions import FUNCTIONS, NUMBERS, ON_FLOATS, ON_VALUES, apply, define
from autograd.ops import BUILT_IN, TABLE, Primitive
from autograd.value import Value

__all__ = ["primitive"]

MISSING: Any = object()
owners: dict[str, str] = {}  # of the words that own rows have brought along: the name of the row


def primitive(
    name: str,
    forward: str | Callable[..., float],
    *partials: str | Callable[..., Any],
    words: Mapping[str, Callable[..., Any]] | None = None,
    check: bool = False,
    **facts: Any,
) -> Callable[..., Any]:
    """Add an operation to the table: what it computes, and one partial derivative per operand. Returns its function.

    Both are texts over the operands `x`, `y`, `z` and the result `out`, in the words of the table, as the rows of
    `autograd/ops.py`; or Python functions, of the operands (`forward`) and of the operands and the result (partials). A
    partial is called on floats and on Values, so write it with the functions of the package and it can be differentiated
    again; write `"None"` where no derivative leads. `words` gives meaning to further names in the texts.

    With `check`, the partials are tried at ten points of the domain, to second order, before the operation is added: a wrong
    one raises GradcheckError. Further facts: `label` for pictures, `domain` (an interval per operand, (-6, 6) by default)
    and `kinks` for tests, `aliases`, `defaults`. The operation becomes a function, `autograd.NAME`, a method of Value, and a
    node in pictures, checks and derivatives of any order.

    Raises ValueError for a name that the table or Value has already, and for words it does not know or that mean something
    else already. An own row may be written anew: then whatever uses it computes by the new one, compiled functions too.

    >>> cube = primitive("cube", "x * x * x", "3.0 * x * x")
    >>> x = Value(2.0)
    >>> cube(x).backward()
    >>> x.grad, cube(3.0)
    (12.0, 27.0)
    """
    if not name.isidentifier():
        raise ValueError(f"a primitive needs a name of its own that is a Python identifier, not {name!r}")
    if name in TABLE and name in BUILT_IN:
        raise ValueError(f"the table has {name!r} already; choose another name for the primitive")
    if name not in TABLE and (hasattr(Value, name) or name in NUMBERS):
        raise ValueError(f"the name {name!r} is taken; choose another for the primitive")
    if not partials:
        raise ValueError(f"primitive {name!r} needs one partial derivative per operand; write 'None' where no derivative leads")
    words = dict(words or {})
    operands = ", ".join(("x", "y", "z")[: len(partials)])
    if callable(forward):
        words[f"{name}_forward"] = forward
        forward = f"{name}_forward({operands})"
    texts = []
    for i, partial in enumerate(partials):
        if callable(partial):
            words[f"{name}_partial_{i}"] = partial
            partial = f"{name}_partial_{i}({operands}, out)"
        texts.append(partial)
    for text in (forward, *texts):
        check_syntax(name, text)
    row = Primitive(name, forward, *texts, **facts)
    for text in (forward, *texts):
        check_words(row, text, words)
    for word, meaning in words.items():
        if NUMBERS.get(word, meaning) is not meaning and owners.get(word) != name:
            whose = f"primitive {owners[word]!r}" if word in owners else "the table"
            raise ValueError(f"primitive {name!r} brings the word {word!r}, which {whose} has already; choose another word")
    with meaning_of(words):
        if check:
            check_rules(row)
    owners.update(dict.fromkeys(words, name))
    row = entered(row)
    define(row)
    return FUNCTIONS[name]


@contextmanager
def meaning_of(words: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
    """Give words a meaning, and take it back if an error happens in this block."""
    former = [(rules.words, {word: rules.words.get(word, MISSING) for word in words}) for rules in (ON_FLOATS, ON_VALUES)]
    for known, _ in former:
        known.update(words)
    try:
        yield
    except BaseException:
        for known, before in former:
            for word, meaning in before.items():
                if meaning is MISSING:
                    del known[word]
                else:
                    known[word] = meaning
        raise


def entered(row: Primitive) -> Primitive:
    """The row in the table. One that is written anew stays the same thing, since functions, graphs and programs hold it."""
    name = row.name
    if name in TABLE:
        known = TABLE[name]
        row.aliases = tuple(dict.fromkeys((*row.aliases, *known.aliases)))
        for fact in Primitive.__slots__:
            setattr(known, fact, getattr(row, fact))
        row = known
        for rules in (ON_FLOATS, ON_VALUES):
            rules.pop(row, None)
        TABLE.edition += 1
    TABLE[name] = row
    NUMBERS[name] = row.function
    return row


def check_rules(row: Primitive) -> None:
    """Raise GradcheckError if a partial of a new row is wrong, at ten random points of its domain."""
    import random  # both are opened on request

    from autograd.check import gradcheck

    draw = random.Random(0)
    for _ in range(10):
        point = [draw.uniform(*interval) for interval in row.domain]
        gradcheck(lambda *operands: apply(row, *operands), *point, order=2).raise_if_wrong()


def check_syntax(name: str, text: str) -> None:
    """Raise ValueError if a text of a new row is no expression of Python."""
    try:
        compile(text.strip(), "<primitive>", "eval")
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"primitive {name!r}: the text {text!r} is no expression: {getattr(error, 'msg', error)}") from None


def check_words(row: Primitive, text: str, words: Mapping[str, Any]) -> None:
    """Raise ValueError if a text of a new row uses a name that nothing knows."""
    known = {*NUMBERS, *words, row.name, *vars(builtins), "__class__"}  # by which `on_nodes` tells constants from nodes
    for word in row.evaluate(text, {}, "out").__code__.co_names:
        if word not in known:
            raise ValueError(f"primitive {row.name!r}: the text {text!r} uses {word!r}, which the table does not know")
