"""The files of a kefu: what customers, agents and answers in kb.yaml show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.app.settings import Settings
from bot.inbox.media_room import MediaRoom, Quotas
from bot.sealing.finder import masked
from connectors.media.store import MediaStore
from storage.storage import Storage


@dataclass(frozen=True, slots=True)
class Files:
    """The media folder, and the room in it."""

    store: MediaStore
    room: MediaRoom


def files_of(storage: Storage, settings: Settings, clock: Callable[[], datetime]) -> Files:
    """Return the files in the data folder, limited as the settings say."""
    store = MediaStore(settings.data_dir / "media", named=masked)
    quotas = Quotas.of_mb(
        customer=settings.media_visitor_mb,
        source=settings.media_source_mb,
        total=settings.media_total_mb,
    )
    return Files(store, MediaRoom(storage, store, quotas, clock))
