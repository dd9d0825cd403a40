"""Sending what is in the outbox: in order within a conversation, side by side between them.

A commit hands its fresh messages over at once; a poll picks up what waits for a retry and what a
dead process left. One conversation is one *lane*: its messages leave one after the other, and one
that must wait holds back those behind it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from connectors.delivery.pacing import Pacer
from connectors.delivery.rendering import render
from connectors.errors import (
    AuthError,
    ConnectorError,
    Fatal,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
    WindowClosed,
)
from connectors.messages import Connector, Grant, Outbound, PeerKind, Unit

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 8
POLL_S = 2.0
SHORTEST_POLL_S = 0.2
CLAIM_LIMIT = 200
SEND_TIMEOUT_S = 20.0
FIRST_RETRY_S = 1.0
LEASE = timedelta(seconds=30)
"""How long what was taken belongs to whoever took it; as the outbox gives it."""
LONGEST_RETRY_S = 300.0
LONGEST_WAIT_S = 3600.0
"""However long a platform asks for: then it is asked again."""
LIMITS_BEFORE_PAUSE = 3
LIMITS_WITHIN = timedelta(seconds=10)
"""So many refused chats in so short a time mean that the whole account is too fast."""
NO_WINDOW = "等顾客下次来信时送出"
"""Read by agents, beside a message that waits."""
REFUSED_PAUSE = timedelta(seconds=60)
_BEHIND = "waits behind an earlier message"

Lane = tuple[str, str, str]
Account = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A message of the outbox that this process has taken.

    Attributes:
        attempts: Which attempt this is, from 1.
        progress: How many of its units the platform has taken already.
    """

    outbound: Outbound
    conversation_id: str
    attempts: int
    progress: int = 0

    @property
    def lane(self) -> Lane:
        """What must keep its order."""
        ref = self.outbound.address.ref
        return (ref.channel, ref.account_id, self.conversation_id)


class Outbox(Protocol):
    """What delivery needs of the outbox; each call is one transaction."""

    async def claim(self, now: datetime, limit: int) -> Sequence[Dispatch]:
        """Take what is due, of so many conversations at most; all that is due of each."""
        ...

    async def sent(self, ids: Sequence[str], at: datetime) -> None:
        """Mark as taken by the platform."""
        ...

    async def progressed(self, outbox_id: str, units: int) -> None:
        """Note that so many units of a message are taken: they are not sent again."""
        ...

    async def grant(self, outbox_id: str, unit_id: str, now: datetime) -> Grant | None:
        """Leave to send a unit; the same one at every retry. ``None``: no window is open."""
        ...

    async def hold(
        self, ids: Sequence[str], now: datetime, error: str, *, closes_window: bool
    ) -> bool:
        """Keep messages until the customer writes again.

        Returns:
            Whether they are kept; ``False``: the customer has just written.
        """
        ...

    async def postpone(
        self, ids: Sequence[str], next_at: datetime, error: str, *, is_fault: bool
    ) -> None:
        """Try again later.

        Args:
            is_fault: An attempt failed; else it does not count as one.
        """
        ...

    async def fail(self, outbox_id: str, now: datetime, error: str, *, is_unknown: bool) -> None:
        """Give up loudly."""
        ...

    async def unreachable(self, outbox_id: str, now: datetime, error: str) -> None:
        """Give up on everything that waits for this customer: they left or blocked us."""
        ...


def retry_delay_s(attempt: int, spread: float) -> float:
    """How long to wait after a failed attempt: 1 s doubled each time, 5 min at most.

    Args:
        attempt: Which attempt failed, from 1.
        spread: A random number in [0, 1): delays of many messages must not fall together.

    Returns:
        Seconds, between half of the step and the whole step.
    """
    step = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** (attempt - 1))
    return step * (0.5 + spread / 2)


@dataclass(frozen=True, slots=True)
class _Wait:
    """A message must wait, and those behind it with it.

    Attributes:
        until: ``None``: until the customer writes again.
        closes_window: The platform says so, whatever we counted.
        is_fault: An attempt failed; they are numbered, and end.
    """

    until: datetime | None
    error: str
    closes_window: bool = False
    is_fault: bool = False


class Delivery:
    """Owns the outbox's way to the platforms.

    Args:
        sleep: Waits for a channel's pace.
        may_send: Whether this process is still the one that sends. While it is not, what it has
            taken is let go, and taken again once the lease has run out.
    """

    def __init__(
        self,
        outbox: Outbox,
        connectors: Mapping[tuple[str, str], Connector],
        *,
        clock: Callable[[], datetime],
        random: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        self._may_send = may_send
        self._outbox = outbox
        self._connectors = connectors
        self._clock = clock
        self._random = random
        self._sleep = sleep
        self._lanes: dict[Lane, deque[Dispatch]] = {}
        self._blocked_until: dict[Lane, datetime] = {}
        self._paused_until: dict[Account, datetime] = {}
        self._put_back_meanwhile: set[Lane] = set()
        self._let_go: set[Lane] = set()
        self._limited_at: dict[Account, deque[datetime]] = {}
        self._pacers: dict[Account, Pacer] = {}
        self._tasks: dict[Lane, asyncio.Task[None]] = {}
        self._unmarked: dict[str, datetime] = {}
        self._marking: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self.sent_count = 0
        self.failed_count = 0

    def hand_over(self, dispatches: Iterable[Dispatch]) -> None:
        """Take messages that were just committed; returns at once. Call it in commit order."""
        for dispatch in dispatches:
            lane = self._lanes.get(dispatch.lane)
            if lane is not None:
                lane.append(dispatch)
                continue
            self._lanes[dispatch.lane] = deque([dispatch])
            self._tasks[dispatch.lane] = asyncio.create_task(self._run_lane(dispatch.lane))

    def wake(self) -> None:
        """Something became due by a commit: poll soon instead of at the next round."""
        self._woken.set()

    def resume(self) -> None:
        """This process may send again, and what it had let go is due: poll for it now."""
        now = self._clock()
        self._blocked_until.update(dict.fromkeys(self._let_go & self._blocked_until.keys(), now))
        self._let_go.clear()
        self._woken.set()

    async def run(self) -> None:
        """Poll for what is due until cancelled."""
        while True:
            with suppress(ConnectorError):
                await self.poll()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._until_next_poll_s()):
                    await self._woken.wait()
            self._woken.clear()

    def _until_next_poll_s(self) -> float:
        """Sooner where a wait ends sooner: nobody waits for a retry longer than it needs."""
        first = min(self._blocked_until.values(), default=None)
        if first is None:
            return POLL_S
        return min(POLL_S, max(SHORTEST_POLL_S, (first - self._clock()).total_seconds()))

    async def poll(self) -> int:
        """Take what is due once; how many were taken."""
        if not self._may_send():
            return 0
        if being_put_back := self._blocked_until.keys() & self._tasks:
            # what they still write would be overtaken
            tasks = [self._tasks[lane] for lane in being_put_back]
            await asyncio.wait(tasks, timeout=POLL_S)
        self._put_back_meanwhile = self._blocked_until.keys() & self._tasks
        now = self._clock()
        # what is known to be sent is not sent again only because its mark failed, or comes later
        self._start_marking()
        sent = set(self._unmarked)
        taken: list[Dispatch] = []
        is_all = False
        try:
            # all of it: what were left would be overtaken once its wait is forgotten
            while page := await self._outbox.claim(now, CLAIM_LIMIT):
                taken.extend(page)
            is_all = True
        except Exception as error:  # noqa: BLE001 - a database that is away must not end the poll
            log.warning("outbox_poll_failed", error=type(error).__name__)
        # in one go with handing over: in between, what comes fresh would overtake what waited
        if is_all and not self._forget_past_waits(now):
            self._woken.set()
        sent.update(self._unmarked)
        # what is on its way still, though its lease is over
        sent.update(one.outbound.outbox_id for lane in self._lanes.values() for one in lane)
        self.hand_over(one for one in taken if one.outbound.outbox_id not in sent)
        return len(taken)

    async def settle(self) -> None:
        """Wait until everything taken is sent or put back, and marked so."""
        while self._tasks or self._marking is not None:
            pending = [*self._tasks.values()]
            if self._marking is not None:
                pending.append(self._marking)
            await asyncio.gather(*pending, return_exceptions=True)

    async def stop(self, grace_s: float) -> None:
        """Let what is on its way arrive; the rest keeps its lease, and waits for the next start."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self.settle()

    def _forget_past_waits(self, now: datetime) -> bool:
        """Open the lanes whose wait is over; whether that is all of them."""
        past = {key for key, until in self._blocked_until.items() if _is_over(until, now)}
        # what is put back while this poll asks need not be among what it took; with what it took it
        # is put back once more, and taken in its order by the next poll
        kept = past & (self._put_back_meanwhile | self._lanes.keys())
        for lane in past - kept:
            del self._blocked_until[lane]
        for account in [key for key, until in self._paused_until.items() if _is_over(until, now)]:
            del self._paused_until[account]
        return not kept

    # ------------------------------------------------------------------ lanes

    async def _run_lane(self, key: Lane) -> None:
        lane = self._lanes[key]
        try:
            while lane:
                if not self._may_send():
                    # it is taken again when its lease is over, and until then nothing overtakes it
                    self._blocked_until[key] = self._clock() + LEASE
                    self._let_go.add(key)
                    return
                wait = self._known_wait(key) or await self._send(lane[0])
                if wait is None:
                    lane.popleft()
                else:
                    # what is handed over meanwhile finds the same wait, and is put back as well
                    await self._put_back(key, lane, wait)
        except Exception:
            # what is left keeps its lease and is taken again by the poll
            log.exception("delivery_lane_failed", channel=key[0])
        finally:
            del self._lanes[key], self._tasks[key]

    def _known_wait(self, key: Lane) -> _Wait | None:
        # a wait that has just ended counts until a poll has taken what waited: what is handed over
        # in between would overtake it
        waits = (self._blocked_until.get(key), self._paused_until.get(key[:2]))
        until = max((at for at in waits if at is not None), default=None)
        return None if until is None else _Wait(until, _BEHIND)

    async def _put_back(self, key: Lane, lane: deque[Dispatch], wait: _Wait) -> None:
        waiting = list(lane)
        ids = [dispatch.outbound.outbox_id for dispatch in waiting]
        lane.clear()
        if wait.until is None:
            is_held = await self._outbox.hold(
                ids, self._clock(), wait.error, closes_window=wait.closes_window
            )
            if not is_held:
                # with what was held before and is due now as well, and what answers the customer
                whole = sorted([*waiting, *lane], key=lambda dispatch: dispatch.outbound.seq)
                lane.clear()
                lane.extend(whole)
            return
        self._blocked_until[key] = max(wait.until, self._blocked_until.get(key, wait.until))
        self._put_back_meanwhile.add(key)
        await self._outbox.postpone(ids[:1], wait.until, wait.error, is_fault=wait.is_fault)
        if ids[1:]:
            await self._outbox.postpone(ids[1:], wait.until, _BEHIND, is_fault=False)

    # ------------------------------------------------------------------ one message

    async def _send(self, dispatch: Dispatch) -> _Wait | None:
        """Send what is left of a message; ``None`` once it is dealt with, for good or ill."""
        outbound = dispatch.outbound
        ref = outbound.address.ref
        connector = self._connectors.get((ref.channel, ref.account_id))
        if connector is None:
            await self._fail(dispatch, f"no connector for {ref.channel}/{ref.account_id}")
            return None
        if outbound.codes and outbound.address.kind is PeerKind.GROUP:
            await self._fail(dispatch, "a card key is never sent to a group")
            return None
        sending = _Sending(dispatch.progress)
        try:
            wait = await self._send_units(sending, connector, outbound)
        except Exception as error:  # noqa: BLE001 - told apart in one place
            return await self._after_error(dispatch, connector, error)
        if wait is not None:
            return wait
        self._mark_sent(outbound.outbox_id)
        return None

    async def _send_units(
        self, sending: _Sending, connector: Connector, outbound: Outbound
    ) -> _Wait | None:
        units = render(outbound, connector.capabilities)
        while sending.units < len(units):
            unit = units[sending.units]
            try:
                wait = await self._send_unit(connector, unit)
            except Rejected as error:
                if not error.is_format or sending.is_plain:
                    raise
                # once, without markup and drawn buttons: better plain than not at all. The pieces
                # before this one are the same, for a text is cut before it is marked up.
                sending.is_plain = True
                plain = replace(connector.capabilities, has_buttons=False)
                units = render(outbound, plain, is_plain=True)
                continue
            if wait is not None:
                return wait
            sending.units += 1
            if not unit.is_last:
                await self._note_progress(outbound.outbox_id, sending.units)
        return None

    async def _send_unit(self, connector: Connector, unit: Unit) -> _Wait | None:
        outbox_id = unit.outbound.outbox_id
        if connector.capabilities.needs_grant:
            try:
                grant = await self._outbox.grant(outbox_id, unit.id, self._clock())
            except Exception as error:
                raise Retryable("storage", type(error).__name__) from error
            if grant is None:
                return _Wait(None, NO_WINDOW)
            unit = replace(unit, grant=grant)
        await self._keep_pace(connector, unit)
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await connector.send(unit)
        return None

    async def _note_progress(self, outbox_id: str, units: int) -> None:
        try:
            await self._outbox.progressed(outbox_id, units)
        except Exception as error:  # noqa: BLE001 - it was sent; the rest of it need not suffer
            log.warning("outbox_mark_failed", error=type(error).__name__)

    async def _keep_pace(self, connector: Connector, unit: Unit) -> None:
        pace = connector.capabilities.pace
        if pace is None:
            return
        account = (connector.ref.channel, connector.ref.account_id)
        pacer = self._pacers.setdefault(account, Pacer(pace))
        wait_s = pacer.wait_s(unit.address.peer_id, self._clock().timestamp())
        if wait_s > 0:
            await self._sleep(wait_s)

    # ------------------------------------------------------------------ what went wrong

    async def _after_error(
        self, dispatch: Dispatch, connector: Connector, error: Exception
    ) -> _Wait | None:
        now = self._clock()
        outbox_id = dispatch.outbound.outbox_id
        match error:
            case RateLimited():
                until = now + timedelta(seconds=min(error.retry_after_s, LONGEST_WAIT_S))
                self._note_limit(connector, until, now, is_account=error.is_account)
                return _Wait(until, error.code)
            case WindowClosed():
                return _Wait(None, str(error), closes_window=True)
            case Undeliverable():
                await self._outbox.unreachable(outbox_id, now, str(error))
                self.failed_count += 1
                return None
            case AuthError() | Fatal():
                return await self._after_refusal(dispatch, connector, error)
            case TimeoutError():
                fault = Retryable("timeout", "no answer", maybe_sent=True)
                return await self._after_fault(dispatch, connector, fault)
            case Retryable():
                return await self._after_fault(dispatch, connector, error)
            case SendError():
                await self._fail(dispatch, str(error), is_unknown=error.maybe_sent)
                return None
            case _:
                # a connector's bug counts as an attempt too, or it would be met again for ever
                log.error("connector_failed", channel=connector.ref.channel, exc_info=error)
                bug = Retryable(type(error).__name__, "a bug", maybe_sent=True)
                return await self._after_fault(dispatch, connector, bug)

    def _note_limit(
        self, connector: Connector, until: datetime, now: datetime, *, is_account: bool
    ) -> None:
        """Pause the account as well where it, and not one chat, is too fast."""
        account = (connector.ref.channel, connector.ref.account_id)
        limits = self._limited_at.setdefault(account, deque(maxlen=LIMITS_BEFORE_PAUSE))
        limits.append(now)
        is_many = len(limits) == LIMITS_BEFORE_PAUSE and now - limits[0] <= LIMITS_WITHIN
        if is_account or is_many:
            self._paused_until[account] = max(until, self._paused_until.get(account, until))

    async def _after_refusal(
        self, dispatch: Dispatch, connector: Connector, error: AuthError | Fatal
    ) -> _Wait | None:
        """Credentials or configuration are wrong: the account waits, a few times, for a person."""
        account = (connector.ref.channel, connector.ref.account_id)
        log.error("channel_refused", channel=account[0], account=account[1], code=error.code)
        if dispatch.attempts >= MAX_ATTEMPTS:
            await self._fail(dispatch, str(error))
            return None
        until = self._clock() + REFUSED_PAUSE
        self._paused_until[account] = until
        return _Wait(until, error.code, is_fault=True)

    async def _after_fault(
        self, dispatch: Dispatch, connector: Connector, error: SendError
    ) -> _Wait | None:
        may_repeat = not error.maybe_sent or connector.capabilities.send_idempotent
        if not may_repeat or dispatch.attempts >= MAX_ATTEMPTS:
            await self._fail(dispatch, str(error), is_unknown=error.maybe_sent)
            return None
        delay = retry_delay_s(dispatch.attempts, self._random())
        return _Wait(self._clock() + timedelta(seconds=delay), error.code, is_fault=True)

    async def _fail(self, dispatch: Dispatch, error: str, *, is_unknown: bool = False) -> None:
        self.failed_count += 1
        ref = dispatch.outbound.address.ref
        log.error("message_not_delivered", channel=ref.channel, error=error)
        await self._outbox.fail(
            dispatch.outbound.outbox_id, self._clock(), error, is_unknown=is_unknown
        )

    # ------------------------------------------------------------------ marks

    def _mark_sent(self, outbox_id: str) -> None:
        """Note a success; all that come while one mark is being written share the next."""
        self.sent_count += 1
        self._unmarked[outbox_id] = self._clock()
        self._start_marking()

    def _start_marking(self) -> None:
        if self._unmarked and self._marking is None:
            self._marking = asyncio.create_task(self._write_marks())

    async def _write_marks(self) -> None:
        try:
            while self._unmarked:
                marks = dict(self._unmarked)
                await self._outbox.sent(list(marks), max(marks.values()))
                for outbox_id in marks:
                    del self._unmarked[outbox_id]
        except Exception as error:  # noqa: BLE001 - the next poll marks them
            log.warning("outbox_mark_failed", error=type(error).__name__)
        finally:
            self._marking = None


def _is_over(until: datetime, now: datetime) -> bool:
    """A wait longer than there are was made by a clock that has been set back since."""
    return not now < until <= now + timedelta(seconds=LONGEST_WAIT_S)


@dataclass(slots=True)
class _Sending:
    """A message while its units leave: how many have, and whether it goes without markup."""

    units: int
    is_plain: bool = False


__all__ = ["Delivery", "Dispatch", "Outbox", "retry_delay_s"]
