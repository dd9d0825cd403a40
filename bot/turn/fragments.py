"""Telling half a sentence from a whole one. Pure."""

from __future__ import annotations

_GOES_ON = "，,、：:…-—("
_ENDS = "。.！!？?～~；;)）"
_CONNECTORS = (
    "然后",
    "就是",
    "但是",
    "不过",
    "而且",
    "因为",
    "所以",
    "那个",
    "还有",
    "我的",
    "and",
    "but",
)
_ASKS = ("吗", "呢", "么", "吧", "啊", "哈", "没", "啥", "谢谢")
_SHORT_CHARS = 7
MAX_FRAGMENTS = 10


def looks_unfinished(text: str, *, is_understood: bool) -> bool:
    """Tell whether to wait a moment for the rest.

    Args:
        text: What has come so far.
        is_understood: It is recognised as it stands, or holds what was asked for.

    >>> looks_unfinished("我昨天买的，", is_understood=False)
    True
    >>> looks_unfinished("付了款没收到卡密怎么办？", is_understood=False)
    False
    """
    said = text.strip().lower()
    if not said or is_understood:
        return False
    if said.endswith(tuple(_GOES_ON)) or said.endswith(_CONNECTORS):
        return True
    if said.endswith(tuple(_ENDS)) or said.endswith(_ASKS):
        return False
    return sum(char.isalnum() for char in said) <= _SHORT_CHARS
