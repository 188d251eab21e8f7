"""The room of the C compiler: a text of C becomes a loaded library, built once and kept; whatever goes wrong is one error."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import shlex
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

from autograd.compiler.native.cache import SCRATCH, SUFFIX, digest, find, keep, remove

__all__ = ["FLAGS", "NativeError", "compiler", "load", "load_made"]

# Zig checks for undefined behaviour unless told not to; every other compiler accepts the flag.
FLAGS = ("-std=gnu11", "-O2", "-ffp-contract=off", "-march=native", "-fPIC", "-shared", "-Wno-psabi", "-fno-sanitize=all")
# How a compiler is asked for all that this processor can do: most take the first, some on ARM and POWER the second.
NATIVE = ("-march=native", "-mcpu=native")
# The lines of /proc/cpuinfo that say what a processor can do, on x86, ARM, RISC-V, POWER.
ABILITIES = ("vendor", "cpu family", "model", "flags", "features", "cpu implementer", "cpu part", "isa", "cpu\t")
SAID = 12  # lines of a compiler's words in an error
WAYS = 'name another compiler in the environment variable CC, or use backend="numpy", which needs none'

_loaded: dict[str, ctypes.CDLL] = {}
_locks: dict[str, threading.Lock] = {}  # one build of one text at a time
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_locks.clear)  # threads that hold one are not in the child


class NativeError(RuntimeError):
    """No machine code: there is no C compiler, or it failed, or took too long, or what it wrote cannot be loaded."""


def load(text: str, *, flags: Sequence[str] = FLAGS, timeout: float = 60.0) -> ctypes.CDLL:
    """The library of a text of C, compiled unless this process has loaded it or the cache has kept it; see `load_made`."""
    return load_made(text.encode(), lambda: text, flags=flags, timeout=timeout)


def load_made(
    made_from: bytes, write: Callable[[], str], *, flags: Sequence[str] = FLAGS, timeout: float = 60.0
) -> ctypes.CDLL:  # fmt: skip
    """The library of a text of C that `write()` makes of something; it is not even written if the library is kept already.

    A library stays loaded as long as the process lives. Calls of its functions release the GIL.
    Raises NativeError, with what the compiler said, if there is no library; a compiler that takes longer than `timeout` seconds
    is stopped. A failure is not remembered: the next call tries again.
    """
    command = compiler()
    key = _key(made_from, command, flags)
    with _locks.setdefault(key, threading.Lock()):
        if key not in _loaded:
            _loaded[key] = _kept(key) or _built(key, write(), command, flags, timeout)
        return _loaded[key]


def compiler() -> list[str]:
    """The command that compiles C: `$CC`, which may hold arguments, else cc, clang, gcc, or Zig from the wheel `ziglang`.

    Raises NativeError if there is none.
    """
    chosen = os.environ.get("CC", "").strip()
    try:
        choices = [shlex.split(chosen, posix=os.name == "posix")] if chosen else [["cc"], ["clang"], ["gcc"]]
    except ValueError as error:
        raise NativeError(f"CC={chosen!r} is not a command: {error}; correct it, or unset CC") from None
    for name, *arguments in choices:
        if path := shutil.which(name):
            return [os.path.abspath(path), *arguments]
    if chosen:
        raise NativeError(f"CC={chosen!r} names a compiler that is not here; correct it, or unset CC")
    if zig := importlib.util.find_spec("ziglang"):
        # What `python -m ziglang cc` runs.
        for folder in zig.submodule_search_locations or ():
            if path := shutil.which(os.path.join(folder, "zig")):
                return [path, "cc"]
    raise NativeError(
        "there is no C compiler: neither cc, clang nor gcc is on PATH; install one, or run "
        f"`pip install scalar-autograd[native]`, which brings Zig's; or {WAYS}"
    )


def _key(made_from: bytes, command: Sequence[str], flags: Sequence[str]) -> str:
    """One key for one library: it changes with all that the machine code depends on."""
    programs = []
    for word in command:  # "ccache gcc" is two programs
        if path := shutil.which(word):
            found = os.stat(path)
            programs.append((path, found.st_size, found.st_mtime_ns))
    return digest(repr((made_from, [*command], [*flags], programs, platform.machine(), _processor())).encode())


def _processor() -> str:
    """What -march=native looks at."""
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        lines = [line for line in takewhile(str.strip, file) if line.lower().startswith(ABILITIES)]
        if lines:
            return "".join(lines)
    return platform.processor()


def _kept(key: str) -> ctypes.CDLL | None:
    """The library that is kept for a key."""
    path = find(key)
    if path:
        try:
            return ctypes.CDLL(str(path))
        except OSError:  # made for another system, say, in a home that several share
            remove(path)
    return None


def _built(key: str, text: str, command: Sequence[str], flags: Sequence[str], timeout: float) -> ctypes.CDLL:
    """A new library, kept in the cache if that is possible."""
    try:
        # It goes at once: a loaded file may be removed. (Windows refuses, and a later build sweeps.)
        folder = tempfile.TemporaryDirectory(prefix=SCRATCH, ignore_cleanup_errors=True)
    except OSError as error:
        raise NativeError(f"there is no temporary folder to compile in: {error}; set TMPDIR, or {WAYS}") from error
    with folder as scratch:
        library = Path(scratch, f"program{SUFFIX}")
        kept = keep(key, _compiled(text, library, command, flags, timeout))
        reason = ""
        for path in (kept, library) if kept else (library,):
            try:
                return ctypes.CDLL(str(path))
            except OSError as error:  # a library of nonsense, or a folder from which no program may run
                reason = str(error)
        if kept:
            remove(kept)
        raise _failure(command, f"wrote a library that cannot be loaded: {reason}")


def _compiled(text: str, library: Path, command: Sequence[str], flags: Sequence[str], timeout: float) -> bytes:
    """What a compiler writes into a library; the source is written beside it."""
    source = library.with_suffix(".c")
    try:
        source.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NativeError(f"the text to compile cannot be written: {error}; set TMPDIR, or {WAYS}") from error
    code, said = 0, ""
    for choice in _choices(flags):
        code, said = _run([*command, *choice, "-o", str(library), str(source), "-lm"], library.parent, timeout)
        if code <= 0 or "native" not in said:
            break
    if code:
        how = f"was stopped by signal {-code}" if code < 0 else f"failed with exit code {code}"
        raise _failure(command, f"{how}; it said {said or 'nothing'}")
    try:
        content = library.read_bytes()
    except OSError as error:
        raise _failure(command, f"wrote no library ({error}); it said {said or 'nothing'}") from None
    if not _whole(content):
        raise _failure(command, "wrote a library that is cut short")
    return content


def _choices(flags: Sequence[str]) -> list[list[str]]:
    """The flags, and what is tried where a compiler refuses them: it may not know how to ask for this processor."""
    if NATIVE[0] not in flags:
        return [[*flags]]
    others = [flag for flag in flags if flag != NATIVE[0]]
    return [[NATIVE[0], *others], [NATIVE[1], *others], others]


def _run(command: Sequence[str], folder: Path, timeout: float) -> tuple[int, str]:
    """The exit code of a command and the first lines that it said; nothing that it started outlives the time.

    Its words go into a file: a daemon that a wrapper of compilers leaves behind would hold a pipe open.
    """
    surroundings = {**os.environ, "TMPDIR": str(folder), "TMP": str(folder), "TEMP": str(folder)}
    try:
        with open(folder / "said.txt", "w+b") as said:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=folder, env=surroundings, start_new_session=True
            )
            try:
                code = process.wait(timeout)
            except BaseException:  # it took too long, or Ctrl-C
                _kill(process)
                raise
            said.seek(0)
            lines = said.read(100_000).decode(errors="replace").strip().splitlines()
    except subprocess.TimeoutExpired:
        raise _failure(command[:1], f"has not finished after {timeout:g} s and was stopped") from None
    except OSError as error:
        raise _failure(command[:1], f"cannot be run: {error}") from None
    more = ["..."] if len(lines) > SAID else []
    return code, "\n  ".join(["", *lines[:SAID], *more]) if lines else ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and those that it started: a compiler is several programs."""
    if os.name == "posix":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _whole(content: bytes) -> bool:
    """Whether a library has its end. Loading an ELF file without it kills the process; other systems refuse such files."""
    if content[:4] != b"\x7fELF":
        return True
    if len(content) < 64:
        return False
    order, wide = "<" if content[5] == 1 else ">", content[4] == 2
    (start,) = struct.unpack_from(order + ("Q" if wide else "I"), content, 40 if wide else 32)
    size, count = struct.unpack_from(order + "HH", content, 58 if wide else 46)
    return bool(len(content) >= start + size * count)  # the table of sections is what linkers write last


def _failure(command: Sequence[str], what: str) -> NativeError:
    return NativeError(f"the C compiler {shlex.join(command)} {what}\nWay out: {WAYS}")
