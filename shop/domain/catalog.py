"""Finding the product that a customer means by name, nickname or half a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from shop.domain.products import Product

_NOISE = re.compile(r"[\W_]+")
_VALUES = re.compile(r"\d+(?:\.\d+)?|(?:半年|年|季|月|周|日|天)卡")
"""What tells one product of a name from another: a face value, a term of membership."""
_UNITS = re.compile(r"(?<=\d)(?:元|块钱|块|rmb)")
_SHORTEST_PART = 2
_SIMILAR = 72.0
"""Lowest rapidfuzz ratio (0 to 100) for a name to be meant; a typo in four characters is 75."""
_SURE = 86.0
"""From here on nothing is asked back; a typo in six characters is 83."""
_AS_GOOD = 4.0
"""Names that are this close to the best match are meant as much as it."""


def fold_name(text: str) -> str:
    """A name as it is compared: width, case, spaces and punctuation do not count.

    >>> fold_name("Ｓｔｅａｍ 钱包码·50块")
    'steam钱包码50'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NOISE.sub("", _UNITS.sub("", folded))


@dataclass(frozen=True, slots=True)
class Found:
    """What a text may mean.

    Attributes:
        products: Best first; empty if nothing is close.
        is_sure: Exactly one product, and it is clearly meant; else they are choices.
    """

    products: tuple[Product, ...] = ()
    is_sure: bool = False


def search(products: Sequence[Product], query: str) -> Found:
    """The products that a text means.

    A face value or term that was typed has to be the product's own: who asks for 20 is not told of
    50 as if it were the same, but offered what there is of that name.
    """
    wanted = fold_name(query)
    if not wanted:
        return Found()
    scores = [(max(_score(name, wanted) for name in _names(one)), one) for one in products]
    best = max((score for score, _ in scores), default=0.0)
    if best < _SIMILAR:
        return Found()
    meant = [one for score, one in sorted(scores, key=_by_score) if score >= best - _AS_GOOD]
    asked = set(_VALUES.findall(wanted))
    if asked:
        of_value = [one for one in meant if asked & _values(one) or not _values(one)]
        if not of_value:
            return Found(tuple(dict.fromkeys([*meant, *_family(products, wanted)])))
        meant = of_value
    return Found(tuple(meant), is_sure=len(meant) == 1 and best >= _SURE)


def _by_score(scored: tuple[float, Product]) -> float:
    return -scored[0]


def _names(product: Product) -> list[str]:
    return [fold_name(name) for name in (product.title, *product.nicknames)]


def _values(product: Product) -> set[str]:
    return {value for name in _names(product) for value in _VALUES.findall(name)}


def _family(products: Sequence[Product], wanted: str) -> list[Product]:
    bare = _VALUES.sub("", wanted)
    if len(bare) < _SHORTEST_PART:
        return []
    return [one for one in products if any(bare in name for name in _names(one))]


def _score(name: str, wanted: str) -> float:
    """How much a name is meant: 100 for the same, less for part of it, least for a likeness."""
    if name == wanted:
        return 100.0
    shorter, longer = sorted((name, wanted), key=len)
    if len(shorter) >= _SHORTEST_PART and shorter in longer:
        # the more of the text a name explains, the more it is meant
        return 88.0 + 10.0 * len(shorter) / len(longer)
    without_value = _VALUES.sub("", name), _VALUES.sub("", wanted)
    if all(len(part) >= _SHORTEST_PART for part in without_value):
        if without_value[0] == without_value[1]:
            return 90.0
        return fuzz.ratio(*without_value)
    return fuzz.ratio(name, wanted)
