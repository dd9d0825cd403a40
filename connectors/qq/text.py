"""Texts as QQ writes them: faces and mentions coming in, what must stay plain going out. Pure.

Source: QQ bot documentation, "文本交互" and "Markdown 消息"; the form of faces as met in events.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping

UNKNOWN_FACE = "🙂"
FACES: Mapping[str, str] = {
    "微笑": "🙂", "撇嘴": "😕", "色": "😍", "发呆": "😳", "得意": "😎", "流泪": "😭",
    "害羞": "😊", "闭嘴": "🤐", "睡": "😴", "大哭": "😭", "尴尬": "😅", "发怒": "😡",
    "调皮": "😜", "呲牙": "😁", "惊讶": "😮", "难过": "🙁", "抓狂": "😫", "吐": "🤮",
    "偷笑": "🤭", "可爱": "😊", "白眼": "🙄", "疑问": "❓", "满头问号": "❓", "晕": "😵",
    "再见": "👋", "擦汗": "😅", "鼓掌": "👏", "坏笑": "😏", "委屈": "🥺", "快哭了": "😢",
    "可怜": "🥺", "笑哭": "😂", "捂脸": "🤦", "赞": "👍", "强": "👍", "弱": "👎", "握手": "🤝",
    "抱拳": "🙏", "胜利": "✌️", "OK": "👌", "玫瑰": "🌹", "爱心": "❤️", "心碎": "💔",
}  # fmt: skip

_FACE = re.compile(r"<faceType=\d+[^<>]*>")
_FACE_EXT = re.compile(r'ext="([^"]*)"')
_MENTION = re.compile(r'<@!?([^<>\s]+)>|<qqbot-at-user id="([^"]*)" ?/>')
_LEADING_MENTION = re.compile(rf"\s*(?:{_MENTION.pattern})")
_LIVE_TAG = re.compile(r"<(?=@|#|emoji:|qqbot-)", re.IGNORECASE)
_MARKDOWN = re.compile(r"[\\`*_~\[\]<>|]|^(?=[-+=#])", re.MULTILINE)
_ADDRESS = re.compile(r"https?://[!-~]+")
_OPENID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_ZERO_WIDTH = "\u200b"


def faces_as_emoji(text: str) -> str:
    """A text with QQ's faces as emoji.

    >>> faces_as_emoji('卡密呢<faceType=1,faceId="5",ext="eyJ0ZXh0Ijoi5rWB5rOqIn0=">')
    '卡密呢😭'
    """
    return _FACE.sub(_emoji, text)


def without_mention(text: str, names: Mapping[str, str | None]) -> str:
    """A group's text without the mention of the bot, others by their name.

    Args:
        names: By id; ``None`` for the bot itself.

    >>> without_mention("<@B> 订单呢 <@A>", {"B": None, "A": "小红"})
    '订单呢 @小红'
    """
    if not any(name is None for name in names.values()):
        # an event for mentions of the bot alone does not say which one that is: the first
        text = _LEADING_MENTION.sub("", text, count=1)

    def named(found: re.Match[str]) -> str:
        name = names.get(found[1] or found[2], "群友")
        return "" if name is None else f"@{name}"

    return _MENTION.sub(named, text).strip()


def mention(openid: str) -> str:
    """Draws a group member's name; nothing for what is no openid.

    >>> mention("A1"), mention('A"/>')
    ('<qqbot-at-user id="A1" /> ', '')
    """
    return f'<qqbot-at-user id="{openid}" /> ' if _OPENID.fullmatch(openid) else ""


def inert(text: str) -> str:
    """The same to the eye, but nothing in it mentions anybody or can be tapped.

    >>> inert("看 <@A1> <b>") == "看 <\u200b@A1> <b>"
    True
    """
    return _LIVE_TAG.sub("<" + _ZERO_WIDTH, text)


def as_markdown(text: str) -> str:
    r"""Markdown that is read as this very text; web addresses stay whole.

    >>> print(as_markdown("# 1*2 https://a.cn/x_y"))
    \# 1\*2 https://a.cn/x_y
    """
    parts, end_of_last = [], 0
    for address in _ADDRESS.finditer(text):
        parts += [_MARKDOWN.sub(r"\\\g<0>", text[end_of_last : address.start()]), address[0]]
        end_of_last = address.end()
    return "".join([*parts, _MARKDOWN.sub(r"\\\g<0>", text[end_of_last:])])


def _emoji(found: re.Match[str]) -> str:
    ext = _FACE_EXT.search(found[0])
    if ext is None:
        return UNKNOWN_FACE
    try:
        said = json.loads(base64.b64decode(ext[1], validate=True))
    except (binascii.Error, ValueError):
        return UNKNOWN_FACE
    name = said.get("text") if isinstance(said, dict) else None
    return FACES.get(str(name).strip("[]/ "), UNKNOWN_FACE)


__all__ = ["FACES", "as_markdown", "faces_as_emoji", "inert", "mention", "without_mention"]
