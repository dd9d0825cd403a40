"""The messages of one conversation on their way, one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime

import structlog

from connectors.delivery.account import Account
from connectors.delivery.after_error import GiveUp, Wait, is_over
from connectors.delivery.marks import Marks
from connectors.delivery.outbox import LEASE, Dispatch, Outbox
from connectors.delivery.sender import Sender

log = structlog.get_logger(__name__)

_BEHIND = "waits behind an earlier message"


class Lane:
    """Sends what is appended in its order, or puts it back into the outbox.

    A lane *is sending* while its task runs, and *waits* after it has put messages back or let them
    go. While it waits, whatever is appended is put back behind them. Only a poll ends a wait, in
    the step in which it appends what had waited: in between, a fresh message would overtake it.

    Args:
        may_send: Whether this process is still the one that sends.
        on_failed: Called for each message that is given up.
    """

    def __init__(
        self,
        outbox: Outbox,
        sender: Sender,
        account: Account,
        marks: Marks,
        *,
        tasks: asyncio.TaskGroup,
        clock: Callable[[], datetime],
        may_send: Callable[[], bool],
        on_failed: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._account = account
        self._marks = marks
        self._tasks = tasks
        self._clock = clock
        self._may_send = may_send
        self._on_failed = on_failed
        self._queue: deque[Dispatch] = deque()
        self._retry_at: datetime | None = None
        self._leased_until: datetime | None = None
        self._was_put_back = False
        self._finished: set[str] = set()
        self.task: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------ asked and told by delivery

    @property
    def waits_until(self) -> datetime | None:
        """Return when the lane's next waiting message is due; ``None`` where none waits."""
        waits = [at for at in (self._retry_at, self._leased_until) if at is not None]
        return max(waits, default=None)

    @property
    def is_idle(self) -> bool:
        """Nothing of it is on its way and nothing waits: it may be forgotten."""
        return self.task is None and self.waits_until is None

    @property
    def dealt_with(self) -> set[str]:
        """Messages that are on their way, or were finished since the poll began."""
        return self._finished | {dispatch.outbound.outbox_id for dispatch in self._queue}

    def append(self, dispatch: Dispatch) -> None:
        """Take a message; returns at once."""
        self._queue.append(dispatch)
        if self.task is None:
            self.task = self._tasks.create_task(self._run())

    def poll_begins(self) -> None:
        """Note what happens from here on: the poll cannot know of it."""
        self._finished.clear()
        self._was_put_back = self.waits_until is not None and self.task is not None

    def end_past_wait(self, now: datetime) -> bool:
        """Open the lane if its wait is over.

        Returns:
            ``False`` where that is left to another poll: what was put back while this one asked
            need not be among what it took; with what it took it is put back once more.
        """
        until = self.waits_until
        if until is None or not is_over(until, now):
            return True
        if self.task is not None or self._was_put_back:
            return False
        self._retry_at = self._leased_until = None
        return True

    def resume(self, now: datetime) -> None:
        """Have the next poll take what was let go: the outbox has it as due."""
        if self._leased_until is not None:
            self._leased_until = now

    # ------------------------------------------------------------------ its task

    async def _run(self) -> None:
        try:
            while self._queue:
                if not self._may_send():
                    self._let_go()
                    return
                wait = self._known_wait() or await self._send_first()
                if wait is not None:
                    # what is appended meanwhile finds the same wait, and is put back as well
                    await self._put_back(wait)
        except Exception:
            log.exception("delivery_lane_failed")
            self._let_go()
        finally:
            self.task = None

    def _let_go(self) -> None:
        """Leave the messages to the poll that comes when their lease is over."""
        self._queue.clear()
        self._leased_until = self._clock() + LEASE

    def _known_wait(self) -> Wait | None:
        waits = (self.waits_until, self._account.paused_until)
        until = max((at for at in waits if at is not None), default=None)
        return None if until is None else Wait(until, _BEHIND)

    async def _send_first(self) -> Wait | None:
        first = self._queue[0]
        found = await self._sender.send(first)
        if isinstance(found, Wait):
            return found
        finished = {first.outbound.outbox_id}
        if found is None:
            self._marks.add(first.outbound.outbox_id)
        else:
            finished |= await self._give_up(first, found)
        self._finished |= finished
        self._queue = deque(one for one in self._queue if one.outbound.outbox_id not in finished)
        return None

    async def _give_up(self, dispatch: Dispatch, why: GiveUp) -> set[str]:
        """Tell the outbox; return what else was given up with it."""
        channel = dispatch.outbound.address.ref.channel
        log.error("message_not_delivered", channel=channel, error=why.error)
        self._on_failed()
        outbox_id = dispatch.outbound.outbox_id
        if why.is_unreachable:
            return set(await self._outbox.unreachable(outbox_id, self._clock(), why.error))
        await self._outbox.fail(outbox_id, self._clock(), why.error, is_unknown=why.is_unknown)
        return set()

    async def _put_back(self, wait: Wait) -> None:
        waiting = list(self._queue)
        ids = [dispatch.outbound.outbox_id for dispatch in waiting]
        self._queue.clear()
        if wait.until is None:
            await self._hold(waiting, ids, wait)
            return
        self._retry_at = max(wait.until, self._retry_at or wait.until)
        self._was_put_back = True
        await self._outbox.postpone(ids[:1], wait.until, wait.error, is_fault=wait.is_fault)
        if ids[1:]:
            await self._outbox.postpone(ids[1:], wait.until, _BEHIND, is_fault=False)

    async def _hold(self, waiting: list[Dispatch], ids: list[str], wait: Wait) -> None:
        is_held = await self._outbox.hold(
            ids, self._clock(), wait.error, closes_window=wait.closes_window
        )
        if not is_held:
            # with what was held before and is due now as well, and what answers the customer
            whole = sorted([*waiting, *self._queue], key=lambda one: one.outbound.seq)
            self._queue = deque(whole)
