"""The file channels.yaml as ``kefu channels init`` adds to it: what stands there is not changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.app.process.errors import BadData

START = """\
# 顾客从哪里找到您。加一个账号：kefu channels init telegram（或 wechat、wecom、qq、onebot、app）。
# ${…} 从环境变量或 .env 里取：密钥不要直接写在这里。改完重启 kefu，再运行 kefu channels check。
channels:
"""
_INDENT = 2


@dataclass(frozen=True, slots=True)
class Known:
    """An account that stands in the file already.

    Attributes:
        line: Where it begins.
    """

    line: int
    values: Mapping[str, Any]


class ChannelsFile:
    """One reading of the file.

    Raises:
        BadData: It cannot be read, or is no channels.yaml.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._text = path.read_text(encoding="utf-8-sig") if path.exists() else ""
            self._root = yaml.compose(self._text, Loader=yaml.SafeLoader)
            self._entries = _entries(self._text)
        except OSError as error:
            raise BadData(f"{path}: 打不开（{error.strerror}），检查文件权限") from error
        except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError):
            raise BadData(
                f"{path}: 读不懂，没有动它。先运行 kefu channels list 看哪一行不对，改好再来"
            ) from None

    def account(self, channel: str, account: str) -> Known | None:
        """The account by this name; ``None`` if it is not there."""
        sequence = self._sequence()
        nodes = [] if sequence is None else sequence.value
        for node, values in zip(nodes, self._entries, strict=True):
            if (values.get("channel"), values.get("account", "main")) == (channel, account):
                return Known(node.start_mark.line + 1, values)
        return None

    def indent(self) -> int:
        """Return the indentation of the accounts, in spaces."""
        sequence = self._sequence()
        return _INDENT if sequence is None else int(sequence.start_mark.column)

    def add(self, entry: str) -> None:
        """Put an account at the end; a file that is not there begins with a few words.

        Raises:
            BadData: It cannot stand at the end of this file, which is left alone; or it cannot be
                written.
        """
        text = self._text or START
        addition = entry if text.endswith("\n") else "\n" + entry
        try:
            is_right = _entries(text + addition)[:-1] == self._entries
        except (yaml.YAMLError, ValueError):
            is_right = False
        if not is_right:
            raise BadData(
                f"{self.path}: 写法特别，没有动它。请把下面几行自己加到 channels: 里面：\n{entry}"
            )
        self._append(addition if self._text else text + addition)

    def start(self) -> None:
        """Write the few words it begins with.

        Raises:
            BadData: It is there already, or cannot be written.
        """
        if self.path.exists():
            raise BadData(
                f"{self.path} 已经有了，没有动它。加一个账号：kefu channels init telegram"
                "（或 wechat、wecom、qq、onebot、app）"
            )
        self._append(START)

    def _append(self, text: str) -> None:
        try:
            # never opened for replacing: what somebody else writes meanwhile stays as well
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
        except OSError as error:
            raise BadData(f"{self.path}: 写不了（{error.strerror}），检查文件权限") from error

    def _sequence(self) -> yaml.SequenceNode | None:
        if not isinstance(self._root, yaml.MappingNode):
            return None
        found = (value for key, value in self._root.value if key.value == "channels")
        value = next(found, None)
        return value if isinstance(value, yaml.SequenceNode) else None


def _entries(text: str) -> list[Mapping[str, Any]]:
    """The entries as they stand; raises ``ValueError`` for what is no channels.yaml."""
    root = yaml.safe_load(text)
    if root is None:
        return []
    entries = root.get("channels") or [] if isinstance(root, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("no list of accounts")
    return entries


__all__ = ["ChannelsFile", "Known"]
