"""The shop's channels as they run: made from channels.yaml, started, watched, stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web

from bot.app.connectors import Connectors
from bot.app.process.env_file import environment
from bot.app.settings import Settings
from connectors.errors import BadChannels
from connectors.kit.account import Account
from connectors.kit.config import read_channels
from connectors.kit.host import Host
from connectors.kit.registry import make
from connectors.messages import Connector

log = structlog.get_logger(__name__)


def accounts(path: Path) -> tuple[Account, ...]:
    """Read the accounts in channels.yaml, ``${NAME}`` filled from the environment and ``.env``.

    Raises:
        BadChannels: It cannot be used; says what, where and what to do.
    """
    return read_channels(path, environment())


@asynccontextmanager
async def connected(
    configured: Sequence[Account], host: Host, connectors: Connectors
) -> AsyncIterator[tuple[Connector, ...]]:
    """Make the connectors of these accounts, and add them; they are not started yet."""
    # a channel's libraries may take seconds to load
    made = [await asyncio.to_thread(make, account, host) for account in configured]
    for connector in made:
        connectors.add(connector)
    try:
        yield tuple(made)
    finally:
        await stop(made)


async def stop(connectors: Iterable[Connector]) -> None:
    """Stop taking anything in; connectors that have stopped already are left alone."""
    await asyncio.gather(*(connector.stop() for connector in connectors), return_exceptions=True)


async def start(connectors: Sequence[Connector]) -> None:
    """Start all; one that cannot start is logged, and shows it in its health."""
    results = await asyncio.gather(
        *(connector.start() for connector in connectors), return_exceptions=True
    )
    for connector, result in zip(connectors, results, strict=True):
        if isinstance(result, BaseException):
            log.error(
                "channel_not_started",
                channel=connector.ref.channel,
                account=connector.ref.account_id,
                error=type(result).__name__,
            )


def mount(application: web.Application, connectors: Sequence[Connector]) -> None:
    """Put the connectors' routes on the server.

    Raises:
        BadChannels: Two accounts want the same address.
    """
    taken: dict[tuple[str, str], Connector] = {}
    for connector in connectors:
        for route in connector.routes():
            key = (route.method, route.path)
            if key in taken:
                raise BadChannels(
                    f"channels.yaml: {connector.ref.channel} 的 {taken[key].ref.account_id} 和 "
                    f"{connector.ref.account_id} 用了同一个 path（{route.path}），给其中一个换一个"
                )
            taken[key] = connector
            application.router.add_route(route.method, route.path, route.handler)


async def problems_of_running(settings: Settings) -> dict[str, str]:
    """Ask a kefu that runs on these settings for its channels' problems; none where none runs."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - asked, not bound
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as http,
            http.get(f"http://{host}:{settings.port}/readyz") as answer,
        ):
            told = await answer.json()
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return {}
    degraded = told.get("degraded") if isinstance(told, dict) else None
    return dict(degraded) if isinstance(degraded, dict) else {}
