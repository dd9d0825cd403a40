"""Limits hold for a visitor and for a source, whatever is opened, closed or made up anew."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, WSMsgType, WSServerHandshakeError

from connectors.kit.rate import Rate
from connectors.web.admission import WebLimits
from connectors.web.page import FLOOD_FRAMES
from connectors.web.routes import MAX_FRAME_BYTES
from tests.connectors.test_media import a_picture
from tests.connectors.web.conftest import Chat, OpenPage, opened

FEW = WebLimits(
    messages=(Rate(3, 1), Rate(6, 2)),
    reads=(Rate(2, 1), Rate(4, 1)),
    connections=(Rate(20, 1), Rate(20, 1)),
    visits=Rate(3, 1),
    uploads=(Rate(2, 1), Rate(3, 1)),
    pages_per_visitor=2,
    pages_per_source=4,
    pages=7,
)
AWAY = "192.0.2.9"


@pytest.fixture
async def small(tmp_path: Path) -> Any:
    async with opened(tmp_path / "media", FEW) as started:
        yield started


async def refused(chat: Chat, visitor: str, source: str) -> int:
    """The status that a page is refused with; 101 if it is welcome."""
    try:
        async with chat.page(visitor, source):
            return 101
    except WSServerHandshakeError as error:
        return error.status


# ---------------------------------------------------------------------- messages


async def test_a_page_that_reconnects_finds_its_limit_as_it_left_it(small: Chat) -> None:
    async with small.page() as page:
        assert [(await page.says())["type"] for _ in range(4)] == ["ack", "ack", "ack", "error"]
    async with small.page() as page:
        told = await page.says()
        assert (told["code"], told["retry_after_s"]) == ("too_fast", 1.0)
    small.now_s += 1
    async with small.page() as page:
        assert (await page.says())["type"] == "ack"
        assert (await page.says())["type"] == "error"


async def test_fresh_tokens_do_not_make_a_source_faster(small: Chat) -> None:
    told = []
    for number in range(9):
        async with small.page(f"v{number}") as page:
            told.append((await page.says())["type"])
    assert told == ["ack"] * 6 + ["error"] * 3
    async with small.page("v1", AWAY) as elsewhere:
        assert (await elsewhere.says())["type"] == "ack"


async def test_a_flood_of_one_visitor_leaves_the_others_of_its_network_alone(small: Chat) -> None:
    async with small.page("v1") as flood, small.page("v2") as calm:
        for _ in range(20):
            await flood.says()
        assert [(await calm.says())["type"] for _ in range(3)] == ["ack"] * 3


async def test_a_network_of_many_addresses_is_a_source_as_well(small: Chat) -> None:
    told = []
    for number in range(30):
        async with small.page(f"v{number}", f"198.51.100.{number}") as page:
            told.append((await page.says())["type"])
    assert told == ["ack"] * 24 + ["error"] * 6


async def test_what_is_refused_is_named_told_when_and_not_stored(small: Chat) -> None:
    async with small.page() as page:
        for _ in range(3):
            await page.says()
        told = await page.says("第四句")
    assert told["client_id"]
    assert told["text"] == "现在消息有点多，过 1 秒会自动补发"
    assert "第四句" not in [message.text for message in small.sink.messages]


async def test_long_texts_are_taken_at_the_pace_of_reading_them(chat: Chat) -> None:
    async with chat.page("v1") as page, chat.page("v2") as another:
        for _ in range(3):
            assert (await page.says("好" * 4000))["type"] == "ack"
        refused = await page.says("好" * 4000)
        assert (refused["code"], refused["retry_after_s"]) == ("too_fast", 10.0)
        # the source behind both has a limit of its own
        assert (await another.says("好" * 4000))["type"] == "ack"
        assert (await another.says("好" * 400))["code"] == "too_fast"
        chat.now_s += 10
        assert (await page.says("好" * 4000))["type"] == "ack"


async def test_buttons_and_stars_count_as_messages(small: Chat) -> None:
    async with small.page() as page:
        for _ in range(3):
            await page.says()
        for frame in (
            {"type": "press", "client_id": "p", "msg_id": "M1", "button": "b"},
            {"type": "csat", "client_id": "s", "score": 5},
        ):
            await page.socket.send_json(frame)
            assert (await page.next())["code"] == "too_fast"
    assert len(small.sink.messages) == 3


# ---------------------------------------------------------------------- frames


async def test_reading_back_is_limited_without_reading(small: Chat) -> None:
    async with small.page() as page:
        reads = small.log.reads
        for _ in range(10):
            await page.socket.send_json({"type": "history", "before": 10})
        kinds = [(await page.next())["type"] for _ in range(3)]
        assert kinds == ["history", "history", "error"]
        await page.socket.send_json({"type": "ping"})
        assert (await page.next())["type"] == "pong"
        assert small.log.reads == reads + 2


async def test_typing_reaches_the_agents_now_and_then(chat: Chat) -> None:
    async with chat.page() as page:
        for _ in range(20):
            await page.socket.send_json({"type": "typing"})
        await page.says()
        assert len(chat.typed) == 1
        chat.now_s += 2
        await page.socket.send_json({"type": "typing"})
        await page.says()
        assert len(chat.typed) == 2


@pytest.mark.parametrize(
    "kind", ["text", "ping", "pong", "typing", "large", "half of it"], ids=lambda kind: kind
)
async def test_a_flood_of_frames_of_any_kind_ends_with_a_closed_page(chat: Chat, kind: str) -> None:
    async with chat.page() as page:
        ended = asyncio.create_task(_end_of(page))
        for _ in range(FLOOD_FRAMES * 10):
            if page.socket.closed or ended.done():
                break
            await _flood(page, kind)
        assert await asyncio.wait_for(ended, 10) == 1008
    assert chat.sink.messages == []


async def _flood(page: OpenPage, kind: str) -> None:
    try:
        match kind:
            case "ping":
                await page.socket.ping()
            case "pong":
                await page.socket.pong()
            case "typing":
                await page.socket.send_json({"type": "typing"})
            case "large":
                await page.socket.send_str('"' + "x" * 60_000 + '"')
            case "half of it":
                await page.socket.send_str("[" * 5_000)
            case _:
                await page.socket.send_str("flood")
    except ConnectionError:
        return


async def _end_of(page: OpenPage) -> int | None:
    while True:
        message = await page.socket.receive()
        if message.type in {WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING}:
            return page.socket.close_code


async def test_a_frame_larger_than_any_may_be_ends_the_page_and_nothing_else(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    async with chat.page() as page:
        await page.socket.send_str("x" * (MAX_FRAME_BYTES + 1))
        assert await asyncio.wait_for(_end_of(page), 10) == 1009
    async with chat.page() as another:
        assert (await another.says())["type"] == "ack"
    assert [one.getMessage() for one in caplog.records if one.levelname == "ERROR"] == []


async def test_who_was_closed_for_flooding_cannot_come_straight_back(chat: Chat) -> None:
    for _ in range(2):
        async with chat.page() as page:
            ended = asyncio.create_task(_end_of(page))
            for _ in range(FLOOD_FRAMES * 3):
                await _flood(page, "text")
            await asyncio.wait_for(ended, 10)
    assert await refused(chat, "v1", AWAY) == 429
    assert await refused(chat, "v2", AWAY) == 101


async def test_a_ping_of_a_browser_is_answered(chat: Chat) -> None:
    async with chat.page() as page:
        await page.socket.ping(b"there?")
        answer = await page.socket.receive()
        assert (answer.type, bytes(answer.data)) == (WSMsgType.PONG, b"there?")


# ---------------------------------------------------------------------- connections


async def test_open_pages_are_counted_by_visitor_source_and_in_all(small: Chat) -> None:
    async with AsyncExitStack() as stack:
        for visitor, source in (("v1", AWAY), ("v1", "10.0.0.2")):
            await stack.enter_async_context(small.page(visitor, source))
        assert await refused(small, "v1", "10.0.0.3") == 429
        for number in range(4):
            await stack.enter_async_context(small.page(f"w{number}"))
        assert await refused(small, "w9", "10.0.0.1") == 429
        await stack.enter_async_context(small.page("w9", "10.0.0.9"))
        assert await refused(small, "w10", "203.0.113.1") == 429
    assert await refused(small, "v1", "10.0.0.3") == 101


async def test_a_refused_page_costs_no_handshake_and_no_look_at_the_database(small: Chat) -> None:
    for number in range(20):
        await refused(small, f"v{number}", AWAY)
    reads = small.log.reads
    assert await refused(small, "v99", AWAY) == 429
    assert small.log.reads == reads


async def test_sockets_with_tokens_that_are_not_ours_are_counted_too(small: Chat) -> None:
    assert small.http is not None
    statuses = []
    for _ in range(25):
        async with small.http.get(
            f"{small.url}/widget/ws", params={"token": "x.y"}, headers={"X-Source": AWAY}
        ) as answer:
            statuses.append(answer.status)
    assert statuses[-5:] == [429] * 5


async def test_tokens_are_given_out_at_a_pace_and_the_refusal_says_when(small: Chat) -> None:
    assert small.http is not None
    for _ in range(3):
        async with small.http.post(f"{small.url}/widget/visitor", json={}) as answer:
            assert answer.status == 200
    english = {"Accept-Language": "en"}
    for headers, text in ({}, "现在来咨询的人太多了，请过 1 秒再来"), (english, "in 1 s"):
        async with small.http.post(
            f"{small.url}/widget/visitor", json={}, headers=headers
        ) as answer:
            told = (await answer.json())["error"]
            assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
            assert told["retry_after_s"] == 1
            assert text in told["text"]


@pytest.mark.parametrize("body", [b"[" * 4_000, b'{"a":' * 500, b"\xff", b"x" * 4096])
async def test_a_visit_of_any_shape_gets_a_token(chat: Chat, body: bytes) -> None:
    assert chat.http is not None
    async with chat.http.post(f"{chat.url}/widget/visitor", data=body) as answer:
        assert answer.status == 200


async def test_a_visit_of_a_megabyte_is_refused_unread(chat: Chat) -> None:
    assert chat.http is not None
    async with chat.http.post(f"{chat.url}/widget/visitor", data=b"[" * 1_000_000) as answer:
        assert answer.status == 413


# ---------------------------------------------------------------------- uploads


async def upload(chat: Chat, visitor: str, source: str, content: bytes) -> tuple[int, Any]:
    assert chat.http is not None
    form = FormData()
    form.add_field("file", content, filename="a.png", content_type="image/png")
    headers = {"Authorization": f"Bearer {chat.token(visitor)}", "X-Source": source}
    async with chat.http.post(f"{chat.url}/widget/upload", data=form, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_pictures_are_taken_at_a_pace_by_visitor_and_by_source(small: Chat) -> None:
    picture = a_picture()
    home = [(await upload(small, "v1", "10.0.0.1", picture))[0] for _ in range(3)]
    assert home == [201, 201, 429]
    others = [(await upload(small, f"w{n}", "10.0.0.1", picture))[0] for n in range(2)]
    assert others == [201, 429]
    status, told = await upload(small, "w9", "10.0.0.1", picture)
    assert (status, told["error"]["code"]) == (429, "upload_busy")
    assert told["error"]["text"] == "现在传图的人太多了，请过 1 秒再发这张图"
    small.now_s += 1
    assert (await upload(small, "w9", "10.0.0.1", picture))[0] == 201
    assert len(small.files) == 4


async def test_uploads_that_are_on_their_way_hold_no_more_than_their_places(
    tmp_path: Path,
) -> None:
    limits = replace(WebLimits(), uploads_at_once=2, all_uploads_at_once=4)
    async with opened(tmp_path / "media", limits) as chat, AsyncExitStack() as stack:
        for visitor in ("v1", "v1"):
            await stack.enter_async_context(_begun(chat, visitor))
        assert (await upload(chat, "v1", AWAY, a_picture()))[0] == 429
        # the source has its half of the places, and the others the rest
        assert (await upload(chat, "v2", "10.0.0.1", a_picture()))[0] == 429
        assert (await upload(chat, "v2", AWAY, a_picture()))[0] == 201


class _begun:  # noqa: N801 - reads as a verb
    """An upload of which half has come."""

    def __init__(self, chat: Chat, visitor: str) -> None:
        self._chat, self._visitor = chat, visitor

    async def __aenter__(self) -> None:
        host, port = self._chat.url.removeprefix("http://").split(":")
        before = self._chat.chat.admission.uploading
        _, self._writer = await asyncio.open_connection(host, int(port))
        token = self._chat.token(self._visitor)
        self._writer.write(
            f"POST /widget/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            "X-Source: 10.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            "Content-Length: 1000\r\n\r\n--x\r\n".encode()
        )
        await self._writer.drain()
        async with asyncio.timeout(10):
            while self._chat.chat.admission.uploading == before:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)

    async def __aexit__(self, *_error: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@pytest.mark.parametrize(
    ("code", "status", "text"),
    [
        ("customer_quota", 429, "明天可以再发"),
        ("source_quota", 429, "换个网络"),
        ("no_room", 507, "先用文字说明"),
    ],
)
async def test_a_picture_beyond_the_quota_is_refused_with_a_sentence(
    chat: Chat, tmp_path: Path, code: str, status: int, text: str
) -> None:
    chat.refusal = code
    answer = await upload(chat, "v1", AWAY, a_picture())
    assert (answer[0], answer[1]["error"]["code"]) == (status, code)
    assert text in answer[1]["error"]["text"]
    assert chat.wanted[0][:2] == ("web:default:v1", (f"ip:{AWAY}", "net:192.0.2"))
    assert not (tmp_path / "media").exists()


async def test_a_picture_that_cannot_be_written_down_leaves_no_file(
    chat: Chat, tmp_path: Path
) -> None:
    chat.sink.is_full = True
    assert (await upload(chat, "v1", AWAY, a_picture()))[0] == 503
    assert list((tmp_path / "media").iterdir()) == []
