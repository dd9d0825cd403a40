"""The server: the HTTP side in front of the services, and the tasks that run beside it."""

from __future__ import annotations

import asyncio
import gc
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from aiohttp import web
from pydantic import SecretStr

from bot.app.channels import accounts, connected
from bot.app.channels import start as start_channels
from bot.app.channels import stop as stop_channels
from bot.app.console import Console
from bot.app.demo import demo_of, demo_password, keep_fresh
from bot.app.http.connections import Connections, Site, connections_at_most
from bot.app.http.middleware import Rim
from bot.app.http.network import Network
from bot.app.pages import Pages, built_pages
from bot.app.process.data_folder import warn_of_root
from bot.app.process.data_lock import exclusive
from bot.app.process.errors import PortInUse
from bot.app.process.stopping import Stopping
from bot.app.retention import Keeping, Retention
from bot.app.services import (
    Clock,
    Services,
    Sleep,
    load_knowledge,
    opened_database,
    services,
)
from bot.app.settings import Settings
from bot.inbox.media_room import LOOSE_FOR
from bot.wording.customer import BUTTONS
from connectors.errors import BadChannels, NotStored
from connectors.messages import (
    Address,
    Attachment,
    ChannelRef,
    Connector,
    HealthState,
    MediaState,
)
from connectors.web.chat import Greeting, WebChat
from connectors.web.connector import WebConnector
from connectors.web.hub import Hub
from connectors.web.routes import WebRoutes
from connectors.web.tokens import TokenSigner
from handoff.auth.agents import Role, add_agent
from handoff.auth.passwords import is_right
from handoff.desk.timers import tick
from handoff.errors import HandoffError, StorageUnavailable
from shop.demo.seeding import plant
from storage.chatlog import StoredChatLog
from storage.core.claim import Claim, claim_to
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

SITE = ChannelRef("web", "default")
TICK_S = 1.0
SWEEP_S = 10.0
HOUSEKEEPING_S = 3600.0
EVENTS_KEPT = timedelta(days=7)
"""A console that was away for longer reloads everything."""
WINDOWS_KEPT = timedelta(days=30)
MAX_BODY_BYTES = 6 * 1024 * 1024
SHUTDOWN_S = 5.0
MAX_CONNECTIONS_OF_ONE = 200
"""Of one address or IPv6 /64 that reaches the server without a proxy: an office, not a flood."""
UP = {HealthState.UP: 1.0, HealthState.DOWN: 0.0}
"""An account's health as a figure; what is in between is a half."""


@dataclass(frozen=True, slots=True)
class Started:
    """A running server.

    Attributes:
        url: Where it answers.
        admin_password: The password that was made for ``admin`` at this first start, else ``None``.
        application: What answers there.
        claim: To the database.
    """

    url: str
    services: Services
    admin_password: str | None
    application: web.Application
    claim: Claim


def serve(settings: Settings, *, is_demo: bool) -> None:
    """Run until stopped by a signal.

    Raises:
        KefuError: It cannot start; the message says what to do.
    """
    warn_of_root()
    if sys.platform == "win32":
        asyncio.run(_serve(settings, is_demo=is_demo))
    else:
        import uvloop  # noqa: PLC0415 - there is none on Windows

        uvloop.run(_serve(settings, is_demo=is_demo))


async def _serve(settings: Settings, *, is_demo: bool) -> None:
    stopping = Stopping()
    with suppress(asyncio.CancelledError):
        async with running(settings, is_demo=is_demo) as started:
            _announce(started, is_demo=is_demo)
            taken = asyncio.create_task(started.claim.keep(started.services.resume))
            await asyncio.wait(
                {taken, asyncio.create_task(stopping.asked())}, return_when=asyncio.FIRST_COMPLETED
            )
            started.services.storage.hurry()
            if taken.done():
                raise taken.result()  # nobody is served twice
            taken.cancel()


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    is_demo: bool = False,
    clock: Clock | None = None,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[Started]:
    """A server on its port, with everything that belongs to it, until the block ends.

    Args:
        clock: ``None``: the machine's, made steady.
        sleep: Keeps the channels' pace.
    """
    async with AsyncExitStack() as stack:
        # the port first: it is the mistake that is made most often
        listener = _bind(settings)
        stack.callback(listener.close)
        claim = await _alone(settings, stack)
        configured = accounts(settings.channels)
        knowledge, keyring = await asyncio.gather(
            asyncio.to_thread(load_knowledge, settings),
            asyncio.to_thread(opened_database, settings),
        )
        parts = await stack.enter_async_context(
            services(
                settings,
                keyring=keyring,
                knowledge=knowledge,
                clock=clock,
                sleep=sleep,
                may_send=lambda: claim.is_held,
            )
        )
        password = await _first_admin(parts, is_demo=is_demo)

        async def on_typing(address: Address) -> None:
            await console.customer_typing(address)

        network = Network(
            keyring.token_key("network source"),
            trusted_proxies=settings.trusted_proxies,
            is_demo=is_demo,
        )
        chat = web_chat(parts, network, on_typing)
        parts.add(chat.connector)
        link = partial(public_link, chat, settings.public_url)
        channels = await stack.enter_async_context(connected(parts, configured, link))
        titles = {(one.channel, one.account): one.title for one in configured}
        console = Console(parts, chat.media, titles, network)
        parts.after_commit.wake = console.wake
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        connections = _watched(application, network, settings, is_demo=is_demo)
        application.add_routes(WebRoutes(chat).routes())
        _mount(application, channels)

        async def let_go(_application: web.Application) -> None:
            # open sockets and requests that are held would each keep the server from ending
            await asyncio.gather(chat.hub.close(), stop_channels(channels))

        application.on_shutdown.append(let_go)
        application.add_routes(_pages(parts, chat.hub, network).routes())
        console.mount(application)
        tasks = await stack.enter_async_context(_owned_tasks())
        if is_demo:
            demo = demo_of(settings.data_dir, parts.clock())
            await plant(parts.storage, demo, parts.passwords)
            tasks.start(keep_fresh(parts.storage, demo, parts.clock), "demo")
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await parts.start()
        await Site(runner, listener, connections).start()
        tasks.start(connections.run(), "connections")
        await start_channels(channels)
        tasks.start(parts.delivery.run(), "delivery")
        tasks.start(parts.fetching.run(), "fetching")
        tasks.start(parts.knowledge.watch(), "knowledge")
        tasks.start(_timers(parts), "timers")
        tasks.start(_sweep(parts), "sweep")
        tasks.start(_housekeeping(parts), "housekeeping")
        # what was loaded stays: the collector need not walk through the knowledge base again
        gc.collect()
        gc.freeze()
        host, port = listener.getsockname()[:2]
        yield Started(f"http://{_shown(host)}:{port}", parts, password, application, claim)


def _watched(
    application: web.Application, network: Network, settings: Settings, *, is_demo: bool
) -> Connections:
    """Put the rim round the application; its connections, which have deadlines and limits."""
    connections = Connections(
        monotonic=asyncio.get_running_loop().time,
        at_most=connections_at_most(),
        # behind a proxy, and for a demo's owner, all of them are one address
        of_one=None if network.trusts_proxy or is_demo else MAX_CONNECTIONS_OF_ONE,
    )
    Rim(network, connections, settings.public_url).mount(application)
    return connections


def web_chat(
    parts: Services, network: Network, on_typing: Callable[[Address], Awaitable[None]]
) -> WebChat:
    """The shop's page as a channel."""

    def agent_name(work: UnitOfWork, agent_id: str) -> str | None:
        agent = work.agents.get(agent_id)  # type: ignore[arg-type]
        return agent.name if agent is not None else None

    hub = Hub()
    chat_log = StoredChatLog(parts.storage, agent_name)

    async def attachment_of(attachment_id: str, owner: str) -> Attachment | None:
        found = await parts.storage.read(lambda work: work.attachments.get(attachment_id))
        if found is None or found[1] != owner or found[0].state is not MediaState.READY:
            return None
        return found[0]

    async def make_room(owner: str, sources: Sequence[str], size: int) -> None:
        try:
            await parts.room.check(owner, sources[0] if sources else None, size)
        except StorageUnavailable as error:
            raise NotStored(str(error)) from error

    async def add_attachment(attachment: Attachment, owner: str, sources: Sequence[str]) -> None:
        now = parts.clock()

        def unit(work: UnitOfWork) -> None:
            work.attachments.add(
                attachment,
                owner=owner,
                at=now,
                source=sources[0] if sources else None,
                loose_until=now + LOOSE_FOR,
            )

        try:
            await parts.storage.write(unit)
        except StorageUnavailable as error:
            raise NotStored(str(error)) from error

    return WebChat(
        connector=WebConnector(SITE, hub, chat_log, parts.clock),
        hub=hub,
        chat_log=chat_log,
        sink=parts.intake,
        signer=TokenSigner(parts.keyring.token_key("web visitor")),
        media=parts.media,
        clock=parts.clock,
        greeting=lambda locale: greeting(parts, locale),
        attachment_of=attachment_of,
        make_room=make_room,
        add_attachment=add_attachment,
        on_typing=on_typing,
        origins=parts.settings.widget_origins,
        sources_of=lambda request: network.source(request).keys,
    )


def _mount(application: web.Application, channels: Sequence[Connector]) -> None:
    """Put the channels' routes on the server.

    Raises:
        BadChannels: Two accounts want the same address.
    """
    taken: dict[tuple[str, str], Connector] = {}
    for connector in channels:
        for route in connector.routes():
            key = (route.method, route.path)
            if key in taken:
                raise BadChannels(
                    f"channels.yaml: {connector.ref.channel} 的 {taken[key].ref.account_id} 和 "
                    f"{connector.ref.account_id} 用了同一个 path（{route.path}），给其中一个换一个"
                )
            taken[key] = connector
            application.router.add_route(route.method, route.path, route.handler)


def public_link(chat: WebChat, public_url: str | None, attachment: Attachment) -> str | None:
    """Where the world may fetch a file for a while; ``None`` without a public address."""
    return None if public_url is None else f"{public_url.rstrip('/')}{chat.media_url(attachment)}"


def greeting(parts: Services, locale: str) -> Greeting:
    """What a page shows before the first word."""
    kb = parts.knowledge.current
    is_english = locale == "en"
    handoff = BUTTONS["handoff"][is_english]
    buttons = [
        ("handoff", handoff) if name == "human_agent" else (f"intent:{name}", intent.title)
        for name in kb.shop.welcome_buttons
        if (intent := kb.intents.get(name)) is not None
    ]
    hello = "Hello! How can I help you?"
    if not is_english:
        hello = kb.shop.welcome or "您好，有什么可以帮您？"
    privacy = kb.shop.privacy
    notice = privacy.said(is_english=is_english) if privacy is not None else ""
    return Greeting(
        shop_name=kb.shop.name,
        hours_text=kb.shop.hours.text,
        # what the page promises must be so now: opening hours alone answer nobody
        is_open=parts.presence.online_count() > 0,
        text="\n\n".join(filter(None, (hello, notice))),
        buttons=buttons,
    )


def _pages(parts: Services, hub: Hub, network: Network) -> Pages:
    async def readiness() -> tuple[bool, Mapping[str, Any]]:
        degraded: dict[str, str] = {}
        try:
            async with asyncio.timeout(2):
                # a full disk reads well: only a write tells
                await parts.storage.write(lambda work: work.probe())
            is_ready = True
        except (HandoffError, TimeoutError) as error:
            is_ready = False
            degraded["storage"] = str(error) or "no answer"
        if network.problem is not None:
            degraded["proxy"] = network.problem
        if parts.room.problem is not None:
            degraded["media"] = parts.room.problem
        if parts.knowledge.status.problem is not None:
            degraded["kb"] = parts.knowledge.status.problem
        elif off := parts.knowledge.current.recognizer.patterns.switched_off:
            names = "、".join(sorted({intent for _, intent in off}))
            degraded["kb"] = f"{names} 的 patterns 太慢，已停用；运行 kefu kb check 看是哪一行"
        for (channel, account), connector in parts.connectors.items():
            health = connector.health()
            if health.last_error is not None:
                degraded[f"{channel}/{account}"] = health.last_error
        status = "ready" if is_ready else "unavailable"
        return is_ready, {
            "status": "degraded" if is_ready and degraded else status,
            "degraded": degraded,
        }

    async def before_metrics() -> None:
        metrics = parts.metrics
        metrics.sent.set(parts.delivery.sent_count)
        metrics.failed.set(parts.delivery.failed_count)
        metrics.pages.set(len(hub))
        for (channel, account), connector in parts.connectors.items():
            health = connector.health()
            metrics.channel_up.labels(channel, account).set(UP.get(health.state, 0.5))
            if health.last_inbound_at is not None:
                heard = health.last_inbound_at.timestamp()
                metrics.channel_heard.labels(channel, account).set(heard)
        metrics.kb_ok.set(parts.knowledge.status.problem is None)
        with suppress(HandoffError):
            waiting, held = await parts.storage.read(
                lambda work: (work.conversations.waiting(), work.windows.held_counts())
            )
            metrics.waiting.set(len(waiting))
            for key in parts.connectors:
                metrics.held.labels(*key).set(held.get(key, 0))

    token = parts.settings.metrics_token
    return Pages(built_pages(), parts.metrics, readiness, before_metrics, token)


# ---------------------------------------------------------------------- starting


def _bind(settings: Settings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port), backlog=512)
    except OSError as error:
        raise PortInUse(
            f"{settings.host}:{settings.port} 用不了（{error.strerror}）：可能已经有程序占用，"
            "换一个端口（--port 或 KEFU_PORT）再试"
        ) from error


async def _alone(settings: Settings, stack: AsyncExitStack) -> Claim:
    """Keep every other kefu off the data folder and the database until the stack is closed."""
    stack.enter_context(exclusive(settings.data_dir))
    claim = claim_to(settings.database)
    stack.callback(claim.release)
    await asyncio.to_thread(claim.take)
    return claim


async def _first_admin(parts: Services, *, is_demo: bool) -> str | None:
    """Make ``admin`` where there is nobody yet; the password that was made up, if it is valid.

    A demo's password follows from its seed, so that every start can say it again.
    """
    configured = parts.settings.admin_password
    made = demo_password(parts.settings.data_dir) if is_demo else secrets.token_urlsafe(9)
    password = configured or SecretStr(made)
    if await parts.storage.read(lambda work: work.agents.all()):
        found = await parts.storage.read(lambda work: work.agents.credentials("admin"))
        is_same = is_demo and found is not None and await is_right(password, found.password_hash)
        return made if is_same and configured is None else None
    await add_agent(
        parts.storage,
        username="admin",
        name="客服",
        role=Role.ADMIN,
        password=password,
        now=parts.clock(),
    )
    return None if configured else password.get_secret_value()


async def _timers(parts: Services) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        with suppress(StorageUnavailable):
            await tick(parts.storage, parts.desk, parts.clock())


async def _sweep(parts: Services) -> None:
    """Take up what was stored while nobody learnt of it: its commit's answer was lost."""
    while True:
        await asyncio.sleep(SWEEP_S)
        with suppress(StorageUnavailable):
            await parts.turns.recover()


async def _housekeeping(parts: Services) -> None:
    """Drop what counts no longer, once an hour."""
    settings = parts.settings
    keeping = Keeping(
        chats=settings.keep_chats_days,
        files=settings.keep_files_days,
        records=settings.keep_records_days,
    )
    retention = Retention(parts.storage, parts.media, keeping, parts.clock, sweep=parts.room.sweep)

    def forget_old(work: UnitOfWork) -> None:
        now = work.clock()
        work.live_events.forget(now - EVENTS_KEPT)
        work.windows.forget(now - WINDOWS_KEPT)
        if settings.keep_raw_days:
            work.channels.forget_raw(now - timedelta(days=settings.keep_raw_days))

    while True:
        try:
            await parts.gate.forget_old_attempts()
            await parts.storage.write(forget_old)
            await retention.clear()
        except (StorageUnavailable, OSError) as error:
            log.warning("housekeeping_put_off", reason=str(error))
        await asyncio.sleep(HOUSEKEEPING_S)


class _Tasks:
    """Tasks that live as long as the server; one that ends by itself is logged, loudly."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Any, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("task_ended", task=task.get_name(), exc_info=task.exception())

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def _owned_tasks() -> AsyncIterator[_Tasks]:
    tasks = _Tasks()
    try:
        yield tasks
    finally:
        await tasks.stop()


def _shown(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - shown, not bound


def _announce(started: Started, *, is_demo: bool) -> None:
    lines = ["", f"  客服聊天页  {started.url}/", f"  人工客服台  {started.url}/console"]
    once = "" if is_demo else "（只显示这一次，请记好）"
    if started.admin_password is not None:
        lines.append(f"  账号 admin  密码 {started.admin_password}   {once}")
    if is_demo:
        lines.append("  演示订单    kefu shop demo")
    _print("\n".join([*lines, "", "  按 Ctrl+C 停止", ""]))


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the one thing that a server says to whoever started it
