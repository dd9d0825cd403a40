"""Marks of messages that the platform took, written to the outbox together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from connectors.delivery.outbox import Outbox

log = structlog.get_logger(__name__)


class Marks:
    """Remembers what was sent until the outbox knows it.

    Attributes:
        sent_count: How many messages were sent since the start.
    """

    def __init__(
        self, outbox: Outbox, tasks: asyncio.TaskGroup, clock: Callable[[], datetime]
    ) -> None:
        self._outbox = outbox
        self._tasks = tasks
        self._clock = clock
        self._unwritten: dict[str, datetime] = {}
        self.task: asyncio.Task[None] | None = None
        self.sent_count = 0

    @property
    def unwritten(self) -> set[str]:
        """Messages that were sent although the outbox still says ``pending``."""
        return set(self._unwritten)

    def add(self, outbox_id: str) -> None:
        """Note a success; all that come while one mark is being written share the next."""
        self.sent_count += 1
        self._unwritten[outbox_id] = self._clock()
        self.write_soon()

    def write_soon(self) -> None:
        """Write what is unwritten, unless that is under way."""
        if self._unwritten and self.task is None:
            self.task = self._tasks.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._unwritten:
                marks = dict(self._unwritten)
                await self._outbox.sent(list(marks), max(marks.values()))
                for outbox_id in marks:
                    del self._unwritten[outbox_id]
        except Exception as error:  # noqa: BLE001 - the next poll marks them
            log.warning("outbox_mark_failed", error=type(error).__name__)
        finally:
            self.task = None
