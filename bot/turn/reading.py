"""Reading a customer's message: values for the tools' slots, and the language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.dialogue.memory import Memory
from bot.dialogue.utterance import Utterance
from bot.inbox.bounds import ends
from bot.sealing.finder import Context, secrets_in
from knowledge_base.source.tool_spec import Slot, ToolSpecs, entity_slots
from knowledge_base.text.slots import card_secrets, order_numbers

_TAG = re.compile(r"<[^>]*>?|\b\w+\(")
"""Markup and calls: pasted, not spoken."""
_LATIN_WORDS_FOR_ENGLISH = 2
_ANSWER_WORDS = 3


@dataclass(frozen=True, slots=True)
class SlotReaders:
    """Reads the values of all tools' slots out of texts."""

    slots: Mapping[str, Slot]
    entities: tuple[Slot, ...]

    @classmethod
    def of(cls, specs: ToolSpecs) -> SlotReaders:
        """Return the readers that these tools declare."""
        slots = {slot.name: slot for spec in specs.values() for slot in spec.slots}
        return cls(slots, entity_slots(specs))

    def read(self, text: str, memory: Memory) -> Utterance:
        """Read a text.

        Args:
            text: As typed, secrets in place; of a long one only the ends are looked at.
            memory: What was asked for decides what a bare code is.
        """
        text = ends(text)
        asking = memory.pending.asking if memory.pending is not None else None
        asked = self.slots.get(asking) if asking is not None else None
        values = self._values(text, asking)
        utterance = Utterance(
            text=text, words=text, values=values, is_english=_is_english(text, memory)
        )
        if utterance.first_of(self.entities) is not None:
            utterance = replace(utterance, words=_without_codes(text))
        is_any_code = asked is not None and asked.takes_any_code
        return replace(utterance, has_secret=is_any_code or self._has_secret(text, values))

    def with_quoted(self, utterance: Utterance, quoted: str, memory: Memory) -> Utterance:
        """Return the utterance with the order or card that it points to by quoting.

        Args:
            quoted: The text that is quoted.
            memory: A question that is open is answered by what is said, not by what is quoted,
                unless it asks for that very thing.
        """
        if utterance.button is not None or utterance.first_of(self.entities) is not None:
            return utterance
        found = self.read(quoted, Memory())
        asking = memory.pending.asking if memory.pending is not None else None
        pointed = found.first_of([slot for slot in self.entities if asking in {None, slot.name}])
        if pointed is None:
            return utterance
        values = {**utterance.values, pointed.name: found.values[pointed.name]}
        return replace(utterance, values=values)

    def _values(self, text: str, asking: str | None) -> dict[str, str]:
        read = {name: slot.read(text, asking) for name, slot in self.slots.items() if slot.read}
        return {name: value for name, value in read.items() if value is not None}

    def _has_secret(self, text: str, values: Mapping[str, str]) -> bool:
        is_secret_said = any(self.slots[name].is_secret for name in values)
        return is_secret_said or bool(secrets_in(text, Context.ASKED))


def _is_english(text: str, memory: Memory) -> bool:
    if memory.pending is not None and len(text.split()) <= _ANSWER_WORDS:
        return memory.is_english  # a password or a code has no language
    return is_english(text, was_english=memory.is_english)


def _without_codes(text: str) -> str:
    """Return the text without the order numbers and card keys in it."""
    spans = [(code.start, code.end) for code in (*order_numbers(text), *card_secrets(text))]
    return _without(text, spans)


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    parts, end_of_last = [], 0
    for start, end in sorted(spans):
        if start >= end_of_last:
            parts.append(text[end_of_last:start])
        end_of_last = max(end_of_last, end)
    return "".join([*parts, text[end_of_last:]]).strip()


def is_english(text: str, *, was_english: bool) -> bool:
    """Tell whether to answer in English: words without a single Chinese character.

    >>> is_english("where is my order", was_english=False)
    True
    >>> is_english("DD-ABCDE-FGHJK-MNPQR-STVWX", was_english=False)
    False
    """
    if any("\u4e00" <= char <= "\u9fff" for char in text):
        return False
    words = re.findall(r"[A-Za-z]{2,}", _TAG.sub(" ", text))
    codes = order_numbers(text) or card_secrets(text)
    if len(words) >= _LATIN_WORDS_FOR_ENGLISH and not codes:
        return True
    return was_english
