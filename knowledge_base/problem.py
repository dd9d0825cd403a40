"""Places in kb.yaml, and the problems found there."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file, counted from 1."""

    file: Path
    line: int

    def __str__(self) -> str:
        """Return the place as an editor understands it: ``kb.yaml:12``."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and what to do about it.

    Attributes:
        file: As the admin named it.
        line: Counted from 1.
        text: What is wrong, with the offending words.
        hint: What to do; empty where nothing sensible can be said.
    """

    file: Path
    line: int
    text: str
    hint: str = ""

    def __str__(self) -> str:
        """``kb.yaml:12: what is wrong → what to do``."""
        return f"{self.file}:{self.line}: {self.text}" + (f" → {self.hint}" if self.hint else "")


def problem_at(place: Place, text: str, hint: str = "") -> Problem:
    """A problem at a place that is already known."""
    return Problem(file=place.file, line=place.line, text=text, hint=hint)
