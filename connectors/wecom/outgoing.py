"""From a unit to the JSON that sends it. Pure but for the upload of a file.

Source: 发送消息 (94677), 上传临时素材 (90253).
"""

from __future__ import annotations

from typing import Any

from connectors.delivery.chunking import utf8_bytes
from connectors.errors import Rejected
from connectors.messages import Attachment, Unit

_MIB = 1024 * 1024
_LIMITS: dict[str, tuple[frozenset[str], int]] = {
    "image": (frozenset({"image/png", "image/jpeg"}), 10 * _MIB),
    "voice": (frozenset({"audio/amr"}), 2 * _MIB),
    "video": (frozenset({"video/mp4"}), 10 * _MIB),
}
_MAX_FILE_BYTES = 20 * _MIB
_SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "audio/amr": ".amr",
    "video/mp4": ".mp4",
}


def text(unit: Unit, *, max_menu_text_bytes: int) -> dict[str, Any]:
    """A text, or a menu under it.

    Raises:
        Rejected: The text is too long to have a menu under it: it goes with numbers instead.
    """
    if not unit.buttons:
        return {"msgtype": "text", "text": {"content": unit.text}}
    if utf8_bytes(unit.text) > max_menu_text_bytes:
        raise Rejected("menu_text", "too long for a menu", is_format=True)
    items = [
        {"type": "click", "click": {"id": token, "content": label}} for token, label in unit.buttons
    ]
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": unit.text, "list": items}}


def file_kind(attachment: Attachment, size: int) -> str:
    """As what the platform takes a file: what its own kind does not allow goes as a ``file``.

    Raises:
        Rejected: It is too large for any.
    """
    mimes, max_bytes = _LIMITS.get(attachment.kind, (frozenset(), 0))
    if attachment.mime in mimes and size <= max_bytes:
        return attachment.kind
    if size > _MAX_FILE_BYTES:
        raise Rejected("too_large", "no file of this size is taken")
    return "file"


def file_name(attachment: Attachment) -> str:
    """A name with the ending by which WeChat opens it; nothing that could break a header."""
    plain = "".join(char for char in attachment.name if char.isprintable() and char not in '"\\/')
    suffix = _SUFFIXES.get(attachment.mime, "")
    name = plain.strip()[-80:] or attachment.kind
    return name if not suffix or "." in name else name + suffix


def file(kind: str, media_id: str) -> dict[str, Any]:
    """An uploaded file."""
    return {"msgtype": kind, kind: {"media_id": media_id}}


__all__ = ["file", "file_kind", "file_name", "text"]
