"""Asks for updates, stores them, asks for the next: one loop that never ends by itself.

Source: telegram-bot-api: an update is given again until a later offset is asked for; whoever asks
second ends the first one's call with 409.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from connectors.errors import AuthError, NotStored, RateLimited, Retryable, SendError
from connectors.kit.backoff import Backoff, spread_out
from connectors.kit.host import Host
from connectors.messages import Checkpoint
from connectors.telegram import advice
from connectors.telegram.account import TelegramAccount
from connectors.telegram.api import BotApi, Json
from connectors.telegram.reception import Reception
from connectors.telegram.refusals import CONFLICT
from connectors.telegram.webhook import is_ours

log = structlog.get_logger(__name__)

OFFSET = "offset"
_RETRY = Backoff(first_s=1.0, longest_s=30.0)
_CONFLICT_RETRY_S = 10.0
_LEASE_MARGIN_S = 10.0
_STANDBY_S = 5.0
_BUGS_BEFORE_CARE = 3

Take = Callable[[Sequence[Json], Checkpoint], Awaitable[None]]


class Poller:
    """Of one bot.

    Args:
        take: Stores updates and how far was read, in one transaction.
    """

    def __init__(
        self,
        account: TelegramAccount,
        api: BotApi,
        host: Host,
        reception: Reception,
        take: Take,
    ) -> None:
        self._account = account
        self._api = api
        self._host = host
        self._reception = reception
        self._take = take
        self._lease = f"telegram:{account.bot_id}"
        self._offset: int | None = None
        self._is_started = False
        self._failures = 0
        self._bugs = 0

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            while True:
                wait_s = await self._round()
                if wait_s > 0:
                    await self._host.sleep(wait_s)
        finally:
            await self._host.leases.release(self._lease)

    async def _round(self) -> float:
        """Poll once; how long to wait before the next time."""
        try:
            return await self._polled()
        except SendError as error:
            return await self._after_refusal(error)
        except NotStored as error:
            # not acknowledged: the same updates come with the next poll
            self._reception.troubled(advice.NOT_STORED, self._host.clock())
            return max(error.retry_after_s, self._back_off_s())
        except Exception:  # a bug must not leave the shop deaf
            log.exception("telegram_poll_failed")
            self._bugs += 1
            self._reception.troubled(advice.BUG, self._host.clock())
            return self._back_off_s()

    async def _polled(self) -> float:
        account = self._account
        lease_s = account.poll_timeout_s + _LEASE_MARGIN_S
        if not await self._host.leases.hold(self._lease, lease_s):
            self._reception.troubled(advice.OTHER_PROCESS, self._host.clock())
            self._is_started = False  # whoever polls meanwhile moves the offset
            return _STANDBY_S
        if not self._is_started:
            stored = await self._host.checkpoints.get(account.ref, OFFSET)
            self._offset = int(stored) if stored is not None else None
            self._is_started = True
        updates = await self._api.updates(self._offset)
        self._failures = 0
        self._reception.ok(self._host.clock())
        if updates and self._bugs < _BUGS_BEFORE_CARE:
            await self._store(updates)
        for update in updates if self._bugs >= _BUGS_BEFORE_CARE else ():
            await self._store_carefully(update)
        self._bugs = 0
        return 0.0

    async def _store(self, updates: Sequence[Json]) -> None:
        # the last one's, not the highest: after a quiet week numbers start anywhere
        offset = int(updates[-1]["update_id"]) + 1
        await self._take(updates, Checkpoint(self._account.ref, OFFSET, str(offset)))
        self._offset = offset

    async def _store_carefully(self, update: Json) -> None:
        """Store one; what cannot be stored for a bug of ours is passed over, not met for ever."""
        try:
            await self._store([update])
        except NotStored:
            raise
        except Exception:
            log.exception("telegram_update_skipped", update_id=update["update_id"])
            self._offset = int(update["update_id"]) + 1

    # ------------------------------------------------------------------ trouble

    async def _after_refusal(self, error: SendError) -> float:
        now = self._host.clock()
        match error:
            case AuthError():
                self._reception.troubled(advice.REFUSED, now, is_down=True)
                return self._account.refused_pause_s
            case RateLimited():
                self._reception.troubled(advice.receiving(error), now)
                return error.retry_after_s
            case Retryable(code=code) if code == CONFLICT and "webhook" in str(error):
                return await self._after_webhook()
            case Retryable(code=code) if code == CONFLICT:
                return self._after_other_poller(now)
        self._reception.troubled(advice.receiving(error), now)
        return self._back_off_s()

    def _after_other_poller(self, now: datetime) -> float:
        """Somebody else polls: an older process for a moment, or another program for good."""
        limit = timedelta(seconds=self._account.conflict_s)
        is_down = self._reception.troubled_for(now) >= limit
        self._reception.troubled(advice.OTHER_POLLER, now, is_down=is_down)
        return spread_out(_CONFLICT_RETRY_S, self._host.random())

    async def _after_webhook(self) -> float:
        """A webhook is set: taken away if it is ours, or if the admin said so."""
        try:
            url = str((await self._api.webhook()).get("url") or "")
            if self._account.replace_webhook or is_ours(self._account, url):
                await self._api.delete_webhook()
                return 0.0
        except SendError as error:
            self._reception.troubled(advice.receiving(error), self._host.clock())
            return self._back_off_s()
        self._reception.troubled(advice.FOREIGN_WEBHOOK, self._host.clock(), is_down=True)
        return self._account.refused_pause_s

    def _back_off_s(self) -> float:
        self._failures += 1
        return _RETRY.pause_s(self._failures, self._host.random())


__all__ = ["OFFSET", "Poller"]
