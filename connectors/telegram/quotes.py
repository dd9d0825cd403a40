"""What a message answers, as far as Telegram delivers it. Pure.

Source: Telegram Bot API documentation, Message: ``quote`` is the part that the user marked,
``reply_to_message`` the whole message of this chat, ``external_reply`` one of another chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.kit.payload import clean
from connectors.kit.standins import FILE_NAMES, standin
from connectors.telegram.content import content

Json = Mapping[str, Any]


def quoted(message: Json) -> str:
    """Return the line that a message answers; empty where it answers none that can be read."""
    marked = message.get("quote", {}).get("text", "")
    if marked:
        return clean(marked)
    answered = message.get("reply_to_message") or message.get("external_reply")
    if answered:
        found = content(answered)
        if found is None:
            return ""  # a topic's beginning, and other news
        files = " ".join(standin(FILE_NAMES[one.kind]) for one in found.media)
        return " ".join(one for one in (files, found.text) if one)
    return standin("动态") if "reply_to_story" in message else ""


__all__ = ["quoted"]
