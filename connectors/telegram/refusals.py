"""What an error of the Bot API means for us. Pure.

A description may repeat parts of the message that was refused, so none is passed on: a text of ours
names only the phrase that was recognised in it, or a code such as ``PEER_FLOOD``.

Source: Telegram Bot API documentation (Making requests); telegram-bot-api and TDLib (texts).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)

from connectors.errors import (
    AuthError,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
)

CONFLICT = "409"
_UNREACHABLE = (
    "chat not found",
    "user not found",
    "user is deactivated",
    "bot was blocked",
    "bot was kicked",
    "bot is not a member",
    "can't initiate conversation",
    "not enough rights",
    "have no rights to send",
    "need administrator rights",
    "chat_write_forbidden",
    "chat_restricted",
    "peer_id_invalid",
    "user_is_blocked",
    "topic_closed",
    "topic_deleted",
    "message thread not found",
)
_FORMAT = (
    "can't parse entities",
    "entity_bounds_invalid",
    "unsupported parse_mode",
    "can't parse inline keyboard",
    "can't parse reply keyboard",
    "reply markup is too long",
    "button_",
    "unsupported reply markup",
)
_KNOWN = (
    "message is too long",
    "message text is empty",
    "caption is too long",
    "message is not modified",
    "query is too old",
    "file is too big",
    "invalid file_id",
    "wrong file",
    "webhook is active",
    "bad webhook",
    "secret token",
    "terminated by other getupdates",
)
_WAIT = re.compile(r"retry after (\d{1,5})")
_UNNAMED_WAIT_S = 5.0
_CODE = re.compile(r"\b[A-Z]{3,}(?:_[A-Z]+)+\b")


class Moved(Rejected):
    """The group was upgraded and has another id now.

    Attributes:
        chat_id: The new one.
    """

    def __init__(self, chat_id: int) -> None:
        super().__init__("migrated", "the group has another id now")
        self.chat_id = chat_id


def meaning(error: AiogramError, status: int) -> SendError:
    """The error that says what helps.

    Args:
        status: Of the HTTP answer.
    """
    for kind, reading in _READINGS:
        if isinstance(error, kind):
            return reading(error, status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:  # where nothing but the words says how long
        named = _WAIT.search(str(getattr(error, "message", "")))
        wait_s = float(named[1]) if named else _UNNAMED_WAIT_S
        return RateLimited("429", "too many requests", retry_after_s=wait_s)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Retryable(str(status), "the server has trouble")
    return Rejected(str(status), _phrase(error) or "refused")


def _unreadable(_error: AiogramError, status: int) -> SendError:
    """An answer that is no JSON: a proxy's page, or one that was cut off."""
    if status == HTTPStatus.GATEWAY_TIMEOUT or status < HTTPStatus.MULTIPLE_CHOICES:
        return Retryable("unreadable", "the answer was cut off", maybe_sent=True)
    return Retryable(str(status), "not the Bot API's answer")


def _refused(error: AiogramError, _status: int) -> SendError:
    text = str(getattr(error, "message", "")).lower()
    phrase = _phrase(error) or "bad request"
    if any(known in text for known in _UNREACHABLE):
        return Undeliverable("400", phrase)
    is_format = any(known in text for known in _FORMAT)
    return Rejected("400", phrase, is_format=is_format)


def _phrase(error: AiogramError) -> str | None:
    """What is known of a description."""
    said: str = getattr(error, "message", "")
    text = said.lower()
    known = next((one for one in (*_UNREACHABLE, *_FORMAT, *_KNOWN) if one in text), None)
    code = _CODE.search(said)
    if code is not None and (known is None or known.endswith("_")):
        return code[0][:40]
    return known


_READINGS: tuple[tuple[type[AiogramError], Callable[[Any, int], SendError]], ...] = (
    (ClientDecodeError, _unreadable),
    (
        TelegramRetryAfter,
        lambda error, status: RateLimited(
            str(status), "too many requests", retry_after_s=float(error.retry_after)
        ),
    ),
    (TelegramMigrateToChat, lambda error, _status: Moved(error.migrate_to_chat_id)),
    (TelegramEntityTooLarge, lambda _error, _status: Rejected("413", "the file is too large")),
    (TelegramForbiddenError, lambda error, _: Undeliverable("403", _phrase(error) or "forbidden")),
    (TelegramUnauthorizedError, lambda _error, _status: AuthError("401", "the token is refused")),
    (TelegramNotFound, lambda _error, _status: AuthError("404", "the token is no token")),
    (TelegramConflictError, lambda error, _: Retryable(CONFLICT, _phrase(error) or "conflict")),
    (TelegramBadRequest, _refused),
)

__all__ = ["CONFLICT", "Moved", "meaning"]
