"""Words that nearly mean the same, in messages to a shop: a small thesaurus."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise


def concepts(words: Sequence[str]) -> Iterator[str]:
    """The concepts that words stand for, one by one or two at a time, in their order.

    >>> list(concepts(["buy"])) == list(concepts(["purchase"])) != []
    True
    """
    known = _concepts()
    for word in words:
        if word in known:
            yield known[word]
    for left, right in pairwise(words):
        both = f"{left} {right}" if left.isascii() and right.isascii() else left + right
        if both in known:
            yield known[both]


@cache
def _concepts() -> Mapping[str, str]:
    """Word → the first word of its group."""
    lines = files("knowledge_base").joinpath("concepts.txt").read_text("utf-8").splitlines()
    groups = (line.split("|") for line in lines if line.strip() and not line.startswith("#"))
    return {word.strip(): group[0].strip() for group in groups for word in group}
