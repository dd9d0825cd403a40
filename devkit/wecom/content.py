"""Checks an outgoing message as the platform does and tells what the customer will see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from devkit.platform import Shown
from devkit.wecom import rules
from devkit.wecom.rules import Refusal, size
from devkit.wecom.state import State


def look(body: Mapping[str, Any], state: State, now: datetime) -> Shown:
    """What a message looks like in WeChat.

    Raises:
        Refusal: The platform does not take it.
    """
    kind = body.get("msgtype")
    part = body.get(str(kind))
    if not isinstance(part, Mapping):
        raise Refusal(rules.BAD_MSGTYPE)
    match kind:
        case "text":
            return Shown(_text(part), raw=dict(body))
        case "msgmenu":
            return _menu(part, body)
        case "image" | "voice" | "file" | "video":
            return _file(str(kind), part, body, state, now)
        case "link":
            _limit(str(part.get("title", "")), 128)
            _limit(str(part.get("url", "")), rules.MAX_URL_BYTES)
            return Shown(f"{part.get('title', '')} {part.get('url', '')}", raw=dict(body))
        case "location":
            return Shown(str(part.get("name", "")), raw=dict(body))
    raise Refusal(rules.BAD_MSGTYPE)


def _text(part: Mapping[str, Any]) -> str:
    content = part.get("content")
    if not isinstance(content, str) or not content:
        raise Refusal(rules.EMPTY_TEXT)
    if size(content) > rules.MAX_TEXT_BYTES:
        raise Refusal(rules.TOO_LONG)
    return content


def _menu(part: Mapping[str, Any], body: Mapping[str, Any]) -> Shown:
    head, tail = str(part.get("head_content", "")), str(part.get("tail_content", ""))
    _limit(head, rules.MAX_MENU_TEXT_BYTES)
    _limit(tail, rules.MAX_MENU_TEXT_BYTES)
    items = part.get("list", [])
    if len(items) > rules.MAX_MENU_ITEMS:
        raise Refusal(rules.TOO_MANY_ITEMS)
    labels = [_item(item) for item in items]
    if not (head or tail or labels):
        raise Refusal(rules.BAD_PARAMETER)
    shown_labels = tuple(label for label in labels if label is not None)
    plain = [str(item["text"]["content"]) for item in items if item.get("type") == "text"]
    return Shown(
        "\n".join(filter(None, [head, *plain, tail])), buttons=shown_labels, raw=dict(body)
    )


def _item(item: Mapping[str, Any]) -> str | None:
    """A button's label; ``None`` for a line of text between them."""
    kind = str(item.get("type"))
    part = item.get(kind)
    if kind not in {"click", "view", "miniprogram", "text"} or not isinstance(part, Mapping):
        raise Refusal(rules.BAD_ITEM)
    content = str(part.get("content", ""))
    if kind == "text":
        _limit(content, 256)
        return None
    if kind == "click":
        _limit(str(part.get("id", "")), rules.MAX_CLICK_ID_BYTES)
        _limit(content, rules.MAX_CLICK_BYTES)
    if kind == "view":
        _limit(str(part.get("url", "")), rules.MAX_URL_BYTES)
        _limit(content, 1024)
    if not content:
        raise Refusal(rules.BAD_PARAMETER)
    return content


def _file(
    kind: str, part: Mapping[str, Any], body: Mapping[str, Any], state: State, now: datetime
) -> Shown:
    media = state.media.get(str(part.get("media_id")))
    if media is None or now - media.at > rules.MEDIA_LIFE or media.kind != kind:
        raise Refusal(rules.BAD_MEDIA)
    shown_kind = "file" if kind == "video" else kind
    return Shown(media.name, kind=shown_kind, content=media.content, raw=dict(body))


def _limit(text: str, max_bytes: int) -> None:
    if size(text) > max_bytes:
        raise Refusal(rules.BAD_PARAMETER)


__all__ = ["look"]
