"""What a message holds: words, files, or something that only people can read. Pure.

Every field of a message has its place here; a test compares them with what python-telegram-bot and
aiogram know, so that a field of a new Bot API asks for its word.

Source: Telegram Bot API documentation, Message (10.3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kit.payload import clean, words_in
from connectors.kit.standins import UNKNOWN, standin
from connectors.messages import MediaHandle

Json = Mapping[str, Any]

_FILES = {
    "live_photo": "video",
    "animation": "video",  # before its twin, the document
    "voice": "voice",
    "video_note": "video",
    "video": "video",
    "audio": "file",
    "document": "file",
}
_FILE_NAMES = {
    "photo": "图片",
    "live_photo": "实况照片",
    "animation": "动图",
    "voice": "语音",
    "video_note": "视频",
    "video": "视频",
    "audio": "音频",
    "document": "文件",
}
_SAID = frozenset({"text", "rich_message", "caption", "sticker"})
TOLD = frozenset(
    {
        "boost_added",
        "channel_chat_created",
        "chat_background_set",
        "chat_owner_changed",
        "chat_owner_left",
        "chat_shared",
        "checklist_tasks_added",
        "checklist_tasks_done",
        "community_chat_added",
        "community_chat_joined",
        "community_chat_removed",
        "connected_website",
        "delete_chat_photo",
        "direct_message_price_changed",
        "forum_topic_closed",
        "forum_topic_created",
        "forum_topic_edited",
        "forum_topic_reopened",
        "general_forum_topic_hidden",
        "general_forum_topic_unhidden",
        "giveaway_completed",
        "giveaway_created",
        "group_chat_created",
        "left_chat_member",
        "managed_bot_created",
        "message_auto_delete_timer_changed",
        "migrate_from_chat_id",
        "migrate_to_chat_id",
        "new_chat_members",
        "new_chat_photo",
        "new_chat_title",
        "paid_message_price_changed",
        "passport_data",
        "pinned_message",
        "poll_option_added",
        "poll_option_deleted",
        "proximity_alert_triggered",
        "refunded_payment",
        "successful_payment",
        "suggested_post_approval_failed",
        "suggested_post_approved",
        "suggested_post_declined",
        "suggested_post_paid",
        "suggested_post_refunded",
        "supergroup_chat_created",
        "user_shared",
        "users_shared",
        "video_chat_ended",
        "video_chat_participants_invited",
        "video_chat_scheduled",
        "video_chat_started",
        "web_app_data",
        "write_access_allowed",
    }
)
"""Something happened, and nobody waits for an answer."""
BESIDE = frozenset(
    {
        "author_signature",
        "business_connection_id",
        "caption_entities",
        "chat",
        "date",
        "direct_messages_topic",
        "edit_date",
        "effect_id",
        "entities",
        "ephemeral_message_id",
        "external_reply",
        "forward_date",
        "forward_from",
        "forward_from_chat",
        "forward_from_message_id",
        "forward_origin",
        "forward_sender_name",
        "forward_signature",
        "from",
        "guest_bot_caller_chat",
        "guest_bot_caller_user",
        "guest_query_id",
        "has_media_spoiler",
        "has_protected_content",
        "is_automatic_forward",
        "is_from_offline",
        "is_paid_post",
        "is_topic_message",
        "link_preview_options",
        "media_group_id",
        "message_id",
        "message_thread_id",
        "paid_star_count",
        "quote",
        "receiver_user",
        "reply_markup",
        "reply_to_checklist_task_id",
        "reply_to_message",
        "reply_to_poll_option_id",
        "reply_to_story",
        "sender_boost_count",
        "sender_business_bot",
        "sender_chat",
        "sender_tag",
        "show_caption_above_media",
        "suggested_post_info",
        "via_bot",
    }
)
"""Who, when, in answer to what: never what was sent."""
_WORDS = ("title", "text", "caption", "description", "question", "name", "value", "credit")
_RICH = ("text", "caption", "summary", "credit", "value", "label")
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

    Args:
        message: Without flags that are not set (``connectors.kit.payload.present``).
    """
    for name in _FILE_NAMES:
        if name in message:
            return _file(name, message)
    if "text" in message:
        return Content(clean(message["text"]))
    if "rich_message" in message:
        return _rich(message["rich_message"])
    if "sticker" in message:
        return Content(message["sticker"].get("emoji") or _UNKNOWN_STICKER)
    for name, (label, words) in _DESCRIBED.items():
        if name in message:
            line = standin(label, *words(message[name]), message.get("caption", ""))
            media = _for_sale(message[name]) if name == "paid_media" else ()
            return Content(line, is_unreadable=True, media=media)
    if not TOLD.isdisjoint(message):
        return None
    unknown = [value for name, value in message.items() if name not in KNOWN | BESIDE]
    if "caption" in message and not unknown:
        return Content(clean(message["caption"]))
    return Content(standin(UNKNOWN, *words_in(unknown, _WORDS)), is_unreadable=True)


def _file(name: str, message: Json) -> Content:
    caption = clean(message.get("caption", ""))
    file = message[name]
    handle = None
    if name == "photo":
        handle = _picture(file)
    elif name == "live_photo":
        handle = _picture(file.get("photo") or ())
    handle = handle or (_handle(_FILES[name], file) if name in _FILES else None)
    if handle is None:  # nothing to fetch it by
        return Content(standin(_FILE_NAMES[name], caption), is_unreadable=True)
    return Content(caption, media=(handle,))


def _picture(sizes: Sequence[Json]) -> MediaHandle | None:
    return _handle("image", sizes[-1]) if sizes else None  # they come in order, the largest last


def _handle(kind: str, file: Json) -> MediaHandle | None:
    file_id, size = file.get("file_id"), file.get("file_size")
    if not isinstance(file_id, str):
        return None
    return MediaHandle(
        kind,
        {"file_id": file_id},
        name=clean(str(file.get("file_name") or "")),
        mime=clean(str(file.get("mime_type") or "")),
        size=size if isinstance(size, int) else None,
    )


def _rich(message: Json) -> Content:
    """A long formatted message: its words, a block a line."""
    lines = (" ".join(words_in(block, _RICH)) for block in message.get("blocks", ()))
    text = "\n".join(one for one in lines if one)
    return Content(text) if text else Content(standin("图文消息"), is_unreadable=True)


def _for_sale(paid: Json) -> tuple[MediaHandle, ...]:
    """Files of paid media that the bot may see."""
    found: list[MediaHandle | None] = []
    for one in paid.get("paid_media", ()):
        found.append(_picture(one["photo"]) if "photo" in one else None)
        found.append(_handle("video", one["video"]) if "video" in one else None)
    return tuple(one for one in found if one is not None)


def _at(place: Json) -> tuple[str, ...]:
    return (f"{place['latitude']:.5f}, {place['longitude']:.5f}",)


def _fields(*names: str) -> Callable[[Json], Sequence[object]]:
    return lambda value: [value.get(name, "") for name in names]


def _with_parts(title: str, parts: str) -> Callable[[Json], Sequence[object]]:
    return lambda value: [value.get(title, ""), *words_in(value.get(parts), ("text",))]


def _nothing(_value: Json) -> tuple[()]:
    return ()


_DESCRIBED: Mapping[str, tuple[str, Callable[[Json], Sequence[object]]]] = {
    "checklist": ("清单", _with_parts("title", "tasks")),
    "contact": ("名片", _fields("first_name", "last_name")),
    "dice": ("骰子", _fields("emoji", "value")),
    "game": ("游戏", _fields("title", "description", "text")),
    "gift": ("礼物", _fields("text")),
    "gift_upgrade_sent": ("礼物", _fields("text")),
    "giveaway": ("抽奖", _fields("prize_description")),
    "giveaway_winners": ("抽奖结果", _fields("prize_description")),
    "invoice": ("账单", _fields("title", "description")),
    "paid_media": ("付费内容", _nothing),
    "poll": ("投票", _with_parts("question", "options")),
    "story": ("转发的动态", _nothing),
    "unique_gift": ("礼物", lambda value: words_in(value, ("base_name",))),
    "venue": ("位置", _fields("title", "address")),  # before its twin, the location
    "location": ("位置", _at),
}
"""What only a person can read: its name, and the words in it."""
KNOWN = _SAID | TOLD | _FILE_NAMES.keys() | _DESCRIBED.keys()
"""What a message may hold."""

__all__ = ["BESIDE", "KNOWN", "TOLD", "Content", "content"]
