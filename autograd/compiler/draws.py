"""The room of draws: whether a traced function draws random numbers, which its program would not do again."""

from __future__ import annotations

import pickle
import random
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

__all__ = ["OWN_THREADS", "Draws", "state_of"]

RLOCK = type(threading.RLock())
OWN_THREADS = "autograd blocks"  # begins the names of the threads that run blocks of batches
QUIET = (OWN_THREADS, "tqdm_monitor")  # threads that draw nothing
GAUSS = random.Random.gauss.__code__  # every second number of it was kept from the call before


class Draws:
    """What is drawn from generators of random numbers, Python's and NumPy's own among them, while a block runs.

    A state that has changed tells, and costs next to nothing; but another thread may have drawn. `alone` makes sure: calls of
    Python's generators are seen by the profiler, which belongs to one thread, and NumPy's are locked for the others.
    """

    def __init__(self, generators: Sequence[Any]) -> None:
        self.generators = [*generators, random.getstate.__self__]  # type: ignore[attr-defined]
        if (np := sys.modules.get("numpy")) is not None:
            self.generators.append(np.random.mtrand._rand)
        self.happened = False
        self.alone = False

    @property
    def are_own(self) -> bool:
        """Whether it was this thread that drew, for sure: no other runs that may draw, or `alone`."""
        others = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
        return self.alone or all(name.startswith(QUIET) for name in others)

    @contextmanager
    def watched(self, *, alone: bool = False) -> Iterator[None]:
        """A block in which draws are noticed."""
        self.alone = alone
        profiled = {id(generator) for generator in self.generators if alone and type(generator) is random.Random}
        others = [generator for generator in self.generators if id(generator) not in profiled]
        with ExitStack() as stack:
            if alone:
                for generator in others:
                    stack.enter_context(locked(generator))
                stack.enter_context(self.profiling(profiled))
            before = [state_of(generator) for generator in others]
            try:
                yield
            finally:
                self.happened = self.happened or [state_of(generator) for generator in others] != before

    @contextmanager
    def profiling(self, profiled: set[int]) -> Iterator[None]:
        """A block in which this thread's calls of methods of these generators are noticed."""
        former = sys.getprofile()

        def profile(frame: FrameType, event: str, function: Any) -> None:
            if event == "c_call" and id(getattr(function, "__self__", None)) in profiled:
                self.happened = self.happened or function.__name__ != "getstate"
            elif event == "call" and frame.f_code is GAUSS and id(frame.f_locals.get("self")) in profiled:
                self.happened = True

        sys.setprofile(profile)
        try:
            yield
        finally:
            sys.setprofile(former)


@contextmanager
def locked(generator: Any) -> Iterator[None]:
    """A block in which no other thread draws from a generator of NumPy; this one may, where it can take the lock twice."""
    bits = getattr(generator, "bit_generator", None) or getattr(generator, "_bit_generator", None)
    lock = getattr(bits, "lock", None)
    if not isinstance(lock, RLOCK):
        yield
        return
    with lock:
        yield


def state_of(generator: Any) -> Any:
    """What changes when a generator of random numbers is drawn from: Python's, NumPy's, and NumPy's older kind."""
    if hasattr(generator, "getstate"):
        return generator.getstate()
    if hasattr(generator, "bit_generator"):
        return pickle.dumps(generator.bit_generator.state)
    return pickle.dumps(generator.get_state())
