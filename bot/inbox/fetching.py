"""Fetching files that customers sent: from the platform into the media folder, checked by content.

A message is stored and answered before its files are here; this worker brings them in. What it
takes, it takes from the database, so a restart forgets none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.inbox.media_room import MediaRoom
from connectors.errors import MediaGone
from connectors.kit.backoff import Backoff
from connectors.media.store import BadFile, MediaStore
from connectors.messages import (
    Attachment,
    Connector,
    MediaHandle,
    MediaState,
    MessageId,
)
from handoff.errors import HandoffError
from handoff.model.attachments import Awaited
from handoff.model.live_events import LiveEventKind
from handoff.model.ports import LiveEvents, Units
from handoff.model.transcript import Message

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 5
RETRY = Backoff(first_s=3.0, longest_s=48.0, jitter=0.0)
NO_ROOM_RETRY_S = 60.0
POLL_S = 5.0
AT_ONCE = 4


class AwaitedFiles(Protocol):
    """Files that lie with a platform, to be fetched."""

    def claim(self, now: datetime, limit: int) -> Sequence[Awaited]:
        """Take files that are due, for a while."""

    def settle(self, attachment: Attachment) -> None:
        """Store a file's outcome: it has come, or it never will."""

    def postpone(self, attachment_id: str, next_at: datetime) -> None:
        """Try again later."""


class Transcripts(Protocol):
    """Messages with files."""

    def get(self, message_id: MessageId) -> Message | None:
        """Return the message, or ``None``."""

    def replace_attachment(self, message_id: MessageId, attachment: Attachment) -> None:
        """Put a file's outcome into its message."""


class FetchWork(Protocol):
    """The repositories that fetching needs."""

    @property
    def attachments(self) -> AwaitedFiles:
        """Files."""

    @property
    def messages(self) -> Transcripts:
        """Messages."""

    @property
    def live_events(self) -> LiveEvents:
        """Changes, for the console."""


class Fetching:
    """Brings files in.

    Args:
        max_bytes: Larger ones are not taken.
        room: Limits how much is taken.
    """

    def __init__(
        self,
        units: Units[FetchWork],
        media: MediaStore,
        connectors: Mapping[tuple[str, str], Connector],
        clock: Callable[[], datetime],
        *,
        max_bytes: int,
        room: MediaRoom,
    ) -> None:
        self._units = units
        self._media = media
        self._connectors = connectors
        self._clock = clock
        self._max_bytes = max_bytes
        self._room = room
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Fetch now: a message with files was stored."""
        self._woken.set()

    async def run(self) -> None:
        """Fetch what is due until cancelled."""
        while True:
            with suppress(HandoffError):
                while await self.poll():
                    pass
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._woken.wait()
            self._woken.clear()

    async def poll(self) -> int:
        """Fetch once what is due, and return how many files that were.

        Raises:
            StorageUnavailable: The database cannot be used.
        """
        now = self._clock()
        taken = await self._units.write(lambda work: work.attachments.claim(now, AT_ONCE))
        async with asyncio.TaskGroup() as fetches:
            for file in taken:
                fetches.create_task(self._fetch_alone(file))
        return len(taken)

    async def _fetch_alone(self, file: Awaited) -> None:
        """Fetch a file; where its outcome cannot be stored it is taken again after its lease."""
        try:
            await self._fetch(file)
        except HandoffError as error:
            log.warning("media_outcome_not_stored", error=type(error).__name__)

    async def _fetch(self, file: Awaited) -> None:
        connector = self._connectors.get((file.ref.channel, file.ref.account_id))
        try:
            await self._room.check(file.owner, file.source, file.media.size or 0)
            content = await _from(connector, file.media, self._max_bytes)
            await self._room.check(file.owner, file.source, len(content))
            attachment = await self._kept(file, content)
        except (MediaGone, BadFile) as error:
            if error.code == "no_room":  # which is no fault of the file's
                await self._postpone(file, NO_ROOM_RETRY_S)
            else:
                await self._give_up(file, error.code)
        except Exception as error:  # noqa: BLE001 - a connector's bug is an attempt as well
            await self._try_later(file, type(error).__name__)
        else:
            await self._settle(file, attachment)

    async def _kept(self, file: Awaited, content: bytes) -> Attachment:
        """The stored file.

        Raises:
            BadFile: It is too large or empty, or there is no room for it now.
        """
        try:
            return await asyncio.to_thread(
                self._media.keep, content, file.media.name, file.attachment.id, self._max_bytes
            )
        except OSError as error:
            log.error("media_not_stored", error=error.strerror)
            raise BadFile("no_room") from error

    async def _try_later(self, file: Awaited, error: str) -> None:
        if file.attempts >= MAX_ATTEMPTS:
            await self._give_up(file, error)
            return
        await self._postpone(file, RETRY.pause_s(file.attempts, 0.0))

    async def _postpone(self, file: Awaited, wait_s: float) -> None:
        next_at = self._clock() + timedelta(seconds=wait_s)
        await self._units.write(lambda work: work.attachments.postpone(file.attachment.id, next_at))

    async def _give_up(self, file: Awaited, error: str) -> None:
        log.warning("media_not_fetched", channel=file.ref.channel, error=error)
        await self._settle(file, replace(file.attachment, state=MediaState.FAILED))

    async def _settle(self, file: Awaited, attachment: Attachment) -> None:
        now = self._clock()

        def unit(work: FetchWork) -> None:
            work.attachments.settle(attachment)
            work.messages.replace_attachment(file.message_id, attachment)
            message = work.messages.get(file.message_id)
            if message is not None:
                work.live_events.add(
                    LiveEventKind.MESSAGE_CHANGED,
                    message.conversation_id,
                    now,
                    message_id=message.id,
                )

        await self._units.write(unit)


async def _from(connector: Connector | None, media: MediaHandle, max_bytes: int) -> bytes:
    if connector is None:
        raise MediaGone("refused")
    return await connector.fetch(media, max_bytes)


__all__ = ["Awaited", "Fetching"]
