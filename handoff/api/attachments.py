"""Files: what agents send, and what customers sent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from aiohttp import BodyPartReader, web

from connectors.errors import ConnectorError
from connectors.messages import Attachment
from handoff.api.errors import ApiError
from handoff.api.models import UploadOut
from handoff.api.routing import Call, Route
from handoff.errors import NotFound
from handoff.ports import Clock, Units
from handoff.service import ServiceWork, owner_of_upload
from handoff.views import MEDIA_URL

MAX_UPLOAD_BYTES = 5 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


class MediaStore(Protocol):
    """Where the bytes are kept. Blocking: it is called in a thread."""

    def save(self, content: bytes, name: str = "") -> Attachment:
        """Keep an image.

        Raises:
            ConnectorError: It is too large, or by its content no image that is taken.
        """
        ...

    def path(self, attachment_id: str) -> Path | None:
        """Where the bytes lie; ``None`` if there are none by this id."""
        ...


class AttachmentsApi:
    """Serves ``/attachments`` and ``/media``."""

    def __init__(self, units: Units[ServiceWork], media: MediaStore, clock: Clock) -> None:
        self._units = units
        self._media = media
        self._clock = clock

    def routes(self) -> list[Route]:
        """The routes of this noun."""
        return [
            Route(
                "POST",
                "/attachments",
                self.upload,
                "Store an image, to be sent with a message",
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
                media="image/*",
            ),
        ]

    async def upload(self, call: Call) -> UploadOut:
        """Store an image, checked by its content."""
        agent = call.agent
        content, name = await _file(call.request)
        try:
            attachment = await asyncio.to_thread(self._media.save, content, name)
        except ConnectorError as error:
            if getattr(error, "code", "") == "too_large":
                raise ApiError(413, "too_large", "图片太大了，最大 5 MB") from error
            text = "这不是能发送的图片，请用 JPG、PNG、GIF 或 WebP"
            raise ApiError(422, "bad_attachment", text) from error
        owner = owner_of_upload(agent)
        at = self._clock()
        await self._units.write(lambda work: work.attachments.add(attachment, owner=owner, at=at))
        return UploadOut(
            id=attachment.id,
            url=MEDIA_URL + attachment.id,
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
        headers = {
            "Content-Type": found[0].mime,
            "Content-Disposition": "inline",
            "Cache-Control": "private, max-age=86400, immutable",
        }
        return web.FileResponse(path, headers=headers)


async def _file(request: web.Request) -> tuple[bytes, str]:
    """The form's ``file``.

    Raises:
        ApiError: There is none, or it is larger than 5 MB; the rest is not read.
    """
    missing = ApiError(422, "invalid", "请检查：file（必填）", fields=[{"field": "file"}])
    if not request.content_type.startswith("multipart/"):
        raise missing
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "file":
                return await _content(part), part.filename or ""
    except ValueError as error:  # a form whose boundary or headers are broken
        raise missing from error
    raise missing


async def _content(part: BodyPartReader) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(_CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_UPLOAD_BYTES:
            raise ApiError(413, "too_large", "图片太大了，最大 5 MB")
    return bytes(content)
