"""Utterances that the bot did not understand, and the clusters they form."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from knowledge_base.source.intent import IntentId
from knowledge_base.text.masks import (
    AMOUNT,
    CARD,
    LINK,
    MAIL,
    ORDER,
    PHONE,
    masked,
)

SECRET = re.compile(r"\{\{secret:[0-9A-Z]{26}\}\}")
_NAMES = {
    ORDER: "〔订单号〕",
    CARD: "〔卡密〕",
    PHONE: "〔手机号〕",
    MAIL: "〔邮箱〕",
    AMOUNT: "〔金额〕",
    LINK: "〔链接〕",
}
_CODE = re.compile(r"(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[A-Za-z0-9_-]{6,}")
_DIGITS = re.compile(r"\d(?:[ \-.]?\d){2,}")
_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Missed:
    """An utterance that got no answer.

    Attributes:
        text: As stored, with placeholders for secrets.
        at: When the bot missed it.
        conversation: Whose it is.
        was_clarified: The bot asked back and the customer chose nothing; else it said that it
            did not understand, or called a person.
        chosen: The intent that the customer chose from the buttons right after.
    """

    text: str = field(repr=False)
    at: datetime
    conversation: str
    was_clarified: bool = False
    chosen: str | None = None


class Advice(StrEnum):
    """Advice to the admin about a cluster."""

    ADD_PHRASE = "add_phrase"
    NEW_INTENT = "new_intent"
    OUT_OF_SCOPE = "out_of_scope"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Utterances about one thing.

    Attributes:
        size: Utterances.
        customers: Conversations that they come from.
        representative: The one that most of the others are like, masked.
        examples: Up to 3 others, masked, the most frequent first.
        last_at: When it was last said.
        nearest: What today's knowledge base takes them for; ``None`` where nothing is alike.
        confidence: Mean confidence of the nearest, in [0, 1].
        chosen: How many customers chose the intent of ``intent`` afterwards.
        advice: What to do.
        intent: The intent that the advice speaks of: where to add the phrase, or what it may be.
    """

    size: int
    customers: int
    representative: str
    examples: tuple[str, ...]
    last_at: datetime
    nearest: IntentId | None
    confidence: float
    chosen: int
    advice: Advice
    intent: IntentId | None


@dataclass(frozen=True, slots=True)
class Misses:
    """All clusters, the biggest first.

    Attributes:
        size: Utterances in the clusters.
        customers: Conversations that they come from.
        answered_now: Utterances left out, because today's knowledge base answers them (or says
            that nothing should).
        too_many: Utterances left out, because there are more wordings than are compared.
    """

    clusters: tuple[Cluster, ...]
    size: int
    customers: int
    answered_now: int
    too_many: int

    def as_json(self) -> dict[str, Any]:
        """Return the counts and clusters for programs."""
        return {
            "missed": self.size,
            "customers": self.customers,
            "answered_now": self.answered_now,
            "too_many": self.too_many,
            "clusters": [
                {
                    "size": cluster.size,
                    "customers": cluster.customers,
                    "representative": cluster.representative,
                    "examples": list(cluster.examples),
                    "last_at": cluster.last_at.isoformat(),
                    "nearest": cluster.nearest,
                    "confidence": round(cluster.confidence, 3),
                    "chosen": cluster.chosen,
                    "advice": cluster.advice.value,
                    "intent": cluster.intent,
                }
                for cluster in self.clusters
            ],
        }


def masked_for_people(text: str) -> str:
    """A stored text without secrets, numbers and addresses, in one short line.

    >>> masked_for_people("单号 DD-4K8ZP-92MQX-7T1VC-H60RA 花了100块，验证码 482913")
    '单号 〔订单号〕 花了〔金额〕，验证码 〔数字〕'
    """
    text = masked(SECRET.sub("〔已隐藏〕", text))
    for mask, name in _NAMES.items():
        text = text.replace(mask, name)
    text = " ".join(_DIGITS.sub("〔数字〕", _CODE.sub("〔编号〕", text)).split())
    # a terminal would obey control characters, and read text after some of the invisible backwards
    text = "".join(char for char in text if char.isprintable())
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
