"""The async shell of a turn: load, wait for the rest of a fragment, decide, run tools, commit.

One conversation is handled by one worker, in order; conversations run side by side. Whatever
happens in between, the commit decides: it takes the inbound rows, stores why, puts the replies into
the outbox and moves the state, all or nothing, and only if nobody else took the conversation over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import Any, Protocol

import structlog
from ulid import ULID

from bot.inbox.turn_queue import Origin, Place, TurnQueue
from bot.turn.albums import MAX_PARTS, is_one_act, is_part
from bot.turn.commit import (
    Outcome,
    StaleTurn,
    TurnWork,
    commit_turn,
)
from bot.turn.fragments import MAX_FRAGMENTS, looks_unfinished
from bot.turn.plan import Plan
from bot.turn.planner import Planner
from bot.wording.compose import merged
from connectors.messages import Address, InboundKind
from handoff.desk.desk import Desk
from handoff.errors import Conflict, NoSuchConversation, StorageUnavailable
from handoff.model.conversation import Conversation, ConversationId
from handoff.model.inbound import Pending, Stored
from handoff.model.ports import Units

log = structlog.get_logger(__name__)

MAX_REDECIDED = 5
MAX_ATTEMPTS = 3
"""The third start of a message's turn gives it to a person instead."""
STORAGE_RETRY_S = 2.0
MAX_HELD = 200
"""Messages that wait for their turn in memory; the turns of later ones read them again."""


class Typing(Protocol):
    """Shows the customer that somebody writes."""

    async def __call__(self, address: Address, author: str, *, is_on: bool) -> None:
        """Show or hide the dots."""
        ...


@dataclass(frozen=True, slots=True)
class _Loaded:
    conversation: Conversation
    pending: tuple[Pending, ...]


class Turns:
    """Gives every stored message its turn.

    Args:
        tasks: Owns the conversations' workers.
        planner: Gives the planner in use; asked once a turn, so that a reload takes effect between
            turns and never within one.
        fragment_wait_s: How long the rest of an unfinished sentence is waited for.
        timeout_s: A turn that takes longer is tried once more and then handed to a person.
        on_turn: Told after each commit.
        merges: Whether several replies of a turn go to this address as one message.
        queue: Gives turns their places.
    """

    def __init__(
        self,
        units: Units[TurnWork],
        *,
        tasks: asyncio.TaskGroup,
        planner: Callable[[], Planner],
        desk: Desk,
        typing: Typing,
        clock: Callable[[], datetime],
        fragment_wait_s: float,
        timeout_s: float,
        on_turn: Callable[[Outcome], None],
        merges: Callable[[Address], bool] = lambda _address: False,
        queue: TurnQueue | None = None,
    ) -> None:
        self._units = units
        self._tasks = tasks
        self._queue = queue or TurnQueue()
        self._planner = planner
        self._desk = desk
        self._typing = typing
        self._clock = clock
        self._fragment_wait_s = fragment_wait_s
        self._timeout_s = timeout_s
        self._on_turn = on_turn
        self._merges = merges
        self._arrivals: dict[ConversationId, asyncio.Event] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self._taking_up: asyncio.Task[None] | None = None
        # conversations in which not even a person could be called: the next message tries again
        self._given_up: set[ConversationId] = set()
        # conversations in which a turn did not end, here or in a process before this one: something
        # older may wait there, and each start of its turn is counted before it begins
        self._left_behind: set[ConversationId] = set()
        self._alone = asyncio.Lock()
        self._counted: dict[ConversationId, tuple[Sequence[int], int]] = {}

    def stored(self, stored: Stored) -> None:
        """Give a stored message its turn, which need not read it again; returns at once."""
        conversation = stored.conversation
        self._given_up.discard(conversation.id)
        must_read = conversation.id in self._left_behind or len(self._queue) >= MAX_HELD
        loaded = None if must_read else _Loaded(conversation, (stored.pending,))
        origin = Origin.of(conversation.id, conversation.address, stored.pending.sources)
        self._wake(origin, loaded)

    def _wake(self, origin: Origin, loaded: _Loaded | None) -> asyncio.Task[None] | None:
        """Begin a conversation's worker; ``None`` where one runs already, or none may begin."""
        conversation_id = origin.conversation_id
        arrived = self._arrivals.get(conversation_id)
        if arrived is not None:
            arrived.set()
            return None
        if self._is_stopping:
            return None  # it is stored: the next start takes it up
        self._arrivals[conversation_id] = asyncio.Event()
        return self._owned(self._work(origin, loaded))

    def _owned(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        worker = self._tasks.create_task(work)
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)
        return worker

    async def recover(self) -> int:
        """Take up the conversations that wait and have no worker, and return how many.

        That is what a dead process left, and what was stored while its answer was lost.
        """
        if self._taking_up is not None and not self._taking_up.done():
            return 0
        unanswered = await self._units.read(lambda work: work.inbox.unanswered())
        is_dealt_with = self._arrivals.keys() | self._given_up
        found = [key for key in unanswered if key not in is_dealt_with]
        self._left_behind.update(found)
        if found:
            self._taking_up = self._owned(self._take_up(found))
        return len(found)

    async def _take_up(self, left: Sequence[ConversationId]) -> None:
        """Work on one conversation after the other.

        A process that dies of a message has begun that one alone.
        """
        for conversation_id in left:
            # each by itself: what a dead process left waits behind nobody's flood
            worker = self._wake(Origin(conversation_id, conversation_id), None)
            if worker is not None:
                await asyncio.wait([worker])

    async def settle(self) -> None:
        """Wait until every stored message has had its turn."""
        while self._workers:
            await asyncio.gather(*self._workers, return_exceptions=True)

    async def stop(self, grace_s: float) -> None:
        """Let running turns end; what is not finished is taken up at the next start."""
        self._is_stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self.settle()
        for worker in list(self._workers):
            worker.cancel()

    async def _work(self, origin: Origin, loaded: _Loaded | None) -> None:
        """Give a conversation turns until nothing waits for one.

        Args:
            loaded: What is known to wait, so that the usual turn need not read; ``None``: read.
        """
        conversation_id = origin.conversation_id
        arrived = self._arrivals[conversation_id]
        failures = 0
        try:
            while True:
                try:
                    has_waited = await self._queue.paced(origin)
                    if has_waited:
                        loaded = None  # more has come meanwhile
                    has_more = await self._turn(origin, loaded, takes_all=has_waited)
                    failures = 0
                except StorageUnavailable as error:
                    log.warning("turn_waits_for_storage", reason=str(error)[:200])
                    if self._is_stopping:
                        return  # it is stored: the next start takes it up
                    await asyncio.sleep(STORAGE_RETRY_S)
                    has_more = True
                except Exception:  # one customer's failure must not end the others' turns
                    log.exception("turn_failed", conversation_id=conversation_id)
                    self._left_behind.add(conversation_id)
                    self._counted.pop(conversation_id, None)
                    failures += 1
                    if failures >= MAX_ATTEMPTS:
                        self._given_up.add(conversation_id)
                        return
                    has_more = True
                loaded = None
                if not has_more and not arrived.is_set():
                    self._left_behind.discard(conversation_id)
                    return
        finally:
            del self._arrivals[conversation_id]
            self._counted.pop(conversation_id, None)

    async def _turn(self, origin: Origin, known: _Loaded | None, *, takes_all: bool) -> bool:
        """Take a turn, if something waits for one, and return whether more may wait.

        Args:
            takes_all: Everything that waits is taken together: there was too much of it.
        """
        for _ in range(MAX_REDECIDED):
            async with self._turn_of(origin), self._queue.place(origin) as place:
                try:
                    return await self._decide(
                        origin.conversation_id, known, place, takes_all=takes_all
                    )
                except (StaleTurn, Conflict):
                    known = None  # somebody took over, or the state moved: decide from what is now
        raise StorageUnavailable("the conversation kept changing while it was decided on")

    def _turn_of(self, origin: Origin) -> AbstractAsyncContextManager[Any]:
        """Let a turn whose start is counted run alone.

        A process that dies then has begun no other such turn.
        """
        is_left = origin.conversation_id in self._left_behind
        return self._alone if is_left else nullcontext()

    async def _decide(
        self,
        conversation_id: ConversationId,
        known: _Loaded | None,
        place: Place,
        *,
        takes_all: bool,
    ) -> bool:
        started = time.perf_counter()
        if known is None:
            self._arrivals[conversation_id].clear()
        loaded = known or await self._load(conversation_id)
        if not loaded.pending:
            return False
        planner = self._planner()
        group = _all_words(loaded.pending) if takes_all else ()
        group = group or await self._whole_sentence(planner, loaded, place)
        turn_id = str(ULID())
        attempt = await self._attempt(conversation_id, group)
        if attempt < MAX_ATTEMPTS:
            plan = await self._plan(planner, loaded.conversation, group, turn_id)
        else:
            log.error("turn_given_up", conversation_id=conversation_id, attempt=attempt)
            plan = Plan.failed(planner.memory(loaded.conversation))
        took_ms = (time.perf_counter() - started) * 1000
        outcome = await self._commit(
            planner, loaded.conversation, group, plan, turn_id=turn_id, took_ms=took_ms
        )
        self._on_turn(outcome)
        # of a flood only the first are read at a time: who took them all looks again
        return takes_all or len(loaded.pending) > len(group)

    async def _load(self, conversation_id: ConversationId) -> _Loaded:
        def unit(work: TurnWork) -> _Loaded:
            conversation = work.conversations.get(conversation_id)
            if conversation is None:
                raise NoSuchConversation(conversation_id)
            return _Loaded(conversation, tuple(work.inbox.pending(conversation_id)))

        return await self._units.read(unit)

    async def _attempt(self, conversation_id: ConversationId, group: Sequence[Pending]) -> int:
        """Count a turn that begins anew, and return which start of it this is, from 1.

        A message that was just stored is at its first: the usual turn need not write that down.
        """
        if conversation_id not in self._left_behind:
            return 1
        rows = [pending.id for pending in group]
        counted, attempt = self._counted.get(conversation_id, ((), 0))
        if counted != rows:  # not again where only the database was away in between
            attempt = await self._units.write(lambda work: work.inbox.begin(rows))
            self._counted[conversation_id] = rows, attempt
        return attempt

    # ------------------------------------------------------------------ fragments

    async def _whole_sentence(
        self, planner: Planner, loaded: _Loaded, place: Place
    ) -> tuple[Pending, ...]:
        """Return the first message that waits, and those that finish its sentence.

        Everything else stays for turns of its own.
        """
        conversation, pending = loaded.conversation, loaded.pending
        group = list(pending[:1])
        memory = planner.memory(conversation)
        if not planner.listens_for_more(conversation):
            return tuple(group)
        # the rest of what was left behind would have come long ago
        may_wait = self._fragment_wait_s > 0 and conversation.id not in self._left_behind
        if is_part(pending[0]):
            return await self._whole_act(conversation.id, pending, place if may_wait else None)
        if not may_wait:
            return tuple(group)
        while len(group) < MAX_FRAGMENTS and _is_words(group[-1]):
            text = "".join(pending.text for pending in group)
            # the cheap look first: most sentences end, and recognising them twice is dear
            if not looks_unfinished(text, is_understood=False) or planner.is_understood(
                text, memory
            ):
                break
            if len(pending) <= len(group):
                await self._typing(conversation.address, "bot", is_on=True)
                async with place.away():
                    pending = await self._arrived_after(conversation.id, len(group), pending)
            if len(pending) <= len(group) or not _is_words(pending[len(group)]):
                break
            group.append(pending[len(group)])
        return tuple(group)

    async def _whole_act(
        self, conversation_id: ConversationId, pending: tuple[Pending, ...], place: Place | None
    ) -> tuple[Pending, ...]:
        """Return the first file that waits, and those that were sent with it.

        Args:
            place: Left to others while more may come; ``None``: only what is here already.
        """
        count = 1
        while count < MAX_PARTS:
            if len(pending) <= count and place is not None:
                async with place.away():
                    pending = await self._arrived_after(conversation_id, count, pending)
                if len(pending) <= count and self._arrivals[conversation_id].is_set():
                    # it came in time, however long reading it takes
                    pending = (await self._load(conversation_id)).pending
            if len(pending) <= count or not is_one_act(
                pending[count - 1], pending[count], within_s=self._fragment_wait_s
            ):
                break
            count += 1
        return pending[:count]

    async def _arrived_after(
        self, conversation_id: ConversationId, count: int, pending: tuple[Pending, ...]
    ) -> tuple[Pending, ...]:
        arrived = self._arrivals[conversation_id]
        has_arrived = False
        with suppress(TimeoutError):
            async with asyncio.timeout(self._fragment_wait_s):
                while len(pending) <= count:
                    await arrived.wait()
                    arrived.clear()
                    has_arrived = True
                    pending = (await self._load(conversation_id)).pending
        if has_arrived:
            # more than this turn takes, or the wait ended while it was read: look again after it
            arrived.set()
        return pending

    # ------------------------------------------------------------------ planning and committing

    async def _plan(
        self, planner: Planner, conversation: Conversation, group: Sequence[Pending], turn_id: str
    ) -> Plan:
        for attempt in (1, 2):
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await planner.plan(conversation, group, turn_id, self._clock())
            except StorageUnavailable:
                raise
            except Exception as error:
                # one retry, then a person: a customer must never wait for a bot that is broken
                log.exception("bot_failed", attempt=attempt, error=type(error).__name__)
        return Plan.failed(planner.memory(conversation))

    async def _commit(
        self,
        planner: Planner,
        conversation: Conversation,
        group: Sequence[Pending],
        plan: Plan,
        *,
        turn_id: str,
        took_ms: float,
    ) -> Outcome:
        at = self._clock()
        if self._merges(conversation.address):
            plan = replace(plan, replies=merged(plan.replies))

        def unit(work: TurnWork) -> Outcome:
            return commit_turn(
                work,
                self._desk,
                seen=conversation,
                group=group,
                plan=plan,
                turn_id=turn_id,
                at=at,
                took_ms=took_ms,
                titles=planner.titles,
            )

        return await self._units.write(unit)


def _all_words(pending: Sequence[Pending]) -> tuple[Pending, ...]:
    """Return the messages of text from the first on, up to anything else."""
    return tuple(takewhile(_is_words, pending))


def _is_words(pending: Pending) -> bool:
    return pending.kind is InboundKind.MESSAGE and not pending.attachments
