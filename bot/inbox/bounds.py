"""What of a message is stored and read, on every channel, before anything looks at it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from connectors.kit.payload import clean
from connectors.messages import Inbound

MAX_STORED_CHARS = 4000
"""As much as the shop's page takes; Telegram sends 4,096, an app up to 10,000."""
MAX_FILES = 20
"""Files of one message."""
MAX_SECRETS = 40
"""Values of one message that are sealed one by one; each is a row of its own."""
MAX_KEY_CHARS, MAX_ID_CHARS, MAX_NAME_CHARS = 160, 120, 80
"""As wide as their columns: PostgreSQL refuses what is longer, SQLite does not notice."""
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
        text = f"{kept}…（太长了，后面 {len(text) - len(kept)} 个字没有保存）"
    missing = len(message.media) - MAX_FILES
    if missing > 0:
        text = f"{text}\n（文件太多了，后面 {missing} 个没有保存）".strip()
    return replace(message, text=text, media=message.media[:MAX_FILES])


def _storable(message: Inbound) -> Inbound:
    address = message.address
    stored = replace(
        message,
        text=clean(message.text),
        dedup_key=_key(message.dedup_key, MAX_KEY_CHARS),
        address=replace(
            address,
            peer_id=_key(address.peer_id, MAX_ID_CHARS),
            user_id=_key(address.user_id, MAX_ID_CHARS),
        ),
        person_name=_name(message.person_name),
        detail=_name(message.detail),
        client_id=None if message.client_id is None else _key(message.client_id, MAX_NAME_CHARS),
    )
    return message if stored == message else stored


def _key(text: str, most: int) -> str:
    """An id as it is stored; one that is too long keeps its beginning and what tells it apart."""
    kept = clean(text)
    if len(kept) <= most:
        return kept
    digest = sha256(kept.encode()).hexdigest()[:32]
    return f"{kept[: most - len(digest) - 1]}#{digest}"


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
