"""The data folder: what customers wrote, their files and the key are its owner's alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import structlog

from bot.app.process.errors import BadData

log = structlog.get_logger(__name__)

_MARKS = frozenset({"kefu.db", "kefu.lock", "secret.key", "demo.seed"})
"""One of them at least is in a data folder that was used."""
_OWN = frozenset({"cache", "media", "secret.lock", "lost+found"})
_OTHERS = 0o077
"""Permissions of everybody but the owner."""


def open_folder(folder: Path) -> None:
    """Make the data folder ready for this process, and close it to everybody else.

    From then on whatever the process and its children write is the owner's alone. Blocking.

    Raises:
        BadData: It cannot be made, is no folder, belongs to somebody else or cannot be written to.
    """
    os.umask(_OTHERS)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_others(folder)
        _refuse_strange(folder)
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise BadData(
                f"{folder}: 数据目录写不了，请检查权限，或者磁盘是不是只读 (not writable)"
            )
        changed = _close(folder)
    except FileExistsError:
        raise BadData(_in_the_way(folder)) from None
    except OSError as error:
        raise BadData(
            f"{folder}: 数据目录用不了（{error.strerror}），请检查路径、权限和磁盘，"
            "或用 --data 换一个目录"
        ) from error
    if changed:
        log.warning("data_folder_closed", folder=str(folder), changed=changed)


def _in_the_way(folder: Path) -> str:
    if folder.is_symlink():
        return (
            f"{folder}: 是一个链接，它指向的 {folder.readlink()} 不存在 (dangling link)；"
            "建好那个目录，或删掉链接"
        )
    return f"{folder}: 这里有一个同名的文件 (a file is in the way)；挪走它，或用 --data 换一个目录"


def _refuse_others(folder: Path) -> None:
    """Refuse a folder, or a link to it, that is not ours.

    Root could use it, and would leave files behind that the owner can no longer open.
    """
    for owner in {folder.lstat().st_uid, folder.stat().st_uid} - {os.geteuid()}:
        name = _user(owner)
        if os.geteuid() == 0:
            advice = f"请用这个用户运行，例如 sudo -u {name} kefu …"
        elif folder.is_symlink() and folder.stat().st_uid == os.geteuid() and owner == 0:
            continue  # the admin links to where the user's folder really is
        else:
            advice = f"请用 {name} 运行，或把目录的主人改成 {_user(os.geteuid())}"
        raise BadData(f"{folder}: 数据目录属于 {name}，不属于现在的用户 (not ours)；{advice}")


def _refuse_strange(folder: Path) -> None:
    """Refuse a folder with other things in it: closing ``/etc`` or a home would do great harm."""
    names = {path.name for path in folder.iterdir()}
    if names and not names & _MARKS and not names <= _OWN:
        raise BadData(
            f"{folder}: 里面有别的文件，不像 kefu 的数据目录 (no data folder)；"
            "换一个空的目录，例如 --data data"
        )


def _user(uid: int) -> str:
    import pwd  # noqa: PLC0415 - there is none on Windows

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def _close(folder: Path) -> int:
    """Take everybody else's permissions away; how many files and folders had any.

    The top goes first: nobody gets past it. So one that is closed already was closed by us, and
    what stands deeper need not be looked at again.
    """
    was_open = bool(folder.stat().st_mode & _OTHERS)
    if was_open:
        folder.chmod(0o700)
    return was_open + sum(map(_closed, _all(folder) if was_open else folder.iterdir()))


def _all(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def _closed(path: Path) -> bool:
    """Close one file or folder; a link, and what it points to, stays as it is.

    Raises:
        BadData: It is somebody else's.
    """
    try:
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or not mode & _OTHERS:
            return False
        path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
    except FileNotFoundError:
        return False  # SQLite's own files come and go beside us
    except PermissionError as error:
        raise BadData(
            f"{path}: 别人也能读，而主人不是现在的用户，改不了 (not ours)；"
            f"请用 root 运行 chown -R {_user(os.geteuid())} {path.parent}"
        ) from error
    return True


def warn_of_root() -> None:
    """Say in the log, where it is so, that the whole machine is at stake, and what to do."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        log.warning(
            "running_as_root",
            advice="正在用 root 运行，出了漏洞就是整台机器的事；请给 kefu 建一个专用用户，"
            "做法见 docs/admin.md“开机自启”",
        )
