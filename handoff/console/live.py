"""The live feed: what changed is read once and told to every console that is connected.

While no console is connected nothing is read. A console that comes back says up to where it heard
(the cursor) and is told the rest, or, if that is too much, to load everything anew.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from handoff.auth.agents import Agent
from handoff.console.models import KbStatus
from handoff.console.views import (
    ViewWork,
    agent_out,
    agents_out,
    counts,
    event_out,
    rows,
)
from handoff.desk.presence import Presence, Status
from handoff.errors import StorageUnavailable
from handoff.model.conversation import AgentId, ConversationId
from handoff.model.live_events import LiveEvent, LiveEventKind
from handoff.model.ports import Clock, Units

log = structlog.get_logger(__name__)

MAX_BEHIND = 2_000
"""Events that a console may have missed and still be told; more is cheaper to load anew."""
QUEUE_FRAMES = 256
"""Frames that a slow console may be behind before its connection is dropped."""
MAX_QUEUE_ROWS = 200
_GAP_AGE = timedelta(seconds=5)


class Liveness(Protocol):
    """Tells which sessions still hold."""

    async def alive(self, token_hashes: Sequence[bytes]) -> set[bytes]:
        """Which of these sessions still hold."""
        ...


@dataclass(slots=True, eq=False)
class Listener:
    """One connected console.

    Attributes:
        frames: What it is to be sent; ``None`` ends it.
        is_logged_out: Its session ended: it is told so before the end.
    """

    agent: Agent
    session: bytes
    frames: asyncio.Queue[str | None] = field(
        default_factory=lambda: asyncio.Queue(QUEUE_FRAMES + 1)
    )
    is_logged_out: bool = False
    is_ended: bool = False

    def send(self, frame: str) -> None:
        """Queue a frame; a console too slow to take it is dropped and will catch up."""
        if self.is_ended:
            return
        if self.frames.qsize() >= QUEUE_FRAMES:
            self.end()
            return
        self.frames.put_nowait(frame)

    def end(self) -> None:
        """Let the connection end after what is queued."""
        if not self.is_ended:
            self.is_ended = True
            self.frames.put_nowait(None)


class Tail:
    """Follows the log of events, also where numbers appear out of order.

    PostgreSQL gives numbers before the commit: 8 may be seen while 7 is still being written. So a
    number that was left out is looked for again for 5 seconds; then its transaction has failed.
    """

    def __init__(self, cursor: int) -> None:
        self.seen_to = cursor
        self._missing: dict[int, datetime] = {}

    @property
    def cursor(self) -> int:
        """Everything up to here was seen; a later number may have been seen as well."""
        return min(self._missing) - 1 if self._missing else self.seen_to

    def take(self, events: Iterable[LiveEvent], now: datetime) -> list[LiveEvent]:
        """Those of these events that were not seen before, in their order."""
        fresh = []
        for event in events:
            if event.id > self.seen_to:
                skipped = range(max(self.seen_to + 1, event.id - MAX_BEHIND), event.id)
                self._missing.update(dict.fromkeys(skipped, now))
                self.seen_to = event.id
                fresh.append(event)
            elif self._missing.pop(event.id, None) is not None:
                fresh.append(event)
        for number, since in list(self._missing.items()):
            if now - since > _GAP_AGE:
                del self._missing[number]
        return fresh

    def has_seen(self, event: LiveEvent) -> bool:
        """Whether it was taken before."""
        return event.id <= self.seen_to and event.id not in self._missing


class LiveFeed:
    """One task reads for all consoles.

    Args:
        poll_s: How often it looks without being woken: a safety net, and other processes' changes.
        gap_s: Changes within so long go out together.
        check_s: How often sessions are checked: a disabled agent is cut within this and a poll.
    """

    def __init__(
        self,
        units: Units[ViewWork],
        *,
        presence: Presence,
        sessions: Liveness,
        clock: Clock,
        poll_s: float = 1.0,
        gap_s: float = 0.05,
        check_s: float = 3.0,
    ) -> None:
        self._units = units
        self._presence = presence
        self._sessions = sessions
        self._clock = clock
        self._poll_s = poll_s
        self._gap_s = gap_s
        self._check_s = check_s
        self._listeners: set[Listener] = set()
        self._lock = asyncio.Lock()
        self._woken = asyncio.Event()
        self._tail: Tail | None = None
        self._shown: dict[AgentId, Status] = {}
        self._checked_at = 0.0

    def wake(self) -> None:
        """Something was committed; called on the event loop, returns at once."""
        if self._listeners:
            self._woken.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()
            self._woken.clear()
            if not self._listeners:
                continue
            try:
                await self._step()
            except StorageUnavailable as error:
                log.warning("live_waits_for_storage", reason=str(error)[:200])
            except Exception:  # one odd row must not end everybody's live list
                log.exception("live_step_failed")
            await asyncio.sleep(self._gap_s)

    async def join(self, listener: Listener, cursor: int | None) -> None:
        """Greet a console, tell it what it missed since ``cursor``, and let it follow.

        Raises:
            StorageUnavailable: The log cannot be read; it has not joined.
        """
        async with self._lock:
            frames = await self._units.read(lambda work: self._greeting(work, listener, cursor))
            for frame in frames:
                listener.send(frame)
            self._listeners.add(listener)
            self._woken.set()

    def leave(self, listener: Listener) -> None:
        """A console is gone."""
        self._listeners.discard(listener)
        if not self._listeners:
            self._tail = None

    def customer_typing(self, conversation_id: ConversationId) -> None:
        """Tell the consoles that a customer writes."""
        self._tell({"type": "typing", "conversation_id": conversation_id})

    def kb_changed(self, status: KbStatus) -> None:
        """Tell the consoles how kb.yaml is now."""
        self._tell({"type": "kb", **status.model_dump(mode="json")})

    def log_out(self, session: bytes) -> None:
        """A session has ended: its consoles are told and cut."""
        for listener in [one for one in self._listeners if one.session == session]:
            listener.is_logged_out = True
            listener.end()

    def has_listener(self, agent_id: AgentId) -> bool:
        """Whether one of their consoles is connected."""
        return any(one.agent.id == agent_id and not one.is_ended for one in self._listeners)

    def close(self) -> None:
        """The server stops: every console is let go; it will connect again."""
        for listener in list(self._listeners):
            listener.end()

    def _tell(self, frame: dict[str, Any]) -> None:
        text = _text(frame)
        for listener in list(self._listeners):
            listener.send(text)

    def _greeting(self, work: ViewWork, listener: Listener, cursor: int | None) -> list[str]:
        newest = work.live_events.cursor()
        if self._tail is None:
            self._tail = Tail(newest)
        tail = self._tail
        agent = agent_out(
            listener.agent, self._presence, work.conversations.open_count(listener.agent.id)
        )
        start = tail.cursor if cursor is None else cursor
        hello = _text({"type": "hello", "cursor": start, "agent": agent.model_dump(mode="json")})
        if cursor is None:
            return [hello]
        missed = work.live_events.after(cursor, MAX_BEHIND + 1)
        is_forgotten = cursor + 1 < work.live_events.oldest()
        if cursor > newest or is_forgotten or len(missed) > MAX_BEHIND:
            return [hello, _text({"type": "reset", "cursor": tail.cursor})]
        missed = [event for event in missed if tail.has_seen(event)]
        if not missed:
            return [hello]
        frames = self._updates(work, missed, {listener.agent.id}, max(tail.cursor, cursor))
        return [hello, frames[listener.agent.id]]

    async def _step(self) -> None:
        async with self._lock:
            cursor = None if self._tail is None else self._tail.cursor
            try:
                frames = await self._units.read(self._read_changes)
            except BaseException:
                # what was taken and not told is taken again: told twice does no harm
                self._tail = None if cursor is None else Tail(cursor)
                raise
            for listener in list(self._listeners):
                for frame in frames.get(listener.agent.id, ()):
                    listener.send(frame)
        await self._check_sessions()

    def _read_changes(self, work: ViewWork) -> dict[AgentId, list[str]]:
        agents = {listener.agent.id for listener in self._listeners}
        found: dict[AgentId, list[str]] = {agent_id: [] for agent_id in agents}
        tail = self._tail
        if tail is None:
            return found
        events = work.live_events.after(tail.cursor, MAX_BEHIND + 1)
        if len(events) > MAX_BEHIND:
            self._tail = Tail(work.live_events.cursor())
            reset = _text({"type": "reset", "cursor": self._tail.cursor})
            return {agent_id: [reset] for agent_id in agents}
        fresh = tail.take(events, self._clock())
        if fresh:
            for agent_id, frame in self._updates(work, fresh, agents, tail.cursor).items():
                found[agent_id].append(frame)
        presence = self._presence_frame(work)
        if presence is not None:
            for frames in found.values():
                frames.append(presence)
        return found

    def _updates(
        self, work: ViewWork, events: Sequence[LiveEvent], agents: set[AgentId], cursor: int
    ) -> dict[AgentId, str]:
        """One frame an agent; they differ in one number, so everything else is made once."""
        ids = dict.fromkeys(event.conversation_id for event in events)
        if any(event.kind is LiveEventKind.QUEUE_CHANGED for event in events):
            # whoever leaves the queue moves the others up
            waiting = work.conversations.waiting()[:MAX_QUEUE_ROWS]
            ids.update(dict.fromkeys(one.id for one in waiting))
        changed = [one for one in (work.conversations.get(key) for key in ids) if one is not None]
        frame = {
            "type": "update",
            "cursor": cursor,
            "conversations": [row.model_dump(mode="json") for row in rows(work, changed)],
            "events": [event_out(event).model_dump(mode="json") for event in events],
        }
        return {
            agent_id: _text({**frame, "counts": counts(work, agent_id).model_dump()})
            for agent_id in agents
        }

    def _presence_frame(self, work: ViewWork) -> str | None:
        shown = {agent.id: self._presence.status(agent.id) for agent in work.agents.all()}
        if shown == self._shown:
            return None
        self._shown = shown
        agents = [one.model_dump(mode="json") for one in agents_out(work, self._presence)]
        return _text({"type": "presence", "agents": agents})

    async def _check_sessions(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._checked_at < self._check_s:
            return
        self._checked_at = now
        held = {listener.session for listener in self._listeners}
        for session in held - await self._sessions.alive(sorted(held)):
            self.log_out(session)


def _text(frame: dict[str, Any]) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
