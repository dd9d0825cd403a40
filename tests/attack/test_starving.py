"""Nobody starves the rest: each attack in its short form, beside people who just want an answer.

What depends on time is measured by ``make attack``. Here: the server lives, everybody honest is
served, the attacker meets a limit, and memory, disk and log stay small.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.attack.attacker import attacking
from tests.attack.catalogue import ATTACKS
from tests.attack.honest import Crowd, crowd
from tests.attack.measure import platforms
from tests.attack.target import Target, target
from tests.factories.server import SMALL_KB, new_data_folder

# one server for all: it has to bear all of this, one after the other
pytestmark = pytest.mark.asyncio(loop_scope="module")

SECONDS = 4.0
COUNTS_WITHIN_S = 20.0
"""Where a limit has to be met, an attack ends by its count, and takes as long as it takes."""
ENDS_WITHIN_S = 120.0
VISITORS = 4
MEMORY_MB = 200
DISK_MB = 60
LOG_KB = 200


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory, fits: Path) -> AsyncIterator[Target]:
    folder = tmp_path_factory.mktemp("attacked")
    new_data_folder(folder / "data", fits)
    async with platforms() as sink, target(folder, SMALL_KB, sink=sink) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def people(server: Target) -> AsyncIterator[Crowd]:
    async with crowd(server.url, VISITORS) as honest:
        yield honest


@pytest.mark.parametrize("name", list(ATTACKS))
async def test_an_attack_meets_its_limit_and_nobody_else_does(
    name: str, server: Target, people: Crowd
) -> None:
    attack = ATTACKS[name]
    memory, disk, log = server.memory_mb("VmHWM"), server.disk_mb(), len(server.log())
    # an address of its own: limits of the attack before are none of this one
    source = f"127.251.{list(ATTACKS).index(name)}.1"
    seconds = COUNTS_WITHIN_S if attack.bounds else SECONDS
    async with (
        asyncio.timeout(ENDS_WITHIN_S),
        attacking(name, server.url, seconds=seconds, actions=attack.few, source=source) as attacker,
    ):
        honest = await people.chat(seconds, lambda: attacker.is_over)
    assert server.is_alive
    assert (honest.lost, honest.refused) == (0, []), attacker.came
    assert not {"500", "502", "OPENED"} & attacker.came.keys(), attacker.came
    assert not attack.bounds or attack.bounds & attacker.came.keys(), attacker.came
    assert server.memory_mb("VmHWM") - memory < MEMORY_MB
    assert server.disk_mb() - disk < DISK_MB
    assert (len(server.log()) - log) / 1024 < LOG_KB
