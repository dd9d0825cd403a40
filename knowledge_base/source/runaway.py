"""Finds patterns that may run away, by running them on texts made to lead them astray.

A repeat inside a repeat can split one text in more ways than there is time to try. Whether a given
engine does so is seen by asking it: long runs of what the pattern's own characters repeat, ended by
something that it cannot match.
"""

import re
from collections.abc import Iterator

from knowledge_base.source.patterns import compiled

PROBE_CHARS = 600
"""As much of a message as recognition reads."""
PROBE_LIMIT_S = 0.05
_STANDING_FOR_CLASSES = ("a", "1", "好", " ", "-", "ab1", "a ", "a,", "1-")
"""``\\w``, ``\\d``, ``.``, ``\\s``, ``\\W`` and what alternates between them."""
_NOWHERE = "\N{SNOWMAN}"
_LITERALS = re.compile(r"[^\W_]+")
_MAX_REPEATED = 24
_MAX_ASKED_FOR = 8


def runaway(pattern: str) -> str | None:
    """Find a text on which a pattern takes too long.

    Args:
        pattern: One that ``compiled`` accepts.

    Returns:
        A text of at most ``PROBE_CHARS`` and a few characters; ``None`` if all were quick.
    """
    search = compiled(pattern).search
    for text in _probes(pattern):
        try:
            search(text, timeout=PROBE_LIMIT_S)
        except TimeoutError:
            return text
    return None


def _probes(pattern: str) -> Iterator[str]:
    literals = list(dict.fromkeys(_LITERALS.findall(pattern)))
    single = [char for char in pattern if char.isalnum() or char in "-_.,;:@/ "]
    repeated = list(dict.fromkeys((*_STANDING_FOR_CLASSES, *literals, *single)))[:_MAX_REPEATED]
    # an engine gives up at once where a text lacks what the pattern asks for: so it is there, too,
    # and the last of it is what such patterns end with
    asked_for = list(dict.fromkeys((*reversed(literals), *reversed(single))))[:_MAX_ASKED_FOR]
    ends = ("", _NOWHERE)
    ends += tuple(end for literal in asked_for for end in (literal + _NOWHERE, _NOWHERE + literal))
    for start in dict.fromkeys(("", *literals[:1])):
        for literal in repeated:
            run = (literal * (PROBE_CHARS // len(literal) + 1))[:PROBE_CHARS]
            for end in ends:
                yield start + run + end
