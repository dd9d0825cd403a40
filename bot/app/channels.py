"""The shop's channels as they run: made from channels.yaml, started, watched, stopped."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import aiohttp
import structlog
from ulid import ULID

from bot.app.process.env_file import environment
from bot.app.process.steady_clock import utc_now
from bot.app.services import Services
from bot.app.settings import Settings
from connectors.errors import MediaGone, NotStored
from connectors.kit.account import Account
from connectors.kit.config import read_channels
from connectors.kit.host import Host
from connectors.kit.registry import make
from connectors.media.download import Downloads
from connectors.messages import (
    Attachment,
    ChannelRef,
    Checkpoint,
    Connector,
    Inbound,
    Receipt,
)
from handoff.errors import HandoffError
from storage.storage import Storage

log = structlog.get_logger(__name__)

API_TIMEOUT_S = 15.0
Link = Callable[[Attachment], str | None]


def accounts(path: Path) -> tuple[Account, ...]:
    """The accounts in channels.yaml, ``${NAME}`` filled from the environment and ``.env``.

    Raises:
        BadChannels: It cannot be used; says what, where and what to do.
    """
    return read_channels(path, environment())


class StoredLeases:
    """Implements ``connectors.kit.host.Leases`` in the database."""

    def __init__(self, storage: Storage, clock: Callable[[], datetime]) -> None:
        self._storage = storage
        self._clock = clock
        self._holder = str(ULID())

    async def hold(self, name: str, for_s: float) -> bool:
        """Take or prolong a lease; ``False`` where it cannot be told."""
        now = self._clock()
        try:
            return await self._storage.write(
                lambda work: work.channels.hold_lease(name, self._holder, now, for_s)
            )
        except HandoffError:
            return False

    async def release(self, name: str) -> None:
        """Give it back; a database that is away lets it run out."""
        try:
            await self._storage.write(lambda work: work.channels.release_lease(name, self._holder))
        except HandoffError:
            return


class StoredCheckpoints:
    """Implements ``connectors.kit.host.Checkpoints``."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def get(self, ref: ChannelRef, name: str) -> str | None:
        """Return how far an account was read.

        Raises:
            NotStored: The database cannot be read now.
        """
        try:
            return await self._storage.read(lambda work: work.channels.checkpoint(ref, name))
        except HandoffError as error:
            raise NotStored(str(error)) from error


class StoredFiles:
    """Implements ``connectors.kit.host.Files`` over the media folder."""

    def __init__(self, parts: Services, link: Link) -> None:
        self._media = parts.media
        self._link = link

    async def read(self, attachment: Attachment) -> bytes:
        """The bytes.

        Raises:
            MediaGone: They are no longer there.
        """
        path = self._media.path(attachment.id)
        if path is None:
            raise MediaGone("expired")
        return await asyncio.to_thread(path.read_bytes)

    def link(self, attachment: Attachment) -> str | None:
        """A signed public address that expires."""
        return self._link(attachment)


@asynccontextmanager
async def a_host(parts: Services, link: Link) -> AsyncIterator[Host]:
    """What connectors are given."""
    timeout = aiohttp.ClientTimeout(total=API_TIMEOUT_S)
    downloads = Downloads()
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:
        try:
            yield Host(
                sink=parts.intake,
                clock=parts.clock,
                wall=parts.wall,
                http=http,
                downloads=downloads,
                files=StoredFiles(parts, link),
                leases=StoredLeases(parts.storage, parts.clock),
                checkpoints=StoredCheckpoints(parts.storage),
                sleep=asyncio.sleep,
                random=parts.random,
                public_url=parts.settings.public_url,
            )
        finally:
            await downloads.close()


@asynccontextmanager
async def connected(
    parts: Services, configured: Sequence[Account], link: Link
) -> AsyncIterator[tuple[Connector, ...]]:
    """The connectors of these accounts, known to delivery, not yet started."""
    async with a_host(parts, link) as host:
        # a channel's libraries may take seconds to load
        made = [await asyncio.to_thread(make, account, host) for account in configured]
        for connector in made:
            parts.add(connector)
        try:
            yield tuple(made)
        finally:
            await stop(made)


async def stop(connectors: Iterable[Connector]) -> None:
    """Let none take anything in any more; those that have stopped already are left alone."""
    await asyncio.gather(*(one.stop() for one in connectors), return_exceptions=True)


async def start(connectors: Sequence[Connector]) -> None:
    """Let all begin; one that cannot is logged, and shows in its health."""
    results = await asyncio.gather(*(one.start() for one in connectors), return_exceptions=True)
    for connector, result in zip(connectors, results, strict=True):
        if isinstance(result, BaseException):
            log.error(
                "channel_not_started",
                channel=connector.ref.channel,
                account=connector.ref.account_id,
                error=type(result).__name__,
            )


@asynccontextmanager
async def a_lonely_host(public_url: str | None) -> AsyncIterator[Host]:
    """A host without a house: enough to ask platforms how things stand, and to store nothing."""
    downloads = Downloads()
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=API_TIMEOUT_S), cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        nothing = _Nothing()
        try:
            yield Host(
                sink=nothing,
                clock=utc_now,
                wall=utc_now,
                http=http,
                downloads=downloads,
                files=nothing,
                leases=nothing,
                checkpoints=nothing,
                sleep=asyncio.sleep,
                random=random.random,
                public_url=public_url,
            )
        finally:
            await downloads.close()


class _Nothing:
    """Sink, files, leases and checkpoints of who only asks."""

    async def accept(
        self, messages: Sequence[Inbound], checkpoint: Checkpoint | None = None
    ) -> tuple[Receipt, ...]:
        """Nothing may come in while one only asks."""
        raise NotStored(f"not running: {len(messages)} messages, checkpoint {checkpoint}")

    async def read(self, _attachment: Attachment) -> bytes:
        """There are no files."""
        raise MediaGone("expired")

    def link(self, _attachment: Attachment) -> str | None:
        """There are no files."""
        return None

    async def hold(self, _name: str, _for_s: float) -> bool:
        """Nothing is held."""
        return False

    async def release(self, _name: str) -> None:
        """Nothing is held."""

    async def get(self, _ref: ChannelRef, _name: str) -> str | None:
        """Nothing was read."""
        return None


async def problems_of_running(settings: Settings) -> dict[str, str]:
    """What a kefu that runs on these settings says of its channels; empty where none runs."""
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
