"""Attempts to look at an order or to prove that it is theirs, as they are recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AttemptKind(StrEnum):
    """Kind of an attempt that a source made.

    A try is recorded before it is checked, so that neither a crash nor fifty tries at once are
    free; it stays a failed one unless it is settled.
    """

    LOOKUP = "lookup"
    TRY = "try"
    HARMLESS = "harmless"
    PROVED = "proved"
    CODE = "code"


TRIES = frozenset({AttemptKind.TRY, AttemptKind.HARMLESS, AttemptKind.PROVED})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that a source did."""

    kind: AttemptKind
    at: datetime
