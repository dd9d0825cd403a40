"""``python -m tests.attack.fuzz TARGET``: fuzz one reader for a while; a finding ends it with 1."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris
import click

from tests.attack.fuzz.targets import TARGETS

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
_SLOW_S = 5
_MEMORY_MB = 2048


@click.command()
@click.argument("name", type=click.Choice(list(TARGETS)))
@click.option("--seconds", default=600, show_default=True)
@click.option("--runs", default=-1, help="At most so many.")
@click.option("--finding", type=Path, help="Run this one input, which was found before.")
@click.option("--grown", type=Path, help="Folder that keeps the inputs found, for the next run.")
def main(*, name: str, seconds: int, runs: int, finding: Path | None, grown: Path | None) -> None:
    """Fuzz with the seeds of tests/attack/corpus; what is found stays in the working folder."""
    if finding is not None:
        TARGETS[name](finding.read_bytes())
        return
    with tempfile.TemporaryDirectory(prefix="kefu-corpus-") as forgotten:
        arguments = [
            f"-max_total_time={seconds}",
            f"-runs={runs}",
            f"-timeout={_SLOW_S}",
            f"-rss_limit_mb={_MEMORY_MB}",
            f"-artifact_prefix={name}-",
            "-print_final_stats=1",
            str(grown or forgotten),
            *([str(CORPUS / name)] if (CORPUS / name).is_dir() else []),
        ]
        atheris.Setup([sys.argv[0], *arguments], TARGETS[name])
        atheris.Fuzz()


main()
