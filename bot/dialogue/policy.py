"""From confidence to action: when the bot answers, asks back, or calls a person. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Patience of the bot; kb.yaml's ``policy`` may change it.

    Attributes:
        misses_before_handoff: Misses in a row until a person is called.
        repeats_before_handoff: The same answer so many times in a row calls a person instead.
        slot_tries_before_handoff: Answers to one question that could not be read.
        unread_media_before_handoff: Pictures in a row that nobody but a person can read.
    """

    misses_before_handoff: int = 2
    repeats_before_handoff: int = 3
    slot_tries_before_handoff: int = 3
    unread_media_before_handoff: int = 2

    def is_lost(self, misses: int) -> bool:
        """Tell whether so many misses in a row call a person."""
        return misses >= self.misses_before_handoff

    def is_going_in_circles(self, repeats: int) -> bool:
        """Tell whether the same question so many times in a row calls a person."""
        return repeats >= self.repeats_before_handoff
