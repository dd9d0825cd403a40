"""From a unit to what the platform is sent. Pure.

Source: 客服消息 (text, image, video, msgmenu).
"""

from __future__ import annotations

import re
from typing import Any

from connectors.errors import Rejected
from connectors.messages import Attachment, Unit

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_LINK = re.compile(r"<(?=/?a[\s>])", re.IGNORECASE)
_ENTITY = re.compile(r"&(?=(?:lt|gt|amp|quot|apos|nbsp|#\d+|#x[0-9a-f]+);)", re.IGNORECASE)
_SUFFIX = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "video/mp4": "mp4",
}


def shown_as_is(text: str) -> str:
    """A text that a phone shows as it stands.

    Phones make links of ``<a>`` and know no other tag, so only what would become a link or an
    entity gets a full-width sign. Control characters go: no XML may hold them, and JSON would
    escape them, which customers would read.

    >>> shown_as_is('<b>1 & 2</b> <a href="x">y</a> &lt;')
    '<b>1 & 2</b> ＜a href="x">y＜/a> ＆lt;'
    """
    return _ENTITY.sub("＆", _LINK.sub("＜", _CONTROL.sub("", text)))


def message(unit: Unit, *, max_text_bytes: int) -> dict[str, Any]:
    """A text, with a menu under it where the unit has buttons.

    Raises:
        Rejected: Text and menu together are too long: the same with numbers may pass.
    """
    text = shown_as_is(unit.text)
    if not unit.buttons:
        return {"msgtype": "text", "text": {"content": text}}
    entries = [{"id": token, "content": shown_as_is(label)} for token, label in unit.buttons]
    lines = [text, *(entry["content"] for entry in entries)]
    if len("\n".join(lines).encode()) > max_text_bytes:
        raise Rejected("too_long", "文字和选项加起来太长", is_format=True)
    menu = {"head_content": text, "list": entries, "tail_content": ""}
    return {"msgtype": "msgmenu", "msgmenu": menu}


def media(kind: str, media_id: str) -> dict[str, Any]:
    """An uploaded file."""
    return {"msgtype": kind, kind: {"media_id": media_id}}


def file_name(attachment: Attachment, content: bytes, *, max_bytes: int) -> str:
    """What to call an upload; the platform goes by its ending.

    Raises:
        Rejected: It is too large, or of a kind that the platform does not take.
    """
    suffix = _SUFFIX.get(attachment.mime)
    if suffix is None:
        raise Rejected("file_kind", "微信只收 JPG、PNG、GIF 图片和 MP4 视频")
    if len(content) > max_bytes:
        raise Rejected("too_large", "文件超过了微信的大小限制")
    return f"{attachment.kind}.{suffix}"


__all__ = ["file_name", "media", "message", "shown_as_is"]
