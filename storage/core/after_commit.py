"""Work that a committed unit leaves to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.delivery.outbox import Dispatch


@dataclass(slots=True)
class AfterCommit:
    """Work that the app does after a commit, in commit order.

    Attributes:
        dispatches: Messages that this commit put into the outbox, ready to be sent.
        has_events: The console has something new to read.
        is_due: Something that waited in the outbox is due now.
        has_media: Files lie with a platform, to be fetched.
    """

    dispatches: list[Dispatch] = field(default_factory=list)
    has_events: bool = False
    is_due: bool = False
    has_media: bool = False
