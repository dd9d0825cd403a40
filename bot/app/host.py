"""The host of connectors: what each is given to live on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import aiohttp
from ulid import ULID

from bot.app.process.steady_clock import utc_now
from connectors.errors import MediaGone, NotStored
from connectors.kit.host import Checkpoints, Files, Host, Leases
from connectors.media.download import Downloads
from connectors.media.store import MediaStore
from connectors.messages import Attachment, ChannelRef, Checkpoint, Inbound, Receipt, Sink
from handoff.errors import HandoffError
from storage.storage import Storage

API_TIMEOUT_S = 15.0
Clock = Callable[[], datetime]
Link = Callable[[Attachment], str | None]


@asynccontextmanager
async def a_host(
    sink: Sink,
    storage: Storage,
    media: MediaStore,
    *,
    link: Link,
    clock: Clock,
    wall: Clock,
    public_url: str | None,
) -> AsyncIterator[Host]:
    """Give connectors this database, and a session to call platforms by.

    Args:
        link: A signed public address of a file.
        clock: Never runs backwards.
        wall: The machine's own clock.
    """
    async with _host(
        sink,
        StoredFiles(media, link),
        StoredLeases(storage, clock),
        StoredCheckpoints(storage),
        clock=clock,
        wall=wall,
        public_url=public_url,
    ) as host:
        yield host


@asynccontextmanager
async def a_lonely_host(public_url: str | None) -> AsyncIterator[Host]:
    """Give connectors enough to ask platforms how things stand, and nowhere to store."""
    nothing = _Nothing()
    async with _host(
        nothing, nothing, nothing, nothing, clock=utc_now, wall=utc_now, public_url=public_url
    ) as host:
        yield host


@asynccontextmanager
async def _host(
    sink: Sink,
    files: Files,
    leases: Leases,
    checkpoints: Checkpoints,
    *,
    clock: Clock,
    wall: Clock,
    public_url: str | None,
) -> AsyncIterator[Host]:
    downloads = Downloads()
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=API_TIMEOUT_S), cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        try:
            yield Host(
                sink=sink,
                clock=clock,
                wall=wall,
                http=http,
                downloads=downloads,
                files=files,
                leases=leases,
                checkpoints=checkpoints,
                sleep=asyncio.sleep,
                random=random.random,
                public_url=public_url,
            )
        finally:
            await downloads.close()


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

    def __init__(self, media: MediaStore, link: Link) -> None:
        self._media = media
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


class _Nothing:
    """Implements sink, files, leases and checkpoints for a host that only asks."""

    async def accept(
        self, messages: Sequence[Inbound], checkpoint: Checkpoint | None = None
    ) -> tuple[Receipt, ...]:
        raise NotStored(f"not running: {len(messages)} messages, checkpoint {checkpoint}")

    async def read(self, _attachment: Attachment) -> bytes:
        raise MediaGone("expired")

    def link(self, _attachment: Attachment) -> str | None:
        return None

    async def hold(self, _name: str, _for_s: float) -> bool:
        return False

    async def release(self, _name: str) -> None:
        """Do nothing: nothing is held."""

    async def get(self, _ref: ChannelRef, _name: str) -> str | None:
        return None
