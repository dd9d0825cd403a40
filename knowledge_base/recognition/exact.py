"""Phrases that settle the question by themselves."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from knowledge_base.source.intent import Intent, IntentId
from knowledge_base.text.normalize import Normalize

_NO_WORD = re.compile(r"[\W_]+")


def exact_key(normalized: str) -> str:
    """A text without punctuation, spaces and emoji; the text itself if nothing else is left.

    >>> exact_key("在吗?? 🙏")
    '在吗'
    """
    return _NO_WORD.sub("", normalized) or normalized.replace(" ", "")


@dataclass(frozen=True, slots=True)
class Exact:
    """Normalised phrases → the intents that claim them.

    Attributes:
        intents: Key → one intent, or several where kb.yaml contradicts itself.
        not_these: Key → intents that say ``not:`` to it.
        out_of_scope: Keys that nothing should answer.
    """

    intents: Mapping[str, tuple[IntentId, ...]]
    not_these: Mapping[str, frozenset[IntentId]]
    out_of_scope: frozenset[str]


def fit_exact(
    intents: Iterable[Intent], out_of_scope: Iterable[str], normalize: Normalize
) -> Exact:
    """Collect the phrases of a knowledge base."""
    claimed: dict[str, dict[IntentId, None]] = {}
    refused: dict[str, set[IntentId]] = {}
    for intent in intents:
        for phrase in (intent.title, *intent.asks):
            claimed.setdefault(exact_key(normalize(phrase)), {})[intent.id] = None
        for phrase in intent.nots:
            refused.setdefault(exact_key(normalize(phrase)), set()).add(intent.id)
    return Exact(
        intents={key: tuple(found) for key, found in claimed.items() if key},
        not_these={key: frozenset(found) for key, found in refused.items()},
        out_of_scope=frozenset(exact_key(normalize(text)) for text in out_of_scope),
    )
