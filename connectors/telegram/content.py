"""What a message holds: words, files, or something that only people can read. Pure.

Source: Telegram Bot API documentation, Message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.messages import MediaHandle

Json = Mapping[str, Any]

_FILES = {
    "animation": "video",  # before its twin, the document
    "voice": "voice",
    "video_note": "video",
    "video": "video",
    "audio": "file",
    "document": "file",
}
_SERVICE = frozenset(
    {
        "new_chat_members",
        "left_chat_member",
        "new_chat_title",
        "new_chat_photo",
        "delete_chat_photo",
        "group_chat_created",
        "supergroup_chat_created",
        "channel_chat_created",
        "message_auto_delete_timer_changed",
        "migrate_to_chat_id",
        "migrate_from_chat_id",
        "pinned_message",
        "successful_payment",
        "refunded_payment",
        "users_shared",
        "chat_shared",
        "connected_website",
        "write_access_allowed",
        "passport_data",
        "proximity_alert_triggered",
        "boost_added",
        "chat_background_set",
        "giveaway_created",
        "giveaway_completed",
        "web_app_data",
    }
)
_SERVICE_PREFIXES = (
    "forum_topic_",
    "general_forum_topic_",
    "video_chat_",
    "suggested_post_",
    "checklist_tasks_",
    "paid_message_",
    "direct_message_",
)
_UNKNOWN_STICKER = "🙂"


@dataclass(frozen=True, slots=True)
class Content:
    """Of one message.

    Attributes:
        is_unreadable: ``text`` only describes what was sent.
    """

    text: str = ""
    is_unreadable: bool = False
    media: tuple[MediaHandle, ...] = ()


def content(message: Json) -> Content | None:
    """What a message holds; ``None`` where it only tells of something (a pinned message).

    What is not known yet is unreadable: it is better to say so than to say nothing.
    """
    if "text" in message:
        return Content(_clean(message["text"]))
    media = _media(message)
    if media is not None:
        return Content(_clean(message.get("caption", "")), media=(media,))
    if "sticker" in message:
        return Content(message["sticker"].get("emoji") or _UNKNOWN_STICKER)
    if "dice" in message:
        return Content(message["dice"]["emoji"])
    described = _described(message)
    if described is not None:
        return Content(_clean(described), is_unreadable=True)
    if any(key in _SERVICE or key.startswith(_SERVICE_PREFIXES) for key in message):
        return None
    return Content("[暂不支持的消息]", is_unreadable=True)


def _media(message: Json) -> MediaHandle | None:
    photo: Sequence[Json] = message.get("photo") or ()
    if photo:
        return _handle("image", photo[-1])  # the sizes come in order, the largest last
    found = next((name for name in _FILES if name in message), None)
    return _handle(_FILES[found], message[found]) if found is not None else None


def _handle(kind: str, file: Json) -> MediaHandle:
    size = file.get("file_size")
    return MediaHandle(
        kind,
        {"file_id": str(file["file_id"])},
        name=_clean(str(file.get("file_name") or "")),
        mime=str(file.get("mime_type") or ""),
        size=size if isinstance(size, int) else None,
    )


def _described(message: Json) -> str | None:
    if "venue" in message:  # before its twin, the location
        venue = message["venue"]
        return f"[位置] {venue['title']} {venue['address']}".rstrip()
    if "location" in message:
        place = message["location"]
        return f"[位置] {place['latitude']:.5f}, {place['longitude']:.5f}"
    if "contact" in message:
        person = message["contact"]
        return f"[名片] {person['first_name']} {person.get('last_name', '')}".rstrip()
    if "poll" in message:
        return f"[投票] {message['poll']['question']}"
    return None


def _clean(text: str) -> str:
    """Without what a database cannot keep: halves of characters, and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


__all__ = ["Content", "content"]
