"""Something in a knowledge base that an admin can improve."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from knowledge_base.problem import Place


class Severity(StrEnum):
    """Severity of a finding."""

    ERROR = "error"  # a promise of kb.yaml is broken: exit status 2
    WARNING = "warning"


class Kind(StrEnum):
    """Kinds of weakness, in the order in which they should be mended."""

    CONFLICT = "conflict"  # one wording, two owners
    SYNONYM_CLASH = "synonym_clash"  # a group of synonyms makes two intents' phrases equal
    SLOW_PATTERN = "slow_pattern"  # a regular expression that a customer's text could hold up
    TEST_FAILED = "test_failed"
    NEAR_CONFLICT = "near_conflict"  # nearly one wording, two owners
    TOO_CLOSE = "too_close"
    MISPLACED = "misplaced"  # recognised as another intent when left out
    FEW_PHRASES = "few_phrases"
    SYNONYM_CHAIN = "synonym_chain"  # a word does not become the head of its group
    DEAD_SYNONYM = "dead_synonym"
    USELESS_NOT = "useless_not"
    TEST_LEARNT = "test_learnt"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something an admin can improve.

    Attributes:
        place: File and line.
        kind: What is weak.
        text: The same in a sentence, with the words it is about.
        hint: What to do.
        severity: How bad it is.
        weight: The worst of a kind have the most; comparable within a kind alone.
    """

    place: Place
    kind: Kind
    text: str
    hint: str
    severity: Severity = Severity.WARNING
    weight: float = 0.0

    def __str__(self) -> str:
        """``kb.yaml:12: what → what to do``."""
        return f"{self.place}: {self.text} → {self.hint}"

    @property
    def is_error(self) -> bool:
        """Tell whether it must be mended."""
        return self.severity is Severity.ERROR

    def as_json(self) -> dict[str, Any]:
        """Return the finding for programs."""
        return {
            "file": str(self.place.file),
            "line": self.place.line,
            "kind": self.kind.value,
            "text": self.text,
            "hint": self.hint,
            "severity": self.severity.value,
            "weight": round(self.weight, 3),
        }
