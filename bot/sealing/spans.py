"""Stretches of a text, looked up by place: a text can have as many as it is long."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

Stretch = tuple[int, int]
"""(First character, one after the last)."""


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Put stretches in order, those that overlap as one.

    >>> merged([(5, 9), (0, 2), (7, 12)])
    [(0, 2), (5, 12)]
    """
    kept: list[Stretch] = []
    for start, end in sorted(stretches):
        if kept and start < kept[-1][1]:
            kept[-1] = (kept[-1][0], max(kept[-1][1], end))
        else:
            kept.append((start, end))
    return kept


def touches(stretches: Sequence[Stretch], start: int, end: int) -> bool:
    """Tell whether a stretch shares a character with one of these, which are in order and apart.

    >>> touches([(0, 2), (5, 12)], 2, 5), touches([(0, 2), (5, 12)], 11, 20)
    (False, True)
    """
    before_end = bisect_left(stretches, end, key=lambda one: one[0])
    return before_end > 0 and stretches[before_end - 1][1] > start
