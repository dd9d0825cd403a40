"""Room for files: how many a customer and a source may send, how much there may be in all.

Tokens of the web page are free, and so is an upload to whoever makes it; disk is not. So what comes
is counted by customer and by source over a day, by the bytes of all together and by what the disk
has left, and an upload that no message ever carried is deleted after a day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from connectors.media.store import BadFile, MediaStore
from handoff.model.attachments import Usage
from handoff.model.ports import Units

log = structlog.get_logger(__name__)

DAY = timedelta(days=1)
LOOSE_FOR = timedelta(days=1)
"""How long an upload waits for a message to carry it."""
MAX_FILES_OF_SOURCE = 500
MAX_FILES_OF_CUSTOMER = 100
_SWEPT_AT_ONCE = 200
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Quotas:
    """Bytes that may come in a day and lie here in all."""

    customer: int
    source: int
    total: int

    @classmethod
    def of_mb(cls, *, customer: int, source: int, total: int) -> Quotas:
        """Return quotas given in megabytes."""
        return cls(customer * _MB, source * _MB, total * _MB)

    def refusal(self, size: int, *, customer: Usage, source: Usage, total: int) -> str | None:
        """Return ``customer_quota``, ``source_quota`` or ``no_room``; ``None`` where it may come.

        Args:
            customer: What they sent within a day.
            source: What came from behind them within a day.
            total: Bytes that lie here.
        """
        if customer.files >= MAX_FILES_OF_CUSTOMER or customer.size + size > self.customer:
            return "customer_quota"
        if source.files >= MAX_FILES_OF_SOURCE or source.size + size > self.source:
            return "source_quota"
        return "no_room" if total + size > self.total else None


class CountedFiles(Protocol):
    """Records of stored files."""

    def used(self, *, owner: str, since: datetime) -> Usage:
        """Return what an owner sent since then."""

    def used_by_source(self, source: str, since: datetime) -> Usage:
        """Return what came from a source since then."""

    def total_size(self) -> int:
        """Return the bytes of all files that lie here."""

    def expire(self, now: datetime, limit: int) -> Sequence[str]:
        """Mark uploads whose time is over, and return those whose bytes may still lie here."""

    def deleted(self, ids: Sequence[str]) -> None:
        """Note that their bytes are gone."""


class RoomWork(Protocol):
    """The repository that counting needs."""

    @property
    def attachments(self) -> CountedFiles:
        """Stored files."""


class MediaRoom:
    """Watches over the media folder."""

    def __init__(
        self,
        units: Units[RoomWork],
        media: MediaStore,
        quotas: Quotas,
        clock: Callable[[], datetime],
    ) -> None:
        self._units = units
        self._media = media
        self._quotas = quotas
        self._clock = clock
        self.problem: str | None = None

    async def check(self, owner: str, source: str | None, size: int) -> None:
        """Let a file in.

        Args:
            owner: The identity that sends it.
            source: What stands behind it, where that is known.
            size: Bytes; 0 where it is not known yet.

        Raises:
            BadFile: ``customer_quota``, ``source_quota`` or ``no_room``.
            StorageUnavailable: It cannot be told.
        """
        since = self._clock() - DAY

        def unit(work: RoomWork) -> tuple[Usage, Usage, int]:
            files = work.attachments
            behind = Usage() if source is None else files.used_by_source(source, since)
            return files.used(owner=owner, since=since), behind, files.total_size()

        customer, behind, total = await self._units.read(unit)
        refusal = self._quotas.refusal(size, customer=customer, source=behind, total=total)
        if refusal is None and not await asyncio.to_thread(self._media.has_room, size):
            refusal = "no_room"
        self.problem = _NO_ROOM if refusal == "no_room" else None
        if refusal is not None:
            log.warning("file_refused", reason=refusal)
            raise BadFile(refusal)

    async def sweep(self) -> int:
        """Delete uploads that no message carried, and return how many.

        A row is marked before its file goes and cleared after, so that a crash in between leaves
        the file to the next sweep.
        """
        swept = 0
        while gone := await self._sweep_some():
            swept += gone
        return swept

    async def _sweep_some(self) -> int:
        now = self._clock()
        gone = await self._units.write(lambda work: work.attachments.expire(now, _SWEPT_AT_ONCE))
        if gone:
            await asyncio.to_thread(self._media.remove, gone)
            await self._units.write(lambda work: work.attachments.deleted(gone))
        return len(gone)


_NO_ROOM = (
    "文件放满了，顾客发不了新图片：清理数据目录所在的磁盘，或调大 KEFU_MEDIA_TOTAL_MB "
    "(no room for files: free the disk or raise KEFU_MEDIA_TOTAL_MB)"
)

__all__ = ["LOOSE_FOR", "MediaRoom", "Quotas", "Usage"]
