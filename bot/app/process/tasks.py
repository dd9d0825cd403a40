"""Tasks with an owner: they end with the block that they were begun in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from types import TracebackType
from typing import Any, TypeVar

import structlog

T = TypeVar("T")
log = structlog.get_logger(__name__)

RESTART_S = 1.0
"""A worker that broke begins anew after this pause."""


class Tasks(asyncio.TaskGroup):
    """A task group that cancels its tasks when its block ends, and waits until they have ended.

    A plain group would wait for tasks that never end, and wrap in an ``ExceptionGroup`` whatever
    the block raises. A task that fails still ends the block.
    """

    def __init__(self) -> None:
        super().__init__()
        self._begun: set[asyncio.Task[Any]] = set()

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """Begin a task."""
        task = super().create_task(coro, name=name, context=context)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
        return task

    def keep_running(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        """Begin a worker of the process; where it breaks it is logged, and begins anew."""
        self.create_task(_kept_running(work, name), name=name)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cancel the tasks, and wait for them."""
        for task in tuple(self._begun):
            task.cancel()
        await super().__aexit__(None, None, None)


async def _kept_running(work: Callable[[], Awaitable[None]], name: str) -> None:
    while True:
        try:
            await work()
        except Exception as error:
            log.error("worker_failed", worker=name, exc_info=error)
        await asyncio.sleep(RESTART_S)
