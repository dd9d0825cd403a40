"""Limits of a message, on every channel, before anything looks at it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.wording.customer.remarks import FILES_CUT, TEXT_CUT
from connectors.kit.payload import (
    MAX_ID_CHARS,
    MAX_KEY_CHARS,
    MAX_NAME_CHARS,
    bounded_name,
    clean,
)
from connectors.messages import Inbound, MediaHandle

MAX_STORED_CHARS = 4000
"""Length that the shop's page takes; Telegram sends 4,096, an app up to 10,000."""
MAX_FILES = 20
"""Files of one message."""
MAX_SECRETS = 40
"""Values of one message that are sealed one by one; each is a row of its own."""
MAX_FILE_NAME_CHARS, MAX_MIME_CHARS, MAX_ORDER_CHARS = 120, 80, 60
READ_HEAD, READ_TAIL = 3000, 1000
_CUT_VALUE = re.compile(r"[0-9A-Za-z@._+\-]{1,80}\Z")

Span = tuple[int, int, str]


def bounded(message: Inbound) -> Inbound:
    """The message with no more text and files than are kept.

    What was cut is told in the text, for whoever reads it; half a value, which nobody would
    recognise as a secret any more, goes with the rest. Nothing is left that a database refuses:
    half a surrogate pair, NUL, an id that is longer than its column.
    """
    message = _storable(message)
    if len(message.text) <= MAX_STORED_CHARS and len(message.media) <= MAX_FILES:
        return message
    text = message.text
    if len(text) > MAX_STORED_CHARS:
        kept = text[:MAX_STORED_CHARS]
        if _CUT_VALUE.match(text[MAX_STORED_CHARS]):
            kept = _CUT_VALUE.sub("", kept)
        text = kept + TEXT_CUT.format(chars=len(text) - len(kept))
    missing = len(message.media) - MAX_FILES
    if missing > 0:
        text = f"{text}\n{FILES_CUT.format(files=missing)}".strip()
    return replace(message, text=text, media=message.media[:MAX_FILES])


def _storable(message: Inbound) -> Inbound:
    address, window = message.address, message.window
    stored = replace(
        message,
        text=clean(message.text),
        quoted=clean(message.quoted),
        dedup_key=bounded_name(message.dedup_key, MAX_KEY_CHARS),
        address=replace(
            address,
            peer_id=bounded_name(address.peer_id, MAX_ID_CHARS),
            user_id=bounded_name(address.user_id, MAX_ID_CHARS),
        ),
        person_name=_name(message.person_name),
        detail=_name(message.detail),
        client_id=_reference(message.client_id, MAX_NAME_CHARS),
        album=_reference(message.album, MAX_KEY_CHARS),
        reference=_reference(message.reference, MAX_KEY_CHARS),
        button_token=_reference(message.button_token, MAX_KEY_CHARS),
        contacts=tuple(clean(contact) for contact in message.contacts),
        media=tuple(_file(media) for media in message.media),
        order_hint=_reference(message.order_hint, MAX_ORDER_CHARS),
        window=window and replace(window, key=bounded_name(window.key, MAX_KEY_CHARS)),
    )
    return message if stored == message else stored


def _reference(text: str | None, most: int) -> str | None:
    return None if text is None else bounded_name(text, most)


def _file(media: MediaHandle) -> MediaHandle:
    name, mime = clean(media.name)[:MAX_FILE_NAME_CHARS], clean(media.mime)[:MAX_MIME_CHARS]
    return replace(media, name=name, mime=mime)


def _name(text: str | None) -> str | None:
    return None if text is None else clean(text)[:MAX_NAME_CHARS]


def ends(text: str) -> str:
    """The head and the tail of a long text: a question stands there, and so does a number.

    >>> len(ends("好" * 100_000))
    4001
    """
    if len(text) <= READ_HEAD + READ_TAIL:
        return text
    return f"{text[:READ_HEAD]}\n{text[-READ_TAIL:]}"


def few(spans: Sequence[Span]) -> Sequence[Span]:
    """Spans to seal; those beyond the allowed number are one span, from the first to the last.

    Args:
        spans: In order, not overlapping.
    """
    if len(spans) <= MAX_SECRETS:
        return spans
    rest = spans[MAX_SECRETS - 1 :]
    return [*spans[: MAX_SECRETS - 1], (rest[0][0], rest[-1][1], rest[0][2])]
