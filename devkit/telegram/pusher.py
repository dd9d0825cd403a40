"""Pushes updates to the webhook, with the real server's rules of order, retry and expiry.

Source: telegram-bot-api, WebhookActor.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

import aiohttp

from connectors.kit.backoff import Backoff
from devkit.telegram.rules import GONE_LIFE
from devkit.telegram.state import Json
from devkit.telegram.updates import Pending, QueueKey, Updates

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
_FIRST_DELAY_S = 2.0
_SHORTEST_CAP_S, _LONGEST_CAP_S = 60.0, 120.0
_MAX_RETRY_AFTER_S = 3600.0
_GONE = 410


@dataclass(slots=True)
class Webhook:
    """Where updates go."""

    url: str
    secret: str = ""
    max_connections: int = 40
    last_error: str = ""
    last_error_at: datetime | None = None
    gone_since: datetime | None = None


class Pusher:
    """Delivers what waits, in order within a queue and side by side between queues.

    Delays between tries are not waited for: they are noted.

    Attributes:
        webhook: ``None`` while there is none.
        tries: How often the head of a queue is offered before ``drain`` leaves it; the real server
            goes on for a day.
        waits: Seconds that the real server would have waited before each retry.
        timeout_s: How long a delivery may take.
    """

    def __init__(
        self,
        updates: Updates,
        clock: Callable[[], datetime],
        pushes: list[tuple[int | None, str]],
        *,
        execute: Callable[[str, Json], None],
        changed: Callable[[], None],
    ) -> None:
        self.webhook: Webhook | None = None
        self.tries = 5
        self.waits: list[float] = []
        self.timeout_s = 10.0
        self._updates = updates
        self._clock = clock
        self._pushes = pushes
        self._execute = execute
        self._changed = changed
        self._random = Random(7)  # noqa: S311 - a spread, no secret
        self._retry_after_s: dict[int, float | None] = {}
        self._locks: dict[QueueKey, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Hang up."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def drain(self, key: QueueKey) -> None:
        """Deliver a queue's updates, oldest first, until it is empty or one is refused for good."""
        async with self._locks[key]:
            while self.webhook is not None and (head := self._updates.head(key)) is not None:
                if not await self._deliver(head):
                    return

    async def push(self, pending: Pending) -> bool:
        """Deliver one update once; whether it was taken."""
        webhook = self.webhook
        if webhook is None:
            return False
        try:
            status, body, retry_after_s = await self._post(webhook, pending.update)
        except (aiohttp.ClientError, TimeoutError) as error:
            status, body, retry_after_s = None, type(error).__name__, None
        self._pushes.append((status, body))
        is_taken = status is not None and 200 <= status < 300
        if is_taken:
            self._updates.remove(pending)
            webhook.gone_since = None
            self._answered(body)
        else:
            self._refused(webhook, status, body)
            self._retry_after_s[pending.id] = retry_after_s
        self._changed()
        return is_taken

    async def _deliver(self, head: Pending) -> bool:
        for attempt in range(self.tries):
            if attempt:
                self.waits.append(self._delay_s(head, attempt))
            if await self.push(head):
                return True
        return False

    def _delay_s(self, head: Pending, attempt: int) -> float:
        asked_for = self._retry_after_s.pop(head.id, None)
        if asked_for is not None:
            return min(asked_for, _MAX_RETRY_AFTER_S)
        if attempt == 1:
            return 0.0
        cap = self._random.uniform(_SHORTEST_CAP_S, _LONGEST_CAP_S)
        return Backoff(_FIRST_DELAY_S, cap, jitter=0.0).pause_s(attempt - 1, 0.0)

    async def _post(self, webhook: Webhook, update: Json) -> tuple[int, str, float | None]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        headers = {"Content-Type": "application/json"}
        if webhook.secret:
            headers[SECRET_HEADER] = webhook.secret
        timeout = aiohttp.ClientTimeout(total=self.timeout_s)
        async with self._session.post(
            webhook.url,
            data=json.dumps(update).encode(),
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
        ) as answer:
            retry_after = answer.headers.get("Retry-After", "")
            wait_s = float(retry_after) if retry_after.isdecimal() else None
            return answer.status, await answer.text(), wait_s

    def _answered(self, body: str) -> None:
        """What a webhook answers may be a call; what becomes of it nobody is told."""
        try:
            call: Any = json.loads(body)
        except ValueError:
            return
        if isinstance(call, dict) and isinstance(call.get("method"), str):
            self._execute(call["method"], call)

    def _refused(self, webhook: Webhook, status: int | None, body: str) -> None:
        now = self._clock()
        webhook.last_error_at = now
        webhook.last_error = (
            f"Connection failed: {body}"
            if status is None
            else f"Wrong response from the webhook: {status}"
        )
        if status != _GONE:
            webhook.gone_since = None
        elif webhook.gone_since is None:
            webhook.gone_since = now
        elif now - webhook.gone_since > GONE_LIFE:
            self.webhook = None
