"""One attack, measured: what twenty honest visitors wait without it, under it, and after it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from tests.attack.attacker import attacking
from tests.attack.catalogue import Attack
from tests.attack.honest import Crowd, Tally, crowd, middle, share
from tests.attack.target import Target, target
from tests.factories.process import free_port
from tests.factories.server import fitted, new_data_folder

SETTLES_S = 3.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of one attack. Times in milliseconds, sizes in megabytes.

    Attributes:
        ratio: p99 under attack by p99 without, both of this run.
        came: What the attacker got, counted.
        refused: How many things honest people were refused under attack.
        reconnects: How often the server ended an honest visitor's connection under attack.
        cpu_calm: CPU that the server used without the attack, in cores; ``cpu`` is under it. Tells
            what an attack costs also where the machine is busy with something else.
        memory_mb: The most that it ever used, minus what it used before.
    """

    attack: str
    seconds: float
    calm_p50_ms: float
    calm_p99_ms: float
    p50_ms: float
    p99_ms: float
    ratio: float
    newcomer_calm_ms: float
    newcomer_ms: float
    log_in_calm_ms: float
    log_in_ms: float
    asked: int
    lost: int
    refused: int
    reconnects: int
    came: dict[str, int]
    cpu_calm: float
    cpu: float
    memory_mb: float
    disk_mb: float
    log_kb: float
    is_alive: bool
    refusals: tuple[str, ...] = ()


async def measured(attack: Attack, kb: Path, seconds: float, *, visitors: int) -> Outcome:
    """Attack a fresh server for so long, with a calm of the same length half before, half after."""
    with tempfile.TemporaryDirectory(prefix="kefu-attack-") as name:
        folder = Path(name)
        new_data_folder(folder / "data", fitted(kb))
        async with (
            platforms() as sink,
            target(folder, kb, sink=sink) as server,
            crowd(server.url, visitors) as people,
        ):
            calm, cpu_calm = await _chat(server, people, seconds / 2)
            memory, disk, log = server.memory_mb(), server.disk_mb(), len(server.log())
            async with attacking(attack.name, server.url, seconds=seconds) as attacker:
                under, cpu = await _chat(server, people, seconds)
            peak, grown, logged = server.memory_mb("VmHWM"), server.disk_mb(), len(server.log())
            await people.chat(SETTLES_S)
            calm.add(await people.chat(seconds / 2))
            return _outcome(
                attack,
                seconds,
                calm,
                under,
                came=dict(sorted(attacker.came.items())),
                cpu_calm=cpu_calm,
                cpu=cpu,
                memory_mb=peak - memory,
                disk_mb=grown - disk,
                log_kb=(logged - log) / 1024,
                is_alive=server.is_alive,
            )


async def _chat(server: Target, people: Crowd, seconds: float) -> tuple[Tally, float]:
    """What honest people met, and how many cores the server used meanwhile."""
    cpu_s, started = server.cpu_s(), time.monotonic()
    met = await people.chat(seconds)
    return met, (server.cpu_s() - cpu_s) / (time.monotonic() - started)


def _outcome(
    attack: Attack,
    seconds: float,
    calm: Tally,
    under: Tally,
    *,
    came: dict[str, int],
    cpu_calm: float,
    cpu: float,
    memory_mb: float,
    disk_mb: float,
    log_kb: float,
    is_alive: bool,
) -> Outcome:
    calm_p99, p99 = share(calm.replies_s, 0.99), share(under.replies_s, 0.99)
    return Outcome(
        attack=attack.name,
        seconds=seconds,
        calm_p50_ms=1000 * middle(calm.replies_s),
        calm_p99_ms=1000 * calm_p99,
        p50_ms=1000 * middle(under.replies_s),
        p99_ms=1000 * p99,
        ratio=p99 / calm_p99,
        newcomer_calm_ms=1000 * middle(calm.newcomers_s),
        newcomer_ms=1000 * middle(under.newcomers_s),
        log_in_calm_ms=1000 * middle(calm.log_ins_s),
        log_in_ms=1000 * middle(under.log_ins_s),
        asked=under.asked,
        lost=under.lost,
        refused=len(under.refused),
        reconnects=under.reconnects,
        came=came,
        cpu_calm=cpu_calm,
        cpu=cpu,
        memory_mb=memory_mb,
        disk_mb=disk_mb,
        log_kb=log_kb,
        is_alive=is_alive,
        refusals=tuple(sorted(set(under.refused)))[:5],
    )


@asynccontextmanager
async def platforms() -> AsyncIterator[str]:
    """A server that takes whatever kefu sends to any platform; its base URL."""

    async def takes(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response(
            {
                "ok": True,
                "errcode": 0,
                "access_token": "a",
                "expires_in": 7200,
                "result": {"message_id": 1, "date": 1, "chat": {"id": 4242, "type": "private"}},
            }
        )

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", takes)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
