"""Customers' lines with their secrets marked, and how well a finder seals them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shop.domain.numbers import new_number, show_number

Span = tuple[int, int, str]
Find = Callable[[str, str], Sequence[Span]]
"""(Text, context) → what is sealed in it."""

_MARK = re.compile("⟦([^⟧]*)⟧")
_SPILL_CHARS = 2
"""So many letters beside a secret may go with it: a mark of punctuation, a particle."""


@dataclass(frozen=True, slots=True)
class Line:
    """One message: ``context`` is none, asked or shown; ``secrets`` are spans of the text."""

    context: str
    text: str
    secrets: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How a finder did.

    Attributes:
        missed: Secrets of which a letter stayed readable, with their lines.
        false: Lines in which something was sealed that is no secret.
    """

    secrets: int
    missed: tuple[str, ...]
    plain: int
    false: tuple[str, ...]

    @property
    def recall(self) -> float:
        """Share of secrets that were sealed whole, in [0, 1]."""
        return 1 - len(self.missed) / self.secrets


def lines(name: str) -> list[Line]:
    """The labelled lines of a file beside this one, numbers filled in."""
    draw = random.Random(name)  # noqa: S311 - the same numbers every time
    found = []
    for row in (Path(__file__).parent / name).read_text().splitlines():
        if row and not row.startswith("#"):
            context, _, text = row.partition("\t")
            found.append(_line(context, text.replace("\\n", "\n"), draw))
    return found


def _line(context: str, text: str, draw: random.Random) -> Line:
    while "{n}" in text:
        text = text.replace("{n}", show_number(new_number(draw.randrange)), 1)
    while "{loose}" in text:
        loose = show_number(new_number(draw.randrange)).lower().replace("-", " ")
        text = text.replace("{loose}", loose, 1)
    plain, spans, end_of_last = "", [], 0
    for mark in _MARK.finditer(text):
        plain += text[end_of_last : mark.start()]
        spans.append((len(plain), len(plain) + len(mark[1])))
        plain += mark[1]
        end_of_last = mark.end()
    return Line(context, plain + text[end_of_last:], tuple(spans))


def score(find: Find, labelled: Sequence[Line]) -> Score:
    """Count what a finder misses and what it seals for nothing."""
    missed: list[str] = []
    false: list[str] = []
    for line in labelled:
        sealed = {at for start, end, _ in find(line.text, line.context) for at in range(start, end)}
        meant = {at for start, end in line.secrets for at in range(start, end)}
        for start, end in line.secrets:
            if any(line.text[at].isalnum() and at not in sealed for at in range(start, end)):
                missed.append(f"[{line.context}] {line.text} ({line.text[start:end]})")
        if sum(line.text[at].isalnum() for at in sealed - meant) > _SPILL_CHARS:
            shown = "".join("█" if at in sealed else char for at, char in enumerate(line.text))
            false.append(f"[{line.context}] {line.text} → {shown}")
    return Score(
        secrets=sum(len(line.secrets) for line in labelled),
        missed=tuple(missed),
        plain=sum(not line.secrets for line in labelled),
        false=tuple(false),
    )
