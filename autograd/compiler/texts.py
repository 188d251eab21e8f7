"""The room of texts: generated programs as functions, which `inspect.getsource`, the debugger and tracebacks can show."""

from __future__ import annotations

import linecache
import weakref
from collections.abc import Callable
from itertools import count
from typing import Any

__all__ = ["run"]

numbers = count(1)


def run(source: str, words: dict[str, Any]) -> Callable[..., Any]:
    """The function `program` of a text, in which names mean `words`. Its lines are known for as long as it lives."""
    name = f"<autograd program {next(numbers)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), words)
    function: Callable[..., Any] = words.pop("program")  # lest the function and its globals keep each other alive
    weakref.finalize(function, linecache.cache.pop, name, None).atexit = False
    return function
