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
FIRST_RETRY_S = 3.0
NO_ROOM_RETRY_S = 60.0
POLL_S = 5.0
AT_ONCE = 4


class AwaitedFiles(Protocol):
    """Files that are to be fetched."""

    def claim(self, now: datetime, limit: int) -> Sequence[Awaited]:
        """Take files that are due, for a while."""

    def settle(self, attachment: Attachment) -> None:
        """It is here, or it never will be."""

    def postpone(self, attachment_id: str, next_at: datetime) -> None:
        """Try again later."""


class Transcripts(Protocol):
    """Messages with files."""

    def get(self, message_id: MessageId) -> Message | None:
        """The message, or ``None``."""

    def replace_attachment(self, message_id: MessageId, attachment: Attachment) -> None:
        """A file of a message has arrived, or never will."""


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
        """What changed, for the console."""


class Fetching:
    """Brings files in.

    Args:
        max_bytes: Larger ones are not taken.
        room: Says how many are taken.
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
        """A message with files was stored."""
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
        """Fetch what is due once; how many files that were."""
        now = self._clock()
        taken = await self._units.write(lambda work: work.attachments.claim(now, AT_ONCE))
        await asyncio.gather(*(self._fetch(one) for one in taken))
        return len(taken)

    async def _fetch(self, one: Awaited) -> None:
        connector = self._connectors.get((one.ref.channel, one.ref.account_id))
        try:
            await self._room.check(one.owner, one.source, one.media.size or 0)
            content = await _from(connector, one.media, self._max_bytes)
            await self._room.check(one.owner, one.source, len(content))
            attachment = await self._kept(one, content)
        except (MediaGone, BadFile) as error:
            if error.code == "no_room":  # which is no fault of the file's
                await self._postpone(one, NO_ROOM_RETRY_S)
            else:
                await self._give_up(one, error.code)
        except Exception as error:  # noqa: BLE001 - a connector's bug is an attempt as well
            await self._try_later(one, type(error).__name__)
        else:
            await self._settle(one, attachment)

    async def _kept(self, one: Awaited, content: bytes) -> Attachment:
        """The stored file.

        Raises:
            BadFile: It is too large or empty, or there is no room for it now.
        """
        try:
            return await asyncio.to_thread(
                self._media.keep, content, one.media.name, one.attachment.id, self._max_bytes
            )
        except OSError as error:
            log.error("media_not_stored", error=error.strerror)
            raise BadFile("no_room") from error

    async def _try_later(self, one: Awaited, error: str) -> None:
        if one.attempts >= MAX_ATTEMPTS:
            await self._give_up(one, error)
            return
        await self._postpone(one, FIRST_RETRY_S * 2 ** (one.attempts - 1))

    async def _postpone(self, one: Awaited, wait_s: float) -> None:
        next_at = self._clock() + timedelta(seconds=wait_s)
        await self._units.write(lambda work: work.attachments.postpone(one.attachment.id, next_at))

    async def _give_up(self, one: Awaited, error: str) -> None:
        log.warning("media_not_fetched", channel=one.ref.channel, error=error)
        await self._settle(one, replace(one.attachment, state=MediaState.FAILED))

    async def _settle(self, one: Awaited, attachment: Attachment) -> None:
        now = self._clock()

        def unit(work: FetchWork) -> None:
            work.attachments.settle(attachment)
            work.messages.replace_attachment(one.message_id, attachment)
            message = work.messages.get(one.message_id)
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
