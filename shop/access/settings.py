"""What a shop may set of the gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from shop.access.throttle import Limits


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What a shop may set.

    Attributes:
        proofs_last: How long a proof is good for in the identity that gave it.
        code_lasts: How long an e-mailed code can be typed.
        code_tries: How often.
        resend_cooldown: Between two resends of one order in the chat.
        mail_cooldown: The same, where the second one is a mail.
        deadline_s: Seconds for one answer.
        shows_exact_stock: Else only bands are told.
    """

    limits: Limits = field(default_factory=Limits)
    proofs_last: timedelta = timedelta(hours=24)
    code_lasts: timedelta = timedelta(minutes=10)
    code_tries: int = 5
    resend_cooldown: timedelta = timedelta(seconds=10)
    mail_cooldown: timedelta = timedelta(seconds=60)
    deadline_s: float = 5.0
    shows_exact_stock: bool = True
