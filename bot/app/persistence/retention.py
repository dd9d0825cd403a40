"""Clearing away what customers wrote longer ago than it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from connectors.media.store import MediaStore
from handoff.model.ports import Units

log = structlog.get_logger(__name__)

BATCH = 200
"""Rows in one unit of work: a few milliseconds, between which customers' messages are stored."""
ORPHAN_AGE = timedelta(days=1)
"""A file without a row may be on its way into one; after a day it is not."""


class Deleted(Protocol):
    """Deletions of one unit."""

    @property
    def files(self) -> Sequence[str]:
        """Files whose bytes are to go."""


class Old(Protocol):
    """List what is old enough to go."""

    def old_messages(self, before: datetime, limit: int) -> Sequence[str]:
        """Messages of conversations that ended before."""

    def forget_messages(self, ids: Sequence[str]) -> Deleted:
        """Delete messages with all that hangs on them."""

    def loosen_files(self, before: datetime, now: datetime, limit: int) -> int:
        """Let old files of ended conversations go; how many."""

    def forget_mails(self, before: datetime) -> int:
        """Delete old mails."""

    def forget_records(self, before: datetime) -> int:
        """Delete old proofs and disclosures."""

    def known_files(self, ids: Sequence[str]) -> Collection[str]:
        """Files that a row names."""


class RetentionWork(Protocol):
    """The repository that clearing away needs."""

    @property
    def retention(self) -> Old:
        """Select what is old."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Days for which data of each kind are kept; 0 stands for ever.

    Attributes:
        chats: What was said in conversations that ended, with the secrets and files in it.
        files: Pictures and other files.
        records: Who proved, was shown or was sent which order.
    """

    chats: float
    files: float
    records: float


class Retention:
    """Clears away what is older than is kept.

    Args:
        sweep: Deletes the files that nothing holds any longer.
    """

    def __init__(
        self,
        units: Units[RetentionWork],
        media: MediaStore,
        keeping: Keeping,
        clock: Callable[[], datetime],
        *,
        sweep: Callable[[], Awaitable[int]],
    ) -> None:
        self._units = units
        self._media = media
        self._keeping = keeping
        self._clock = clock
        self._sweep = sweep

    async def clear(self) -> None:
        """Delete everything that is due, a little at a time."""
        now = self._clock()
        messages = 0
        if self._keeping.chats:
            before = now - timedelta(days=self._keeping.chats)
            messages = await self._clear_chats(before)
            await self._units.write(lambda work: work.retention.forget_mails(before))
        if self._keeping.files:
            await self._clear_files(now, now - timedelta(days=self._keeping.files))
        if self._keeping.records:
            old = now - timedelta(days=self._keeping.records)
            await self._units.write(lambda work: work.retention.forget_records(old))
        files = await self._sweep()
        orphans = await self._clear_orphans(now)
        if messages or files or orphans:
            log.info("old_data_cleared", messages=messages, files=files, orphans=orphans)

    async def _clear_chats(self, before: datetime) -> int:
        count = 0
        # what is due is looked for among the readers, so that the writer is not kept waiting
        while ids := await self._units.read(
            lambda work: work.retention.old_messages(before, BATCH)
        ):
            found = await self._forget(ids)
            await asyncio.to_thread(self._media.remove, found.files)
            count += len(ids)
        return count

    async def _forget(self, ids: Sequence[str]) -> Deleted:
        return await self._units.write(lambda work: work.retention.forget_messages(ids))

    async def _clear_files(self, now: datetime, before: datetime) -> None:
        while await self._units.write(lambda work: work.retention.loosen_files(before, now, BATCH)):
            pass

    async def _clear_orphans(self, now: datetime) -> int:
        """Delete files that no row names: a crash came between a file and its row, or after."""
        before = (now - ORPHAN_AGE).timestamp()
        lying = await asyncio.to_thread(self._media.left_before, before)
        count = 0
        for start in range(0, len(lying), BATCH):
            some = lying[start : start + BATCH]
            known = await self._known(some)
            orphans = [key for key in some if key not in known]
            await asyncio.to_thread(self._media.remove, orphans)
            count += len(orphans)
        return count

    async def _known(self, ids: Sequence[str]) -> Collection[str]:
        return await self._units.read(lambda work: work.retention.known_files(ids))
