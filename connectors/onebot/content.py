"""What a OneBot message holds: words, files, and what only people can read. Pure.

Source: OneBot 11 standard, "消息段类型"; NapCatQQ (``markdown``, ``miniapp``, ``onlinefile``,
``flashtransfer``), LLOneBot (``flash_file``, ``keyboard``, ``shake``), go-cqhttp (``redbag``,
``gift``, ``cardimage``, ``tts``) for what the standard does not name.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.kit.payload import clean, words_in
from connectors.kit.standins import (
    EMPTY,
    FILE_NAMES,
    card,
    standin,
)
from connectors.messages import MediaHandle
from connectors.onebot.segments import Segment, read

_FILES = {
    "image": "image",
    "cardimage": "image",
    "record": "voice",
    "video": "video",
    "file": "file",
}
_ACTIONS = {"cardimage": "image"}
_FACE = "🙂"
_STICKER_SUB_TYPES = frozenset({"1", "4", "7"})
"""Of an image: saved, hot, and bought stickers (Source: NapCatQQ, ``PicSubType``)."""
_LABELS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "location": ("位置", ("title", "content", "address")),
    "share": ("链接", ("title", "content", "url")),
    "contact": ("名片", ("name", "id")),
    "music": ("音乐", ("title", "content")),
    "poke": ("戳一戳", ()),
    "shake": ("窗口抖动", ()),
    "dice": ("骰子", ("result", "value")),
    "rps": ("猜拳", ()),
    "new_dice": ("骰子", ("id",)),
    "new_rps": ("猜拳", ()),
    "flash_file": ("闪传文件", ("title", "name", "fileName")),
    "flashtransfer": ("闪传文件", ("title", "name", "fileName")),
    "onlinefile": ("在线文件", ("fileName", "name")),
    "redbag": ("红包", ("title",)),
    "gift": ("礼物", ("name", "title")),
    "tts": ("语音播报", ("text",)),
    "todo": ("待办", ("title", "content")),
    "weather": ("天气", ("city",)),
}
"""What only a person can read: its name, and the fields with words in them."""
_WORDS = ("title", "text", "content", "desc", "summary", "prompt", "name")
_CARD_WORDS = ("title", "desc", "summary", "tag", "preview", "nickname", "text", "address")
_LABEL_WORDS = ("label",)
_XML_BRIEF = re.compile(r'\bbrief="([^"]{1,300})"')
_XML_WORDS = re.compile(r"<(?:title|summary)\b[^>]{0,300}>([^<]{1,300})<")
_MAX_XML = 20_000
_MAX_SAID = 10_000
_DEEPEST_FORWARD = 4


@dataclass(frozen=True, slots=True)
class Content:
    """Of one message.

    Attributes:
        is_unreadable: ``text`` only describes what was sent.
        reply_to: The id of the message that it answers.
    """

    text: str = field(default="", repr=False)
    is_unreadable: bool = False
    media: tuple[MediaHandle, ...] = ()
    reply_to: str | None = None


def content(
    parts: Sequence[Segment], self_id: str, where: Mapping[str, str] | None = None
) -> Content:
    """Return what a message holds, never an empty line, unless it calls us and says no more.

    Args:
        where: ``user_id`` or ``group_id``, as fetching a file may need it.
    """
    said = [
        " ".join(_passed_on(part, self_id, _DEEPEST_FORWARD))
        if part.type == "node" and before is not None and before.type == "node"
        else _line(part, self_id)
        for before, part in zip((None, *parts), parts, strict=False)
    ]
    text = clean("".join(said)).strip()[:_MAX_SAID]
    media = tuple(_media(part, where or {}) for part in parts if part.type in _FILES)
    own = any(part.type in _WORDED and line.strip() for part, line in zip(parts, said, strict=True))
    reply_to = next((part.get("id") for part in parts if part.type == "reply"), "")
    if text or media:
        is_described = any(part.type not in _PLAIN for part in parts)
        return Content(text, is_described and not own and bool(text), media, reply_to or None)
    if any(part.type == "at" and part.get("qq") == self_id for part in parts):
        return Content(reply_to=reply_to or None)
    line = standin("引用消息") if reply_to else EMPTY
    return Content(line, is_unreadable=True, reply_to=reply_to or None)


_WORDED = frozenset({"text", "markdown"})
_PLAIN = _WORDED | {"at", "reply", "face", "mface", "anonymous", *_FILES}
"""What needs no stand-in."""


def _line(part: Segment, self_id: str) -> str:
    match part.type:
        case "text":
            return part.get("text", "content", "data")
        case "markdown":
            return part.get("content", "text", "data")
        case "at":
            return "" if part.get("qq") == self_id else _mention(part)
        case "face" | "mface":
            return _FACE
        case "image" if _is_sticker(part):
            return _FACE
        case "reply" | "anonymous":
            return ""
        case kind if kind in _FILES:
            return ""
    return f"{_stand_in(part, self_id)} "


def _mention(part: Segment) -> str:
    name = "全体成员" if part.get("qq") == "all" else part.get("name", "qq")
    return f"@{name.lstrip('@')} "


def _is_sticker(part: Segment) -> bool:
    return bool(part.get("emoji_id")) or (
        part.get("sub_type", "subType") in _STICKER_SUB_TYPES
        or part.get("summary") == "[动画表情]"
        or part.more.get("is_emoji") is True
    )


def _stand_in(part: Segment, self_id: str) -> str:
    special = _SPECIAL.get(part.type)
    if special is not None:
        return special(part, self_id)
    label, fields = _LABELS.get(part.type, ("其他消息", ()))
    words = [part.get(name) for name in fields] if fields else []
    if part.type not in _LABELS:
        words = words_in({**part.data, **part.more}, _WORDS)
    return standin(label, *words)


# ---------------------------------------------------------------------- cards


def _json_card(part: Segment, _self_id: str) -> str:
    found = _object(part.more.get("data") or part.get("data", "content"))
    prompt = str(found.get("prompt") or "")
    label = "小程序" if part.type == "miniapp" else "卡片"
    return card(label, prompt, *_beyond(prompt, words_in(found.get("meta", found), _CARD_WORDS)))


def _object(data: object) -> Mapping[str, Any]:
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            return {}
    return data if isinstance(data, Mapping) else {}


def _beyond(prompt: str, words: Sequence[str]) -> list[str]:
    return [one for one in words if one not in prompt]


def _xml_card(part: Segment, _self_id: str) -> str:
    # read by its signs: a document of a stranger's is not worth a parser
    document = part.get("data", "content")[:_MAX_XML]
    brief = _XML_BRIEF.search(document)
    prompt = html.unescape(brief[1]) if brief is not None else ""
    words = [html.unescape(one) for one in _XML_WORDS.findall(document)]
    return card("卡片", prompt, *_beyond(prompt, list(dict.fromkeys(words))))


def _keyboard(part: Segment, _self_id: str) -> str:
    return standin("按钮", *words_in(part.more, _LABEL_WORDS))


def _forward(part: Segment, self_id: str) -> str:
    """Somebody else's messages, passed on: who said what."""
    return standin("聊天记录", part.get("title"), *_passed_on(part, self_id, _DEEPEST_FORWARD))


def _passed_on(part: Segment, self_id: str, depth: int) -> list[str]:
    if part.type == "node":
        who = part.get("nickname", "name", "user_id", "uin")
        return [_spoken(who, part.more.get("content") or part.get("content"), self_id, depth)]
    inner = part.more.get("content") or part.more.get("messages") or []
    lines = []
    for one in inner if isinstance(inner, list) else []:
        if not isinstance(one, Mapping):
            continue
        if one.get("type") == "node":
            lines += [line for node in read([one]) for line in _passed_on(node, self_id, depth)]
            continue
        sender = one.get("sender")
        name = sender.get("nickname") if isinstance(sender, Mapping) else one.get("nickname")
        said = one.get("message") or one.get("content") or one.get("raw_message")
        lines.append(_spoken(str(name or ""), said, self_id, depth))
    return [line for line in lines if line]


def _spoken(who: str, message: object, self_id: str, depth: int) -> str:
    if depth <= 0:
        return ""
    said = "".join(
        _FILE_LINES.get(part.type)
        or (
            standin("聊天记录", *_passed_on(part, self_id, depth - 1))
            if part.type in {"forward", "node"}
            else _line(part, "")
        )
        for part in read(message)
    ).strip()
    return f"{who}：{said}" if who and said else said


_FILE_LINES = {name: standin(FILE_NAMES[kind]) for name, kind in _FILES.items()}
_SPECIAL: Mapping[str, Callable[[Segment, str], str]] = {
    "json": _json_card,
    "miniapp": _json_card,
    "xml": _xml_card,
    "keyboard": _keyboard,
    "forward": _forward,
    "node": _forward,
}


# ---------------------------------------------------------------------- files


def _media(part: Segment, where: Mapping[str, str]) -> MediaHandle:
    size = part.get("file_size", "size", "fileSize")
    names = ("file", "file_id", "fid", "url", "path", "busid", "file_hash")
    found = {name: part.get(name) for name in names if part.get(name)}
    return MediaHandle(
        kind=_FILES[part.type],
        handle={"type": _ACTIONS.get(part.type, part.type), **where, **found},
        name=clean(part.get("name", "file_name", "file")) if part.type == "file" else "",
        size=int(size) if size.isdecimal() and len(size) < 12 else None,  # noqa: PLR2004 - no file has more
    )


__all__ = ["Content", "content"]
