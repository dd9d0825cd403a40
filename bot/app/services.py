"""Building everything that works without a network: the database, the bot, delivery.

``kefu chat``, the tests and the server share it; ``bot.app.server`` puts the HTTP side in front.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.app.connectors import Connectors
from bot.app.persistence.commits import CommitListeners
from bot.app.persistence.files import Files, files_of
from bot.app.persistence.outbox import StoredOutbox
from bot.app.persistence.pictures import Pictures
from bot.app.process.steady_clock import SteadyClock
from bot.app.process.tasks import Tasks
from bot.app.settings import Settings
from bot.app.shop import Shop, embedded_shop, tools_of
from bot.inbox.accept import Intake
from bot.inbox.fetching import Fetching
from bot.inbox.turn_queue import TurnQueue
from bot.sealing.finder import find_secrets
from bot.tools.registry import TOOL_SPECS, TOOLS, specs_of
from bot.tools.tool import Tool
from bot.turn.commit import Outcome
from bot.turn.current_planner import CurrentPlanner
from bot.turn.knowledge import Knowledge, KnowledgeFiles
from bot.turn.live_hours import LiveHours
from bot.turn.worker import Turns
from connectors.delivery.delivery import Delivery
from connectors.mail.connector import MailConnector, SmtpAccount
from handoff.desk.desk import Desk
from handoff.desk.presence import Presence
from handoff.errors import StorageUnavailable
from handoff.machine.rules import Rules
from handoff.model.inbound import Stored
from knowledge_base.recognition.loader import KnowledgeBase
from shop.access.throttle import Limits
from storage.core.after_commit import AfterCommit
from storage.core.keyring import Keyring
from storage.storage import Storage

STOP_S = 5.0
"""How long turns, and then messages on their way, may take when the process is to end."""

Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Services:
    """A kefu without its HTTP side.

    Attributes:
        clock: Never runs backwards.
    """

    clock: Clock
    storage: Storage
    knowledge: Knowledge
    planner: CurrentPlanner
    desk: Desk
    shop: Shop
    files: Files
    connectors: Connectors
    intake: Intake
    turns: Turns
    delivery: Delivery
    fetching: Fetching

    async def resume(self) -> None:
        """Send again, as the one process that may: go on where it had to stop."""
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
    knowledge: KnowledgeBase | None = None,
    commits: CommitListeners | None = None,
    on_stored: Callable[[Stored], None] = lambda _stored: None,
    on_turn: Callable[[Outcome], None] = lambda _outcome: None,
    limits: Limits | None = None,
    sleep: Sleep = asyncio.sleep,
    may_send: Callable[[], bool] = lambda: True,
    tools: Sequence[Tool] = TOOLS,
) -> AsyncIterator[Services]:
    """Build the parts on a database whose tables are up to date.

    Args:
        clock: ``None``: the machine's, made steady.
        knowledge: To begin with; ``None``: what the settings name.
        commits: Told after each commit; more may subscribe.
        on_stored: Called after each new message of a customer.
        on_turn: Called after each committed turn.
        limits: How often one may look and try; ``None`` for the usual.
        sleep: Keeps the channels' pace.
        may_send: Whether this process is still the one that sends.
        tools: What the bot can look up and do.
    """
    commits = commits or CommitListeners()
    kb_files = knowledge_files(settings)
    first = knowledge or kb_files.load()
    steady = SteadyClock()
    clock = clock or steady
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(_opened(settings, keyring, clock, commits))
        tasks = await stack.enter_async_context(Tasks())
        await _resume(steady, storage)
        connectors = Connectors()
        if settings.has_mail:
            connectors.add(MailConnector(smtp_account(settings), clock))
        delivery = Delivery(
            StoredOutbox(storage),
            connectors,
            clock=clock,
            random=random.random,
            sleep=sleep,
            may_send=may_send,
        )
        await stack.enter_async_context(delivery)
        files = files_of(storage, settings, clock)
        pictures = Pictures(storage, files.store, clock)
        await pictures.prepare(first)
        kb = Knowledge(kb_files, first, clock=clock, prepare=pictures.prepare)
        rules = Rules(bot_idle_s=settings.idle_close_minutes * 60)
        desk = Desk(rules, presence=Presence(clock), hours=LiveHours(kb), clock=clock)
        shop = embedded_shop(
            storage, settings, clock, name=lambda: kb.current.shop.name, limits=limits
        )
        planner = CurrentPlanner(
            kb,
            specs=specs_of(tools),
            tools_in=tools_of(tools, shop.gate, storage, has_mail=settings.has_mail),
            rules=rules,
            desk=desk,
            has_mail=settings.has_mail,
            pictures=lambda: pictures.by_path,
            choose=random.randrange,
        )
        turns = Turns(
            storage,
            tasks=tasks,
            planner=planner,
            desk=desk,
            typing=connectors.typing,
            clock=clock,
            fragment_wait_s=settings.fragment_wait_s,
            timeout_s=settings.turn_timeout_s,
            on_turn=on_turn,
            merges=connectors.merges_replies,
            queue=TurnQueue(sleep=sleep),
        )
        fetching = Fetching(
            storage,
            files.store,
            connectors,
            clock,
            max_bytes=settings.media_mb * 1024 * 1024,
            room=files.room,
        )
        _subscribe(commits, delivery, fetching)

        def stored(message: Stored) -> None:
            on_stored(message)
            turns.stored(message)

        yield Services(
            clock=clock,
            storage=storage,
            knowledge=kb,
            planner=planner,
            desk=desk,
            shop=shop,
            files=files,
            connectors=connectors,
            intake=Intake(storage, desk=desk, find_secrets=find_secrets, on_stored=stored),
            turns=turns,
            delivery=delivery,
            fetching=fetching,
        )
        await turns.stop(grace_s=STOP_S)
        await delivery.stop(grace_s=STOP_S)


def _opened(
    settings: Settings, keyring: Keyring, clock: Clock, commits: CommitListeners
) -> AbstractAsyncContextManager[Storage]:
    return Storage.open(
        settings.database,
        keyring=keyring,
        clock=clock,
        on_commit=commits,
        proofs_last=timedelta(hours=settings.proof_hours),
    )


async def _resume(steady: SteadyClock, storage: Storage) -> None:
    """Let a clock not be behind what was written into the database."""
    told_last = await storage.read(lambda work: work.live_events.latest_at())
    if told_last is not None:
        steady.resume(told_last)


def _subscribe(commits: CommitListeners, delivery: Delivery, fetching: Fetching) -> None:
    """Send and fetch what is committed without waiting for the next poll."""

    def send(committed: AfterCommit) -> None:
        if committed.dispatches:
            delivery.hand_over(committed.dispatches)
        if committed.is_due:
            delivery.wake()

    def fetch(committed: AfterCommit) -> None:
        if committed.has_media:
            fetching.wake()

    commits.subscribe(send)
    commits.subscribe(fetch)


def knowledge_files(settings: Settings) -> KnowledgeFiles:
    """Return the files of the knowledge base that the settings name."""
    return KnowledgeFiles(settings.kb, TOOL_SPECS, settings.data_dir / "cache")


def smtp_account(settings: Settings) -> SmtpAccount:
    """Return the account that mails go out by, as the settings say."""
    return SmtpAccount(
        host=settings.smtp_host or "",
        port=settings.smtp_port,
        user=settings.smtp_user,
        password=settings.smtp_password,
        sender=settings.smtp_from or "",
        security=settings.smtp_tls,
    )
