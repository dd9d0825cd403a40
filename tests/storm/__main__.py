"""``python -m tests.storm``: the storm at full strength, and its counts."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import click

from tests.storm.run import CHANNELS, storm_over
from tests.storm.storm import Weather, table


@click.command()
@click.option("--customers", default=200, show_default=True)
@click.option("--each", default=10, show_default=True, help="Messages of each customer.")
@click.option("--seed", default=1, show_default=True)
@click.option("--channels", default=",".join(CHANNELS), show_default=True)
def main(*, customers: int, each: int, seed: int, channels: str) -> None:
    """Let customers of several platforms write at once, with repeats, swaps and faults."""
    weather = Weather(customers=customers, per_customer=each)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kefu-storm-") as folder:
        tallies = asyncio.run(storm_over(channels.split(","), Path(folder), weather, seed))
    click.echo(table(tallies))
    click.echo(f"{customers * each} messages, {time.monotonic() - began:.0f} s, seed {seed}")


main()
