"""Connectors with one fault each, such as are written in good faith: mostly Telegram's, by webhook.

A contract that none of them fails would promise nothing.
"""

from __future__ import annotations

import asyncio
import html
import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog
from aiogram.methods import DeleteWebhook
from yarl import URL

from connectors.errors import (
    AuthError,
    NotStored,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
)
from connectors.kit.host import Host
from connectors.media.addresses import PrivateHost
from connectors.messages import (
    Capabilities,
    Checkpoint,
    Health,
    HealthState,
    Inbound,
    InboundKind,
    MediaHandle,
    Receipt,
    SendResult,
    SendStatus,
    Sink,
    Unit,
)
from connectors.qq.connector import QQConnector
from connectors.telegram.account import TelegramAccount
from connectors.telegram.connector import TelegramConnector
from tests.contracts.channels.world import a_png

log = structlog.get_logger(__name__)

Messages = Sequence[Inbound]


class OtherSink:
    """Hands messages on in another way; this one changes none."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def accept(
        self, messages: Messages, checkpoint: Checkpoint | None = None
    ) -> tuple[Receipt, ...]:
        return await self._sink.accept([self.changed(one) for one in messages], checkpoint)

    def changed(self, message: Inbound) -> Inbound:
        return message


class ToOtherSink(TelegramConnector):
    """Sound but for where its messages go."""

    sink: Callable[[Sink], OtherSink] = OtherSink

    def __init__(self, account: TelegramAccount, host: Host) -> None:
        super().__init__(account, replace(host, sink=type(self).sink(host.sink)))


# ---------------------------------------------------------------------- what comes in


class ForgetsTheKey(ToOtherSink):
    """Every delivery is a message of its own."""

    class sink(OtherSink):  # noqa: N801 - it fills the field of that name
        numbers = itertools.count()

        def changed(self, message: Inbound) -> Inbound:
            return replace(message, dedup_key=f"{message.dedup_key}/{next(self.numbers)}")


class CountsFromOne(ToOtherSink):
    """Names messages by how many there were since the start."""

    class sink(OtherSink):  # noqa: N801
        def __init__(self, sink: Sink) -> None:
            super().__init__(sink)
            self._numbers = itertools.count(1)

        def changed(self, message: Inbound) -> Inbound:
            return replace(message, dedup_key=str(next(self._numbers)))


class AcknowledgesFirst(ToOtherSink):
    """Says yes, stores afterwards, and has nobody to tell when that fails."""

    class sink(OtherSink):  # noqa: N801
        def __init__(self, sink: Sink) -> None:
            super().__init__(sink)
            self._tasks: set[asyncio.Task[None]] = set()

        async def accept(
            self, messages: Messages, checkpoint: Checkpoint | None = None
        ) -> tuple[Receipt, ...]:
            task = asyncio.create_task(self._store(messages, checkpoint))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return ()

        async def _store(self, messages: Messages, checkpoint: Checkpoint | None) -> None:
            try:
                await self._sink.accept(messages, checkpoint)
            except NotStored:
                log.warning("too_late")


class LetsThemOvertake(ToOtherSink):
    """Stores every second message before the first."""

    class sink(OtherSink):  # noqa: N801
        def __init__(self, sink: Sink) -> None:
            super().__init__(sink)
            self._held: Messages = ()

        async def accept(
            self, messages: Messages, checkpoint: Checkpoint | None = None
        ) -> tuple[Receipt, ...]:
            if not self._held:
                self._held = messages
                return ()
            held, self._held = self._held, ()
            return await self._sink.accept([*messages, *held], checkpoint)


class DoesNotTellOfLeaving(ToOtherSink):
    """A block is an event like any other."""

    class sink(OtherSink):  # noqa: N801
        def changed(self, message: Inbound) -> Inbound:
            is_going = message.kind is InboundKind.DEPARTURE
            return replace(message, kind=InboundKind.OTHER) if is_going else message


class TakesStartForWords(ToOtherSink):
    """Who comes has said ``/start``."""

    class sink(OtherSink):  # noqa: N801
        def changed(self, message: Inbound) -> Inbound:
            if message.kind is not InboundKind.ARRIVAL:
                return message
            return replace(message, kind=InboundKind.MESSAGE, text="/start")


class TakesAPressForWords(ToOtherSink):
    """Who presses a button has said what stands on it."""

    class sink(OtherSink):  # noqa: N801
        def changed(self, message: Inbound) -> Inbound:
            if message.button_token is None:
                return message
            return replace(message, kind=InboundKind.MESSAGE, button_token=None)


class AnswersEverybody(TelegramConnector):
    """In a group, whatever is said is said to us."""

    async def _take(
        self, updates: Sequence[Mapping[str, Any]], checkpoint: Checkpoint | None = None
    ) -> None:
        to_us = {"from": {"id": self._mapper.bot_id}}
        for update in updates:
            update.get("message", {}).setdefault("reply_to_message", to_us)
        await super()._take(updates, checkpoint)


class GivesHalfOfAFile(TelegramConnector):
    """Ends a download before its end."""

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:
        content = await super().fetch(media, max_bytes)
        return content[: len(content) // 2]


class ShowsSomethingElse(TelegramConnector):
    """Has a picture of its own for what it cannot get."""

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:  # noqa: ARG002
        return a_png()


class FetchesFromAnywhere(QQConnector):
    """Asks whatever address a message names."""

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:
        url = URL(str(media.handle["url"]))
        anywhere = (PrivateHost(url.raw_host or "", url.port),)
        return await self._host.downloads.get(str(url), max_bytes, private_hosts=anywhere)


class DropsTheUnknown(ToOtherSink):
    """Keeps only what it understands."""

    class sink(OtherSink):  # noqa: N801
        async def accept(
            self, messages: Messages, checkpoint: Checkpoint | None = None
        ) -> tuple[Receipt, ...]:
            known = [one for one in messages if one.kind is not InboundKind.OTHER]
            return await self._sink.accept(known, checkpoint)


class WaitsForTheAnswer(TelegramConnector):
    """Acknowledges when the bot has answered."""

    def __init__(self, account: TelegramAccount, host: Host) -> None:
        super().__init__(account, host)
        self._answered = asyncio.Event()

    async def _take(
        self, updates: Sequence[Mapping[str, Any]], checkpoint: Checkpoint | None = None
    ) -> None:
        self._answered.clear()
        await super()._take(updates, checkpoint)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._answered.wait(), 2)

    async def send(self, unit: Unit) -> SendResult:
        self._answered.set()
        return await super().send(unit)


class StartsAnew(TelegramConnector):
    """Throws away at its start what came before."""

    async def start(self) -> None:
        await self._api.call(DeleteWebhook(drop_pending_updates=True))
        await super().start()


# ---------------------------------------------------------------------- what goes out


class SendsOneAfterTheOther(TelegramConnector):
    """One customer's slow send is everybody's."""

    def __init__(self, account: TelegramAccount, host: Host) -> None:
        super().__init__(account, host)
        self._one = asyncio.Lock()

    async def send(self, unit: Unit) -> SendResult:
        async with self._one:
            return await super().send(unit)


class OverstatesItsLimit(TelegramConnector):
    """Promises to take longer texts than the platform does."""

    @property
    def capabilities(self) -> Capabilities:
        able = super().capabilities
        return replace(able, max_text=able.max_text + 100)


class CutsOffTheRest(TelegramConnector):
    """Makes a text fit by leaving out its end."""

    async def send(self, unit: Unit) -> SendResult:
        return await super().send(replace(unit, text=unit.text[:4000]))


class EscapesTwice(TelegramConnector):
    """Escapes what is ready-made."""

    async def send(self, unit: Unit) -> SendResult:
        return await super().send(replace(unit, text=html.escape(unit.text, quote=False)))


class StartsOver(TelegramConnector):
    """After a failure in the middle it sends a message from its beginning."""

    def __init__(self, account: TelegramAccount, host: Host) -> None:
        super().__init__(account, host)
        self._sent_before: dict[str, list[Unit]] = defaultdict(list)

    async def send(self, unit: Unit) -> SendResult:
        before = self._sent_before[unit.outbound.outbox_id]
        try:
            result = await super().send(unit)
        except Retryable:
            for one in before:
                await super().send(one)
            raise
        before.append(unit)
        return result


class GivesUpQuietly(TelegramConnector):
    """Takes a refusal for a success."""

    async def send(self, unit: Unit) -> SendResult:
        try:
            return await super().send(unit)
        except SendError:
            return SendResult(SendStatus.ACCEPTED)


class TriesTheGoneAgain(TelegramConnector):
    """Does not tell who has left from a passing fault."""

    async def send(self, unit: Unit) -> SendResult:
        try:
            return await super().send(unit)
        except Undeliverable as error:
            raise Retryable(error.code, "not delivered") from error


class RepeatsAfterATimeOut(TelegramConnector):
    """Where no answer came it sends once more, whether or not that shows twice."""

    async def send(self, unit: Unit) -> SendResult:
        try:
            return await super().send(unit)
        except Retryable:
            return await super().send(unit)


class LogsTheAddress(TelegramConnector):
    """Logs where a request went; the token stands in there."""

    async def send(self, unit: Unit) -> SendResult:
        try:
            return await super().send(unit)
        except SendError:
            token = self._account.token.get_secret_value()
            log.warning("send_failed", url=f"/bot{token}/sendMessage")
            raise


class TellsTheAddress(TelegramConnector):
    """Puts into its errors where a request went."""

    async def send(self, unit: Unit) -> SendResult:
        try:
            return await super().send(unit)
        except Retryable as error:
            token = self._account.token.get_secret_value()
            raise Retryable(error.code, f"/bot{token}", maybe_sent=error.maybe_sent) from None


class BlamesTheWords(TelegramConnector):
    """Does not tell refused markup from refused words."""

    async def send(self, unit: Unit) -> SendResult:
        try:
            return await super().send(unit)
        except Rejected as error:
            raise Rejected(error.code, "refused") from error


class DoesNotWait(TelegramConnector):
    """Told to wait, it tries again at once."""

    async def send(self, unit: Unit) -> SendResult:
        try:
            return await super().send(unit)
        except RateLimited:
            return await super().send(unit)


class HopesForTheBest(TelegramConnector):
    """Takes refused credentials for a passing fault, and tells nobody."""

    def health(self) -> Health:
        return Health(HealthState.UP)

    async def send(self, unit: Unit) -> SendResult:
        try:
            return await super().send(unit)
        except AuthError as error:
            raise Retryable(error.code, "refused") from error
