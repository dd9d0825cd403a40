"""One message of a customer, with what was read out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from knowledge_base.source.tool_spec import Slot


@dataclass(frozen=True, slots=True)
class Utterance:
    """Message of a customer, or several that belong together.

    Attributes:
        text: As typed, fragments joined.
        words: The text without the numbers and keys in it: what there is to be understood.
        button: The pressed button's id.
        media: ``image``, ``voice`` or ``other``: what it carries; ``None`` where it is words.
        values: Slot → the value of it that stands in the text.
        is_english: It is English.
        has_secret: It holds something that is not to be remembered.
    """

    text: str = field(default="", repr=False)
    words: str = field(default="", repr=False)
    button: str | None = None
    media: str | None = None
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_english: bool = False
    has_secret: bool = False

    def first_of(self, slots: Sequence[Slot]) -> Slot | None:
        """Return the first of these slots that the text holds a value of."""
        return next((slot for slot in slots if slot.name in self.values), None)
