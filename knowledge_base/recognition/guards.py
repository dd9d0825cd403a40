"""Things that are not the shop's: a question that names one is hardly one of ours."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from knowledge_base.source.intent import Intent, IntentId
from knowledge_base.text.normalize import Normalize, any_of

# What is left of a confidence: an answer becomes a question asked back, and that a miss.
SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Guards:
    """Words of ``not_ours:``. Immutable, thread-safe.

    Attributes:
        pattern: Finds them in a normalised text; ``None`` without any.
        known: Intent → the words that its own phrases hold; these it may be asked with.
    """

    pattern: re.Pattern[str] | None
    known: Mapping[IntentId, frozenset[str]]

    def named(self, normalized: str) -> frozenset[str]:
        """Foreign things that a text names."""
        return frozenset(self.pattern.findall(normalized)) if self.pattern else frozenset()

    def share(self, intent: IntentId, named: frozenset[str]) -> float:
        """Return the factor in [0, 1] on an intent's confidence where these things are named."""
        return SHARE if named - self.known.get(intent, frozenset()) else 1.0


def fit_guards(words: Iterable[str], intents: Iterable[Intent], normalize: Normalize) -> Guards:
    """Collect what each intent speaks of by itself."""
    pattern = any_of({normalize(word) for word in words} - {""})
    if pattern is None:
        return Guards(None, {})
    known = {
        intent.id: frozenset(
            word
            for phrase in (intent.title, *intent.asks)
            for word in pattern.findall(normalize(phrase))
        )
        for intent in intents
    }
    return Guards(pattern, known)
