"""Start the product, drive it, print what it did."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random

import click
import uvloop

from benchmarks.figures import Figures
from benchmarks.load import flat_out, fragment_wait, paced
from benchmarks.product import product
from benchmarks.recognition import recognition
from benchmarks.report import table
from benchmarks.utterances import fragments, utterances

RATES_PER_S = (50, 100, 200)
SEED = 20261123
_RECOGNISED = 1000
_WARM_UP_S = 1.0
_KB = Path(__file__).resolve().parent.parent / "kb.yaml"


@click.command()
@click.option("--seconds", default=10.0, show_default=True, help="How long each load lasts.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of the table.")
def main(*, seconds: float, as_json: bool) -> None:
    """Measure the running product on SQLite, in a temporary data folder, with the demo shop."""
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as folder:
        figures = uvloop.run(_measure(Path(folder), seconds))
    if as_json:
        per_s = [round(load.per_s, 1) for load in (figures.throughput, *figures.paced)]
        click.echo(json.dumps({**asdict(figures), "per_s": per_s}, ensure_ascii=False))
        return
    click.echo(table(figures))


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
    _tell("recognition …")
    said = list(islice(texts, _RECOGNISED))
    spread = await asyncio.to_thread(recognition, _KB, data / "cache", said)
    return Figures(
        at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=_machine(),
        command=" ".join(["python -m benchmarks", *sys.argv[1:]]),
        cold_start_s=cold_start_s,
        warm_start_s=warm_start_s,
        throughput=throughput,
        paced=tuple(loads),
        fragment=fragment,
        recognition=spread,
        memory_start_mb=memory_start_mb,
        memory_load_mb=memory_load_mb,
        memory_peak_mb=memory_peak_mb,
    )


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
