"""The list of cases, from a run: ``pytest tests/connectors tests/contracts/channels --cases``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from pytest import CollectReport, Item, TerminalReporter, TestReport  # noqa: PT013 - types

from tests.contracts.channels.cases import CASES, ELSEWHERE, LETTERS

Cell = tuple[int, str]
_CELL = "case"
_ORDER = ("failed", "passed", "skipped")
_MARKS = {"passed": "✓", "failed": "✗", "skipped": "–", "not run": "?", "": ""}


def shown_by(item: Item) -> list[Cell]:
    """Which cases of which connector's mode a test shows."""
    marker = item.get_closest_marker("case")
    mode = getattr(getattr(item, "cls", None), "mode", None)
    if marker is not None and mode is not None:
        return [(number, str(mode)) for number in marker.args]
    return []


def note(items: Sequence[Item]) -> None:
    """Remember with each collected test what it shows: its report tells."""
    for item in items:
        cells = shown_by(item)
        name = item.name.partition("[")[0]
        folder = Path(str(item.path)).parent.name
        cells += [
            (number, channel)
            for (number, channel), names in ELSEWHERE.items()
            if name in names and folder in {channel, "connectors"}
        ]
        item.user_properties.extend((_CELL, cell) for cell in cells)


def write(reporter: TerminalReporter) -> str:
    """The list as a Markdown table: a line a case, a column a connector's mode."""
    found: dict[Cell, set[str]] = defaultdict(set)
    for outcome in _ORDER:
        for report in reporter.stats.get(outcome, []):
            if isinstance(report, CollectReport) or not isinstance(report, TestReport):
                continue
            for name, cell in report.user_properties:
                if name == _CELL and isinstance(cell, (tuple, list)):
                    number, mode = cell
                    found[number, mode].add(outcome)
    modes = sorted({mode for _, mode in found if _channel(mode) != mode or mode in LETTERS})
    columns = [mode for mode in modes if mode not in LETTERS or _stands_alone(mode, modes)]
    lines = [
        "| | case | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for number, (title, letters) in CASES.items():
        cells = [_cell(found, number, mode, letters) for mode in columns]
        lines.append(f"| {number} | {title} | " + " | ".join(cells) + " |")
    lines.append("")
    lines.append("✓ passed · ✗ failed · – the platform has no such thing · empty: not its case")
    return "\n".join(lines)


def _cell(found: dict[Cell, set[str]], number: int, mode: str, letters: str) -> str:
    if LETTERS[_channel(mode)] not in letters:
        return ""
    outcomes = found.get((number, mode), set()) | found.get((number, _channel(mode)), set())
    return _MARKS[next((one for one in _ORDER if one in outcomes), "not run")]


def _channel(mode: str) -> str:
    return mode.partition(" ")[0]


def _stands_alone(mode: str, modes: Sequence[str]) -> bool:
    return not any(one != mode and _channel(one) == mode for one in modes)
