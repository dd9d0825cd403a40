"""What is kept no longer goes, from the database and the disk; what is open stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update

from bot.media_room import MediaRoom, Quotas
from bot.retention import BATCH, Keeping, Retention
from connectors.media import MediaStore, new_key
from storage.storage import Storage
from storage.tables.messaging import (
    attachments,
    conversations,
    inbound,
    messages,
    secrets,
    segments,
)
from storage.unit_of_work import UnitOfWork
from tests.factories.messaging import an_inbound, received
from tests.factories.shop import NOON

USUAL = Keeping(chats=180, files=90, records=365)


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


@pytest.fixture
def clear(storage: Storage, media: MediaStore) -> Callable[..., object]:
    async def after(days: float, keeping: Keeping = USUAL) -> None:
        def now() -> datetime:
            return NOON + timedelta(days=days)

        room = MediaRoom(storage, media, Quotas(1000, 1000, 1000), now)
        await Retention(storage, media, keeping, now, sweep=room.sweep).clear()

    return after


def counted(engine: Engine, *tables: object) -> list[int]:
    with engine.connect() as connection:
        return [
            int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]
            for table in tables
        ]


def close(engine: Engine, at: datetime = NOON) -> None:
    """Every conversation ends."""
    with engine.begin() as connection:
        connection.execute(update(segments).values(closed_at=at))
        connection.execute(update(conversations).values(state="closed", closed_at=at))


def lying(media: MediaStore) -> list[str]:
    return media.left_before(float("inf"))


async def test_an_old_chat_goes_with_its_secrets_and_a_younger_one_stays(
    storage: Storage, engine: Engine, clear: Callable[..., object]
) -> None:
    await received(storage, an_inbound("我的手机是 13812345678", visitor="old"))
    assert counted(engine, messages, inbound, secrets) == [1, 1, 1]
    close(engine)
    await clear(179)  # type: ignore[misc]
    assert counted(engine, messages, inbound, secrets) == [1, 1, 1]
    await clear(181)  # type: ignore[misc]
    assert counted(engine, messages, inbound, secrets) == [0, 0, 0]
    # the stretch itself is what reports count
    assert counted(engine, conversations, segments) == [1, 1]


async def test_a_chat_that_is_open_keeps_everything(
    storage: Storage, engine: Engine, clear: Callable[..., object]
) -> None:
    await received(storage, an_inbound("还没好", visitor="open"))
    await clear(5000)  # type: ignore[misc]
    assert counted(engine, messages, inbound) == [1, 1]


async def test_nothing_goes_where_everything_is_kept_for_ever(
    storage: Storage, engine: Engine, clear: Callable[..., object]
) -> None:
    await received(storage, an_inbound("你好"))
    close(engine)
    await clear(50_000, Keeping(chats=0, files=0, records=0))  # type: ignore[misc]
    assert counted(engine, messages) == [1]


async def test_more_than_a_batch_goes_at_once(
    storage: Storage, engine: Engine, clear: Callable[..., object]
) -> None:
    count = BATCH + 5
    await received(storage, *(an_inbound(f"第 {n} 句") for n in range(count)))
    close(engine)
    assert counted(engine, messages) == [count]
    await clear(181)  # type: ignore[misc]
    assert counted(engine, messages, inbound) == [0, 0]


async def test_a_customer_who_comes_back_after_everything_went_is_served(
    storage: Storage, engine: Engine, clear: Callable[..., object]
) -> None:
    await received(storage, an_inbound("第一次", visitor="again"))
    close(engine)
    await clear(181)  # type: ignore[misc]
    (receipt,) = await received(storage, an_inbound("又来了", visitor="again"))
    assert receipt.conversation_id
    assert counted(engine, messages, conversations) == [1, 1]


async def stored(storage: Storage, media: MediaStore, owner: str) -> str:
    attachment = media.keep(b"a file", "x", new_key(), 100)

    def unit(work: UnitOfWork) -> None:
        work.attachments.add(attachment, owner=owner, at=NOON)

    await storage.write(unit)
    return attachment.id


async def test_an_old_file_goes_from_the_disk_and_the_knowledge_bases_stays(
    storage: Storage, media: MediaStore, clear: Callable[..., object]
) -> None:
    await stored(storage, media, "web:default:v1")
    picture = await stored(storage, media, "kb")
    await clear(89)  # type: ignore[misc]
    assert len(lying(media)) == 2
    await clear(91)  # type: ignore[misc]
    assert lying(media) == [picture]


async def test_a_file_that_no_row_names_goes_after_a_day(
    media: MediaStore, engine: Engine, storage: Storage, clear: Callable[..., object]
) -> None:
    kept = await stored(storage, media, "web:default:v1")
    orphan = media.keep(b"nobody's", "x", new_key(), 100).id
    for key in (kept, orphan):
        path = media.path(key)
        assert path is not None
        os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    await clear(0.9)  # type: ignore[misc]
    assert sorted(lying(media)) == sorted([kept, orphan])
    await clear(1.1)  # type: ignore[misc]
    assert lying(media) == [kept]
    assert counted(engine, attachments) == [1]
