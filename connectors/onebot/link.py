"""One open WebSocket to a OneBot implementation: actions go out, answers and events come in."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from itertools import count
from typing import Any

import structlog
from aiohttp import ClientWebSocketResponse, WSMsgType, web

from connectors.errors import Retryable

log = structlog.get_logger(__name__)

Wire = web.WebSocketResponse | ClientWebSocketResponse
REPLACED = 4001
HALF_DEAD = 4002
_NO_ACTION = 1404
TIMEOUT = "timeout"
_SILENT_BEFORE_MISSING = 2


class Link:
    """A connection.

    Attributes:
        missing: Actions that the other side does not have, or never answers.
        late: Consecutive actions without an answer.
        foreign: Answers that nobody waited for: too late, or to somebody else's echo.
    """

    def __init__(self, wire: Wire, *, timeout_s: float, dead_after: int) -> None:
        self._wire = wire
        self._timeout_s = timeout_s
        self._dead_after = dead_after
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._numbers = count(1)
        self.missing: set[str] = set()
        self._silent: Counter[str] = Counter()
        self.late = 0
        self.foreign = 0

    @property
    def is_open(self) -> bool:
        """Whether actions can be sent."""
        return not self._wire.closed

    async def call(self, action: str, **params: Any) -> Mapping[str, Any]:
        """Ask for something; the whole answer.

        Raises:
            Retryable: ``offline`` (nothing was sent) or ``timeout`` (nobody knows).
        """
        try:
            return await self._called(action, params)
        except Retryable as error:
            if error.code == TIMEOUT:
                await self._noted_late()
            raise

    async def _called(self, action: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        echo = f"kefu{next(self._numbers)}"
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[echo] = answer
        try:
            await self._send({"action": action, "params": params, "echo": echo})
            async with asyncio.timeout(self._timeout_s):
                found = await answer
        except TimeoutError:
            raise Retryable(TIMEOUT, "the OneBot side did not answer", maybe_sent=True) from None
        finally:
            self._waiting.pop(echo, None)
        self.late = 0
        return found

    async def ask(self, action: str, **params: Any) -> Mapping[str, Any] | None:
        """Ask for what not every implementation has; ``None`` where this one has not.

        Some say nothing at all to an action that they do not know: that is no sign of a dead
        connection, and who was silent twice is not asked again.

        Raises:
            Retryable: As ``call``.
        """
        if action in self.missing:
            return None
        try:
            answer = await self._called(action, params)
        except Retryable as error:
            if error.code == TIMEOUT:
                self._silent[action] += 1
            if self._silent[action] >= _SILENT_BEFORE_MISSING:
                self.missing.add(action)
            raise
        self._silent[action] = 0
        if answer.get("retcode") == _NO_ACTION:
            self.missing.add(action)
            return None
        return answer

    async def _send(self, frame: Mapping[str, Any]) -> None:
        if self._wire.closed:
            raise Retryable("offline", "the OneBot side is not connected")
        try:
            await self._wire.send_str(json.dumps(frame, ensure_ascii=False))
        except (ConnectionError, RuntimeError) as error:
            raise Retryable("offline", "the connection broke") from error

    async def _noted_late(self) -> None:
        self.late += 1
        if self.late >= self._dead_after:
            # events may still arrive on it: only a new connection helps
            log.warning("onebot_half_dead", late=self.late)
            await self.close(HALF_DEAD)

    def answered(self, frame: Mapping[str, Any]) -> None:
        """An answer came; one that nobody waits for is dropped, and is no event."""
        waiting = self._waiting.get(str(frame.get("echo")))
        if waiting is None or waiting.done():
            self.foreign += 1
            return
        waiting.set_result(frame)

    async def frames(self) -> Any:
        """Frames as they come, until the connection ends; what is no JSON object is skipped."""
        async for message in self._wire:
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                break
            try:
                frame = json.loads(message.data)
            except (ValueError, RecursionError):
                log.warning("onebot_frame_unreadable", size=len(message.data))
                continue
            if isinstance(frame, dict):
                yield frame

    async def close(self, code: int) -> None:
        """Hang up; who waits for an answer learns that nobody knows."""
        if not self._wire.closed:
            await self._wire.close(code=code)
        self.lost()

    def lost(self) -> None:
        """The connection is gone: what was sent and not answered may have arrived."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Retryable("dropped", "the connection ended", maybe_sent=True))
