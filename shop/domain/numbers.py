"""Order numbers: random, so that a number alone is worth a little.

``DD`` and 20 symbols of Crockford's base 32: 100 random bits.

Source: Douglas Crockford, Base 32 (crockford.com/base32.html): no I, L, O, U; reading takes O as 0
and I and L as 1.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import NewType

OrderNumber = NewType("OrderNumber", str)

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PREFIX = "DD"
SYMBOLS = 20
_GROUP = 5
_LONGEST = 64
_READ = str.maketrans("OIL", "011")
_NO_SYMBOL = re.compile(r"[^0-9A-Z]+")


def new_number(draw: Callable[[int], int]) -> OrderNumber:
    """A new number.

    Args:
        draw: An unguessable integer in [0, its argument), such as ``secrets.randbelow``.
    """
    return OrderNumber(PREFIX + "".join(ALPHABET[draw(32)] for _ in range(SYMBOLS)))


def read_number(typed: str) -> OrderNumber:
    """What a customer typed, folded to how numbers are stored; at most 64 characters.

    Nothing is refused here: what cannot be a number is looked up like one and not found, so that
    both get the same answer. Numbers of other shops keep their symbols.

    >>> read_number("ｄｄ-o1234 5678l-9ABCD EFGHJ")
    'DD01234567819ABCDEFGHJ'
    """
    compact = _NO_SYMBOL.sub("", unicodedata.normalize("NFKC", typed).upper())[:_LONGEST]
    if len(compact) != len(PREFIX) + SYMBOLS or not compact.startswith(PREFIX):
        return OrderNumber(compact)
    return OrderNumber(PREFIX + compact[len(PREFIX) :].translate(_READ))


def show_number(number: str) -> str:
    """A number as people read it.

    >>> show_number("DD012345678190ABCDEFGH")
    'DD-01234-56781-90ABC-DEFGH'
    """
    if len(number) != len(PREFIX) + SYMBOLS or not number.startswith(PREFIX):
        return number
    body = number[len(PREFIX) :]
    groups = [body[at : at + _GROUP] for at in range(0, SYMBOLS, _GROUP)]
    return "-".join([PREFIX, *groups])
