"""Cutting a text into pieces that a channel takes, where a reader would cut it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import regex

Measure = Callable[[str], int]

_URL = re.compile(r"https?://[^\s，。！？、）】》\"'<>]+")
_ENDS = (
    re.compile(r"\n\s*\n"),  # a paragraph
    re.compile(r"\n"),
    re.compile(r"[。！？!?…；;](?:[”」』）)])?|\.(?=\s)"),  # a sentence
    re.compile(r"[，,、：:]|\s"),
)
_LEAST_SHARE = 0.4
"""A piece is cut at a nicer place only if at least so much of it is used."""
_CLUSTER = regex.compile(r"\X")
"""What is read as a single character: an extended grapheme cluster (UAX #29)."""


def utf16_units(text: str) -> int:
    """Length as Telegram counts it: a character beyond the basic plane counts twice.

    >>> utf16_units("好😀")
    3
    """
    return len(text) + sum(char > "\uffff" for char in text)


def utf8_bytes(text: str) -> int:
    """Length as WeChat counts it.

    >>> utf8_bytes("好a")
    4
    """
    return len(text.encode("utf-8", "surrogatepass"))


MEASURES: dict[str, Measure] = {"chars": len, "utf16": utf16_units, "bytes": utf8_bytes}


def chunks(text: str, limit: int, unit: str, whole: Sequence[str] = ()) -> list[str]:
    """Cut a text into pieces of at most ``limit`` units.

    It is cut between paragraphs, else lines, sentences, clauses, else where it must be; never
    inside what one reads as a single character, and inside an address or a part named in ``whole``
    only if that alone is too long.

    Args:
        limit: In ``unit``s (``chars``, ``utf16``, ``bytes``); at least 16.
        whole: Parts that must stay in one piece, such as card keys.

    Returns:
        The pieces, none empty, without white space at their ends; together they have every other
        character of the text, in order.
    """
    measure = MEASURES[unit]
    pieces: list[str] = []
    rest = text.strip()
    while rest:
        if measure(rest) <= limit:
            pieces.append(rest)
            break
        at = _cut(rest, _longest_prefix(rest, limit, measure), whole)
        piece = rest[:at].rstrip()
        if piece:
            pieces.append(piece)
        rest = rest[at:].lstrip()
    return pieces


def _longest_prefix(text: str, limit: int, measure: Measure) -> int:
    """How many characters from the start fit."""
    # a character measures 1 at least, so no more than ``limit`` can fit
    low, high = 0, min(limit, len(text))
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return max(low, 1)


def _cut(text: str, longest: int, whole: Sequence[str]) -> int:
    spans = _protected(text, longest, whole)
    inside = {at for start, end in spans for at in range(start + 1, min(end, longest + 1))}
    # one character more, for the last cluster may go on
    borders = {found.start() for found in _CLUSTER.finditer(text[: longest + 1])} - {0}
    least = int(longest * _LEAST_SHARE)
    for ends in _ENDS:
        places = [found.end() for found in ends.finditer(text, least, longest)]
        for at in reversed(places):
            if at not in inside and at in borders:
                return at
    at = longest
    for start, end in spans:
        if start < at < end and start > 0:
            at = start
    return max((border for border in borders if border <= at), default=at)


def _protected(text: str, longest: int, whole: Sequence[str]) -> list[tuple[int, int]]:
    """Spans around the cut that should not be cut."""
    # one character past the cut tells that a span goes on: work stays in proportion to the text
    spans = [found.span() for found in _URL.finditer(text[: longest + 1])]
    for part in whole:
        window = text[: longest + len(part)]
        start = window.find(part)
        while part and start >= 0:
            spans.append((start, start + len(part)))
            start = window.find(part, start + len(part))
    return [(start, end) for start, end in spans if start < longest < end or end <= longest]
