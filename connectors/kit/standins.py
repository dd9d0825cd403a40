"""Lines that stand for what is neither words nor a file: a place, a card, a gift. Pure.

No message may become an empty line: agents would not see it, and the bot would take it for a
greeting.
"""

from __future__ import annotations

from connectors.kit.payload import clean

EMPTY = "[空消息]"
UNKNOWN = "暂不支持的消息"
MAX_CHARS = 500
FILE_NAMES = {"image": "图片", "voice": "语音", "video": "视频", "file": "文件"}
"""By ``MediaHandle.kind``."""


def standin(name: str, *words: object) -> str:
    """Return the line for a kind of message, with the words in it.

    Args:
        name: Of the kind, as customers call it.
        words: What a person would read on it; blank ones are left out.

    >>> standin("位置", "东门", "", "一路 1 号")
    '[位置] 东门 一路 1 号'
    """
    shown = (" ".join(clean(str(one)).split()) for one in words)
    return " ".join([f"[{name}]", *(one for one in shown if one)])[:MAX_CHARS]


def card(name: str, prompt: str, *words: object) -> str:
    """Return the line for a card that may name itself, as QQ's do: ``[QQ小程序]点歌``.

    >>> card("卡片", "[分享]新品"), card("卡片", "新品")
    ('[分享] 新品', '[卡片] 新品')
    """
    own, bracket, rest = prompt.strip().partition("]")
    if own.startswith("[") and bracket and len(own) > 1:
        return standin(own[1:], rest, *words)
    return standin(name, prompt, *words)


__all__ = ["EMPTY", "FILE_NAMES", "MAX_CHARS", "UNKNOWN", "card", "standin"]
