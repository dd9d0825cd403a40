"""Messages that are neither words nor files, in a line that an agent can read. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connectors.kit.payload import words_in
from connectors.kit.standins import FILE_NAMES, standin

_CARDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "location": ("位置", ("name", "address")),
    "link": ("链接", ("title", "desc", "url")),
    "business_card": ("名片", ("name",)),
    "miniprogram": ("小程序", ("title",)),
    "channels": ("视频号", ("nickname", "title")),
    "channels_shop_product": ("视频号商品", ("title", "shop_nickname")),
    "channels_shop_order": ("视频号订单", ("product_titles", "price_wording", "state")),
    "meeting": ("会议", ("title", "topic")),
    "schedule": ("日程", ("title", "topic")),
    "note": ("笔记", ("title", "content")),
    "msgmenu": ("菜单", ("head_content", "tail_content")),
}
_WORDS = ("title", "name", "content", "desc", "nickname", "text", "address")
_MOST_PASSED_ON = 20


def described(kind: str, part: Mapping[str, Any]) -> str:
    """One line for a card, or for a file that cannot be had.

    >>> described("location", {"name": "测试大厦", "address": "上海市", "latitude": 31.2})
    '[位置] 测试大厦 上海市'
    >>> described("hologram", {"title": "全息图"})
    '[其他消息] 全息图'
    """
    if kind == "merged_msg":
        return standin("聊天记录", part.get("title", ""), *_passed_on(part))
    if kind in FILE_NAMES:
        return standin(FILE_NAMES[kind], part.get("filename", ""))
    if kind not in _CARDS:
        return standin("其他消息", *words_in(part, _WORDS))
    label, fields = _CARDS[kind]
    return standin(label, *(part[field] for field in fields if part.get(field)))


def _passed_on(part: Mapping[str, Any]) -> list[str]:
    """Read who said what in a record that was passed on; each message is JSON within the JSON."""
    items = part.get("item")
    lines = []
    for one in items[:_MOST_PASSED_ON] if isinstance(items, list) else []:
        if not isinstance(one, Mapping):
            continue
        kind = str(one.get("msgtype", ""))
        said = _said(kind, one.get("msg_content"))
        who = one.get("sender_name", "")
        lines.append(f"{who}：{said}" if who and said else said)
    return [line for line in lines if line]


def _said(kind: str, written: object) -> str:
    try:
        part = json.loads(written) if isinstance(written, str) else written
    except (ValueError, RecursionError):
        return str(written)
    if not isinstance(part, Mapping):
        return str(part or "")
    inner = part.get(kind, part)
    if kind == "text":
        return " ".join(words_in(inner, ("content", "text")))
    return (
        described(kind, inner if isinstance(inner, Mapping) else {})
        if kind != "merged_msg"
        else "[聊天记录]"
    )


__all__ = ["described"]
