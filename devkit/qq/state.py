"""What the fake platform knows: plain data that tests may read."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from devkit.platform import Shown

_OPENID = re.compile(r"[0-9A-F]{32}")

Peer = tuple[str, str]
"""``users`` or ``groups``, and the openid."""


def openid(scope: str, name: str) -> str:
    """How the platform calls somebody: 32 hex digits that tell nothing.

    Args:
        scope: ``user``, ``group``, or a group's openid for its members.
    """
    if _OPENID.fullmatch(name):
        return name
    return hashlib.md5(f"{scope}:{name}".encode(), usedforsecurity=False).hexdigest().upper()


@dataclass(slots=True)
class Anchor:
    """A message or event that may be answered for a while, a few times."""

    peer: Peer
    kind: str
    at: datetime
    seqs: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Sent:
    """One message of the bot's."""

    id: str
    peer: Peer
    at: datetime
    body: Mapping[str, Any]
    shown: Shown
    is_recalled: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file: the bot's upload, or one that a customer sent."""

    scope: str
    kind: int
    content: bytes
    name: str
    mime: str
    at: datetime


@dataclass(slots=True)
class State:
    """Of one bot.

    Attributes:
        tokens: When each ends.
        anchors: By message id and by event id.
        pushed: Every envelope, by message id (events: event id).
        files: The bot's, by file_info.
        served: The customers', by name in the address.
        audits: Messages that wait for a review, by audit id.
        acknowledged: The code of each answered interaction; ``None`` while it is not.
    """

    tokens: dict[str, datetime] = field(default_factory=dict)
    anchors: dict[str, Anchor] = field(default_factory=dict)
    pushed: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    served: dict[str, File] = field(default_factory=dict)
    audits: dict[str, Sent] = field(default_factory=dict)
    acknowledged: dict[str, int | None] = field(default_factory=dict)
    strangers: set[str] = field(default_factory=set)
    left_groups: set[str] = field(default_factory=set)
    refusers: set[str] = field(default_factory=set)
    _count: int = 0

    def number(self) -> int:
        """The next number, from 1."""
        self._count += 1
        return self._count

    def new_id(self) -> str:
        """A message id, of the platform's shape."""
        return "ROBOT1.0_" + hashlib.sha256(str(self.number()).encode()).hexdigest()[:56]

    def new_uuid(self) -> str:
        """An id of the other shape."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, str(self.number())))

    def shown(self, peer: Peer) -> list[Shown]:
        """What this customer, or this group, sees of the bot."""
        return [one.shown for one in self.sent if one.peer == peer and not one.is_recalled]
