"""``python -m tests.attack.attacker NAME URL``: one attack in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import click
import uvloop

from tests.attack.catalogue import ATTACKS
from tests.attack.front import Front

SOURCE = "127.251.0.1"
STOPS_WITHIN_S = 60.0
READY_WITHIN_S = 60.0
_READY = "ready"
_POLITELY = ("nice", "-n", "19")
"""The attacker's own work, its start above all, must not take the processor from the server: on
the internet it would be another machine's."""


@click.command()
@click.argument("name", type=click.Choice(list(ATTACKS)))
@click.argument("url")
@click.option("--seconds", default=60.0, show_default=True)
@click.option("--actions", default=10**9, help="At most so many.")
@click.option("--source", default=SOURCE, show_default=True)
def main(*, name: str, url: str, seconds: float, actions: int, source: str) -> None:
    """Attack a server on this machine; what came back is printed as JSON."""
    if not url.startswith("http://127.0.0.1:"):
        raise click.UsageError("attacks are for this machine alone: http://127.0.0.1:PORT")
    click.echo(_READY)
    front = Front(url, source, until=time.monotonic() + seconds, left=actions)
    uvloop.run(ATTACKS[name].run(front))  # type: ignore[arg-type]
    click.echo(json.dumps(front.came))


@dataclass
class Attacker:
    """An attack on its way in another process; what came of it, once it is over."""

    process: asyncio.subprocess.Process
    came: dict[str, int] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Tell whether it has done all that it was to do."""
        return self.process.returncode is not None


@asynccontextmanager
async def attacking(
    name: str, url: str, *, seconds: float, actions: int = 10**9, source: str = SOURCE
) -> AsyncIterator[Attacker]:
    """An attack that lasts as long as the block, but not much longer than ``seconds``.

    The block begins once the attacker has loaded all that it needs.
    """
    process = await asyncio.create_subprocess_exec(
        *(*_POLITELY, sys.executable, "-m", "tests.attack.attacker", name, url),
        *("--seconds", str(seconds), "--actions", str(actions), "--source", source),
        stdout=asyncio.subprocess.PIPE,
    )
    attacker = Attacker(process)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(READY_WITHIN_S):
            first = await process.stdout.readline()
        assert first.decode().strip() == _READY, f"the attacker {name} did not start: {first!r}"
        yield attacker
        async with asyncio.timeout(seconds + STOPS_WITHIN_S):
            told, _ = await process.communicate()
        assert process.returncode == 0, f"the attacker {name} ended with {process.returncode}"
        attacker.came = json.loads(told)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


if __name__ == "__main__":
    main()
