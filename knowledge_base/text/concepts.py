"""Words that nearly mean the same, in messages to a shop: a small thesaurus."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

MARK = "="
"""What a concept's name begins with; no word does."""


def meanings(words: Sequence[str]) -> list[str]:
    """The words, and the name of its concept in place of each word or two that have one.

    >>> meanings(["i", "purchased", "it"])
    ['i', '=buy', 'it']
    """
    known = _concepts()
    found: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        if at + 1 < len(words):
            after = words[at + 1]
            both = f"{word} {after}" if word.isascii() and after.isascii() else word + after
            if both in known:
                found.append(known[both])
                at += 2
                continue
        found.append(known.get(word, word))
        at += 1
    return found


@cache
def _concepts() -> Mapping[str, str]:
    """Word → the concept that is named after the first word of its group."""
    lines = files("knowledge_base.text").joinpath("concepts.txt").read_text("utf-8").splitlines()
    groups = (line.split("|") for line in lines if line.strip() and not line.startswith("#"))
    return {word.strip(): MARK + group[0].strip() for group in groups for word in group}
