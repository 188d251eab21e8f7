"""The room of workers: tasks go to an executor together, and their answers come back in order, whoever is lost on the way."""

from __future__ import annotations

import concurrent.futures
import os
import pickle
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from typing import Any, NamedTuple

__all__ = ["Task", "Workers", "cuts", "dumps", "workers_of"]

ATTEMPTS = 3  # of a task whose workers are lost


class Task(NamedTuple):
    """Something for a worker to do; `here` is how this process does it, where nobody takes the task.

    After a worker was lost, the arguments are those in `again`, if there are some.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    here: Callable[[], Any]
    again: tuple[Any, ...] | None = None


class Workers:
    """The workers of an executor: any of `concurrent.futures`, or Dask's client or its executor.

    A task whose worker is lost is sent again, with a warning; after a few times, RuntimeError is raised. If the executor takes
    no task any more, because it was shut down or a process of its pool has died, this process does them all from then on.
    """

    def __init__(self, executor: Any, count: int | None = None) -> None:
        if not callable(getattr(executor, "submit", None)):
            raise TypeError(f"fit(executor=) needs a concurrent.futures.Executor, not {type(executor).__name__} {executor!r}")
        # Dask's client is no executor: its futures have other errors, and equal tasks are one.
        own = getattr(executor, "get_executor", None)
        self.executor: Executor = own(pure=False) if callable(own) else executor
        client: Any = getattr(self.executor, "_client", None)
        self.client = client if callable(getattr(client, "scatter", None)) else None  # Dask's
        self.count = count or workers_of(executor)
        alone = getattr(concurrent.futures, "InterpreterPoolExecutor", ())  # threads that share nothing, from Python 3.14 on
        self.shares_memory = isinstance(executor, ThreadPoolExecutor) and not isinstance(executor, alone)
        self.is_gone, self.lost = False, 0  # whether it takes no tasks any more, and how many tasks lost their workers

    def send(self, tasks: Sequence[Task]) -> list[Future[Any] | None]:
        """Give out all tasks; there is no future where the executor takes none."""
        futures: list[Future[Any] | None] = []
        try:
            for task in tasks:
                futures.append(self.submitted(task, 0))
        except BaseException:
            cancel(futures)
            raise
        return futures

    def gathered(self, tasks: Sequence[Task], futures: Sequence[Future[Any] | None]) -> list[Any]:
        """The answers, in the order of the tasks. Raises what a task raised."""
        try:
            return [self.answer(task, future) for task, future in zip(tasks, futures)]
        except BaseException:
            cancel(futures)
            raise

    def answer(self, task: Task, future: Future[Any] | None) -> Any:
        """What a worker answers to a task, which is sent again if the worker was lost."""
        for attempt in range(1, ATTEMPTS + 1):
            if future is None:
                return task.here()
            try:
                found = future.result()
            except Exception as error:
                lost = error
                self.lost += 1
            else:
                if isinstance(found, Exception):
                    raise found
                return found
            if attempt < ATTEMPTS:
                self.warn(f"a worker of fit(executor=) was lost ({in_words(lost)}); its samples are sent again")
                future = self.submitted(task, attempt)
        raise RuntimeError(
            f"fit(executor=) lost {ATTEMPTS} workers in a row on the same samples, the last by {in_words(lost)}; if their memory "
            "is too small, use smaller batches or more workers; leave executor out to see what happens in this process"
        ) from lost

    def submitted(self, task: Task, attempt: int) -> Future[Any] | None:
        """The future of a task; None if the executor takes none any more."""
        if self.is_gone:
            return None
        try:
            arguments = task.again if attempt and task.again is not None else task.arguments
            return self.executor.submit(worked, attempt, task.function, *arguments)
        except Exception as error:
            self.is_gone = True
            reason = f"the executor of fit takes no tasks any more ({in_words(error)})"
            self.warn(f"{reason}; the training goes on in this process alone")
            return None

    def warn(self, message: str) -> None:
        """Say that something was lost."""
        warnings.warn(message, RuntimeWarning, stacklevel=7)


def cancel(futures: Sequence[Future[Any] | None]) -> None:
    """Let nobody begin these any more."""
    for future in futures:
        if future is not None:
            future.cancel()


def in_words(error: BaseException) -> str:
    """An error in words."""
    return f"{type(error).__name__}: {error}"


def worked(attempt: int, function: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ARG001 - makes it another task for Dask
    """What a worker does. An error of the task is an answer too: it is not the worker's."""
    try:
        return function(*arguments)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # its class is unknown elsewhere, or wants other arguments
            return RuntimeError(in_words(error))
        return error


def cuts(batch: Sequence[int], count: int) -> list[Sequence[int]]:
    """A batch in so many pieces of nearly one size, without empty ones."""
    spans = [(k * len(batch) // count, (k + 1) * len(batch) // count) for k in range(count)]
    return [batch[start:stop] for start, stop in spans if start < stop]


def workers_of(executor: Any) -> int:
    """How many workers an executor has, as far as it tells: the threads of Dask's workers, or a number that it was made with.

    Else as many as this machine has processors. The pieces of a training stay the same, though workers come and go, so that
    its numbers can be had again.
    """
    client = getattr(executor, "_client", executor)
    if callable(threads := getattr(client, "nthreads", None)):
        with suppress(Exception):  # a scheduler that does not answer loses no training
            if isinstance(found := threads(), Mapping) and (total := sum(found.values())) > 0:
                return int(total)
    size = getattr(executor, "_max_workers", None)
    return size if isinstance(size, int) and size > 0 else os.cpu_count() or 1


def dumps(things: Any, stand_in: Callable[[Any], Any] | None = None) -> bytes:
    """Pickled, to be sent; with cloudpickle where it is installed, which knows the functions of a script and lambdas too.

    `stand_in` gives what stands for a thing that stays behind, and None for others; see `pickle.Pickler.persistent_id`.
    Raises TypeError for what cannot be pickled.
    """
    try:
        from cloudpickle import Pickler  # type: ignore[import-untyped]
    except ImportError:
        from pickle import Pickler

    class Packer(Pickler):  # type: ignore[misc]
        def persistent_id(self, thing: Any) -> Any:
            return None if stand_in is None else stand_in(thing)

    file = BytesIO()
    try:
        Packer(file).dump(things)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            f"fit(executor=) sends the model, the loss and the samples to other processes, and one of them cannot be "
            f"pickled: {error}; define it at the top of a module, or install cloudpickle"
        ) from error
    return file.getvalue()
