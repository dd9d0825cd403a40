"""Regular expressions of kb.yaml that settle the question by themselves."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from knowledge_base.intent import Intent, IntentId


@dataclass(frozen=True, slots=True)
class Patterns:
    """Compiled patterns in the order of kb.yaml."""

    patterns: tuple[tuple[re.Pattern[str], IntentId], ...]

    def match(self, *texts: str) -> tuple[IntentId, ...]:
        """Intents with a pattern found in any of the texts, each once."""
        return tuple(
            dict.fromkeys(
                intent
                for pattern, intent in self.patterns
                if any(pattern.search(text) for text in texts)
            )
        )


def fit_patterns(intents: Iterable[Intent]) -> Patterns:
    """Compile them; they were checked when kb.yaml was read."""
    return Patterns(
        tuple(
            (re.compile(pattern, re.IGNORECASE), intent.id)
            for intent in intents
            for pattern in intent.patterns
        )
    )
