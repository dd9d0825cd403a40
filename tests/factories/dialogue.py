"""Intents, and a dialogue that recognises what it is told to, without a knowledge base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.dialogue.actions import Decision
from bot.dialogue.decide import Dialogue
from bot.dialogue.memory import Memory
from bot.dialogue.policy import Policy
from bot.tools.registry import TOOL_SPECS
from bot.turn.reading import SlotReaders
from bot.wording.compose import Composer
from knowledge_base.problem import Place
from knowledge_base.recognition.recognition import Band, Candidate, Recognition
from knowledge_base.source.intent import Handoff, Intent, IntentId, Outcome

NUMBER = "DD4K8ZP92MQX7T1VCH60RA"
OTHER_NUMBER = "DD0000000000000000000A"
CARD = "STAR-2ZAR-BVVS-3Q4W-MARR"
PASSWORD = "qbkp9181"


def an_intent(name: str, **parts: Any) -> Intent:
    """An intent that answers 「NAME 的回答」 unless it has a tool or a person."""
    is_plain = parts.get("tool") is None and parts.get("handoff") is None
    defaults: dict[str, Any] = {
        "id": IntentId(name),
        "title": f"标题 {name}",
        "asks": (),
        "answers": (f"{name} 的回答",) if is_plain else (),
        "answers_en": (),
        "answers_by_channel": {},
        "tool": None,
        "handoff": None,
        "then": (),
        "images": (),
        "outcomes": {},
        "tests": (),
        "nots": (),
        "patterns": (),
        "wants_evidence": False,
        "place": Place(Path("kb.yaml"), 1),
    }
    return Intent(**{**defaults, **parts})


def by_id(*intents: Intent) -> dict[IntentId, Intent]:
    return {intent.id: intent for intent in intents}


INTENTS = by_id(
    an_intent("order_status", tool="order_lookup"),
    an_intent("order_resend", tool="card_resend"),
    an_intent("topup_not_arrived", tool="order_lookup"),
    an_intent("card_status", tool="card_status"),
    an_intent("product_stock", tool="product_lookup"),
    an_intent("payment_methods", then=(IntentId("human_agent"), IntentId("order_status"))),
    an_intent("delivery_time"),
    an_intent("card_invalid", wants_evidence=True),
    an_intent("greeting"),
    an_intent("thanks"),
    an_intent("refund_request", handoff=Handoff("好的，我请同事处理退款。")),
    an_intent("human_agent", handoff=Handoff()),
)


def recognised(
    *names: str, text: str = "", band: Band = Band.ANSWER, rule: str = "sure"
) -> Recognition:
    """A question that may be of these intents, best first."""
    candidates = tuple(
        Candidate(IntentId(name), 0.9 - n / 10, "model") for n, name in enumerate(names)
    )
    return Recognition(text=text, candidates=candidates, band=band, rule=rule)


class Talk:
    """A customer's messages, one after the other, each decided on with the memory so far.

    Args:
        knows: Words → what a message that holds them asks; in the order of the mapping.
    """

    def __init__(
        self,
        knows: Mapping[str, Recognition],
        *,
        intents: Mapping[IntentId, Intent] = INTENTS,
        policy: Policy | None = None,
    ) -> None:
        self._knows = knows
        self._dialogue = Dialogue(intents, self._questions, policy or Policy(), TOOL_SPECS)
        self._readers = SlotReaders.of(TOOL_SPECS)
        self.memory = Memory()

    def says(self, text: str = "", **parts: Any) -> Decision:
        """Decide on a message; ``parts`` are a button or media."""
        utterance = replace(self._readers.read(text, self.memory), **parts)
        decision, self.memory = self._dialogue.decide(utterance, self.memory)
        return decision

    def _questions(self, text: str, _before: str) -> tuple[Recognition, ...]:
        return tuple(
            replace(found, text=found.text or words)
            for words, found in self._knows.items()
            if words in text
        )


def a_composer(intents: Mapping[IntentId, Intent] = INTENTS, **parts: Any) -> Composer:
    """A composer for a customer who writes Chinese on a page of a shop without mail."""
    defaults: dict[str, Any] = {
        "specs": TOOL_SPECS,
        "shop": {"name": "星辰点卡"},
        "channel": "web",
        "is_english": False,
        "has_mail": False,
        "pictures": {},
        "choose": lambda _count: 0,
    }
    return Composer(intents=intents, **{**defaults, **parts})


__all__ = [
    "CARD",
    "INTENTS",
    "NUMBER",
    "OTHER_NUMBER",
    "PASSWORD",
    "Outcome",
    "Talk",
    "a_composer",
    "an_intent",
    "by_id",
    "recognised",
]
