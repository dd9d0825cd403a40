"""Send budget: the messages that a platform still lets us send to a customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SendBudget:
    """Sends that are left until the customer writes again.

    Attributes:
        left: 0 locks the console's composer.
        total: What a fresh window holds.
        expires_at: When what is left is lost; ``None`` where it is not, or nothing is left.
    """

    left: int
    total: int
    expires_at: datetime | None
