"""The table of attacks: as JSON, as markdown, and in its place in docs/security.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from tests.attack.catalogue import ATTACKS
from tests.attack.measure import Outcome

AIM = 1.5
"""p99 under attack by p99 without it, at most."""
BEGINS, ENDS = "<!-- attacks -->", "<!-- /attacks -->"
_HEAD = (
    "| attack | what came back to the attacker | p50 / p99 without, ms | under attack, ms"
    " | p99 ratio | unanswered | newcomer's first answer, ms | agent's log-in, ms"
    " | cores used | memory · disk · log |"
)


def as_json(outcomes: Sequence[Outcome]) -> str:
    """All figures."""
    return json.dumps([asdict(one) for one in outcomes], ensure_ascii=False, indent=1)


def table(outcomes: Sequence[Outcome]) -> str:
    """Markdown: a line for each attack; of several rounds the one with the median ratio."""
    names = list(dict.fromkeys(one.attack for one in outcomes))
    rows = [_row([one for one in outcomes if one.attack == name]) for name in names]
    return "\n".join([_HEAD, "|" + "---|" * (_HEAD.count("|") - 1), *rows])


def write(path: Path, heading: str, outcomes: Sequence[Outcome]) -> None:
    """Put the table between its markers.

    Raises:
        ValueError: The file has no such markers.
    """
    text = path.read_text(encoding="utf-8")
    before, begins, rest = text.partition(BEGINS)
    _, ends, after = rest.partition(ENDS)
    if not begins or not ends:
        raise ValueError(f"{path}: {BEGINS} … {ENDS} is missing")
    inside = f"{BEGINS}\n{heading}\n\n{table(outcomes)}\n{ENDS}"
    path.write_text(f"{before}{inside}{after}", encoding="utf-8")


def _row(rounds: Sequence[Outcome]) -> str:
    ratio = median(one.ratio for one in rounds)
    one = min(rounds, key=lambda each: abs(each.ratio - ratio))
    mark = "✓" if ratio <= AIM else "✗"
    lost = sum(each.lost for each in rounds)
    asked = sum(each.asked for each in rounds)
    came = ", ".join(f"{count} × {what}" for what, count in one.came.items()) or "–"
    cells = (
        ATTACKS[one.attack].title.rstrip("."),
        came if one.is_alive else f"{came}; **the server ended**",
        f"{one.calm_p50_ms:.0f} / {one.calm_p99_ms:.0f}",
        f"{one.p50_ms:.0f} / {one.p99_ms:.0f}",
        f"{ratio:.2f} {mark}" + (f" (median of {len(rounds)})" if len(rounds) > 1 else ""),
        f"{lost} of {asked}",
        f"{one.newcomer_calm_ms:.0f} → {one.newcomer_ms:.0f}",
        f"{one.log_in_calm_ms:.0f} → {one.log_in_ms:.0f}",
        f"{one.cpu_calm:.2f} → {one.cpu:.2f}",
        f"{one.memory_mb:+.0f} MB · {one.disk_mb:+.1f} MB · {one.log_kb:+.0f} kB",
    )
    return "| " + " | ".join(cells) + " |"
