"""Sending one message: unit by unit, within the channel's pace and reply window."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from connectors.delivery.account import Account
from connectors.delivery.after_error import GiveUp, Wait, after_error
from connectors.delivery.outbox import AccountKey, Dispatch, Outbox
from connectors.delivery.rendering import render
from connectors.errors import AuthError, Fatal, Rejected, Retryable, SendError
from connectors.messages import Connector, Outbound, PeerKind, Unit

log = structlog.get_logger(__name__)

SEND_TIMEOUT_S = 20.0
NO_WINDOW = "等顾客下次来信时送出"
"""Read by agents, beside a message that waits."""


@dataclass(slots=True)
class _Progress:
    """A message while its units leave: how many have, and whether it goes without markup."""

    units: int
    is_plain: bool = False


class Sender:
    """Sends messages of all accounts, one call a message.

    Args:
        sleep: Waits for a channel's pace.
    """

    def __init__(
        self,
        outbox: Outbox,
        connectors: Mapping[AccountKey, Connector],
        *,
        clock: Callable[[], datetime],
        random: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._outbox = outbox
        self._connectors = connectors
        self._clock = clock
        self._random = random
        self._sleep = sleep
        self._accounts: dict[AccountKey, Account] = {}

    def account(self, key: AccountKey) -> Account:
        """Return what all lanes of one account have in common."""
        return self._accounts.setdefault(key, Account())

    def end_past_pauses(self, now: datetime) -> None:
        """Let accounts go on whose pause is over."""
        for account in self._accounts.values():
            account.end_past_pause(now)

    async def send(self, dispatch: Dispatch) -> Wait | GiveUp | None:
        """Send what is left of a message; ``None`` once the platform has all of it."""
        outbound = dispatch.outbound
        ref = outbound.address.ref
        key = (ref.channel, ref.account_id)
        connector = self._connectors.get(key)
        if connector is None:
            return GiveUp(f"no connector for {ref.channel}/{ref.account_id}")
        if outbound.codes and outbound.address.kind is PeerKind.GROUP:
            return GiveUp("a card key is never sent to a group")
        try:
            return await self._send_units(_Progress(dispatch.progress), connector, outbound)
        except Exception as error:  # noqa: BLE001 - told apart in one place
            return self._after_error(dispatch, connector, error)

    def _after_error(
        self, dispatch: Dispatch, connector: Connector, error: Exception
    ) -> Wait | GiveUp:
        key = (connector.ref.channel, connector.ref.account_id)
        if isinstance(error, AuthError | Fatal):
            log.error("channel_refused", channel=key[0], account=key[1], code=error.code)
        elif not isinstance(error, SendError | TimeoutError):
            log.error("connector_failed", channel=key[0], exc_info=error)
        now = self._clock()
        found = after_error(
            error,
            attempts=dispatch.attempts,
            may_repeat=connector.capabilities.send_idempotent,
            now=now,
            spread=self._random(),
        )
        if isinstance(found, Wait):
            self.account(key).note(found, now)
        return found

    async def _send_units(
        self, sending: _Progress, connector: Connector, outbound: Outbound
    ) -> Wait | None:
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

    async def _send_unit(self, connector: Connector, unit: Unit) -> Wait | None:
        outbox_id = unit.outbound.outbox_id
        if connector.capabilities.needs_grant:
            try:
                grant = await self._outbox.grant(outbox_id, unit.id, self._clock())
            except Exception as error:
                raise Retryable("storage", type(error).__name__) from error
            if grant is None:
                return Wait(None, NO_WINDOW)
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
        account = self.account((connector.ref.channel, connector.ref.account_id))
        wait_s = account.wait_s(pace, unit.address.peer_id, self._clock())
        if wait_s > 0:
            await self._sleep(wait_s)
