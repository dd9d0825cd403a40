"""What recognition costs, in processes of its own: ``python -m benchmarks.recognition --help``."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import click

from benchmarks.figures import Spread
from benchmarks.large import large_kb
from benchmarks.lines import aim, ms, row
from benchmarks.sets import SHIPPED_KB, labelled_set, write_kb
from benchmarks.utterances import utterances

SEED = 20261123
_ASKED = 1000
_EACH = 60
_LONG_AIM_MS = 20
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Cost:
    """What one knowledge base costs.

    Attributes:
        phrases: Learnt from.
        fit_s: From starting the fitting process until its result was read, kb.yaml included.
        fit_cpu_s: CPU seconds of the fitting process, all cores.
        fit_peak_mb: The most that it held.
        told: How often it said how far it was.
        silence_s: The longest that it said nothing.
        load_s: The same with the fit in the cache.
        gained_mb: What the serving process holds more than before, after all questions.
        one: One utterance as one question (``recognize``).
        all: One utterance with all its questions (``questions``), as in a turn.
        long_s: The slowest of several messages of 10,000 characters.
        not_for_serving: Modules that should not have been imported, and were.
    """

    phrases: int
    intents: int
    fit_s: float
    fit_cpu_s: float
    fit_peak_mb: float
    told: int
    silence_s: float
    load_s: float
    gained_mb: float
    one: Spread
    all: Spread
    long_s: float
    not_for_serving: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Aims:
    """The most that it may cost; ``None``: no aim.

    Attributes:
        p50_ms: One query.
        p99_ms: One query.
        fit_s: As in ``Cost``.
        gained_mb: As in ``Cost``.
    """

    p50_ms: float | None
    p99_ms: float | None
    fit_s: float | None
    gained_mb: float | None


def shipped_cost(folder: Path) -> Cost:
    """The shipped kb.yaml as it is."""
    return cost_of(SHIPPED_KB, folder / "shipped", _customers())


def middle_cost(folder: Path) -> Cost:
    """The shipped intents with 60 of their phrases each, taken evenly from all."""
    by_intent: dict[str, list[str]] = {}
    for phrase, intent in labelled_set("customers").phrases:
        by_intent.setdefault(intent, []).append(phrase)
    phrases = [
        (texts[n * len(texts) // _EACH], intent)
        for intent, texts in by_intent.items()
        for n in range(min(_EACH, len(texts)))
    ]
    path = folder / "middle.yaml"
    write_kb(phrases, path)
    return cost_of(path, folder / "middle", _customers())


def _customers() -> list[str]:
    said = [case.text for case in labelled_set("customers").tests]
    more = islice(utterances(Random(SEED)), _ASKED - len(said))  # noqa: S311 - load, not secrets
    return [*said, *more]


def large_cost(folder: Path) -> Cost:
    """300 intents with 30 phrases each."""
    phrases, said = large_kb()
    path = folder / "large.yaml"
    write_kb(phrases, path)
    return cost_of(path, folder / "large", said[:: max(1, len(said) // _ASKED)])


def cost_of(kb: Path, cache_dir: Path, texts: Sequence[str]) -> Cost:
    """Fit in one process; serve from the cache in another."""
    fitting = _probe(kb, cache_dir, [])
    serving = _probe(kb, cache_dir, texts)
    return Cost(
        phrases=serving["phrases"],
        intents=serving["intents"],
        fit_s=fitting["load_s"],
        fit_cpu_s=fitting["fit_cpu_s"],
        fit_peak_mb=fitting["fit_peak_mb"],
        told=fitting["told"],
        silence_s=fitting["silence_s"],
        load_s=serving["load_s"],
        gained_mb=serving["gained_mb"],
        one=Spread.of(serving["took_s"]["one"]),
        all=Spread.of(serving["took_s"]["all"]),
        long_s=serving["long_s"],
        not_for_serving=tuple(serving["not_for_serving"]),
    )


def cost_lines(cost: Cost, aims: Aims) -> Iterator[str]:
    """For people."""
    wanted_ms = [("p50", aims.p50_ms, cost.one.p50), ("p99", aims.p99_ms, cost.one.p99)]
    limits = ", ".join(f"{name} ≤ {most:g}" for name, most, _ in wanted_ms if most is not None)
    is_fast = all(took <= most for _, most, took in wanted_ms if most is not None)
    yield row(
        f"one query, {cost.intents} × {cost.phrases // cost.intents}",
        ms(cost.one, digits=2),
        aim(f"{limits} ms", is_met=is_fast) if limits else "",
    )
    yield row("  all questions of a message", ms(cost.all, digits=2))
    yield row(
        "  a message of 10,000 characters",
        f"{cost.long_s * 1e3:.1f} ms",
        aim(f"≤ {_LONG_AIM_MS} ms", is_met=cost.long_s * 1e3 <= _LONG_AIM_MS),
    )
    yield row(
        f"fit, {cost.phrases:,} phrases",
        f"{cost.fit_s:.1f} s ({cost.fit_cpu_s:.1f} s of CPU)",
        "" if aims.fit_s is None else aim(f"≤ {aims.fit_s:g} s", is_met=cost.fit_s <= aims.fit_s),
    )
    yield row("  peak memory, its own process", f"{cost.fit_peak_mb:.0f} MB")
    yield row("  progress", f"{cost.told} times", f"longest silence {cost.silence_s:.1f} s")
    yield row("  loaded from the cache", f"{cost.load_s:.2f} s")
    wanted = aims.gained_mb
    yield row(
        "memory gained by serving",
        f"{cost.gained_mb:.0f} MB",
        "" if wanted is None else aim(f"≤ {wanted:g} MB", is_met=cost.gained_mb <= wanted),
    )
    yield row(
        "scikit-learn while serving",
        ", ".join(cost.not_for_serving) or "not imported",
        aim("not imported", is_met=not cost.not_for_serving),
    )


def _probe(kb: Path, cache_dir: Path, texts: Sequence[str]) -> dict[str, Any]:
    found = subprocess.run(  # noqa: S603  our own module, no shell
        [sys.executable, "-m", "benchmarks.probe", str(kb), str(cache_dir)],
        input=json.dumps(list(texts)),
        stdout=subprocess.PIPE,
        check=True,
        cwd=_ROOT,
        encoding="utf-8",
    )
    figures: dict[str, Any] = json.loads(found.stdout)
    return figures


SIZES: dict[str, tuple[Callable[[Path], Cost], Aims]] = {
    "shipped": (shipped_cost, Aims(p50_ms=None, p99_ms=None, fit_s=None, gained_mb=80)),
    "middle": (middle_cost, Aims(p50_ms=0.4, p99_ms=1.5, fit_s=3, gained_mb=None)),
    "large": (large_cost, Aims(p50_ms=None, p99_ms=3, fit_s=15, gained_mb=None)),
}


@click.command()
@click.option("--only", type=click.Choice(list(SIZES)), help="One of them alone.")
def main(*, only: str | None) -> None:
    """Measure one query, a fit, and memory."""
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as folder:
        for size in [only] if only else SIZES:
            measure, aims = SIZES[size]
            click.echo("\n".join(cost_lines(measure(Path(folder)), aims)))


if __name__ == "__main__":
    main()
