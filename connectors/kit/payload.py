"""Payloads as platforms, and libraries that speak for them, write them: read in one form. Pure.

A library may write out every flag that is not set (python-telegram-bot's ``to_dict`` writes
``group_chat_created: false``), another leaves them out. A mapper that asks whether a key is there
must not be told two things, so each payload goes through ``present`` first.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

MAX_KEY_CHARS, MAX_ID_CHARS, MAX_NAME_CHARS = 160, 120, 80
"""As wide as their columns: PostgreSQL refuses what is longer, SQLite does not notice."""
_DEEPEST = 60
"""What lies deeper is left as it is: no platform nests so far, and recursion has an end."""
_MOST_WORDS = 40
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{6,}={0,2}")


def present(payload: Any, depth: int = _DEEPEST) -> Any:
    """Return a payload without the keys that say nothing: false, null, an empty text or list.

    Zero says something, and so does an empty object: Telegram tells some events by one.

    >>> present({"group_chat_created": False, "photo": [], "closed": {}, "n": {"at": 0, "x": None}})
    {'closed': {}, 'n': {'at': 0}}
    """
    if depth <= 0:
        return payload
    if isinstance(payload, Mapping):
        pairs = ((key, present(value, depth - 1)) for key, value in payload.items())
        return {key: value for key, value in pairs if not _is_absent(value)}
    if isinstance(payload, list | tuple):
        return [present(value, depth - 1) for value in payload]
    return payload


def _is_absent(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, str | list) and not value)


def clean(text: str) -> str:
    """Return a text without what a database cannot keep: halves of characters, and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def bounded_name(text: str, most: int) -> str:
    """Return a platform's own name of something as it is kept, equal over redeliveries.

    One that is too long keeps its beginning, and what tells it apart from others that begin so.

    Args:
        text: An id or a key, as the platform wrote it.
        most: Characters, as wide as its column; at least 40.

    >>> bounded_name("12345", 40), len(bounded_name("1" * 5000, 40))
    ('12345', 40)
    """
    kept = clean(text)
    if len(kept) <= most:
        return kept
    digest = hashlib.sha256(kept.encode()).hexdigest()[:32]
    return f"{kept[: most - len(digest) - 1]}#{digest}"


def id_of(value: object) -> str:
    """Return the id of a person or a group; empty for what no platform calls anybody.

    One that had to be changed to be kept would name somebody else, or nobody who can be answered.

    >>> id_of(10001), id_of("oAbc"), id_of(None), id_of(True), id_of("a" * 5000)
    ('10001', 'oAbc', '', '', '')
    """
    if not isinstance(value, str | int) or isinstance(value, bool):
        return ""
    text = str(value)
    return text if text.strip() and len(text) <= MAX_ID_CHARS and clean(text) == text else ""


def decoded(payload: str) -> str:
    """Return what a link carried, its percent-encoding undone once; what is none stays as it is.

    >>> decoded("%E8%AE%A2%E5%8D%95"), decoded("%25E8"), decoded("100%"), decoded("%E8%AE")
    ('订单', '%E8', '100%', '%E8%AE')
    """
    if payload.count("%") != len(_PERCENT.findall(payload)) or "%" not in payload:
        return payload
    try:
        return clean(unquote(payload, errors="strict"))
    except UnicodeDecodeError:
        return payload


def decoded_base64url(payload: str) -> str:
    """Return a text that was put into a link as base64url; what is none stays as it is.

    Links of some platforms take letters, digits, ``_`` and ``-`` alone, so libraries pack other
    texts so (aiogram's ``create_start_link``). A plain word is hardly ever readable the other way
    round: its first byte would have to be a printable character's.

    >>> decoded_base64url("6K6i5Y2VQS0xMDA"), decoded_base64url("order_A100")
    ('订单A-100', 'order_A100')
    """
    bare = payload.rstrip("=")
    if not _BASE64URL.fullmatch(payload) or len(bare) % 4 == 1:
        return payload
    packed = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    if base64.urlsafe_b64encode(packed).decode().rstrip("=") != bare:
        return payload
    try:
        text = packed.decode()
    except UnicodeDecodeError:
        return payload
    return text if text.isprintable() and text.strip() else payload


def fingerprint(payload: Any) -> str:
    """Return a short name of a payload's content, for what its platform did not name.

    A redelivery holds the same and has the same name; 80 bits keep others apart.
    """
    written = json.dumps(payload, ensure_ascii=True, sort_keys=True, default=str)
    return hashlib.sha256(written.encode()).hexdigest()[:20]


def words_in(payload: Any, keys: Collection[str]) -> list[str]:
    """Return the texts that stand under some keys anywhere in a payload, in order, each once.

    Args:
        payload: JSON-like. A list under such a key holds pieces of one text.
        keys: Names of fields that people read, such as ``title``.

    >>> words_in([{"title": "退款"}, {"text": ["第", {"text": "一"}, "步"]}], {"title", "text"})
    ['退款', '第一步']
    """
    found: dict[str, None] = {}
    for words in map(str.strip, _texts(payload, keys, _DEEPEST)):
        if words:
            found[words] = None
        if len(found) >= _MOST_WORDS:
            break
    return list(found)


def _texts(payload: Any, keys: Collection[str], depth: int) -> Iterator[str]:
    if depth <= 0:
        return
    if isinstance(payload, Mapping):
        for key, value in payload.items():
            if key in keys and isinstance(value, str | list):
                yield from _whole(value, keys, depth)
            else:
                yield from _texts(value, keys, depth - 1)
    elif isinstance(payload, list | tuple):
        for value in payload:
            yield from _texts(value, keys, depth - 1)


def _whole(value: str | list[Any], keys: Collection[str], depth: int) -> Iterator[str]:
    if isinstance(value, str):
        pieces = value
    elif any(isinstance(one, str) for one in value):
        pieces = "".join(
            one if isinstance(one, str) else "".join(_texts(one, keys, depth - 1)) for one in value
        )
    else:
        yield from _texts(value, keys, depth - 1)
        return
    yield clean(pieces)


__all__ = [
    "MAX_ID_CHARS",
    "MAX_KEY_CHARS",
    "MAX_NAME_CHARS",
    "bounded_name",
    "clean",
    "decoded",
    "decoded_base64url",
    "fingerprint",
    "id_of",
    "present",
    "words_in",
]
