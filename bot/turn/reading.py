"""Reading what a customer typed: what a tool needs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from pydantic import SecretStr

from bot.dialogue.decide import Utterance
from bot.dialogue.memory import Memory
from bot.inbox.bounds import ends
from bot.sealing.finder import Context, secrets_in
from bot.sealing.spans import touches
from knowledge_base.text.slots import card_secrets, emails, order_numbers, phones, qq_numbers

_TAG = re.compile(r"<[^>]*>?|\b\w+\(")
"""Markup and calls: pasted, not spoken."""
_LATIN_WORDS_FOR_ENGLISH = 2
_ANSWER_WORDS = 3


def read(text: str, memory: Memory) -> Utterance:
    """What is in a text that a tool could use.

    Args:
        text: As typed, secrets in place; of a long one only the ends are looked at.
        memory: What was asked for decides what a bare code is.
    """
    text = ends(text)
    number, card = _order_number(text, memory), _card_secret(text)
    spans = [(one.start, one.end) for one in (*order_numbers(text), *card_secrets(text))]
    return Utterance(
        text=text,
        words=_without(text, spans) if number is not None or card is not None else text,
        order_number=number,
        card_secret=card,
        proof=_proof(text, is_asked=_is_asked_for_proof(memory)),
        is_english=_is_english(text, memory),
        has_secret=_is_asked_for_proof(memory) or bool(secrets_in(text, Context.ASKED)),
    )


def _is_asked_for_proof(memory: Memory) -> bool:
    return memory.pending is not None and memory.pending.asking == "proof"


def _is_english(text: str, memory: Memory) -> bool:
    if memory.pending is not None and len(text.split()) <= _ANSWER_WORDS:
        return memory.is_english  # a password or a code has no language
    return is_english(text, was_english=memory.is_english)


def _order_number(text: str, memory: Memory) -> str | None:
    found = order_numbers(text)
    ours = [one.value for one in found if one.kind == "ours"]
    if ours:
        return ours[-1]  # "不对，不是那个，是 DD…": the last one is meant
    asks_for_card = memory.pending is not None and memory.pending.asking == "card_secret"
    if asks_for_card or not found:
        return None
    is_asked = memory.pending is not None and memory.pending.asking == "order_number"
    # sixteen letters and digits are an order number at dujiaoka, and a card key elsewhere
    is_named = is_asked or any(word in text for word in ("单号", "订单", "單號", "order"))
    named = [one.value for one in found if is_named or one.kind != "dujiaoka"]
    return named[-1] if named else None


def _card_secret(text: str) -> SecretStr | None:
    numbers = [(one.start, one.end) for one in order_numbers(text) if one.kind != "dujiaoka"]
    found = [
        one
        for one in card_secrets(text)
        if one.kind == "grouped" or not touches(numbers, one.start, one.end)
    ]
    if not found:
        return None
    return SecretStr(text[found[0].start : found[0].end])


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with these spans cut out."""
    parts, end_of_last = [], 0
    for start, end in sorted(spans):
        if start >= end_of_last:
            parts.append(text[end_of_last:start])
        end_of_last = max(end_of_last, end)
    return "".join([*parts, text[end_of_last:]]).strip()


def _proof(text: str, *, is_asked: bool) -> SecretStr | None:
    """Whatever shows whose order it is: a password, else a contact, else the one code."""
    found = secrets_in(text, Context.ASKED if is_asked else Context.NONE)
    passwords = [text[start:end] for start, end, kind in found if kind == "password"]
    if passwords:
        return SecretStr(unicodedata.normalize("NFKC", passwords[0]))
    contacts = (*emails(text), *phones(text), *qq_numbers(text))
    if contacts:
        return SecretStr(contacts[0].value)
    # a sentence round one code: the code is meant, not the sentence
    codes = [text[start:end] for start, end, kind in found if kind == "proof"]
    return SecretStr(codes[0]) if is_asked and len(codes) == 1 else None


def is_english(text: str, *, was_english: bool) -> bool:
    """Whether to answer in English: words without a single Chinese character.

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
