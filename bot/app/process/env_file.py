"""The file ``.env``: values are added to it, and what stands there is never changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from bot.app.process.errors import BadData

ENV_FILE = Path(".env")
_OWNER_ALONE = 0o600


def environment(path: Path = ENV_FILE) -> dict[str, str]:
    """All variables, as channels.yaml sees them: the process's own win over the file's.

    Raises:
        BadData: The file cannot be read.
    """
    try:
        written = dotenv_values(path)
    except OSError as error:
        raise BadData(f"{path}: 打不开（{error.strerror}），检查文件权限") from error
    except UnicodeDecodeError:
        raise BadData(f"{path}: 不是 UTF-8 编码，请另存为 UTF-8") from None
    return {name: value for name, value in written.items() if value is not None} | dict(os.environ)


def add_to_env(values: Mapping[str, str], path: Path = ENV_FILE) -> None:
    """Append variables; the file is its owner's alone from then on.

    Args:
        values: None of them may be set already: of two lines with one name the later counts.

    Raises:
        BadData: It cannot be written.
    """
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _OWNER_ALONE)
        with os.fdopen(handle, "rb+") as file:
            # before a secret is in it: others may have been able to read the file so far
            path.chmod(_OWNER_ALONE)
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                lines = lines if file.read(1) == b"\n" else "\n" + lines
            file.write(lines.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BadData(f"{path}: 写不了（{error.strerror}），检查文件权限和磁盘空间") from error


__all__ = ["ENV_FILE", "add_to_env", "environment"]
