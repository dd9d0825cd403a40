"""Tasks end with the block that they were begun in, and workers of the process begin anew."""

from __future__ import annotations

import asyncio

import pytest

from bot.app.process import tasks as module
from bot.app.process.tasks import Tasks


async def sleeps_for_ever(ended: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("ended")


async def test_tasks_have_ended_when_their_block_has() -> None:
    ended: list[str] = []
    async with Tasks() as tasks:
        tasks.create_task(sleeps_for_ever(ended))
        await asyncio.sleep(0)
    assert ended == ["ended"]


async def test_what_the_block_raises_comes_out_as_it_is() -> None:
    ended: list[str] = []

    async def block() -> None:
        async with Tasks() as tasks:
            tasks.create_task(sleeps_for_ever(ended))
            await asyncio.sleep(0)
            raise LookupError("the block's own")

    with pytest.raises(LookupError, match="the block's own"):
        await block()
    assert ended == ["ended"]


async def test_a_task_that_fails_ends_the_block() -> None:
    async def fails() -> None:
        raise LookupError("a bug")

    async def block() -> None:
        async with Tasks() as tasks:
            tasks.create_task(fails())
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as found:
        await block()
    assert found.group_contains(LookupError)


async def test_cancelling_the_block_passes_and_ends_its_tasks() -> None:
    ended: list[str] = []

    async def block() -> None:
        async with Tasks() as tasks:
            tasks.create_task(sleeps_for_ever(ended))
            await asyncio.Event().wait()

    running = asyncio.create_task(block())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended == ["ended"]


async def test_a_worker_that_breaks_is_logged_and_begins_anew(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "RESTART_S", 0.0)
    is_working = asyncio.Event()
    starts: list[str] = []

    async def work() -> None:
        starts.append("start")
        if len(starts) == 1:
            raise RuntimeError("a bug")
        is_working.set()
        await asyncio.Event().wait()

    async with Tasks() as tasks:
        tasks.keep_running(work, "timers")
        async with asyncio.timeout(10):
            await is_working.wait()
    said = "".join(capfd.readouterr())
    assert "worker_failed" in said
    assert "timers" in said
