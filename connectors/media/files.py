"""Files that are there whole or not at all, whatever ends the process or fills the disk."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

SUFFIX = ".tmp"
"""What the name of a file ends with until all of it is written."""


def write_file(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read, and see it onto the disk.

    One that is there is replaced in one step.

    Raises:
        OSError: The disk is full, read-only or broken; nothing is left behind.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}{SUFFIX}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def strays(folder: Path, name: str = "*") -> list[Path]:
    """Parts of files that a process left behind when it was killed."""
    return list(folder.glob(f".{name}.*{SUFFIX}"))


def _sync_folder(folder: Path) -> None:
    """See a new name onto the disk: a file's own fsync does not."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
