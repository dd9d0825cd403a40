"""Reads the HTML that a bot sends, as the Bot API does: text, entities, or a refusal.

Source: Telegram Bot API documentation, Formatting options; TDLib's parser (texts of errors).
"""

from __future__ import annotations

import html
import re
from typing import Any

from devkit.telegram.rules import bad, utf16

Json = dict[str, Any]

_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
_NAMED = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"'}
_PIECE = re.compile(r"<(/?)([a-zA-Z][\w-]*)?([^<>]*)(>?)|(&#\d+;|&#x[0-9a-fA-F]+;|&\w+;)|(.)", re.S)
_HREF = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)'|(\S+))""")


def parsed(text: str, parse_mode: str) -> tuple[str, list[Json]]:
    """What is read of a text in a parse mode; white space at both ends goes.

    Raises:
        Refusal: It cannot be parsed, or this fake knows no such mode (Markdown).
    """
    if not parse_mode:
        return text.strip(), []
    if parse_mode.lower() != "html":
        raise bad("unsupported parse_mode")
    return _html(text.strip())


def _html(text: str) -> tuple[str, list[Json]]:
    reading = _Reading()
    for found in _PIECE.finditer(text):
        slash, tag, attributes, end, entity, char = found.groups()
        if char is not None:
            reading.said += char
        elif entity is not None:
            reading.said += _decoded(entity)
        elif slash:
            reading.close(tag, found.start())
        else:
            reading.open(tag, attributes, is_whole=bool(end), at=found.start())
    if reading.open_tags:
        name = reading.open_tags[-1][0]
        raise _cannot(f'Can\'t find end tag corresponding to start tag "{name}"')
    return reading.said, [one for one in reading.entities if one["length"]]


def _decoded(entity: str) -> str:
    if entity.startswith("&#"):
        return html.unescape(entity)
    return _NAMED.get(entity, entity)


class _Reading:
    """How far a text was read."""

    def __init__(self) -> None:
        self.said = ""
        self.entities: list[Json] = []
        self.open_tags: list[tuple[str, int, str]] = []

    def open(self, tag: str | None, attributes: str, *, is_whole: bool, at: int) -> None:
        if tag is None:
            raise _cannot(f'Unsupported start tag "" at byte offset {at}')
        if not is_whole:
            raise _cannot(f'Unclosed start tag "{tag}" at byte offset {at}')
        if tag.lower() not in _TAGS:
            raise _cannot(f'Unsupported start tag "{tag.lower()}" at byte offset {at}')
        href = _HREF.search(attributes)
        link = next((one for one in href.groups() if one), "") if href else ""
        self.open_tags.append((tag.lower(), utf16(self.said), html.unescape(link)))

    def close(self, tag: str | None, at: int) -> None:
        if not self.open_tags:
            raise _cannot(f"Unexpected end tag at byte offset {at}")
        name, start, link = self.open_tags.pop()
        if tag and tag.lower() != name:
            raise _cannot(
                f'Unmatched end tag at byte offset {at}, expected "</{name}>", found "</{tag}>"'
            )
        length = utf16(self.said) - start
        entity: Json = {"type": _TAGS[name], "offset": start, "length": length}
        if name == "a" and link.startswith("tg://user?id="):
            user_id = int(link.removeprefix("tg://user?id="))
            entity |= {"type": "text_mention", "user": {"id": user_id}}
        elif name == "a":
            entity["url"] = link
        self.entities.append(entity)


def _cannot(detail: str) -> Exception:
    return bad(f"can't parse entities: {detail}")
