"""Reads the account's log: from a stored place on, until there is no more, whenever there is news.

Notices only say that there is something; any may be lost or come twice. So each sets a mark, one
task reads, and now and then it reads without having been told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from connectors.errors import AuthError, Fatal, NotStored, RateLimited, Retryable, SendError
from connectors.kit.backoff import Backoff
from connectors.kit.host import Host
from connectors.kit.pulse import Pulse
from connectors.messages import Checkpoint, Inbound
from connectors.wecom import codes
from connectors.wecom.api import WecomApi
from connectors.wecom.mapping import Mapper, send_time, sessions
from connectors.wecom.names import Names

log = structlog.get_logger(__name__)

CURSOR = "cursor"
PAGE = 1000
LEASE_S = 90.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
RETRY = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
MAX_IDLE_PAGES = 20
MAX_WAITS = 45
MAX_LIMITED = 3


@dataclass(frozen=True, slots=True)
class Place:
    """How far the log is read.

    Attributes:
        since: While the first start reads what was there before it: older entries are history
            (seconds since 1970). Stored too, or a restart in between would answer them.
    """

    cursor: str
    since: int | None = None

    def stored(self) -> str:
        """As a checkpoint's value."""
        return self.cursor if self.since is None else f"since {self.since} {self.cursor}"

    @classmethod
    def read(cls, value: str | None) -> Place | None:
        """From a checkpoint's value.

        >>> Place.read(Place("c1", 1700000000).stored())
        Place(cursor='c1', since=1700000000)
        """
        if value is None or not value.startswith("since "):
            return None if value is None else cls(value)
        _, since, cursor = value.split(" ", 2)
        return cls(cursor, int(since))


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """See ``WecomAccount``."""

    open_kfid: str
    poll_s: float
    history: timedelta
    callback_token_life: timedelta


class Reader:
    """The one task that reads an account's log."""

    def __init__(
        self,
        options: ReaderOptions,
        api: WecomApi,
        mapper: Mapper,
        host: Host,
        pulse: Pulse,
    ) -> None:
        self._options = options
        self._api = api
        self._mapper = mapper
        self._host = host
        self._pulse = pulse
        self._names = Names(api, host.clock)
        self._news = asyncio.Event()
        self._token = ""
        self._token_at = host.clock()
        self._failures = 0
        self._waits = 0
        self._began_at = host.clock()

    def notify(self, token: str) -> None:
        """There is something to read; many of these are read at once."""
        self._token, self._token_at = token, self._host.clock()
        self._news.set()

    async def run(self) -> None:
        """Read until cancelled; whatever goes wrong shows in the account's health."""
        while True:
            # cleared before reading: what is told meanwhile is read in another round
            self._news.clear()
            await self._rest(await self._round())

    # ------------------------------------------------------------------ one round

    async def _round(self) -> float:
        """Read all there is; how many seconds to rest, unless there is news."""
        try:
            if not await self._host.leases.hold(self._lease, LEASE_S):
                return await self._wait_turn()
            try:
                await self._drain()
            finally:
                await self._host.leases.release(self._lease)
        except Exception as error:  # noqa: BLE001 - told apart in one place; the task must live
            return await self._after_error(error)
        self._failures = self._waits = 0
        self._pulse.detail["last_poll_ok_at"] = self._host.clock()
        self._pulse.receiving.up()
        return self._options.poll_s

    async def _wait_turn(self) -> float:
        self._waits += 1
        if self._waits >= MAX_WAITS:
            self._pulse.receiving.degraded("等不到读取消息的机会：别的进程占着，或者数据库有问题")
        # the process that reads may not have heard what we heard
        self._news.set()
        return await self._breath(FIRST_PAUSE_S)

    @property
    def _lease(self) -> str:
        ref = self._mapper.ref
        return f"{ref.channel}:{ref.account_id}"

    async def _drain(self) -> None:
        """Page by page; each is stored together with the place after it."""
        place = Place.read(await self._host.checkpoints.get(self._mapper.ref, CURSOR))
        if place is None:
            place = Place("", since=int((self._began_at - self._options.history).timestamp()))
        idle_pages = 0
        while True:
            items, next_cursor, has_more = await self._page(place.cursor)
            inbounds = await self._inbounds(items, place.since)
            after = Place(next_cursor, place.since if has_more else None)
            await self._host.sink.accept(
                inbounds, Checkpoint(self._mapper.ref, CURSOR, after.stored())
            )
            if inbounds:
                self._pulse.heard(self._host.clock())
            if not has_more:
                return
            # an empty page is no end, but for ever is too long
            idle_pages = 0 if after.cursor != place.cursor else idle_pages + 1
            if idle_pages >= MAX_IDLE_PAGES:
                raise Retryable("idle", "the log promises more and gives nothing")
            place = after
            await self._host.leases.hold(self._lease, LEASE_S)

    async def _page(self, cursor: str) -> tuple[Sequence[Mapping[str, Any]], str, bool]:
        """(Entries, the place after them, whether there are more)."""
        body: dict[str, Any] = {
            "cursor": cursor,
            "limit": PAGE,
            "voice_format": 0,
            "open_kfid": self._options.open_kfid,
        }
        token = self._fresh_token()
        try:
            page = await self._api.call("kf/sync_msg", {**body, "token": token} if token else body)
        except SendError as error:
            if not token or error.code != str(codes.CALLBACK_TOKEN_REFUSED):
                raise
            self._token = ""
            page = await self._api.call("kf/sync_msg", body)
        items = page.get("msg_list", [])
        next_cursor = page.get("next_cursor") or cursor
        if not isinstance(items, list) or not isinstance(next_cursor, str):
            raise Retryable("garbage", "a page that cannot be read")
        return items, next_cursor, bool(page.get("has_more"))

    def _fresh_token(self) -> str:
        age = self._host.clock() - self._token_at
        return self._token if age < self._options.callback_token_life else ""

    async def _inbounds(
        self, items: Sequence[Mapping[str, Any]], since: int | None
    ) -> list[Inbound]:
        """What a page says, oldest first; of what was there long before we came only who serves."""
        entries = sorted((one for one in items if isinstance(one, dict)), key=send_time)
        if since is not None:
            old = sessions([one for one in entries if send_time(one) < since])
            entries = [one for one in entries if send_time(one) >= since or one in old]
        now = self._host.clock()
        inbounds = [inbound for one in entries for inbound in self._mapper.inbounds(one, now)]
        return await self._names.named(inbounds)

    # ------------------------------------------------------------------ rests and errors

    async def _after_error(self, error: Exception) -> float:
        self._failures += 1
        pause_s = RETRY.pause_s(self._failures, self._host.random())
        name = error.code if isinstance(error, SendError) else type(error).__name__
        log.warning("wecom_not_read", account=self._mapper.ref.account_id, error=name)
        match error:
            case AuthError() | Fatal():
                self._pulse.receiving.down(codes.advice(error.code))
                pause_s = LONGEST_PAUSE_S
            case RateLimited():
                # reading without a notice's token is what is limited; a notice brings one
                pause_s = error.retry_after_s
                if self._failures >= MAX_LIMITED:
                    self._pulse.receiving.degraded("企业微信说读取太频繁，只在收到通知时读")
            case NotStored():
                self._pulse.receiving.degraded("收到的消息暂时存不下来，会再试")
                pause_s = max(pause_s, error.retry_after_s)
            case SendError():
                self._pulse.receiving.degraded(f"暂时读不到新消息，会再试（{name}）")
            case _:
                log.error("wecom_reader_failed", exc_info=error)
                self._pulse.receiving.degraded(f"读取消息时出错，会再试（{name}）")
        return await self._breath(pause_s)

    async def _breath(self, pause_s: float) -> float:
        """Rest a little whatever the news; what is left of the pause."""
        least_s = min(pause_s, FIRST_PAUSE_S)
        await self._host.sleep(least_s)
        return pause_s - least_s

    async def _rest(self, seconds: float) -> None:
        """Until there is news, or for so long."""
        tasks = {
            asyncio.ensure_future(self._news.wait()),
            asyncio.ensure_future(self._host.sleep(seconds)),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


__all__ = ["CURSOR", "Reader", "ReaderOptions"]
