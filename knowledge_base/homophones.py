"""Words that were typed or heard by their sound: 卡秘 for 卡密, 倒账 for 到账."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import rjieba

from knowledge_base.pinyin import is_chinese, rough, sound

_LONGEST = 4
_MIN_PHRASES = 2  # a word of a single phrase may itself be a slip


@dataclass(frozen=True, slots=True)
class Homophones:
    """What a shop's words sound like. Immutable, thread-safe.

    Attributes:
        words: Rough sound → the most frequent word of the shop that sounds so.
        known: Pairs of characters that somebody wrote on purpose; these are left alone.
    """

    words: Mapping[str, str]
    known: frozenset[str]

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
            done.append(word)
            loose = []
        return "".join(done + self._joined(loose))

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
    """One character is right, or the sound is right throughout."""
    return any(a == b for a, b in zip(heard, word, strict=True)) or all(
        sound(a) == sound(b) for a, b in zip(heard, word, strict=True)
    )


def fit_homophones(phrases: Iterable[str], others: Iterable[str]) -> Homophones:
    """Learn the words of a shop.

    Args:
        phrases: The shop's, normalised.
        others: Everyday phrases, normalised: what stands there is known, but no word of the shop.
    """
    counts: Counter[str] = Counter()
    known: set[str] = set()
    for phrase in phrases:
        known.update(left + right for left, right in pairwise(phrase))
        counts.update(
            {word for word in rjieba.cut(phrase, hmm=True) if 2 <= len(word) <= _LONGEST}  # noqa: PLR2004
        )
    for phrase in others:
        known.update(left + right for left, right in pairwise(phrase))
    words: dict[str, str] = {}
    for word, times in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        if times >= _MIN_PHRASES and all(map(is_chinese, word)):
            words.setdefault(rough(word), word)
    return Homophones(words, frozenset(known))
