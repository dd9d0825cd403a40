"""Effects of tools on the shop, applied in the turn's own unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from handoff.model.conversation import Conversation
from handoff.model.live_events import LiveEventKind
from handoff.model.ports import LiveEvents
from shop.access.effects import EffectWork, apply_effects


@dataclass(frozen=True, slots=True)
class StaffAlert:
    """Agents should look at this conversation; ``detail`` is a word, never a customer's text."""

    detail: str


class MailOutbox(Protocol):
    """Queue of mails."""

    def add_mail(
        self,
        conversation_id: Any,
        *,
        key: str,
        to: str,
        subject: str,
        body: str,
        at: datetime,
    ) -> bool:
        """Queue a mail; ``False`` if one with this key was queued before."""


class EffectsWork(EffectWork, Protocol):
    """The repositories that effects touch."""

    @property
    def mails(self) -> MailOutbox:
        """Queue of mails."""

    @property
    def live_events(self) -> LiveEvents:
        """Log of changes that the console follows."""


def apply(
    work: EffectsWork, conversation: Conversation, effects: Sequence[Any], at: datetime
) -> None:
    """Apply a turn's effects; applying them twice changes nothing more."""
    for effect in effects:
        if isinstance(effect, StaffAlert):
            work.live_events.add(LiveEventKind.ALERT, conversation.id, at, detail=effect.detail)
    shop_effects = [effect for effect in effects if not isinstance(effect, StaffAlert)]
    for mail in apply_effects(work, shop_effects):
        work.mails.add_mail(
            conversation.id,
            key=mail.idempotency_key,
            to=mail.to.get_secret_value(),
            subject=mail.subject,
            body=mail.body.get_secret_value(),
            at=at,
        )
