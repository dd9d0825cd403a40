"""Everything that is measured: the running product, and recognition by itself."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from random import Random

import click
import uvloop

from benchmarks.accuracy import compare
from benchmarks.contenders import CONTENDERS
from benchmarks.figures import Figures
from benchmarks.load import flat_out, fragment_wait, paced
from benchmarks.product import product
from benchmarks.recognition import SEED, SIZES, cost_lines
from benchmarks.report import table
from benchmarks.sets import NAMES
from benchmarks.utterances import fragments, utterances

RATES_PER_S = (50, 100, 200)
_WARM_UP_S = 1.0
_PARTS = ("product", "recognition", "accuracy")


@click.command()
@click.option("--seconds", default=10.0, show_default=True, help="How long each load lasts.")
@click.option("--only", type=click.Choice(_PARTS), help="One part; all three by default.")
@click.option("--json", "as_json", is_flag=True, help="The product's figures as one JSON object.")
def main(*, seconds: float, only: str | None, as_json: bool) -> None:
    """Measure the running product on SQLite with the demo shop; then recognition by itself."""
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as name:
        folder = Path(name)
        if as_json:
            click.echo(_as_json(uvloop.run(_measure(folder, seconds))))
            return
        if only in (None, "product"):
            click.echo(table(uvloop.run(_measure(folder, seconds))))
        else:
            click.echo(f"kefu, {_now()}\n{_machine()}\n$ {_command()}")
        if only in (None, "recognition"):
            _tell("recognition: one query, a fit, memory …")
            click.echo("\nrecognition by itself:")
            for line in _costs(folder):
                click.echo(line)
        if only in (None, "accuracy"):
            click.echo("\nrecognition beside others, learnt and asked in this run:")
            for line in compare(tuple(CONTENDERS), NAMES):
                click.echo(line)


def _costs(folder: Path) -> Iterator[str]:
    return chain.from_iterable(
        cost_lines(measure(folder), aims) for measure, aims in SIZES.values()
    )


def _as_json(figures: Figures) -> str:
    per_s = [round(load.per_s, 1) for load in (figures.throughput, *figures.paced)]
    return json.dumps({**asdict(figures), "per_s": per_s}, ensure_ascii=False)


async def _measure(data: Path, seconds: float) -> Figures:
    texts = utterances(Random(SEED))  # noqa: S311 - load, not secrets
    _tell("first start: makes tables and fits recognition …")
    async with product(data) as first:
        cold_start_s = first.ready_s
    _tell("second start …")
    async with product(data) as running:
        memory_start_mb = running.memory_mb()
        await paced(running, texts, rate_per_s=RATES_PER_S[0], s=_WARM_UP_S)
        loads = []
        for rate_per_s in RATES_PER_S:
            _tell(f"{rate_per_s} messages/s for {seconds:g} s …")
            loads.append(await paced(running, texts, rate_per_s=rate_per_s, s=seconds))
        _tell(f"as many as it answers for {seconds:g} s …")
        throughput = await flat_out(running, texts, s=seconds)
        fragment = await fragment_wait(running, fragments())
        memory_load_mb, memory_peak_mb = running.memory_mb(), running.memory_mb("VmHWM")
        warm_start_s = running.ready_s
    return Figures(
        at=_now(),
        machine=_machine(),
        command=_command(),
        cold_start_s=cold_start_s,
        warm_start_s=warm_start_s,
        throughput=throughput,
        paced=tuple(loads),
        fragment=fragment,
        memory_start_mb=memory_start_mb,
        memory_load_mb=memory_load_mb,
        memory_peak_mb=memory_peak_mb,
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _command() -> str:
    return " ".join(["python -m benchmarks", *sys.argv[1:]])


def _machine() -> str:
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores ({model}), {platform.system()}, Python {platform.python_version()}"


def _tell(step: str) -> None:
    # progress goes beside the figures, so that --json stays one object
    click.echo(step, err=True)


if __name__ == "__main__":
    main()
