"""Workers that run beside the server: timers, the sweep of what was missed, clearing up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from bot.app.persistence.files import Files
from bot.app.persistence.retention import Keeping, Retention
from bot.app.settings import Settings
from bot.turn.worker import Turns
from handoff.desk.desk import Desk
from handoff.desk.timers import tick
from handoff.errors import StorageUnavailable
from shop.access.gate import Gate
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

TICK_S = 1.0
SWEEP_S = 10.0
HOUSEKEEPING_S = 3600.0
EVENTS_KEPT = timedelta(days=7)
"""A console that was away for longer reloads everything."""
WINDOWS_KEPT = timedelta(days=30)

Clock = Callable[[], datetime]


async def timers(storage: Storage, desk: Desk, clock: Clock) -> None:
    """Do what is due, every second, until cancelled."""
    while True:
        await asyncio.sleep(TICK_S)
        with suppress(StorageUnavailable):
            await tick(storage, desk, clock())


async def sweep(turns: Turns) -> None:
    """Take up what was stored while nobody learnt of it: its commit's answer was lost."""
    while True:
        await asyncio.sleep(SWEEP_S)
        with suppress(StorageUnavailable):
            await turns.recover()


async def housekeeping(
    storage: Storage, files: Files, gate: Gate, settings: Settings, clock: Clock
) -> None:
    """Drop what counts no longer, once an hour, until cancelled."""
    keeping = Keeping(
        chats=settings.keep_chats_days,
        files=settings.keep_files_days,
        records=settings.keep_records_days,
    )
    retention = Retention(storage, files.store, keeping, clock, sweep=files.room.sweep)
    keep_raw = timedelta(days=settings.keep_raw_days)
    while True:
        try:
            await gate.forget_old_attempts()
            await storage.write(lambda work: _forget_old(work, keep_raw))
            await retention.clear()
        except (StorageUnavailable, OSError) as error:
            log.warning("housekeeping_put_off", reason=str(error))
        await asyncio.sleep(HOUSEKEEPING_S)


def _forget_old(work: UnitOfWork, keep_raw: timedelta) -> None:
    """Delete events, reply windows and payloads that are too old; 0 keeps payloads for ever."""
    now = work.clock()
    work.live_events.forget(now - EVENTS_KEPT)
    work.windows.forget(now - WINDOWS_KEPT)
    if keep_raw:
        work.channels.forget_raw(now - keep_raw)
