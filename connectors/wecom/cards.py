"""Messages that are neither words nor files, in a line that an agent can read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MAX_CHARS = 500
_CARDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "location": ("位置", ("name", "address")),
    "link": ("链接", ("title", "desc", "url")),
    "business_card": ("名片", ()),
    "miniprogram": ("小程序", ("title",)),
    "channels": ("视频号", ("nickname", "title")),
    "channels_shop_product": ("视频号商品", ("title", "shop_nickname")),
    "channels_shop_order": ("视频号订单", ("product_titles", "price_wording", "state")),
    "merged_msg": ("聊天记录", ("title",)),
    "meeting": ("会议", ()),
    "schedule": ("日程", ()),
    "note": ("笔记", ()),
    "msgmenu": ("菜单", ("head_content", "tail_content")),
}


def described(kind: str, part: Mapping[str, Any]) -> str:
    """One line for a card.

    >>> described("location", {"name": "测试大厦", "address": "上海市", "latitude": 31.2})
    '[位置] 测试大厦 上海市'
    >>> described("hologram", {})
    '[其他消息]'
    """
    title, fields = _CARDS.get(kind, ("其他消息", ()))
    words = [str(part[field]) for field in fields if part.get(field)]
    return " ".join([f"[{title}]", *words])[:_MAX_CHARS]


__all__ = ["described"]
