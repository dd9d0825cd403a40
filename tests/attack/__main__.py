"""``python -m tests.attack``: every attack in full, and the table of what honest people noticed."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from tests.attack.catalogue import ATTACKS
from tests.attack.honest import VISITORS
from tests.attack.measure import Outcome, measured
from tests.attack.report import AIM, as_json, table, write

_ROOT = Path(__file__).resolve().parents[2]


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(ATTACKS)))
@click.option("--seconds", default=60.0, show_default=True, help="How long each attack lasts.")
@click.option("--rounds", default=1, show_default=True, help="How often; medians are told.")
@click.option("--visitors", default=VISITORS, show_default=True)
@click.option("--kb", default=_ROOT / "kb.yaml", type=Path)
@click.option("--json", "json_path", type=Path, help="Write all figures to this file.")
@click.option("--docs", type=Path, help="Write the table between the markers of this file.")
def main(
    *,
    names: Sequence[str],
    seconds: float,
    rounds: int,
    visitors: int,
    kb: Path,
    json_path: Path | None,
    docs: Path | None,
) -> None:
    """Attack a server of our own on this machine, and measure what honest visitors wait.

    Ends with 1 where a visitor went unanswered, the server ended, or the p99 was more than 1.5
    times what it is without the attack.
    """
    outcomes: list[Outcome] = []
    for name in names or ATTACKS:
        for number in range(rounds):
            click.echo(f"{name} ({number + 1} of {rounds}) …", err=True)
            one = asyncio.run(measured(ATTACKS[name], kb, seconds, visitors=visitors))
            outcomes.append(one)
            click.echo(_line(one), err=True)
    click.echo(f"{_heading(seconds, rounds)}\n\n{table(outcomes)}")
    if json_path is not None:
        json_path.write_text(as_json(outcomes), encoding="utf-8")
    if docs is not None:
        write(docs, _heading(seconds, rounds), outcomes)
    sys.exit(any(one.lost or not one.is_alive or not one.ratio <= AIM for one in outcomes))


def _line(one: Outcome) -> str:
    return (
        f"  p99 {one.calm_p99_ms:.0f} → {one.p99_ms:.0f} ms ({one.ratio:.2f} ×), p50"
        f" {one.calm_p50_ms:.0f} → {one.p50_ms:.0f} ms, unanswered {one.lost} of {one.asked},"
        f" refused {one.refused} {list(one.refusals)}, {one.came}"
    )


def _heading(seconds: float, rounds: int) -> str:
    now = datetime.now(UTC)
    return (
        f"{now:%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), Python"
        f" {platform.python_version()}, SQLite; each attack {seconds:.0f} s"
        + (f", {rounds} rounds" if rounds > 1 else "")
        + f" from one address, {VISITORS} honest visitors at 1 message/s from others:"
        " `make attack`."
    )


main()
