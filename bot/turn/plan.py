"""Plan of a turn: the replies, the memory and the reasons, for the commit to store or to drop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.dialogue.memory import Memory
from bot.wording.compose import Reply
from handoff.machine.events import Event, Reason
from handoff.model.transcript import TurnReasons
from knowledge_base.recognition.recognition import Recognition
from knowledge_base.source.intent import IntentId


@dataclass(frozen=True, slots=True)
class Plan:
    """Outcome of planning a turn; nothing of it has happened yet.

    Attributes:
        event: What the customer's message is to the state machine beyond "wrote".
        reopens: Whether it opens a closed conversation again.
        handoff: Why a person is to be called; ``None`` if none is.
        summary: What that person should know.
        lead: Said before a handoff's notice; never goes stale.
        effects: Of tools, to be applied in the turn's own unit.
        accepted: Secrets that the customer typed and a tool took: sealed wherever they were said.
        csat: Satisfaction given, 1 to 5, and the comment.
    """

    memory: Memory
    actions: tuple[str, ...] = ("silent",)
    replies: tuple[Reply, ...] = ()
    lead: Reply | None = None
    handoff: Reason | None = None
    has_failed: bool = False
    reopens: bool = True
    event: Event | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    recognitions: tuple[Recognition, ...] = ()
    intent: IntentId | None = None
    intent_title: str | None = None
    tool: str | None = None
    outcome: str | None = None
    effects: tuple[Any, ...] = ()
    accepted: tuple[str, ...] = field(default=(), repr=False)
    csat: int | None = None

    @classmethod
    def failed(cls, memory: Memory) -> Plan:
        """Return the plan of a bot that broke twice: a person takes over."""
        return cls(memory=memory, actions=("handoff",), has_failed=True)

    def reasons(self, turn_id: str, titles: Mapping[IntentId, str]) -> TurnReasons:
        """Return why it was planned so, for the console."""
        first = self.recognitions[0] if self.recognitions else None
        return TurnReasons(
            turn_id=turn_id,
            actions=self.actions,
            intent=self.intent,
            intent_title=self.intent_title,
            confidence=first.candidates[0].confidence if first and first.candidates else None,
            band=first.band.value if first else None,
            rule=first.rule if first else None,
            tool=self.tool,
            outcome=self.outcome,
            candidates=tuple(
                {
                    "intent": candidate.intent,
                    "title": titles.get(candidate.intent, candidate.intent),
                    "confidence": round(candidate.confidence, 3),
                    "source": candidate.source,
                }
                for recognition in self.recognitions
                for candidate in recognition.candidates[:3]
            ),
        )

    def about(self, intent: IntentId | None, title: str | None) -> Plan:
        """Return the plan named by an intent, unless an earlier one named it."""
        if self.intent is not None or intent is None:
            return self
        return replace(self, intent=intent, intent_title=title)

    def saying(self, reply: Reply) -> Plan:
        """Return the plan with one more reply."""
        return replace(self, replies=(*self.replies, reply))

    def with_last_reply(self, reply: Reply) -> Plan:
        """Return the plan with another last reply."""
        return replace(self, replies=(*self.replies[:-1], reply))
