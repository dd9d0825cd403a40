"""What is kept no longer goes, from the database and the disk; what is open stays."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, func, select, update

from bot.app.persistence.database import opened_database
from bot.app.persistence.retention import BATCH, Keeping, Retention
from bot.app.process.errors import BadData
from bot.app.settings import Settings
from bot.cli.forget import forget_customer, found
from bot.cli.main import main
from bot.inbox.media_room import MediaRoom, Quotas
from connectors.media.store import MediaStore, new_key
from shop.domain.numbers import new_number
from shop.domain.proofs import Factor, Proof
from storage.rows.messages.retention import FORGOTTEN
from storage.storage import Storage
from storage.tables.messaging import (
    attachments,
    conversations,
    customers,
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


# ---------------------------------------------------------------------- one customer


async def test_a_customer_who_asks_is_forgotten_and_nobody_else_is(
    storage: Storage, media: MediaStore, engine: Engine
) -> None:
    await received(storage, an_inbound("我的手机是 13812345678", visitor="gone"))
    await received(storage, an_inbound("我还在", visitor="stays"))
    await stored(storage, media, "web:default:gone")
    kept = await stored(storage, media, "web:default:stays")
    (one,) = await found(storage, "web:default:gone")
    assert (one.conversations, one.messages) == (1, 1)
    await forget_customer(storage, media, one.identity)
    assert counted(engine, messages, inbound, secrets, attachments) == [1, 1, 0, 1]
    assert lying(media) == [kept]
    with engine.connect() as connection:
        names = set(connection.execute(select(customers.c.name)).scalars())
        texts = list(connection.execute(select(messages.c.text)).scalars())
    assert FORGOTTEN in names
    assert texts == ["我还在"]
    # somebody who was forgotten may write again
    await received(storage, an_inbound("又来了", visitor="gone"))


async def test_a_customer_is_found_by_an_order_that_they_proved(storage: Storage) -> None:
    await received(storage, an_inbound("查单", visitor="buyer"))
    number = new_number(lambda _below: 7)

    def unit(work: UnitOfWork) -> None:
        work.proofs.add(Proof(number, "web:default:buyer", Factor.PASSWORD, NOON, "T1"))

    await storage.write(unit)
    (one,) = await found(storage, number)
    assert one.identity == "web:default:buyer"


def test_the_command_shows_what_will_go_and_asks_first(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings = Settings(data_dir=data, _env_file=None)
    keyring = opened_database(settings)

    async def somebody_writes() -> None:
        async with Storage.open(settings.database, keyring=keyring, clock=lambda: NOON) as opened:
            await received(opened, an_inbound("在吗"))

    asyncio.run(somebody_writes())
    given = ["db", "forget", "web:default:v1", "--data", str(data)]
    asked = CliRunner().invoke(main, given, input="n\n")
    assert asked.exit_code == 0
    assert "web:default:v1：1 个会话，1 条消息" in asked.output
    assert "没有删除" in asked.output
    assert "已删除" in CliRunner().invoke(main, given, input="y\n").output
    assert "0 条消息" in CliRunner().invoke(main, given, input="n\n").output


@pytest.mark.parametrize("nobody", ["web:default:nobody", "DD-00000", "", ":", "x", "::"])
async def test_nobody_is_told_in_one_line(storage: Storage, nobody: str) -> None:
    await received(storage, an_inbound("在吗"))
    with pytest.raises(BadData) as caught:
        await found(storage, nobody)
    assert "\n" not in str(caught.value)
