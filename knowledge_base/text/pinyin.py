"""Sounds of Chinese characters, for messages spoken into a phone or typed by sound."""

import re
from functools import cache
from importlib.resources import files

# Sounds that much of China does not keep apart, and input by voice mixes up.
_MERGED = (
    (re.compile("^([zcs])h"), r"\1"),
    (re.compile("^l"), "n"),
    (re.compile("([aei]n)g$"), r"\1"),
)
_LONGEST_SYLLABLE = 6  # chuang


def sound(char: str) -> str:
    """The syllable of a character, without its tone; the character itself where none is known.

    >>> sound("密"), sound("A")
    ('mi', 'A')
    """
    return _sounds().get(char, char)


def rough(text: str) -> str:
    """Spell a text as those hear it who do not keep zh and z, n and l, ng and n apart.

    >>> rough("充值") == rough("冲自")
    True
    """
    sounds = _rough_sounds()
    return " ".join([sounds.get(char, char) for char in text])


def spelt_out(word: str) -> str | None:
    """Return the sound of a word in Latin letters that is pinyin (``tuikuan``), or ``None``.

    Returns:
        As ``rough`` gives it. Of several readings the one with the longest syllables first.
    """
    merged = _merged()
    ends: dict[int, tuple[str, ...]] = {len(word): ()}
    for start in range(len(word) - 1, -1, -1):
        for end in range(min(len(word), start + _LONGEST_SYLLABLE), start, -1):
            if end in ends and word[start:end] in merged:
                ends[start] = (merged[word[start:end]], *ends[end])
                break
    return " ".join(ends[0]) if 0 in ends else None


def is_chinese(char: str) -> bool:
    """Tell whether the sound of a character is known."""
    return char in _sounds()


@cache
def _sounds() -> dict[str, str]:
    sounds: dict[str, str] = {}
    for line in files("knowledge_base.text").joinpath("pinyin.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            syllable, chars = line.split()
            sounds.update(dict.fromkeys(chars, syllable))
    return sounds


@cache
def _rough_sounds() -> dict[str, str]:
    merged = _merged()
    return {char: merged[syllable] for char, syllable in _sounds().items()}


@cache
def _merged() -> dict[str, str]:
    merged: dict[str, str] = {}
    for syllable in set(_sounds().values()):
        now = syllable
        for pattern, simpler in _MERGED:
            now = pattern.sub(simpler, now)
        merged[syllable] = now
    return merged
