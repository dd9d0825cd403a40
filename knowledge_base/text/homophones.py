"""Words that were typed or heard by their sound: 卡秘 for 卡密, 倒账 for 到账."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import rjieba

from knowledge_base.text.pinyin import (
    is_chinese,
    rough,
    sound,
    spelt_out,
)

_LONGEST = 4
_SHORTEST_PINYIN = 4
_LONGEST_PINYIN = _LONGEST * 6  # no syllable has more letters than zhuang
_LATIN = re.compile("[a-z]+")
_MIN_PHRASES = 2  # a word of a single phrase may itself be a slip


@dataclass(frozen=True, slots=True)
class Homophones:
    """Words of a shop by their sound. Immutable, thread-safe.

    Attributes:
        words: Rough sound → the most frequent word of the shop that sounds so.
        known: Pairs of characters that somebody wrote on purpose; these are left alone.
        latin: Words in Latin letters that somebody wrote on purpose.
    """

    words: Mapping[str, str]
    known: frozenset[str]
    latin: frozenset[str]

    def corrected(self, text: str) -> str:
        """The text with the shop's words in place of what only sounds like them.

        Args:
            text: Normalised. Only characters that stand beside each other in none of the phrases
                are looked at, and only words of two to four characters put in their place.
        """
        done: list[str] = []
        loose: list[str] = []
        # without guesses at new words: what is cut out longer than one character is in a dictionary
        for word in rjieba.cut(text, hmm=False):
            if len(word) == 1 and is_chinese(word):
                loose.append(word)
                continue
            done += self._joined(loose)
            done.append(self._from_pinyin(word) or word)
            loose = []
        return "".join(done + self._joined(loose))

    def _from_pinyin(self, word: str) -> str:
        """The shop's word that a word in Latin letters spells out: tuikuan."""
        is_short_enough = _SHORTEST_PINYIN <= len(word) <= _LONGEST_PINYIN
        if not is_short_enough or not (word.isascii() and word.isalpha()):
            return ""
        if word in self.latin:
            return ""
        return self.words.get(spelt_out(word) or "", "")

    def _joined(self, loose: Sequence[str]) -> list[str]:
        """Characters that form no word of the dictionary, made words of the shop where they can."""
        done: list[str] = []
        at = 0
        while at < len(loose):
            word = self._word_at(loose, at)
            done.append(word or loose[at])
            at += len(word) or 1
        return done

    def _word_at(self, loose: Sequence[str], at: int) -> str:
        for length in range(min(_LONGEST, len(loose) - at), 1, -1):
            heard = "".join(loose[at : at + length])
            if all(left + right in self.known for left, right in pairwise(heard)):
                continue
            word = self.words.get(rough(heard))
            if word is not None and _is_near(heard, word):
                return word
        return ""


def _is_near(heard: str, word: str) -> bool:
    """Tell whether one character is right, or the sound is right throughout."""
    return any(a == b for a, b in zip(heard, word, strict=True)) or all(
        sound(a) == sound(b) for a, b in zip(heard, word, strict=True)
    )


def fit_homophones(phrases: Iterable[str], others: Iterable[str]) -> Homophones:
    """Learn the words of a shop.

    Args:
        phrases: The shop's, normalised.
        others: Everyday phrases, normalised: what stands there is known, but no word of the shop.
    """
    asked = tuple(phrases)
    everything = (*asked, *others)
    counts: Counter[str] = Counter()
    for phrase in asked:
        counts.update(set(rjieba.cut(phrase, hmm=True)))
    words: dict[str, str] = {}
    for word, times in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        is_word = 2 <= len(word) <= _LONGEST and all(map(is_chinese, word))  # noqa: PLR2004
        if is_word and times >= _MIN_PHRASES:
            words.setdefault(rough(word), word)
    return Homophones(
        words,
        frozenset(left + right for phrase in everything for left, right in pairwise(phrase)),
        frozenset(word for phrase in everything for word in _LATIN.findall(phrase)),
    )
