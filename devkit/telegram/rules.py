"""What the Bot API allows, and how it refuses.

Source: Telegram Bot API documentation; telegram-bot-api and TDLib (texts of errors, retries).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_ENTITIES = 100
MAX_CALLBACK_DATA_BYTES = 64
MAX_CALLBACK_ANSWER = 200
MAX_BUTTONS = 100
MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
MAX_UPLOAD_BYTES = 50 * 1024 * 1024
MAX_PHOTO_BYTES = 10 * 1024 * 1024
FILE_LINK_LIFE = timedelta(hours=1)
MESSAGE_LIFE = timedelta(hours=24)
"""How long an update of a message waits for whoever should take it."""
QUERY_LIFE = timedelta(seconds=150)
CALLBACK_ANSWER_LIFE = timedelta(seconds=60)
GONE_LIFE = timedelta(hours=23)
"""A webhook that answers 410 for longer is taken away."""

SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
MAX_SECRET_TOKEN = 256
WEBHOOK_PORTS = frozenset({443, 80, 88, 8443})
LEFT_OUT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds of updates that come only to who names them."""
ACTIONS = frozenset(
    {
        "typing",
        "choose_sticker",
        "find_location",
        *(f"upload_{kind}" for kind in ("photo", "video", "voice", "document", "video_note")),
        *(f"record_{kind}" for kind in ("video", "voice", "video_note")),
    }
)
PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")

_WORDS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
}

QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
OTHER_POLLER = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)
HAS_WEBHOOK = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook "
    "first"
)
BLOCKED = "bot was blocked by the user"
DEACTIVATED = "user is deactivated"
NEVER_STARTED = "bot can't initiate conversation with a user"
KICKED = "bot was kicked from the supergroup chat"


class Refusal(Exception):
    """The Bot API says no."""

    def __init__(self, code: int, detail: str = "", **parameters: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.parameters = parameters


def bad(detail: str, **parameters: Any) -> Refusal:
    """400."""
    return Refusal(400, detail, **parameters)


def error_body(code: int, detail: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a refusal."""
    words = _WORDS.get(code, "Error")
    body: dict[str, Any] = {
        "ok": False,
        "error_code": code,
        "description": f"{words}: {detail}" if detail else words,
    }
    if parameters:
        body["parameters"] = dict(parameters)
    return body


def utf16(text: str) -> int:
    """Length as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
