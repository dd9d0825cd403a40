"""The console's API as one aiohttp application, to be mounted at ``/api/v1``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import cached_property
from typing import Any, Protocol

import structlog
from aiohttp import web

from handoff.auth.agents import AgentWork
from handoff.auth.devices import Devices
from handoff.auth.sessions import LoginRules, Logins, Sessions
from handoff.console.actions import Service, ServiceWork, TypingSink
from handoff.console.api.agents import AgentsApi
from handoff.console.api.attachments import MAX_FILE_BYTES, AttachmentsApi, MediaStore
from handoff.console.api.channels import ChannelsApi, ChannelsOf
from handoff.console.api.conversations import ConversationsApi
from handoff.console.api.customers import CustomerPanel, CustomersApi
from handoff.console.api.errors import answering_errors
from handoff.console.api.live import LiveApi
from handoff.console.api.messages import MessagesApi
from handoff.console.api.openapi import document
from handoff.console.api.routing import Route, served
from handoff.console.api.secrets import SecretsApi
from handoff.console.api.security import Security
from handoff.console.api.session import SessionApi
from handoff.console.api.status import StatusApi, StatusOf
from handoff.console.live import LiveFeed
from handoff.desk.desk import Desk
from handoff.errors import StorageUnavailable
from handoff.model.ports import Clock, Sealer, Units

log = structlog.get_logger(__name__)


class ConsoleWork(ServiceWork, AgentWork, Protocol):
    """The repositories that the console needs."""

    @property
    def sessions(self) -> Sessions:
        """Who is logged in."""


class ConsoleApi:
    """Wires the console's API; everything it needs is given.

    Args:
        find_secrets: What of an agent's text must not be stored in the clear.
        sources_of: Where a request comes from, for counting wrong tries: its network address, and
            the network around it.
        device_key: 32 secret bytes that outlast the process; signs device cookies.
        trusts_proxy: A proxy of ours stands in front, and its ``X-Forwarded-*`` are believed.
        left_check_s: How often what disabled agents hold is queued again.
        max_file_bytes: The largest file that agents may send.

    Attributes:
        feed: Wake it after commits (``feed.wake()``); tell it when customers type and when kb.yaml
            changes.
        routes: The route table.
    """

    def __init__(
        self,
        units: Units[ConsoleWork],
        *,
        desk: Desk,
        clock: Clock,
        media: MediaStore,
        panel: CustomerPanel,
        typing: TypingSink,
        status: StatusOf,
        channels: ChannelsOf,
        find_secrets: Sealer,
        version: str,
        sources_of: Callable[[web.Request], Sequence[str]],
        device_key: bytes,
        trusts_proxy: bool = False,
        login_rules: LoginRules | None = None,
        live_poll_s: float = 1.0,
        session_check_s: float = 3.0,
        left_check_s: float = 3.0,
        max_file_bytes: int = MAX_FILE_BYTES,
    ) -> None:
        presence = desk.presence
        devices = Devices(device_key, clock)
        self.logins = Logins(units, clock=clock, devices=devices, rules=login_rules)
        self.service = Service(
            units, desk=desk, clock=clock, find_secrets=find_secrets, typing=typing
        )
        self.feed = LiveFeed(
            units,
            presence=presence,
            sessions=self.logins,
            clock=clock,
            poll_s=live_poll_s,
            check_s=session_check_s,
        )
        self.security = Security(
            self.logins, presence, sources_of=sources_of, trusts_proxy=trusts_proxy
        )
        self._version = version
        self._left_check_s = left_check_s
        self.routes: list[Route] = [
            *SessionApi(
                units,
                logins=self.logins,
                security=self.security,
                presence=presence,
                feed=self.feed,
            ).routes(),
            *AgentsApi(units, presence=presence, feed=self.feed).routes(),
            *ConversationsApi(units, self.service).routes(),
            *MessagesApi(units, self.service, channels).routes(),
            *CustomersApi(units, panel).routes(),
            *SecretsApi(self.service).routes(),
            *AttachmentsApi(units, media, clock, max_file_bytes=max_file_bytes).routes(),
            *ChannelsApi(units, channels, max_file_bytes=max_file_bytes).routes(),
            *StatusApi(status, self.document).routes(),
            *LiveApi(self.feed, self.security, presence).routes(),
        ]

    def document(self) -> dict[str, Any]:
        """``openapi.json``."""
        return self._document

    @cached_property
    def _document(self) -> dict[str, Any]:
        # anybody may ask for it, and making it takes 48 ms of CPU
        return document(self.routes, version=self._version)

    def application(self) -> web.Application:
        """The application; its background tasks live as long as it does."""
        app = web.Application(middlewares=[answering_errors])
        for route in self.routes:
            app.router.add_route(route.method, route.path, served(route, self.security))
        app.cleanup_ctx.append(self._background)
        app.on_shutdown.append(self._let_go)
        return app

    async def _let_go(self, _app: web.Application) -> None:
        self.feed.close()

    async def _background(self, _app: web.Application) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.feed.run()), group.create_task(self._requeue_left())]
            yield
            for task in tasks:
                task.cancel()

    async def _requeue_left(self) -> None:
        while True:
            await asyncio.sleep(self._left_check_s)
            try:
                await self.service.requeue_left()
            except StorageUnavailable as error:
                log.warning("requeue_waits_for_storage", reason=str(error)[:200])
            except Exception:  # it is tried again; the console must not end with it
                log.exception("requeue_failed")
