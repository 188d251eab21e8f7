"""The room of the cache of machine code: libraries are built once, kept whole between runs, and never taken from other users.

A file is named after what it was made from (its key) and what is in it (its digest), and appears by one rename. So nobody
reads half a file, a damaged one is noticed, two processes cannot disturb each other, and no loaded file is ever overwritten.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path

__all__ = ["SCRATCH", "SUFFIX", "cache_dir", "digest", "find", "keep", "remove"]

VARIABLE = "AUTOGRAD_CACHE_DIR"
SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
KEPT = re.compile(r"[0-9a-f]{32}-[0-9a-f]{32}" + re.escape(SUFFIX))  # other files in the folder are not ours to remove
PARTIAL = "autograd-partial-"  # begins the name of a file that is being written
SCRATCH = "autograd-build-"  # begins the name of a temporary folder in which a compiler works
MOST_FILES, MOST_BYTES = 2_000, 500_000_000
DAY = 86_400.0


def cache_dir(folder: str | os.PathLike[str] | None = None) -> Path:
    """The folder in which machine code is kept; with an argument, that folder from now on.

    The choice stands in the environment variable `AUTOGRAD_CACHE_DIR`, so processes that are started later share it. Without
    it, a folder `autograd` in the user's cache folder. It is made when it is first needed, for this user alone.

    >>> usual = cache_dir()
    >>> cache_dir("machine_code").name
    'machine_code'
    >>> cache_dir(usual) == usual
    True
    """
    if folder is not None:
        os.environ[VARIABLE] = os.path.abspath(os.path.expanduser(folder))
    chosen = os.environ.get(VARIABLE)
    return Path(os.path.abspath(os.path.expanduser(chosen)) if chosen else _usual())


def _usual() -> str:
    """Where programs keep what can be made again, on this system."""
    if sys.platform == "win32":
        folders = [os.environ.get("LOCALAPPDATA", ""), os.path.expanduser("~/AppData/Local")]
    elif sys.platform == "darwin":
        folders = [os.path.expanduser("~/Library/Caches")]
    else:
        folders = [os.environ.get("XDG_CACHE_HOME", ""), os.path.expanduser("~/.cache")]
    for folder in filter(os.path.isabs, folders):
        return os.path.join(folder, "autograd")
    # Nobody knows this user's home.
    return os.path.join(tempfile.gettempdir(), f"autograd-{os.getuid() if hasattr(os, 'getuid') else 'cache'}")


def digest(content: bytes) -> str:
    """32 letters that no other content has."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def find(key: str) -> Path | None:
    """The whole file that is kept for a key, if there is one; damaged ones are removed."""
    folder = cache_dir()
    if not _trusted(folder):
        return None
    with suppress(OSError):
        for path in folder.glob(f"{key}-*{SUFFIX}"):
            if path.name == _name(key, path.read_bytes()):
                with suppress(OSError):  # the cache may be read-only
                    os.utime(path)  # used now: what was used longest ago is removed first
                return path
            remove(path)
    return None


def keep(key: str, content: bytes) -> Path | None:
    """The file in which a content is kept from now on; None where that is impossible: a full disk, a read-only home."""
    folder = cache_dir()
    path = folder / _name(key, content)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _trusted(folder):
            return None
        _write(path, content)
    except OSError:
        return None
    with suppress(OSError):
        _sweep(folder)
    return path


def remove(path: Path) -> None:
    """Removes a file, unless that is forbidden or another process was faster."""
    with suppress(OSError):
        path.unlink()


def _name(key: str, content: bytes) -> str:
    return f"{key}-{digest(content)}{SUFFIX}"


def _trusted(folder: Path) -> bool:
    """Whether only this user can have written into a folder; if not, a warning says why. False if it does not exist."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    if stat.S_ISLNK(found.st_mode):
        why = "it is a symbolic link"
    elif not stat.S_ISDIR(found.st_mode):
        why = "it is not a folder"
    elif os.name == "posix" and found.st_uid != os.geteuid():
        why = f"it belongs to user {found.st_uid}"
    elif os.name == "posix" and found.st_mode & 0o022:
        why = f"others may write into it (mode {stat.S_IMODE(found.st_mode):o})"
    else:
        return True
    warnings.warn(
        f"machine code is not kept in {folder}: {why}, so what is in it may not be yours; every process compiles anew. "
        f"Name a folder of your own: autograd.cache_dir(folder), or {VARIABLE} in the environment",
        RuntimeWarning,
        stacklevel=1,
    )
    return False


def _write(path: Path, content: bytes) -> None:
    """A file that is there at once and whole, or not at all."""
    handle, partial = tempfile.mkstemp(prefix=PARTIAL, dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(content)
        os.replace(partial, path)
    except BaseException:
        remove(Path(partial))
        raise


def _sweep(folder: Path) -> None:
    """Removes what killed processes left behind, and what was used longest ago where there is too much."""
    kept = []
    for path in folder.iterdir():
        with suppress(OSError):  # another process may sweep too
            found = path.stat()
            if KEPT.fullmatch(path.name):
                kept.append((found.st_mtime, found.st_size, path))
            elif path.name.startswith(PARTIAL) and time.time() - found.st_mtime > DAY:
                path.unlink()
    size = 0
    for number, (_, more, path) in enumerate(sorted(kept, reverse=True)):
        size += more
        if number >= MOST_FILES or size > MOST_BYTES:
            remove(path)
    for scratch in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        with suppress(OSError):
            if time.time() - scratch.lstat().st_mtime > DAY:
                shutil.rmtree(scratch, ignore_errors=True)
