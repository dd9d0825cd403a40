"""Customers of the account: who follows, what may be sent to them, and what they see."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from devkit.platform import Shown
from devkit.wechat.rules import Refused


def openid_of(user: str) -> str:
    """A customer's name on this account: 28 characters, always the same."""
    digest = hashlib.sha256(user.encode()).digest()
    return "o" + base64.urlsafe_b64encode(digest).decode()[:27]


@dataclass(slots=True)
class Quota:
    """Customer-service messages that one deed of a customer allows."""

    trigger: str
    left: int
    expires_at: datetime


@dataclass(slots=True)
class Person:
    """One customer.

    Attributes:
        quotas: By trigger (``message``, ``click``, ``subscribe``, ``scan``); each deed renews its
            own.
        seen: What kefu sent, passive and customer-service messages alike, oldest first.
        menus: (Id, label) of message menus, oldest first.
        last_message_at: When the customer wrote last.
        typing_until: The dots are shown until then.
    """

    openid: str
    follows: bool = True
    followed_at: datetime | None = None
    quotas: dict[str, Quota] = field(default_factory=dict)
    seen: list[Shown] = field(default_factory=list)
    menus: list[tuple[str, str]] = field(default_factory=list)
    last_message_at: datetime | None = None
    typing_until: datetime | None = None

    def allow(self, trigger: str, count: int, now: datetime, window: timedelta) -> None:
        """A deed renews its quota."""
        self.quotas[trigger] = Quota(trigger, count, now + window)

    def spend(self, now: datetime) -> None:
        """Take one message from the quota that ends first.

        Raises:
            Refused: 45015 outside all windows, 45047 where all open ones are used up.
        """
        open_ones = [quota for quota in self.quotas.values() if quota.expires_at > now]
        if not open_ones:
            raise Refused(45015)
        usable = [quota for quota in open_ones if quota.left > 0]
        if not usable:
            raise Refused(45047)
        min(usable, key=lambda quota: quota.expires_at).left -= 1

    def leave(self) -> None:
        """Unfollow; every window closes."""
        self.follows = False
        self.quotas.clear()
