"""The state of the running parts, for ``/readyz`` and ``/metrics``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.app.connectors import Connectors
from bot.app.http.network import Network
from bot.app.metrics import Metrics
from bot.inbox.media_room import MediaRoom
from bot.turn.knowledge import Knowledge
from connectors.delivery.delivery import Delivery
from connectors.messages import HealthState
from connectors.web.hub import Hub
from handoff.errors import HandoffError
from storage.storage import Storage

ANSWER_S = 2
UP = {HealthState.UP: 1.0, HealthState.DOWN: 0.0}
"""An account's health as a figure; what is in between is a half."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Tells whether messages can be taken, and what is degraded."""

    storage: Storage
    network: Network
    room: MediaRoom
    knowledge: Knowledge
    connectors: Connectors

    async def __call__(self) -> tuple[bool, Mapping[str, Any]]:
        """Return whether messages can be taken, and the answer of ``/readyz``."""
        problem = await self._storage_problem()
        degraded = dict(self._problems())
        if problem is not None:
            degraded = {"storage": problem, **degraded}
        status = "unavailable" if problem is not None else "degraded" if degraded else "ready"
        return problem is None, {"status": status, "degraded": degraded}

    async def _storage_problem(self) -> str | None:
        try:
            async with asyncio.timeout(ANSWER_S):
                # a full disk reads well: only a write tells
                await self.storage.write(lambda work: work.probe())
        except (HandoffError, TimeoutError) as error:
            return str(error) or "no answer"
        return None

    def _problems(self) -> Iterator[tuple[str, str]]:
        if self.network.problem is not None:
            yield "proxy", self.network.problem
        if self.room.problem is not None:
            yield "media", self.room.problem
        if self.knowledge.status.problem is not None:
            yield "kb", self.knowledge.status.problem
        elif off := self.knowledge.current.recognizer.patterns.switched_off:
            names = "、".join(sorted({intent for _, intent in off}))
            yield "kb", f"{names} 的 patterns 太慢，已停用；运行 kefu kb check 看是哪一行"
        for (channel, account), connector in self.connectors.items():
            health = connector.health()
            if health.last_error is not None:
                yield f"{channel}/{account}", health.last_error


@dataclass(frozen=True, slots=True)
class Gauges:
    """Reads the figures that stand still between two looks."""

    metrics: Metrics
    storage: Storage
    delivery: Delivery
    hub: Hub
    knowledge: Knowledge
    connectors: Connectors

    async def __call__(self) -> None:
        """Bring the gauges up to date."""
        self.metrics.sent.set(self.delivery.sent_count)
        self.metrics.failed.set(self.delivery.failed_count)
        self.metrics.pages.set(len(self.hub))
        self.metrics.kb_ok.set(self.knowledge.status.problem is None)
        self._read_channels()
        with suppress(HandoffError):
            await self._read_database()

    def _read_channels(self) -> None:
        for (channel, account), connector in self.connectors.items():
            health = connector.health()
            self.metrics.channel_up.labels(channel, account).set(UP.get(health.state, 0.5))
            if health.last_inbound_at is not None:
                heard = health.last_inbound_at.timestamp()
                self.metrics.channel_heard.labels(channel, account).set(heard)

    async def _read_database(self) -> None:
        waiting, held = await self.storage.read(
            lambda work: (work.conversations.waiting(), work.windows.held_counts())
        )
        self.metrics.waiting.set(len(waiting))
        for account in self.connectors:
            self.metrics.held.labels(*account).set(held.get(account, 0))
