"""How fast one account of a channel may send: its pace, and its pauses."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from connectors.delivery.after_error import Pause, Wait, is_over
from connectors.delivery.pacing import Pacer
from connectors.messages import Pace

LIMITS_BEFORE_PAUSE = 3
LIMITS_WITHIN = timedelta(seconds=10)
"""So many refused chats in so short a time mean that the whole account is too fast."""


class Account:
    """State that all lanes of one account share.

    Attributes:
        paused_until: Nothing is sent before a poll has ended the pause; ``None``: no pause.
    """

    def __init__(self) -> None:
        self.paused_until: datetime | None = None
        self._limited_at: deque[datetime] = deque(maxlen=LIMITS_BEFORE_PAUSE)
        self._pacer: Pacer | None = None

    def wait_s(self, pace: Pace, peer_id: str, now: datetime) -> float:
        """Return the seconds until this peer may be written to; the place is taken."""
        if self._pacer is None:
            self._pacer = Pacer(pace)
        return self._pacer.wait_s(peer_id, now.timestamp())

    def note(self, wait: Wait, now: datetime) -> None:
        """Pause as well where the account, and not one chat, must wait."""
        if wait.until is None or wait.pause is Pause.NOBODY:
            return
        if wait.pause is Pause.ACCOUNT or self._is_limited_often(now):
            self.paused_until = max(wait.until, self.paused_until or wait.until)

    def end_past_pause(self, now: datetime) -> None:
        """Go on where the pause is over."""
        if self.paused_until is not None and is_over(self.paused_until, now):
            self.paused_until = None

    def _is_limited_often(self, now: datetime) -> bool:
        self._limited_at.append(now)
        is_many = len(self._limited_at) == LIMITS_BEFORE_PAUSE
        return is_many and now - self._limited_at[0] <= LIMITS_WITHIN
