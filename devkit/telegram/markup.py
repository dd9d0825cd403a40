"""Checks what is offered under a message: buttons and keyboards.

Source: Telegram Bot API documentation, InlineKeyboardButton; TDLib (texts of errors).
"""

from __future__ import annotations

from typing import Any

from devkit.telegram.rules import MAX_BUTTONS, MAX_CALLBACK_DATA_BYTES, bad
from devkit.telegram.state import Json

_OTHER_MARKUP = ("keyboard", "remove_keyboard", "force_reply")
_WHAT_FOR = ("url", "callback_data", "web_app", "login_url", "copy_text", "switch_inline_query")


def checked(markup: Any) -> Json | None:
    """A reply markup that is as it should be; ``None`` where there is none.

    Raises:
        Refusal: 400.
    """
    if not markup:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    if "inline_keyboard" not in markup:
        if not any(name in markup for name in _OTHER_MARKUP):
            raise bad("unsupported reply markup")
        return markup
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    found = [button for row in rows for button in row]
    for button in found:
        _check(button)
    if len(found) > MAX_BUTTONS:
        raise bad("reply markup is too long")
    return {"inline_keyboard": rows} if found else None


def _check(button: Any) -> None:
    if not isinstance(button, dict) or not str(button.get("text") or "").strip():
        raise bad('can\'t parse inline keyboard button: Field "text" must be non-empty')
    if not any(name in button for name in _WHAT_FOR):
        raise bad("can't parse inline keyboard button: Text buttons are unallowed")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= MAX_CALLBACK_DATA_BYTES:
        raise bad("BUTTON_DATA_INVALID")
    url = button.get("url")
    if url is not None and not str(url).startswith(("http://", "https://", "tg://")):
        raise bad("BUTTON_URL_INVALID")


def labels(markup: Json | None) -> tuple[str, ...]:
    """What the buttons say."""
    rows = (markup or {}).get("inline_keyboard", [])
    return tuple(str(button["text"]) for row in rows for button in row)
