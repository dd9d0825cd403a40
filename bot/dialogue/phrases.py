"""Phrases by which customers move a conversation rather than ask something. Pure."""

from __future__ import annotations

CANCEL = frozenset(
    {
        *("算了", "算了吧", "不查了", "不用了", "不用查了", "取消", "没事了", "不要了", "不弄了"),
        *("算了不查了", "先不查了", "不用麻烦了", "nevermind", "cancel", "stop", "forgetit"),
    }
)
LEAVE_QUEUE = frozenset({"不用了", "不用人工了", "算了", "不等了", "取消", "cancel"})
VERIFY_AGAIN = frozenset({"再次验证", "重新验证", "verifyagain"})
ORDINALS = {"第一个": 1, "第二个": 2, "第三个": 3, "第四个": 4}


def plain(text: str) -> str:
    """Return the letters and digits of a text, in small letters.

    >>> plain("算了，不查了。")
    '算了不查了'
    """
    return "".join(char for char in text.casefold() if char.isalnum())


def picked(text: str, offered: tuple[tuple[str, str], ...]) -> str | None:
    """Return the button that "2" or its label names, where a channel draws no buttons.

    Args:
        offered: (Id, label) of the buttons under the last message.
    """
    words = plain(text)
    number = ORDINALS.get(words) or (int(words) if words.isdecimal() and len(words) == 1 else 0)
    if 1 <= number <= len(offered):
        return offered[number - 1][0]
    return next((key for key, label in offered if plain(label) == words), None)
