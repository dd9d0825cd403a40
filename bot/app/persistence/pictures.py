"""Pictures that answers in kb.yaml show: put into the media folder, once each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import structlog

from connectors.media.store import BadFile, MediaStore
from connectors.messages import Attachment
from handoff.console.actions import Attachments
from handoff.model.ports import Units
from knowledge_base.recognition.loader import KnowledgeBase

log = structlog.get_logger(__name__)

OWNER = "kb"


class PictureWork(Protocol):
    """The repository that pictures need."""

    @property
    def attachments(self) -> Attachments:
        """Stored files."""


class Pictures:
    """The pictures of the knowledge base in use, by their file."""

    def __init__(
        self, units: Units[PictureWork], media: MediaStore, clock: Callable[[], datetime]
    ) -> None:
        self._units = units
        self._media = media
        self._clock = clock
        self.by_path: Mapping[str, Attachment] = {}

    async def prepare(self, kb: KnowledgeBase) -> None:
        """Keep every picture that an answer names; one that is none is logged and left out."""
        found: dict[str, Attachment] = {}
        for path in {path for intent in kb.intents.values() for path in intent.images}:
            try:
                found[str(path)] = await self._keep(path)
            except (BadFile, OSError) as error:
                log.error("kb_picture_left_out", file=str(path), reason=str(error))
        self.by_path = found

    async def _keep(self, path: Path) -> Attachment:
        content = await asyncio.to_thread(path.read_bytes)
        # named by content: the same picture is stored once, however often the file is read
        key = sha256(content).hexdigest()[:32]
        known = await self._units.read(lambda work: work.attachments.get(key))
        attachment = await asyncio.to_thread(self._media.save, content, path.name, key)
        if known is None:
            at = self._clock()
            await self._units.write(
                lambda work: work.attachments.add(attachment, owner=OWNER, at=at)
            )
        return attachment
