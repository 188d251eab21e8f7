"""The room of texts: generated programs as functions, which `inspect.getsource`, the debugger and tracebacks can show."""

from __future__ import annotations

import linecache
import weakref
from collections.abc import Callable
from itertools import count
from typing import Any

__all__ = ["run"]

numbers = count(1)


def run(source: str, words: dict[str, Any], name: str = "program") -> Callable[..., Any]:
    """The function of this name in a text, in which names mean `words`. Its lines are known for as long as it lives."""
    file = f"<autograd {name} {next(numbers)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), words)
    function: Callable[..., Any] = words.pop(name)  # lest the function and its globals keep each other alive
    weakref.finalize(function, linecache.cache.pop, file, None).atexit = False
    return function
