"""What the platform knows of one KF account: plain data that tests may read and change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from devkit.platform import Shown
from devkit.wecom import rules


@dataclass(slots=True)
class Session:
    """A customer's talk with the account.

    Attributes:
        state: service_state, 0 to 4.
        sends_left: Of the five that each message of the customer allows.
        refuses: The customer blocked the account: sends are taken, then fail by event.
    """

    external_userid: str
    state: int = rules.ENDED
    servicer: str = ""
    wrote_at: datetime | None = None
    welcomed_at: datetime | None = None
    sends_left: int = 0
    refuses: bool = False
    shown: list[Shown] = field(default_factory=list)

    def settle(self, now: datetime) -> None:
        """End it by silence."""
        if self.wrote_at is not None and now - self.wrote_at > rules.WINDOW:
            self.state, self.servicer = rules.ENDED, ""

    def wrote(self, now: datetime) -> None:
        """The customer wrote: the budget is full, an ended session begins anew."""
        self.settle(now)
        self.wrote_at, self.sends_left = now, rules.SENDS_PER_MESSAGE
        if self.state == rules.ENDED:
            self.state = rules.NEW


@dataclass(slots=True)
class Entry:
    """A place in the log that sync_msg reads."""

    at: datetime
    item: Mapping[str, Any]


@dataclass(slots=True)
class Code:
    """A one-use right to say something at an event."""

    kind: str
    external_userid: str
    at: datetime
    is_used: bool = False


@dataclass(slots=True)
class Media:
    """A temporary file."""

    kind: str
    content: bytes
    name: str
    mime: str
    at: datetime


@dataclass(slots=True)
class State:
    """Everything of one account.

    Attributes:
        log: Customer messages, people's messages and events; never what the API sent.
        callback_tokens: When each was issued.
        access_tokens: When each expires; a revoked one is gone.
        sent_msgids: Every msgid that send_msg has seen.
        tokenless_at: When sync_msg was called without a callback's token.
        fail_later: fail_types that the next accepted sends will meet.
        servicers: People on duty.
    """

    sessions: dict[str, Session] = field(default_factory=dict)
    log: list[Entry] = field(default_factory=list)
    callback_tokens: dict[str, datetime] = field(default_factory=dict)
    access_tokens: dict[str, datetime] = field(default_factory=dict)
    sent_msgids: set[str] = field(default_factory=set)
    codes: dict[str, Code] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    tokenless_at: list[datetime] = field(default_factory=list)
    fail_later: list[int] = field(default_factory=list)
    servicers: set[str] = field(default_factory=lambda: {"zhangsan"})
    counter: int = 0

    def number(self) -> int:
        """The next number for whatever needs a name."""
        self.counter += 1
        return self.counter

    def session(self, external_userid: str) -> Session:
        """The customer's session, begun if need be."""
        return self.sessions.setdefault(external_userid, Session(external_userid))

    def new_code(self, kind: str, external_userid: str, at: datetime) -> str:
        """Issue a code for ``send_msg_on_event``."""
        code = f"CODE-{kind}-{self.number()}"
        self.codes[code] = Code(kind, external_userid, at)
        return code

    def new_media(self, media: Media) -> str:
        """Keep a file; its media_id."""
        media_id = f"2iSLeVyqzk4eX0IB5kTi9Ljfa2rt{self.number():04d}"
        self.media[media_id] = media
        return media_id


__all__ = ["Code", "Entry", "Media", "Session", "State"]
