"""Folding texts until folding them once more changes nothing."""

from __future__ import annotations

from collections.abc import Callable

_PASSES = 8


def until_stable(step: Callable[[str], str], text: str) -> str:
    """The text after as many steps as it takes.

    NFKC, case and dropping spaces undo each other: NFKC makes "¨" a space and a combining mark,
    and once the space is gone the mark joins the letter before it.
    """
    for _ in range(_PASSES):
        folded = step(text)
        if folded == text:
            break
        text = folded
    return text
