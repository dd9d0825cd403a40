"""One process a data folder: two would each believe to be the only one that sends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bot.errors import BadData, DataInUse


@contextmanager
def exclusive(data_dir: Path) -> Iterator[None]:
    """Hold the data folder while the block runs. A process that dies lets go by itself.

    Raises:
        DataInUse: Another process holds it; the message tells which.
        BadData: The folder cannot be made or written to.
    """
    pid_file = data_dir / "kefu.pid"
    lock = FileLock(data_dir / "kefu.lock")
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        pid = pid_file.read_text().strip() if pid_file.exists() else "?"
        raise DataInUse(
            f"{data_dir}: 另一个 kefu（进程 {pid}）正在用这个数据目录，请先停掉它，"
            "或用 --data 换一个目录 (in use by another kefu)"
        ) from None
    except OSError as error:
        raise BadData(
            f"{data_dir}: 数据目录写不了（{error.strerror}），请检查权限和磁盘空间"
        ) from error
    try:
        pid_file.write_text(f"{os.getpid()}\n")
        yield
    finally:
        pid_file.unlink(missing_ok=True)
        lock.release()
