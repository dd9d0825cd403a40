"""Nobody waits for the database for ever: a unit that hangs is given up, and is not done later."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from handoff.errors import StorageUnavailable
from storage.core.engine import engine_for
from storage.core.keyring import Keyring
from storage.core.patience import Patience
from storage.storage import Storage
from storage.tables.messaging import heartbeat
from storage.unit_of_work import UnitOfWork

ANSWER_S = 0.3
AT_ONCE_S = 5.0


@pytest.fixture
async def hasty(
    url: str, clock: Callable[[], datetime], keyring: Keyring
) -> AsyncIterator[Storage]:
    """A storage whose callers wait little."""
    async with Storage.open(url, keyring=keyring, clock=clock, answer_s=ANSWER_S) as opened:
        yield opened


class Disk:
    """A disk that answers nothing until it is mended; units stand still on it."""

    def __init__(self) -> None:
        self.is_mended = threading.Event()
        self.is_reached = threading.Event()

    def hangs(self, _work: UnitOfWork) -> None:
        self.is_reached.set()
        self.is_mended.wait(timeout=60)


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    yield made
    made.is_mended.set()


def beats(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(
            connection.execute(sa.select(sa.func.count()).select_from(heartbeat)).scalar_one()
        )


async def test_a_caller_of_a_unit_that_hangs_is_told_so(hasty: Storage, disk: Disk) -> None:
    async with asyncio.timeout(AT_ONCE_S):
        with pytest.raises(StorageUnavailable, match="no answer"):
            await hasty.write(disk.hangs)
        with pytest.raises(StorageUnavailable, match="no answer"):
            await hasty.read(disk.hangs)


async def test_what_its_caller_was_told_to_have_failed_is_not_done_afterwards(
    hasty: Storage, disk: Disk, engine: Engine
) -> None:
    def beats_after_all(work: UnitOfWork) -> None:
        disk.hangs(work)
        if engine.dialect.name == "postgresql":
            work.probe()  # on SQLite it shares its commit with others: it has to do nothing itself

    waiting = [asyncio.create_task(hasty.write(beats_after_all)) for _ in range(8)]
    behind = [asyncio.create_task(hasty.write(lambda work: work.probe())) for _ in range(50)]
    answers = await asyncio.gather(*waiting, *behind, return_exceptions=True)
    assert all(isinstance(answer, StorageUnavailable) for answer in answers)
    disk.is_mended.set()
    # all that had been handed in before this is through
    async with asyncio.timeout(AT_ONCE_S):
        while True:
            try:
                await hasty.write(lambda _work: None)
                break
            except StorageUnavailable:
                continue
    assert beats(engine) == 0
    await hasty.write(lambda work: work.probe())
    assert beats(engine) == 1


async def test_in_a_silence_the_next_callers_are_told_sooner(hasty: Storage, disk: Disk) -> None:
    for _ in range(8):  # every thread that PostgreSQL has
        with pytest.raises(StorageUnavailable):
            await hasty.write(disk.hangs)
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(StorageUnavailable):
        await hasty.write(lambda work: work.probe())
    assert loop.time() - began < ANSWER_S


async def test_a_process_that_ends_leaves_nobody_waiting(
    url: str, clock: Callable[[], datetime], keyring: Keyring, disk: Disk
) -> None:
    async with (
        asyncio.timeout(3 * AT_ONCE_S),
        Storage.open(url, keyring=keyring, clock=clock, answer_s=600.0) as storage,
    ):
        waiting = asyncio.create_task(storage.write(disk.hangs))
        await asyncio.to_thread(disk.is_reached.wait)
        storage.hurry()
        with pytest.raises(StorageUnavailable, match="no answer"):
            await waiting


async def test_a_table_that_another_process_holds_is_waited_for_but_not_for_ever(
    url: str, engine: Engine, clock: Callable[[], datetime], keyring: Keyring
) -> None:
    with engine.begin() as connection:
        # an admin's own tool, left open over lunch
        connection.execute(sa.insert(heartbeat).values(id=1, at=clock()))
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("lock table heartbeat in access exclusive mode"))
        async with Storage.open(url, keyring=keyring, clock=clock) as storage:
            with pytest.raises(StorageUnavailable, match="lock"):
                await storage.write(lambda work: work.probe())


def test_a_server_that_says_nothing_is_given_up_and_another_connection_made(url: str) -> None:
    if url.startswith("sqlite"):
        pytest.skip("a file has no server")
    engine = engine_for(url, Patience(0.3))
    with engine.connect() as connection:
        with pytest.raises(sa.exc.OperationalError, match="no answer"):
            connection.execute(sa.text("select pg_sleep(5)"))
        assert connection.invalidated
    with engine.connect() as connection:
        assert connection.execute(sa.text("select 1")).scalar() == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("asked", "name", "value"),
    [
        ("", "statement_timeout", "8s"),
        ("", "lock_timeout", "5s"),
        ("", "idle_in_transaction_session_timeout", "30s"),
        ("-c statement_timeout=61s", "statement_timeout", "61s"),
        ("-cwork_mem=7MB", "work_mem", "7MB"),
        ("-cwork_mem=7MB", "statement_timeout", "8s"),
    ],
)
def test_the_server_keeps_our_limits_and_those_that_the_address_asks_for(
    asked: str, name: str, value: str, url: str
) -> None:
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        pytest.skip("a file has no server")
    given = f"{address.query['options']} {asked}"
    address = address.update_query_dict({"options": given, "connect_timeout": "3"})
    engine = engine_for(address.render_as_string(hide_password=False))
    with engine.connect() as connection:
        shown = connection.execute(sa.text("select current_setting(:name)"), {"name": name})
        assert shown.scalar() == value
        schema = connection.execute(sa.text("select current_schema()")).scalar()
        assert str(schema) in given
    engine.dispose()
