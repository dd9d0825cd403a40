"""Where everything is wired: the only module that names concrete classes.

``services`` builds the parts that work without a network: the database, the bot, delivery. It is
what ``kefu chat``, the tests and the server share; ``bot.app.server`` puts the HTTP side in front.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot.app.metrics import Metrics
from bot.app.pictures import Pictures
from bot.app.process.data_folder import open_folder
from bot.app.process.steady_clock import SteadyClock, utc_now
from bot.app.settings import Settings
from bot.inbox.accept import Intake
from bot.inbox.fetching import Fetching
from bot.inbox.media_room import MediaRoom, Quotas
from bot.inbox.turn_queue import TurnQueue
from bot.sealing.finder import find_secrets, masked
from bot.tools.spec import TOOL_SPECS
from bot.tools.tools import ShopTools
from bot.turn.commit import Outcome
from bot.turn.current_planner import CurrentPlanner, LiveHours
from bot.turn.knowledge import Knowledge
from bot.turn.worker import Turns
from connectors.delivery.delivery import Delivery, Dispatch
from connectors.mail.connector import MailConnector, SmtpAccount
from connectors.media.store import MediaStore
from connectors.messages import Address, Connector, Grant
from handoff.desk.desk import Desk
from handoff.desk.presence import Presence
from handoff.errors import StorageUnavailable
from handoff.machine.rules import Rules
from handoff.model.inbound import Stored
from shop.access.gate import Gate
from shop.access.panel import Panel
from shop.access.settings import GateSettings
from shop.access.throttle import Limits
from shop.backends.embedded import EmbeddedShop
from shop.domain.passwords import Passwords, query_password_hasher
from storage.core.after_commit import Aftermath
from storage.core.key_file import KeyFile
from storage.core.keyring import Keyring, KeyringError
from storage.core.keys import is_sealed, rooted
from storage.core.schema import upgrade
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork

STOP_S = 5.0
"""How long turns, and then messages on their way, may take when the process is to end."""

Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]


class StoredOutbox:
    """Implements ``connectors.delivery.delivery.Outbox``: each call is one unit of work."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def claim(self, now: datetime, limit: int) -> Sequence[Dispatch]:
        """Take what is due."""
        return await self._storage.write(lambda work: work.outbox.claim(now, limit))

    async def sent(self, ids: Sequence[str], at: datetime) -> None:
        """Mark as taken by the platform."""
        await self._storage.write(lambda work: work.outbox.sent(ids, at))

    async def progressed(self, outbox_id: str, units: int) -> None:
        """Note that so many units of a message are taken."""
        await self._storage.write(lambda work: work.outbox.progressed(outbox_id, units))

    async def grant(self, outbox_id: str, unit_id: str, now: datetime) -> Grant | None:
        """Leave to send a unit."""
        return await self._storage.write(lambda work: work.outbox.grant(outbox_id, unit_id, now))

    async def hold(
        self, ids: Sequence[str], now: datetime, error: str, *, closes_window: bool
    ) -> bool:
        """Keep messages until the customer writes again; whether they are kept."""

        def unit(work: UnitOfWork) -> bool:
            return work.outbox.hold(ids, now, error, closes_window=closes_window)

        return await self._storage.write(unit)

    async def unreachable(self, outbox_id: str, now: datetime, error: str) -> None:
        """Give up on everything that waits for this customer."""
        await self._storage.write(lambda work: work.outbox.unreachable(outbox_id, now, error))

    async def postpone(
        self, ids: Sequence[str], next_at: datetime, error: str, *, is_fault: bool
    ) -> None:
        """Try again later."""

        def unit(work: UnitOfWork) -> None:
            work.outbox.postpone(ids, next_at, error, is_fault=is_fault)

        await self._storage.write(unit)

    async def fail(self, outbox_id: str, now: datetime, error: str, *, is_unknown: bool) -> None:
        """Give up loudly."""

        def unit(work: UnitOfWork) -> None:
            work.outbox.fail(outbox_id, now, error, is_unknown=is_unknown)

        await self._storage.write(unit)


class AfterCommit:
    """What every commit leaves to do, in commit order: send, and wake who looks on."""

    def __init__(self) -> None:
        self.delivery: Delivery | None = None
        self.fetching: Fetching | None = None
        self.wake: Callable[[], None] = lambda: None

    def __call__(self, aftermath: Aftermath) -> None:
        """Do it; returns at once."""
        if aftermath.dispatches and self.delivery is not None:
            self.delivery.hand_over(aftermath.dispatches)
        if aftermath.is_due and self.delivery is not None:
            self.delivery.wake()
        if aftermath.has_media and self.fetching is not None:
            self.fetching.wake()
        if aftermath.has_events:
            self.wake()


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a running kefu.

    Attributes:
        clock: Never runs backwards.
        wall: The machine's own clock.
        connectors: By channel and account; connectors are added before the first message.
    """

    settings: Settings
    clock: Clock
    wall: Clock
    storage: Storage
    keyring: Keyring
    knowledge: Knowledge
    planner: CurrentPlanner
    intake: Intake
    turns: Turns
    delivery: Delivery
    desk: Desk
    presence: Presence
    hours: LiveHours
    shop: EmbeddedShop
    gate: Gate
    media: MediaStore
    room: MediaRoom
    fetching: Fetching
    passwords: Passwords
    panel: Panel
    metrics: Metrics
    after_commit: AfterCommit
    random: Callable[[], float]
    connectors: dict[tuple[str, str], Connector]

    def add(self, connector: Connector) -> None:
        """Make a connector known to delivery."""
        self.connectors[connector.ref.channel, connector.ref.account_id] = connector

    async def resume(self) -> None:
        """This process is the one that sends again: go on where it had to stop."""
        with suppress(StorageUnavailable):  # else the leases run out by themselves
            await self.storage.write(lambda work: work.outbox.release(self.clock()))
        self.delivery.resume()

    async def start(self) -> None:
        """Take up what a process before this one left undone."""
        await self.storage.write(lambda work: work.outbox.release(self.clock()))
        while await self.delivery.poll():
            pass
        await self.turns.recover()


@asynccontextmanager
async def services(
    settings: Settings,
    *,
    keyring: Keyring,
    clock: Clock | None = None,
    knowledge: Knowledge | None = None,
    on_turn: Callable[[Outcome], None] = lambda _outcome: None,
    limits: Limits | None = None,
    sleep: Sleep = asyncio.sleep,
    may_send: Callable[[], bool] = lambda: True,
) -> AsyncIterator[Services]:
    """Build the parts on a database whose tables are up to date.

    Args:
        clock: ``None``: the machine's, made steady.
        on_turn: Told after each committed turn, beside the metrics.
        limits: How often one may look and try; ``None`` for the usual.
        sleep: Keeps the channels' pace.
        may_send: Whether this process is still the one that sends.
    """
    after_commit = AfterCommit()
    metrics = Metrics()
    connectors: dict[tuple[str, str], Connector] = {}
    steady = SteadyClock()
    wall, clock = (utc_now, steady) if clock is None else (clock, clock)
    kb = knowledge or load_knowledge(settings, clock)
    async with Storage.open(
        settings.database,
        keyring=keyring,
        clock=clock,
        on_commit=after_commit,
        proofs_last=timedelta(hours=settings.proof_hours),
    ) as storage:
        told_last = await storage.read(lambda work: work.live_events.latest_at())
        if told_last is not None:
            steady.resume(told_last)
        delivery = Delivery(
            StoredOutbox(storage),
            connectors,
            clock=clock,
            random=random.random,
            sleep=sleep,
            may_send=may_send,
        )
        after_commit.delivery = delivery
        media = MediaStore(settings.data_dir / "media", named=masked)
        room = MediaRoom(storage, media, _quotas(settings), clock)
        pictures = Pictures(storage, media, clock)
        await pictures.prepare(kb.current)
        kb.prepare = pictures.prepare
        presence = Presence(clock)
        hours = LiveHours(kb)
        rules = Rules(bot_idle_s=settings.idle_close_minutes * 60)
        desk = Desk(rules, presence=presence, hours=hours, clock=clock)
        proofs_last = timedelta(hours=settings.proof_hours)
        passwords = Passwords(query_password_hasher())
        shop = EmbeddedShop(storage, passwords, clock)
        gate = Gate(
            storage,
            shop,
            clock,
            mail_available=settings.has_mail,
            shop_name=lambda: kb.current.shop.name,
            settings=GateSettings(limits=limits or Limits(), proofs_last=proofs_last),
        )

        async def vouched(address: Address) -> tuple[str, ...]:
            return await storage.read(lambda work: work.customers.vouched(address))

        def tools_in(zone: ZoneInfo) -> ShopTools:
            return ShopTools(gate, timezone=zone, has_mail=settings.has_mail, vouched=vouched)

        planner = CurrentPlanner(
            kb,
            tools_in=tools_in,
            rules=rules,
            desk=desk,
            has_mail=settings.has_mail,
            pictures=lambda: pictures.by_path,
            choose=random.randrange,
        )

        async def typing(address: Address, author: str, *, is_on: bool) -> None:
            connector = connectors.get((address.ref.channel, address.ref.account_id))
            if connector is not None:
                await connector.typing(address, author, is_on=is_on)

        def merges(address: Address) -> bool:
            connector = connectors.get((address.ref.channel, address.ref.account_id))
            return connector is not None and connector.capabilities.merges_replies

        def told(outcome: Outcome) -> None:
            metrics.turn(outcome)
            on_turn(outcome)

        turns = Turns(
            storage,
            planner=planner,
            desk=desk,
            typing=typing,
            clock=clock,
            fragment_wait_s=settings.fragment_wait_s,
            timeout_s=settings.turn_timeout_s,
            on_turn=told,
            merges=merges,
            queue=TurnQueue(sleep=sleep),
        )

        def stored(message: Stored) -> None:
            metrics.received.labels(message.conversation.address.ref.channel).inc()
            turns.stored(message)

        intake = Intake(storage, desk=desk, find_secrets=find_secrets, on_stored=stored)
        fetching = Fetching(
            storage, media, connectors, clock, max_bytes=settings.media_mb * 1024 * 1024, room=room
        )
        after_commit.fetching = fetching
        connectors.update(_mail(settings, clock))
        yield Services(
            settings=settings,
            clock=clock,
            wall=wall,
            storage=storage,
            keyring=keyring,
            knowledge=kb,
            planner=planner,
            intake=intake,
            turns=turns,
            delivery=delivery,
            desk=desk,
            presence=presence,
            hours=hours,
            shop=shop,
            gate=gate,
            media=media,
            room=room,
            fetching=fetching,
            passwords=passwords,
            panel=Panel(storage, shop, clock, proofs_last=proofs_last),
            metrics=metrics,
            after_commit=after_commit,
            random=random.random,
            connectors=connectors,
        )
        await turns.stop(grace_s=STOP_S)
        await delivery.stop(grace_s=STOP_S)


def load_knowledge(settings: Settings, clock: Clock = utc_now) -> Knowledge:
    """The knowledge base that the settings name, fitted or from the cache."""
    return Knowledge(
        settings.kb, tools=TOOL_SPECS, cache_dir=settings.data_dir / "cache", clock=clock
    )


def _mail(settings: Settings, clock: Clock) -> dict[tuple[str, str], Connector]:
    if not settings.has_mail:
        return {}
    mail = MailConnector(smtp_account(settings), clock)
    return {(mail.ref.channel, mail.ref.account_id): mail}


def _quotas(settings: Settings) -> Quotas:
    return Quotas.of_mb(
        customer=settings.media_visitor_mb,
        source=settings.media_source_mb,
        total=settings.media_total_mb,
    )


def smtp_account(settings: Settings) -> SmtpAccount:
    """Where mails go out; the settings have it."""
    return SmtpAccount(
        host=settings.smtp_host or "",
        port=settings.smtp_port,
        user=settings.smtp_user,
        password=settings.smtp_password,
        sender=settings.smtp_from or "",
        security=settings.smtp_tls,
    )


def opened_database(settings: Settings) -> Keyring:
    """Bring the database up to date; the keyring that opens it. Blocking.

    Raises:
        BadData: The data folder cannot be used.
        StorageUnavailable: The database cannot be used.
        KeyringError: The key is lost, or not the one that this data was made with.
    """
    open_folder(settings.data_dir)
    keyring = configured_keyring(settings)
    upgrade(settings.database)
    return rooted(settings.database, keyring)


def configured_keyring(settings: Settings) -> Keyring:
    """The configured keys, or those of the data folder, without a database's root.

    A key is made for a database in which nothing is sealed yet, and for no other: whatever the
    lost one sealed would never open again, and nobody would know until they need it.

    Raises:
        KeyringError: The key is lost or damaged.
        StorageUnavailable: There is no key, and the database cannot be looked at.
    """
    if settings.secret_key is not None:
        return Keyring(_split(settings.secret_key))
    file = KeyFile(key_file(settings))
    keys = file.read()
    if not keys:
        if is_sealed(settings.database):
            raise KeyringError(
                f"{file.path}: 密钥不见了 (the key is lost)，数据库里的卡密、联系方式要靠它打开。"
                "请把备份的 secret.key 放回来；没有备份、要从头开始，"
                "就先把原来的数据库挪走（也就不要了），再启动"
            )
        keys = file.make()
    try:
        return Keyring(keys)
    except KeyringError as error:
        raise KeyringError(f"{file.path}: 里面不是密钥 (no key)，请把备份的那一份放回来") from error


def _split(configured: SecretStr) -> tuple[str, ...]:
    return tuple(key.strip() for key in configured.get_secret_value().split(",") if key.strip())


def key_file(settings: Settings) -> Path:
    """Where keys are kept that nobody configured."""
    return settings.data_dir / "secret.key"
