"""Grouping of the messages sent in one act: an album, nine pictures at once. Pure.

Platforms tell each file of it as a message of its own; the customer did one thing, and gets one
reply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.dialogue.memory import Memory
from connectors.messages import InboundKind
from handoff.model.inbound import Pending

MAX_PARTS = 20
LATE_S = 5.0
"""A file so soon after another belongs to it, although the bot answered in between: a phone loads
several up one after the other. Who has read the answer and sends another picture takes longer."""


def is_part(message: Pending) -> bool:
    """Tell whether a message may be one of several: it carries files, or stands for some."""
    is_shown = bool(message.attachments) or message.is_unreadable
    return message.kind is InboundKind.MESSAGE and is_shown


def is_one_act(earlier: Pending, later: Pending, *, within_s: float) -> bool:
    """Tell whether a message goes on with what the one right before it began.

    Args:
        within_s: How soon after it the next part comes, where the channel names no album.
    """
    if not (is_part(earlier) and is_part(later)):
        return False
    if earlier.album is not None or later.album is not None:
        return earlier.album == later.album
    return later.received_at - earlier.received_at <= timedelta(seconds=within_s)


def joined(group: Sequence[Pending], memory: Memory, *, has_words: bool) -> tuple[bool, Memory]:
    """Tell whether a turn's messages only go on with an act that was answered already.

    Args:
        has_words: Something is said in them: that is answered in any case.

    Returns:
        Whether they do, and the memory of this act.
    """
    first, last = group[0], group[-1]
    if has_words or not is_part(first):
        return False, replace(memory, album=last.album, shown_at=None)
    at, before = first.received_at.timestamp(), memory.shown_at
    is_soon = before is not None and 0 <= at - before <= LATE_S and first.album is None
    is_late = is_soon or (first.album is not None and first.album == memory.album)
    if any(file.kind == "voice" for file in first.attachments):
        is_late = False  # each is spoken for itself
    after = replace(memory, album=last.album, shown_at=last.received_at.timestamp())
    return is_late, after


__all__ = ["LATE_S", "MAX_PARTS", "is_one_act", "is_part", "joined"]
