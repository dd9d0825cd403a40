"""Files: what agents send, and what customers sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from aiohttp import web

from connectors.media.multipart import FormFile, read_form_file
from connectors.media.store import BadFile, new_key
from connectors.messages import Attachment
from handoff.console.actions import ServiceWork, owner_of_upload
from handoff.console.api.errors import ApiError
from handoff.console.api.routing import Call, Route
from handoff.console.models import UploadOut
from handoff.console.views import MEDIA_URL
from handoff.errors import NotFound, StorageUnavailable
from handoff.model.ports import Clock, Units

MAX_FILE_BYTES = 20 * 1024 * 1024
LOOSE_FOR = timedelta(days=1)
"""How long an upload waits for a message to carry it."""
_SHOWN = re.compile(r"image/(?:png|jpeg|gif|webp)|audio/[\w.-]+|video/mp4")
"""What a browser shows or plays and never runs; SVG is not among it."""
_DOWNLOADED = "application/octet-stream"


class MediaStore(Protocol):
    """Where the bytes are kept. Blocking: it is called in a thread."""

    def keep(self, content: bytes, name: str, key: str, max_bytes: int) -> Attachment:
        """Keep a file; what it is, is told by its content.

        Raises:
            BadFile: It is too large or empty.
            OSError: There is no room.
        """
        ...

    def remove(self, attachment_ids: Iterable[str]) -> None:
        """Delete files."""

    def path(self, attachment_id: str) -> Path | None:
        """Where the bytes lie; ``None`` if there are none by this id."""
        ...


class AttachmentsApi:
    """Serves ``/attachments`` and ``/media``.

    Args:
        max_file_bytes: Larger files are refused unread.
    """

    def __init__(
        self, units: Units[ServiceWork], media: MediaStore, clock: Clock, *, max_file_bytes: int
    ) -> None:
        self._units = units
        self._media = media
        self._clock = clock
        self._max_file_bytes = max_file_bytes

    def routes(self) -> list[Route]:
        """The routes of this noun."""
        return [
            Route(
                "POST",
                "/attachments",
                self.upload,
                "Store a file, to be sent with a message",
                answer=UploadOut,
                status=201,
                upload=True,
                errors=(413, 422),
            ),
            Route(
                "GET",
                "/media/{attachment_id}",
                self.media,
                "A stored file",
                media="application/octet-stream",
            ),
        ]

    async def upload(self, call: Call) -> UploadOut:
        """Store a file; what it is, is told by its content."""
        agent = call.agent
        try:
            file = await self._file(call.request)
            attachment = await asyncio.to_thread(
                self._media.keep, file.content, file.name, new_key(), self._max_file_bytes
            )
        except BadFile as error:
            raise self._refused(error) from error
        except OSError as error:
            raise StorageUnavailable(f"the file cannot be stored: {error.strerror}") from error
        owner = owner_of_upload(agent)
        at = self._clock()
        until = at + LOOSE_FOR
        try:
            await self._units.write(
                lambda work: work.attachments.add(attachment, owner=owner, at=at, loose_until=until)
            )
        except StorageUnavailable:
            # nobody could ever ask for it
            await asyncio.to_thread(self._media.remove, [attachment.id])
            raise
        return UploadOut(
            id=attachment.id,
            kind=attachment.kind,
            url=MEDIA_URL + attachment.id,
            name=attachment.name,
            mime=attachment.mime,
            size=attachment.size,
            width=attachment.width,
            height=attachment.height,
        )

    async def media(self, call: Call) -> web.StreamResponse:
        """A stored file, which the browser shows and never runs."""
        attachment_id = call.path("attachment_id")
        found = await self._units.read(lambda work: work.attachments.get(attachment_id))
        path = None if found is None else await asyncio.to_thread(self._media.path, attachment_id)
        if found is None or path is None:
            raise NotFound("没有这个文件")
        return web.FileResponse(path, headers=_headers(found[0]))

    async def _file(self, request: web.Request) -> FormFile:
        """The form's ``file``.

        Raises:
            ApiError: There is none.
            BadFile: It is too large; the rest is not read.
        """
        file = await read_form_file(request, self._max_file_bytes)
        if file is None:
            raise ApiError(422, "invalid", "请检查：file（必填）", fields=[{"field": "file"}])
        return file

    def _refused(self, error: BadFile) -> ApiError:
        match error.code:
            case "too_large":
                megabytes = self._max_file_bytes // (1024 * 1024)
                return ApiError(413, "too_large", f"文件太大了，最大 {megabytes} MB")
            case "too_slow":
                return ApiError(408, "too_slow", "文件传得太慢，没有收全，请换个网络再试")
        return ApiError(422, "bad_attachment", "文件是空的")


def _headers(attachment: Attachment) -> dict[str, str]:
    """How a browser is to take a file: what it could run is only ever downloaded."""
    is_shown = _SHOWN.fullmatch(attachment.mime) is not None
    kind = "inline" if is_shown else "attachment"
    name = f"; filename*=UTF-8''{quote(attachment.name, safe='')}" if attachment.name else ""
    return {
        "Content-Type": attachment.mime if is_shown else _DOWNLOADED,
        "Content-Disposition": kind + name,
        "Cache-Control": "private, max-age=86400, immutable",
    }
