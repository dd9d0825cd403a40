"""A database that falls silent, closing nothing: nobody waits for ever, nothing is lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession
from sqlalchemy import make_url

from storage.core.engine import engine_for
from tests.factories.database import Databases, NoPostgres, written
from tests.factories.page import Page, opened_page
from tests.factories.process import KefuProcess, eventually
from tests.factories.server import SMALL_KB, new_data_folder
from tests.factories.silence import QuietPath, quiet_path

pytestmark = pytest.mark.postgres

QUESTIONS = {"可以用支付宝吗？": "支付宝", "你们几点下班？": "在线", "支持微信付款吗？": "微信"}
ENDS_WITHIN_S = 10.0
SAID_WITHIN_S = 15.0
SILENCE_S = 20.0


@dataclass
class FarDatabase:
    """A server whose database lies behind a path that can fall silent."""

    process: KefuProcess
    path: QuietPath
    url: str

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Contents of the database, asked for directly."""
        engine = engine_for(self.url)
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(sa.text(query))]
        finally:
            engine.dispose()


@pytest.fixture
async def far(tmp_path: Path, fits: Path, databases: Databases) -> AsyncIterator[FarDatabase]:
    try:
        database = databases.one("postgres", tmp_path / "unused.db")
        url = database.__enter__()
    except NoPostgres as error:
        pytest.skip(str(error))
    try:
        address = make_url(url)
        async with quiet_path(address.host or "127.0.0.1", address.port or 5432) as path:
            by_path = written(address.set(host="127.0.0.1", port=path.port))
            process = KefuProcess(
                new_data_folder(tmp_path / "data", fits),
                SMALL_KB,
                KEFU_DATABASE_URL=by_path,
                KEFU_FRAGMENT_WAIT_S="0",
            )
            await process.start()
            try:
                yield FarDatabase(process, path, url)
            finally:
                path.thaw()
                if process.is_alive:
                    await process.kill()
    finally:
        database.__exit__(None, None, None)


async def test_sigterm_ends_a_server_whose_database_is_silent(far: FarDatabase) -> None:
    async with opened_page(far.process.url) as page:
        await page.asks("可以用支付宝吗？")
        far.path.freeze()
        # something hangs in every part of it: a message, a health check, the timers
        await page.says("你们几点下班？")
        async with ClientSession() as http:
            await eventually(lambda: far.process.answers(http, "/readyz", 503), what="not ready")
        async with asyncio.timeout(ENDS_WITHIN_S):  # it hung for good
            await far.process.stop()


async def test_a_second_signal_ends_it_at_once(far: FarDatabase) -> None:
    async with opened_page(far.process.url) as page:
        far.path.freeze()
        await page.says("你们几点下班？")
        far.process.signal(signal.SIGTERM)
        await page.closed()  # it has begun to end
        far.process.signal(signal.SIGTERM)
        async with asyncio.timeout(2):
            assert await far.process.ended() != 0


async def insists(page: Page, text: str) -> list[str]:
    """Say it, and again with the same id whenever it is refused; the refusals' codes."""
    client_id = f"id-{text}"
    refusals: list[str] = []
    while True:
        await page.says(text, client_id)
        async with asyncio.timeout(SAID_WITHIN_S):
            told = await page.until(
                lambda frame: frame.get("client_id") == client_id and frame["type"] != "msg",
                within_s=SAID_WITHIN_S,
            )
        if told["type"] == "ack":
            return refusals
        assert told["retry_after_s"] > 0
        refusals.append(told["code"])
        await asyncio.sleep(min(told["retry_after_s"], 1.0))  # as the page does


async def test_what_is_said_in_a_silence_is_refused_in_words_and_then_answered_once(
    far: FarDatabase,
) -> None:
    far_url = far.process.url
    async with opened_page(far_url) as first, opened_page(far_url) as second:
        await first.asks("可以用支付宝吗？")
        # a message whose turn may be anywhere when the path falls silent
        caught = await second.says("支持微信付款吗？", "caught")
        far.path.freeze()
        said = asyncio.create_task(insists(first, "你们几点下班？"))
        await asyncio.sleep(SILENCE_S)
        far.path.thaw()
        refusals = await said
        assert refusals
        assert set(refusals) == {"not_stored"}
        async with ClientSession() as http:
            await eventually(lambda: far.process.answers(http, "/readyz", 200), what="ready")
        await heard(first, "在线")
        # nobody said it again: if it was stored it is answered, if it was refused that was told
        told = await outcome_of(second, caught)
        if told == "ack":
            await heard(second, "微信")
        await eventually(all_done(far), what="every turn and every mark")
    asked = 2 + (told == "ack")
    ((stored, turned),) = far.rows("select count(*), count(turn_id) from inbound")
    assert (stored, turned) == (asked, asked)
    answers = "select conversation_id, text from messages where author = 'bot'"
    assert len(far.rows(answers)) == len(set(far.rows(answers))) == asked
    assert sum(is_bots(frame) for frame in first.frames) == 2
    assert sum(is_bots(frame) for frame in second.frames) == asked - 2
    assert await far.process.stop() == 0


def is_bots(frame: dict[str, object]) -> bool:
    return frame["type"] == "msg" and frame["author"] == "bot"


async def heard(page: Page, words: str) -> None:
    """Somebody reads these words, now or before."""
    if not any(words in str(frame.get("text")) for frame in page.frames if is_bots(frame)):
        await page.until(
            lambda frame: is_bots(frame) and words in str(frame["text"]), within_s=30.0
        )


async def outcome_of(page: Page, client_id: str) -> str:
    """How a message was received: ``ack`` or ``error``."""

    def is_it(frame: dict[str, object]) -> bool:
        return frame.get("client_id") == client_id and frame["type"] in {"ack", "error"}

    known = [frame for frame in page.frames if is_it(frame)]
    frame = known[0] if known else await page.until(is_it, within_s=30.0)
    return str(frame["type"])


def all_done(far: FarDatabase) -> Callable[[], Awaitable[bool]]:
    query = (
        "select (select count(*) from inbound where turn_id is null),"
        " (select count(*) from outbox where state <> 'sent')"
    )

    async def is_all_done() -> bool:
        return await asyncio.to_thread(far.rows, query) == [(0, 0)]

    return is_all_done
