"""One process a data folder: two would each believe to be the only one that sends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bot.app.process.data_folder import open_folder
from bot.app.process.errors import BadData, DataInUse


@contextmanager
def exclusive(data_dir: Path) -> Iterator[None]:
    """Hold the data folder while the block runs. A process that dies lets go by itself.

    Raises:
        DataInUse: Another process holds it; the message tells which.
        BadData: The folder cannot be used.
    """
    pid_file = data_dir / "kefu.pid"
    lock = FileLock(data_dir / "kefu.lock", mode=0o600)
    open_folder(data_dir)
    try:
        lock.acquire(timeout=0)
        pid_file.write_text(f"{os.getpid()}\n")
    except Timeout:
        pid = _pid_in(pid_file)
        raise DataInUse(
            f"{data_dir}: 另一个 kefu（进程 {pid}）正在用这个数据目录，请先停掉它，"
            "或用 --data 换一个目录 (in use by another kefu)"
        ) from None
    except OSError as error:
        lock.release()
        raise BadData(
            f"{data_dir}: 数据目录写不了（{error.strerror}），请检查权限和磁盘空间"
        ) from error
    try:
        yield
    finally:
        pid_file.unlink(missing_ok=True)
        lock.release()


def _pid_in(pid_file: Path) -> str:
    """The process that the file names; a question mark where it names none (yet)."""
    try:
        return str(int(pid_file.read_text()))
    except (OSError, ValueError):
        return "?"
