"""The room of files: what is saved is there whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["write"]


def write(path: str | os.PathLike[str], contents: str | bytes, what: str) -> None:
    """Write a file, whole or not at all: beside its place first. Text is UTF-8.

    Raises OSError that says `what` cannot be written, and where, if it cannot.
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    data = contents.encode() if isinstance(contents, str) else contents
    try:
        if target.exists() and not target.is_file():  # a device; or a folder, which says so
            target.write_bytes(data)
            return
        part = target.with_name(f".{target.name[:100]}.{os.getpid()}.part")
        try:
            part.write_bytes(data)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise type(error)(f"{what} cannot be written to {os.fspath(path)!r}: {error.strerror}") from error
