"""Labelled utterances: CSV with the columns ``text`` and ``intent``."""

import csv
from dataclasses import dataclass
from pathlib import Path

from knowledge_base.errors import CasesError

OUT_OF_SCOPE = "oos"


@dataclass(frozen=True, slots=True)
class Case:
    """An utterance and what it means.

    Attributes:
        text: As the customer typed it.
        intents: Any of these is right; empty: out of scope.
    """

    text: str
    intents: tuple[str, ...]

    @property
    def label(self) -> str:
        """As in the file."""
        return "|".join(self.intents) or OUT_OF_SCOPE


def read_cases(path: Path) -> tuple[Case, ...]:
    """Read a file of cases, UTF-8 with or without a byte-order mark.

    Raises:
        CasesError: It cannot be read, lacks a column, or a row is empty.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if missing := {"text", "intent"} - set(reader.fieldnames or ()):
                text = (
                    f"缺少列 {', '.join(sorted(missing))} (missing column); 第一行要写 text,intent"
                )
                raise CasesError(path, 1, text)
            return tuple(_case(row, path, reader.line_num) for row in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CasesError(path, 1, f"读不了 ({error}); 要 UTF-8 的 CSV") from error


def _case(row: dict[str, str | None], path: Path, line: int) -> Case:
    text, label = (row["text"] or "").strip(), (row["intent"] or "").strip()
    if not text or not label:
        raise CasesError(path, line, "text 或 intent 是空的 (empty cell)")
    names = tuple(name.strip() for name in label.split("|") if name.strip())
    return Case(text, () if OUT_OF_SCOPE in names else names)
