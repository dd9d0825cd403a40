"""Masks for what tells nothing of the question: numbers, codes, links."""

import re

from knowledge_base.text.slots import (
    Found,
    amounts,
    card_secrets,
    emails,
    order_numbers,
    phones,
)

# One character of Unicode's private use area each: it is a word of its own, weighs little in a
# comparison of spellings, and no keyboard has it.
ORDER, CARD, PHONE, MAIL, AMOUNT, LINK = (chr(0xE001 + n) for n in range(6))
MASKS = f"{ORDER}-{LINK}"
_MAYBE = re.compile(r"\d|@|://|www\.", re.IGNORECASE)
_CODE = re.compile(r"(?:[0-9０-９A-Za-z][ \-_]?){8}")
_LINK = re.compile(r"(?:https?://|www\.)[^\s\u4e00-\u9fff，。！？；]+", re.IGNORECASE)


def masked(text: str) -> str:
    """The text with one character in place of each order number, card secret, sum and so on.

    >>> masked("DD-4K8ZP-92MQX-7T1VC-H60RA花了100块还没到") == f"{ORDER}花了{AMOUNT}还没到"
    True
    """
    if not _MAYBE.search(text):
        return text
    text = _LINK.sub(LINK, text)
    if "@" in text:
        text = _replaced(text, emails(text), MAIL)
    if _CODE.search(text):
        text = _replaced(text, order_numbers(text), ORDER)
        text = _replaced(text, phones(text), PHONE)
        text = _replaced(text, card_secrets(text), CARD)
    return _replaced(text, amounts(text), AMOUNT)


def _replaced(text: str, found: tuple[Found, ...], mask: str) -> str:
    """The text with a mask in place of each value; they are in order and do not overlap."""
    parts: list[str] = []
    end_of_last = 0
    for value in found:
        parts += text[end_of_last : value.start], mask
        end_of_last = value.end
    return "".join(parts) + text[end_of_last:] if found else text
