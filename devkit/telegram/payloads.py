"""Objects as the Bot API writes them.

Source: Telegram Bot API documentation, Available types.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from devkit.telegram.rules import utf16
from devkit.telegram.state import (
    BOT,
    Chat,
    Json,
    StoredFile,
)

_DEFAULT_MIME = {"voice": "audio/ogg", "video": "video/mp4"}


def user(user_id: int, name: str) -> Json:
    """A customer."""
    return {
        "id": user_id,
        "is_bot": False,
        "first_name": name,
        "last_name": "测试",
        "username": f"user_{user_id}",
        "language_code": "zh-hans",
    }


def chat(one: Chat) -> Json:
    """Where a message stands."""
    if one.is_group:
        return {"id": one.id, "title": one.name, "type": "supergroup"}
    named = user(one.id, one.name)
    return {"id": one.id, "type": "private"} | {
        key: named[key] for key in ("first_name", "last_name", "username")
    }


def message(where: Chat, who: Json, message_id: int, at: datetime, **content: Any) -> Json:
    """A message with whatever it holds."""
    return {
        "message_id": message_id,
        "from": who,
        "chat": chat(where),
        "date": int(at.timestamp()),
        **content,
    }


def text(said: str, *, mentions: bool) -> Json:
    """The words of a message, with the bot's name before them in groups."""
    content: Json = {"text": said}
    entities: list[Json] = []
    if mentions:
        name = f"@{BOT['username']}"
        content["text"] = f"{name} {said}"
        entities.append({"type": "mention", "offset": 0, "length": utf16(name)})
    elif said.startswith("/"):
        command = said.split(maxsplit=1)[0]
        entities.append({"type": "bot_command", "offset": 0, "length": utf16(command)})
    return content | ({"entities": entities} if entities else {})


def is_for_bot(message: Json) -> bool:
    """Whether a bot in privacy mode hears it in a group: a reply to it, or a command to it."""
    command = str(message.get("text", "")).split(" ")[0]
    is_command = command.startswith("/") and command.endswith(f"@{BOT['username']}")
    return is_command or message.get("reply_to_message", {}).get("from", {}).get("id") == BOT["id"]


def file(stored: StoredFile, **more: Any) -> Json:
    """A file as messages name it."""
    unique = f"AgAD{stored.file_id[-8:]}"
    return {
        "file_id": stored.file_id,
        "file_unique_id": unique,
        "file_size": stored.size,
        **more,
    }


def media(kind: str, stored: StoredFile, *, name: str, mime: str) -> Json:
    """What a message with a file holds; a photo comes in several sizes, the largest last."""
    if kind == "image":
        small = file(stored, width=90, height=67) | {"file_id": f"{stored.file_id}_s"}
        return {"photo": [small, file(stored, width=1280, height=960)]}
    if kind == "voice":
        return {"voice": file(stored, duration=3, mime_type=mime or _DEFAULT_MIME[kind])}
    if kind == "video":
        about = {"duration": 5, "width": 640, "height": 480}
        return {"video": file(stored, **about, mime_type=mime or _DEFAULT_MIME[kind])}
    about_file = {"file_name": name or "file.bin", "mime_type": mime or "application/octet-stream"}
    return {"document": file(stored, **about_file)}


def membership(where: Chat, who: Json, at: datetime, old: str, new: str) -> Json:
    """The bot's place in a chat changed: ``kicked`` in a private chat means blocked."""
    extra = {"until_date": 0} if new == "kicked" else {}
    was = {"until_date": 0} if old == "kicked" else {}
    return {
        "chat": chat(where),
        "from": who,
        "date": int(at.timestamp()),
        "old_chat_member": {"user": BOT, "status": old, **was},
        "new_chat_member": {"user": BOT, "status": new, **extra},
    }
