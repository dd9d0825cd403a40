"""The server: the HTTP side in front of the services, and the workers that run beside it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from bot.app import background, channels
from bot.app.console import Console
from bot.app.demo import demo_of, keep_fresh
from bot.app.first_admin import first_admin
from bot.app.host import a_host
from bot.app.http.connections import Connections, Site, connections_at_most
from bot.app.http.listener import listening, url_of
from bot.app.http.middleware import Rim
from bot.app.http.network import Network
from bot.app.http.pages import Pages, built_pages
from bot.app.http.request_limits import RequestLimits, rate_of
from bot.app.metrics import Metrics
from bot.app.persistence.commits import CommitListeners
from bot.app.persistence.database import alone, opened_database
from bot.app.process.steady_clock import utc_now
from bot.app.process.tasks import Tasks
from bot.app.readiness import Gauges, Readiness
from bot.app.services import Clock, Services, Sleep, knowledge_files, services
from bot.app.settings import Settings
from bot.app.web_chat import greeting, public_link, web_chat
from connectors.messages import Connector
from connectors.web.chat import Greeting, WebChat
from connectors.web.routes import WebRoutes
from shop.demo.seeding import plant
from storage.core.claim import Claim
from storage.core.keyring import Keyring

MAX_BODY_BYTES = 6 * 1024 * 1024
SHUTDOWN_S = 5.0
MAX_CONNECTIONS_OF_ONE = 200
"""Of one address or IPv6 /64 that reaches the server without a proxy: an office, not a flood."""


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
    settings: Settings
    services: Services
    admin_password: str | None
    application: web.Application
    claim: Claim


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    is_demo: bool = False,
    clock: Clock | None = None,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[Started]:
    """Serve on the port, with everything that belongs to it, until the block ends.

    Args:
        clock: ``None``: the machine's, made steady.
        sleep: Keeps the channels' pace.
    """
    async with AsyncExitStack() as stack:
        # the port first: it is the mistake that is made most often
        listener = listening(settings)
        stack.callback(listener.close)
        claim = await stack.enter_async_context(alone(settings))
        accounts = channels.accounts(settings.channels)
        knowledge, keyring = await asyncio.gather(
            asyncio.to_thread(knowledge_files(settings).load),
            asyncio.to_thread(opened_database, settings),
        )
        metrics, commits = Metrics(), CommitListeners()
        parts = await stack.enter_async_context(
            services(
                settings,
                keyring=keyring,
                knowledge=knowledge,
                clock=clock,
                commits=commits,
                on_stored=metrics.stored,
                on_turn=metrics.turn,
                sleep=sleep,
                may_send=lambda: claim.is_held,
            )
        )
        password = await first_admin(parts.storage, settings, parts.clock(), is_demo=is_demo)
        network = Network(
            keyring.token_key("network source"),
            trusted_proxies=settings.trusted_proxies,
            is_demo=is_demo,
        )
        titles = {(account.channel, account.account): account.title for account in accounts}
        console = _console(parts, settings, keyring, network, titles)
        commits.subscribe(console.committed)
        chat = _web_chat(parts, settings, keyring, network, console)
        parts.connectors.add(chat.connector)
        host = await stack.enter_async_context(
            a_host(
                parts.intake,
                parts.storage,
                parts.files.store,
                link=partial(public_link, chat, settings.public_url),
                clock=parts.clock,
                wall=clock or utc_now,
                public_url=settings.public_url,
            )
        )
        connected = await stack.enter_async_context(
            channels.connected(accounts, host, parts.connectors)
        )
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        connections = _watched(application, network, settings, is_demo=is_demo)
        pages = _pages(parts, settings, metrics, network, chat)
        _mount(application, chat, connected, console, pages)
        tasks = await stack.enter_async_context(Tasks())
        if is_demo:
            demo = demo_of(settings.data_dir, parts.clock())
            await plant(parts.storage, demo, parts.shop.passwords)
            tasks.keep_running(partial(keep_fresh, parts.storage, demo, parts.clock), "demo")
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await parts.start()
        await Site(runner, listener, connections).start()
        tasks.keep_running(connections.run, "connections")
        await channels.start(connected)
        _start_workers(tasks, parts, settings, console)
        # what was loaded stays: the collector need not walk through the knowledge base again
        gc.collect()
        gc.freeze()
        yield Started(url_of(listener), settings, parts, password, application, claim)


def _watched(
    application: web.Application, network: Network, settings: Settings, *, is_demo: bool
) -> Connections:
    """Put the rim round the application, and deadlines and limits on its connections."""
    connections = Connections(
        monotonic=asyncio.get_running_loop().time,
        at_most=connections_at_most(),
        # behind a proxy, and for a demo's owner, all of them are one address
        of_one=None if network.trusts_proxy or is_demo else MAX_CONNECTIONS_OF_ONE,
    )
    RequestLimits(network, rate=rate_of(settings.requests_per_second)).mount(application)
    Rim(network, connections, settings.public_url).mount(application)
    return connections


def _web_chat(
    parts: Services, settings: Settings, keyring: Keyring, network: Network, console: Console
) -> WebChat:
    def greet(locale: str) -> Greeting:
        is_online = parts.desk.presence.online_count() > 0
        return greeting(parts.knowledge.current, locale, is_anybody_online=is_online)

    return web_chat(
        parts.storage,
        parts.intake,
        parts.files,
        settings,
        keyring=keyring,
        network=network,
        clock=parts.clock,
        greeting=greet,
        on_typing=console.customer_typing,
    )


def _console(
    parts: Services,
    settings: Settings,
    keyring: Keyring,
    network: Network,
    titles: Mapping[tuple[str, str], str],
) -> Console:
    return Console(
        parts.storage,
        desk=parts.desk,
        media=parts.files.store,
        panel=parts.shop.panel,
        knowledge=parts.knowledge,
        connectors=parts.connectors,
        titles=titles,
        network=network,
        device_key=keyring.token_key("agent device"),
        max_file_bytes=settings.media_mb * 1024 * 1024,
        clock=parts.clock,
    )


def _pages(
    parts: Services, settings: Settings, metrics: Metrics, network: Network, chat: WebChat
) -> Pages:
    return Pages(
        built_pages(),
        metrics,
        Readiness(parts.storage, network, parts.files.room, parts.knowledge, parts.connectors),
        Gauges(metrics, parts.storage, parts.delivery, chat.hub, parts.knowledge, parts.connectors),
        settings.metrics_token,
    )


def _mount(
    application: web.Application,
    chat: WebChat,
    connected: Sequence[Connector],
    console: Console,
    pages: Pages,
) -> None:
    """Put all routes on the server.

    Raises:
        BadChannels: Two accounts want the same address.
    """
    application.add_routes(WebRoutes(chat).routes())
    channels.mount(application, connected)

    async def let_go(_application: web.Application) -> None:
        # open sockets and requests that are held would each keep the server from ending
        await asyncio.gather(chat.hub.close(), channels.stop(connected))

    application.on_shutdown.append(let_go)
    application.add_routes(pages.routes())
    console.mount(application)


def _start_workers(tasks: Tasks, parts: Services, settings: Settings, console: Console) -> None:
    """Begin what runs beside the server until it ends."""
    storage, clock = parts.storage, parts.clock
    clear = partial(background.housekeeping, storage, parts.files, parts.shop.gate, settings, clock)
    tasks.keep_running(parts.delivery.run, "delivery")
    tasks.keep_running(parts.fetching.run, "fetching")
    tasks.keep_running(partial(parts.knowledge.watch, console.kb_changed), "knowledge")
    tasks.keep_running(partial(background.timers, storage, parts.desk, clock), "timers")
    tasks.keep_running(partial(background.sweep, parts.turns), "sweep")
    tasks.keep_running(clear, "housekeeping")
