"""Ending the process when a signal asks: in order, and by force where something hangs."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import structlog

log = structlog.get_logger(__name__)

ENDS_WITHIN_S = 8.0
"""Supervisors kill after 10 s (Docker) or 90 s (systemd): what is to be said is said before.

Source: docs.docker.com/reference/cli/docker/container/stop; systemd.service(5), TimeoutStopSec.
"""
_FORCED = 1
_BY_SIGNAL = 128


class Stopping:
    """SIGINT or SIGTERM, the first and the second. Make it on the event loop."""

    def __init__(self) -> None:
        self._is_asked = asyncio.Event()
        self._starting: asyncio.Task[object] | None = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._ask, number)

    async def asked(self) -> None:
        """Wait for the first signal; one that comes before that cancels this task instead."""
        self._starting = None
        await self._is_asked.wait()

    def _ask(self, number: int) -> None:
        if self._is_asked.is_set():
            log.warning("stopped_at_once", reason="asked twice")
            os._exit(_BY_SIGNAL + number)
        self._is_asked.set()
        log.info("stopping")
        # a thread of its own: it must not hang with whatever hangs
        last = threading.Timer(ENDS_WITHIN_S, _end_by_force)
        last.daemon = True
        last.start()
        if self._starting is not None:
            self._starting.cancel()


def _end_by_force() -> None:
    log.error("stopped_by_force", reason=f"something still hung after {ENDS_WITHIN_S:g} s")
    os._exit(_FORCED)
