"""A page shows the transcript in order and nothing twice, whatever comes in whatever order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.messages import Outbound
from connectors.web.connector import WebConnector
from connectors.web.hub import CATCH_UP_LINES, MAX_QUEUED, Hub, VisitorSocket
from tests.factories.messaging import WEB, a_unit, an_outbound
from tests.factories.process import eventually
from tests.factories.shop import NOON
from tests.fakes.chat_log import MemoryChatLog


class MemoryWire:
    """The sending half of a socket that keeps what it was given."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.code: int | None = None

    async def send_str(self, data: str) -> None:
        self.frames.append(json.loads(data))

    async def close(self, *, code: int, message: bytes = b"") -> None:
        assert message is not None
        self.code = code

    @property
    def seqs(self) -> list[int]:
        return [frame["seq"] for frame in self.frames if "seq" in frame]


class Open:
    """An open page of visitor v1 and everything behind it."""

    def __init__(self, cursor: int = 0) -> None:
        self.log = MemoryChatLog()
        self.wire = MemoryWire()
        self.hub = Hub()
        self.socket = VisitorSocket(
            self.wire, self.log, WEB, "v1", cursor=cursor, media_url=lambda one: f"/m/{one.id}"
        )
        self.hub.add(self.socket)
        self.pumping = asyncio.create_task(self.socket.pump())

    def said(self, *lines: Outbound, offer: bool = True) -> None:
        """Lines are in the log; and, unless the commit's news got lost, offered."""
        self.log.lines = sorted([*self.log.lines, *lines], key=lambda line: line.seq)
        if offer:
            for line in lines:
                self.hub.publish("v1", line)

    async def shows(self, *seqs: int) -> None:
        async def has_come() -> bool:
            return len(self.wire.seqs) >= len(seqs)

        await eventually(has_come, within_s=5, what=f"lines {seqs}")
        assert self.wire.seqs == list(seqs)

    async def close(self) -> None:
        self.pumping.cancel()
        with suppress(asyncio.CancelledError):
            await self.pumping


@pytest.fixture
async def page() -> AsyncIterator[Open]:
    opened = Open()
    yield opened
    await opened.close()


def own(seq: int, client_id: str) -> Outbound:
    return an_outbound(seq, author="customer", client_id=client_id)


async def test_an_acknowledgement_never_overtakes_a_line_before_it(page: Open) -> None:
    page.socket.expect_own("c2")
    page.said(an_outbound(1), offer=False)  # committed first, offered last
    page.said(own(2, "c2"))
    page.hub.publish("v1", page.log.lines[0])
    await page.shows(1, 2)
    assert [frame["type"] for frame in page.wire.frames] == ["msg", "ack"]


async def test_a_reply_never_overtakes_the_acknowledgement_of_its_question(page: Open) -> None:
    page.socket.expect_own("c1")
    page.said(own(1, "c1"), offer=False)
    page.said(an_outbound(2))
    page.hub.publish("v1", page.log.lines[0])
    await page.shows(1, 2)
    assert [frame["type"] for frame in page.wire.frames] == ["ack", "msg"]


async def test_a_line_from_another_page_of_the_same_visitor_is_a_message_here(page: Open) -> None:
    page.said(own(1, "sent elsewhere"))
    await page.shows(1)
    assert page.wire.frames[0]["type"] == "msg"
    assert page.wire.frames[0]["client_id"] == "sent elsewhere"


async def test_a_line_that_is_offered_twice_is_shown_once(page: Open) -> None:
    line = an_outbound(1)
    page.said(line, line, line)
    page.said(an_outbound(2))
    await page.shows(1, 2)


async def test_numbers_with_holes_are_no_reason_to_wait(page: Open) -> None:
    page.said(an_outbound(1), an_outbound(5), an_outbound(9))  # notes lie between
    await page.shows(1, 5, 9)


async def test_lines_in_order_are_shown_without_reading_the_log(page: Open) -> None:
    page.said(*(an_outbound(number) for number in range(1, 50)))
    await page.shows(*range(1, 50))
    assert page.log.reads == 0


async def test_a_page_that_comes_back_gets_what_it_missed_and_no_more() -> None:
    page = Open(cursor=3)
    page.said(*(an_outbound(number) for number in range(1, 8)), offer=False)
    await page.socket.catch_up()
    await page.shows(4, 5, 6, 7)
    await page.close()


async def test_catching_up_reads_page_after_page() -> None:
    page = Open()
    count = CATCH_UP_LINES * 2 + 1
    page.said(*(an_outbound(number) for number in range(1, count + 1)), offer=False)
    await page.socket.catch_up()
    await page.shows(*range(1, count + 1))
    await page.close()


async def test_what_is_said_while_a_page_catches_up_is_shown_once_and_in_order() -> None:
    page = Open()
    page.said(an_outbound(1), an_outbound(2), offer=False)
    page.log.is_open.clear()
    catching_up = asyncio.create_task(page.socket.catch_up())
    await asyncio.sleep(0)
    page.said(an_outbound(3))
    page.log.is_open.set()
    await catching_up
    await page.shows(1, 2, 3)
    await page.close()


@settings(max_examples=60)
@given(order=st.permutations(range(1, 9)), own_seqs=st.sets(st.integers(1, 8)))
def test_whatever_order_lines_are_offered_in_the_page_shows_them_in_theirs(
    order: list[int], own_seqs: set[int]
) -> None:
    async def show() -> None:
        page = Open()
        lines = {seq: own(seq, f"c{seq}") if seq in own_seqs else an_outbound(seq) for seq in order}
        for seq in own_seqs:
            page.socket.expect_own(f"c{seq}")
        page.said(*lines.values(), offer=False)
        for seq in order:
            page.hub.publish("v1", lines[seq])
        await page.shows(*range(1, 9))
        acks = {frame["seq"] for frame in page.wire.frames if frame["type"] == "ack"}
        assert acks == own_seqs
        await page.close()

    asyncio.run(show())


async def test_a_page_that_reads_nothing_is_closed_before_it_fills_the_memory() -> None:
    page = Open()
    for number in range(1, MAX_QUEUED + 10):
        page.said(an_outbound(number))
    await page.pumping
    assert page.wire.code == 1013


async def test_every_open_page_of_a_visitor_sees_a_line_and_strangers_do_not() -> None:
    page, wire = Open(), MemoryWire()
    stranger = VisitorSocket(
        wire, page.log, WEB, "v2", cursor=0, media_url=lambda one: f"/m/{one.id}"
    )
    page.hub.add(stranger)
    assert len(page.hub) == 2
    page.said(an_outbound(1))
    await page.shows(1)
    assert wire.frames == []
    page.hub.remove(stranger)
    page.hub.remove(stranger)  # leaving twice is no error
    assert len(page.hub) == 1
    await page.close()


async def test_sending_to_a_visitor_who_is_away_succeeds_for_the_log_keeps_it() -> None:
    log = MemoryChatLog()
    connector = WebConnector(WEB, Hub(), log, lambda: NOON)
    await connector.send(a_unit(an_outbound(1)))
    assert connector.health().last_outbound_ok_at == NOON
