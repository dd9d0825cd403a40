"""What every storage promises of its units of work, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from handoff.errors import Conflict, StorageUnavailable
from handoff.model.conversation import ConversationId, CustomerId
from storage.core.after_commit import AfterCommit
from storage.core.dialect import insert_or_ignore, upsert
from storage.core.keyring import Keyring
from storage.core.schema import upgrade
from storage.storage import Storage
from storage.tables.base import UtcDateTime
from storage.tables.messaging import conversations, customers, heartbeat
from storage.unit_of_work import UnitOfWork
from tests.factories.messaging import a_stored_conversation, an_address, bot_says
from tests.factories.process import eventually
from tests.factories.shop import NOON, FakeClock

TOGETHER = 60


class Unlucky(Exception):
    """What a unit of these tests fails with."""


def a_customer(number: int, *, fails: bool = False) -> Callable[[UnitOfWork], CustomerId]:
    def unit(work: UnitOfWork) -> CustomerId:
        key = work.people.of_address(an_address(f"v{number}"), NOON, f"访客 {number}")
        if fails:
            raise Unlucky(str(number))
        return key

    return unit


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(customers)).scalar_one())


async def check_units_fail_alone(storage: Storage, engine: Engine) -> None:
    """The contract itself, so that a broken storage can be seen to break it."""
    outcomes = await asyncio.gather(
        *(storage.write(a_customer(number, fails=number % 3 == 0)) for number in range(TOGETHER)),
        return_exceptions=True,
    )
    failed = [number for number, one in enumerate(outcomes) if isinstance(one, Unlucky)]
    assert failed == list(range(0, TOGETHER, 3))
    assert count(engine) == TOGETHER - len(failed)


async def test_units_that_run_together_commit_or_roll_back_alone(
    storage: Storage, engine: Engine
) -> None:
    await check_units_fail_alone(storage, engine)


class WithoutSavepoints(Storage):
    """Broken on purpose: a failing unit leaves what it had written."""

    def _run_group(self, connection: Connection, group: Any) -> Any:
        outcome: list[Any] = []
        with connection.begin():
            for job in group:
                work = UnitOfWork(connection, self._keyring, self._clock)
                try:
                    job.unit(work)
                except Unlucky as error:
                    outcome.append((job, error, None))
                else:
                    outcome.append((job, None, work.after_commit))
        return outcome

    def _answer(self, outcome: list[Any]) -> None:
        def tell() -> None:
            for job, error, _ in outcome:
                if error is None:
                    job.future.set_result(None)
                else:
                    job.future.set_exception(error)

        outcome[0][0].loop.call_soon_threadsafe(tell)


async def test_a_storage_without_savepoints_is_found_out(
    tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    url = f"sqlite:///{tmp_path / 'broken.db'}"
    upgrade(url)
    async with WithoutSavepoints.open(url, keyring=keyring, clock=clock) as broken:
        with pytest.raises(AssertionError):
            await check_units_fail_alone(broken, broken._engine)


async def test_a_broken_constraint_is_a_conflict_of_its_unit_only(
    storage: Storage, engine: Engine
) -> None:
    def the_same_again(work: UnitOfWork) -> None:
        work._connection.execute(heartbeat.insert(), {"id": 7, "at": NOON})

    await storage.write(the_same_again)
    outcomes = await asyncio.gather(
        storage.write(a_customer(1)),
        storage.write(the_same_again),
        storage.write(a_customer(2)),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], Conflict)
    assert not isinstance(outcomes[0], BaseException)
    assert not isinstance(outcomes[2], BaseException)
    assert count(engine) == 2


async def test_a_unit_is_answered_after_its_commit(storage: Storage, engine: Engine) -> None:
    for number in range(5):
        await storage.write(a_customer(number))
        assert count(engine) == number + 1  # seen by a connection that is not storage's


async def test_what_a_commit_leaves_to_do_is_told_in_order_and_before_its_answer(
    storage: Storage, told: list[AfterCommit]
) -> None:
    conversation_id = await a_stored_conversation(storage)
    told.clear()
    for number in range(5):
        await storage.write(lambda work: bot_says(work, conversation_id))
        assert len(told) == number + 1
    seqs = [one.outbound.seq for after_commit in told for one in after_commit.dispatches]
    assert seqs == [2, 3, 4, 5, 6]


async def test_units_that_are_handed_in_together_are_told_in_the_order_of_their_commits(
    storage: Storage, told: list[AfterCommit], url: str
) -> None:
    conversation_id = await a_stored_conversation(storage)
    told.clear()
    await asyncio.gather(
        *(storage.write(lambda work: bot_says(work, conversation_id)) for _ in range(30))
    )
    seqs = [one.outbound.seq for after_commit in told for one in after_commit.dispatches]
    assert sorted(seqs) == list(range(2, 32))
    if url.startswith("sqlite"):
        assert seqs == sorted(seqs)


async def test_a_failing_unit_leaves_nothing_to_do(
    storage: Storage, told: list[AfterCommit]
) -> None:
    conversation_id = await a_stored_conversation(storage)
    told.clear()

    def unit(work: UnitOfWork) -> None:
        bot_says(work, conversation_id)
        raise Unlucky

    with pytest.raises(Unlucky):
        await storage.write(unit)
    assert [one for after_commit in told for one in after_commit.dispatches] == []


async def test_a_caller_who_went_away_has_its_change_stored_and_told(
    storage: Storage, told: list[AfterCommit]
) -> None:
    conversation_id = await a_stored_conversation(storage)
    told.clear()
    may_go_on = threading.Event()

    def unit(work: UnitOfWork) -> None:
        assert may_go_on.wait(10)
        bot_says(work, conversation_id)

    writing = asyncio.create_task(storage.write(unit))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    may_go_on.set()

    async def is_told() -> bool:
        return bool(told)

    await eventually(is_told, what="the after_commit")
    messages = await storage.read(lambda work: work.messages.after(conversation_id, 0, 10))
    assert len(messages) == 2


async def test_a_stale_version_is_a_conflict_and_changes_nothing(storage: Storage) -> None:
    conversation_id = await a_stored_conversation(storage)
    before = await storage.read(lambda work: work.conversations.get(conversation_id))
    assert before is not None
    await storage.write(lambda work: work.conversations.save(replace(before, locale="en")))
    with pytest.raises(Conflict):
        await storage.write(lambda work: work.conversations.save(replace(before, locale="fr")))
    after = await storage.read(lambda work: work.conversations.get(conversation_id))
    assert after is not None
    assert (after.locale, after.version) == ("en", before.version + 1)


async def test_changes_of_one_conversation_that_come_together_all_count(storage: Storage) -> None:
    conversation_id = await a_stored_conversation(storage)

    def count_up(work: UnitOfWork) -> None:
        locked = work.conversations.lock(conversation_id)
        work.conversations.save(replace(locked, notices_sent=locked.notices_sent + 1))

    await asyncio.gather(*(storage.write(count_up) for _ in range(20)))
    after = await storage.read(lambda work: work.conversations.get(conversation_id))
    assert after is not None
    assert after.notices_sent == 20


async def test_insert_or_ignore_says_whether_it_inserted(storage: Storage) -> None:
    def insert(work: UnitOfWork) -> bool:
        return insert_or_ignore(work._connection, heartbeat, {"id": 1, "at": NOON})

    assert [await storage.write(insert) for _ in range(3)] == [True, False, False]


async def test_upsert_makes_and_then_changes_the_one_row(storage: Storage, engine: Engine) -> None:
    for minutes in range(3):
        row = {"id": 1, "at": NOON + timedelta(minutes=minutes)}
        await storage.write(
            lambda work, row=row: upsert(work._connection, heartbeat, row, keys=["id"])  # type: ignore[misc]
        )
    with engine.connect() as connection:
        stored = connection.execute(select(heartbeat)).all()
    assert [tuple(one) for one in stored] == [(1, NOON + timedelta(minutes=2))]


async def test_a_read_is_answered_while_a_write_is_still_running(storage: Storage) -> None:
    conversation_id = await a_stored_conversation(storage)
    has_written, may_commit = threading.Event(), threading.Event()

    def slow(work: UnitOfWork) -> None:
        bot_says(work, conversation_id)
        has_written.set()
        assert may_commit.wait(10)

    writing = asyncio.create_task(storage.write(slow))
    try:
        assert await asyncio.to_thread(has_written.wait, 10)
        async with asyncio.timeout(5):
            seen = await storage.read(lambda work: work.messages.after(conversation_id, 0, 10))
        assert len(seen) == 1  # what is not committed is not there
        assert not writing.done()
    finally:
        may_commit.set()
        await writing
    seen = await storage.read(lambda work: work.messages.after(conversation_id, 0, 10))
    assert len(seen) == 2


async def test_times_come_back_as_the_aware_instants_that_went_in(storage: Storage) -> None:
    east = datetime.fromisoformat("2026-11-23T12:00:00.123456+08:00")
    await storage.write(
        lambda work: upsert(work._connection, heartbeat, {"id": 1, "at": east}, keys=["id"])
    )
    stored = await storage.read(
        lambda work: work._connection.execute(select(heartbeat.c.at)).scalar_one()
    )
    assert stored == east
    assert stored.tzinfo is UTC


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), None)  # type: ignore[arg-type]  # noqa: DTZ001


async def test_a_conversation_that_is_not_there_is_none(storage: Storage) -> None:
    missing = ConversationId("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert await storage.read(lambda work: work.conversations.get(missing)) is None


async def test_a_state_without_what_it_needs_is_refused_by_the_table(storage: Storage) -> None:
    conversation_id = await a_stored_conversation(storage)

    def agent_without_assignee(work: UnitOfWork) -> None:
        work._connection.execute(
            conversations.update().where(conversations.c.id == conversation_id), {"state": "agent"}
        )

    with pytest.raises(Conflict):
        await storage.write(agent_without_assignee)


async def test_a_lost_table_is_storage_unavailable_and_not_a_drivers_error(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        upgrade("mysql://localhost/kefu")
    with pytest.raises(StorageUnavailable):
        upgrade(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 'kefu.db'}")
