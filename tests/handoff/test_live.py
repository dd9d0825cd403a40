"""The live list: what changed is told at once, and once."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError

from handoff.auth.agents import disable_agent
from handoff.console.live import QUEUE_FRAMES, Listener, Tail
from handoff.console.models import KbStatus
from handoff.model.conversation import ConversationId, State
from handoff.model.live_events import LiveEvent, LiveEventKind
from tests.factories.handoff import NOON, an_agent
from tests.handoff.console import Live, Shop


async def test_a_customers_message_is_told_to_every_console(shop: Shop) -> None:
    mei, _ = await shop.logged_in("xiaomei")
    gang, _ = await shop.logged_in("agang")
    lives = [await mei.live(), await gang.live()]
    for live in lives:
        await live.next("hello")
    conversation, message = await shop.customer_says("在吗")
    for live in lives:
        await live.until_message(message.id)
        update = live.frames[-1]
        assert update["conversations"][0]["id"] == conversation.id
        assert update["conversations"][0]["last_message"]["preview"] == "在吗"
        assert update["counts"] == {"queue": 0, "mine": 0, "bot": 1}


async def test_counts_of_mine_are_each_agents_own(shop: Shop) -> None:
    mei, _ = await shop.logged_in("xiaomei")
    gang, _ = await shop.logged_in("agang")
    waiting = await shop.waits_for_a_person()
    lives = [await mei.live(), await gang.live()]
    for live in lives:
        await live.next("hello")
    await mei.post(f"/conversations/{waiting.id}/claim", version=waiting.version)
    shop.api.feed.wake()
    told = [await live.next("update") for live in lives]
    assert [one["counts"]["mine"] for one in told] == [1, 0]


async def test_a_console_that_comes_back_is_told_everything_it_missed_once(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    live = await browser.live()
    await live.next("hello")
    _, first = await shop.customer_says("第一句")
    await live.until_message(first.id)
    await live.socket.close()
    missed = [(await shop.customer_says(f"错过 {n}"))[1].id for n in range(5)]
    back = await browser.live(live.cursor)
    assert (await back.next("hello"))["cursor"] == live.cursor
    _, last = await shop.customer_says("最后一句")
    await back.until_message(last.id)
    assert back.messages() == [*missed, last.id]


async def test_nothing_is_missed_or_doubled_while_connections_come_and_go(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    heard: list[str] = []
    written: list[str] = []

    async def customers() -> None:
        for number in range(40):
            _, message = await shop.customer_says("在吗", f"v-{number % 5:04}")
            written.append(message.id)

    async def console() -> None:
        cursor = 0
        while len(heard) < 40:
            live = await browser.live(cursor)
            await live.next("hello")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    for _ in range(2):
                        await live.next("update")
            heard.extend(live.messages())
            cursor = live.cursor
            await live.socket.close()

    await asyncio.gather(customers(), console())
    assert len(heard) == len(set(heard))
    assert sorted(heard) == sorted(written)


async def test_who_leaves_the_queue_moves_the_others_up(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    first = await shop.waits_for_a_person("v-one1")
    shop.clock.advance(seconds=1)
    second = await shop.waits_for_a_person("v-two2")
    live = await browser.live()
    await live.next("hello")
    await browser.post(f"/conversations/{first.id}/claim", version=first.version)
    shop.api.feed.wake()
    rows = {row["id"]: row for row in (await live.next("update"))["conversations"]}
    assert rows[second.id]["position"] == 1
    assert rows[first.id]["position"] is None


async def test_a_handoff_is_told_as_an_alert(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    live = await browser.live()
    await live.next("hello")
    await shop.waits_for_a_person()
    kinds: list[str] = []
    while "alert" not in kinds:
        kinds += [event["kind"] for event in (await live.next("update"))["events"]]
    assert "queue_changed" in kinds


@pytest.mark.parametrize("cursor", [10**9])
async def test_a_cursor_of_another_database_starts_over(shop: Shop, cursor: int) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    await shop.customer_says("在吗")
    live = await browser.live(cursor)
    assert (await live.next("reset"))["cursor"] > 0
    _, message = await shop.customer_says("还在吗")
    await live.until_message(message.id)


async def test_a_disabled_agents_console_is_cut_and_the_chats_are_queued_again(
    shop: Shop,
) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    waiting = await shop.waits_for_a_person()
    await browser.post(f"/conversations/{waiting.id}/messages", client_id="one", text="您好")
    live = await browser.live()
    await live.next("hello")
    await disable_agent(shop.database, "xiaomei")
    await live.next("logged_out")
    closing = await live.socket.receive()
    assert (closing.type, live.socket.close_code) == (WSMsgType.CLOSE, 4401)
    async with asyncio.timeout(5):
        while True:
            stored = await shop.database.read(lambda work: work.conversations.get(waiting.id))
            assert stored is not None
            if stored.state is State.WAITING:
                break
            await asyncio.sleep(0)


async def test_logging_out_cuts_this_browser_and_no_other(shop: Shop) -> None:
    mei, _ = await shop.logged_in("xiaomei")
    gang, _ = await shop.logged_in("agang")
    lives = [await mei.live(), await gang.live()]
    for live in lives:
        await live.next("hello")
    await mei.ask("DELETE", "/session")
    await lives[0].next("logged_out")
    _, message = await shop.customer_says("在吗")
    await lives[1].until_message(message.id)


async def test_without_a_login_the_socket_says_so_and_ends(shop: Shop) -> None:
    browser = await shop.browser()
    live = await browser.live()
    assert (await live.next("logged_out"))["type"] == "logged_out"
    await live.socket.receive()
    assert live.socket.close_code == 4401


async def test_a_page_from_elsewhere_may_not_listen(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    with pytest.raises(WSServerHandshakeError) as refused:
        await browser.session.ws_connect("/api/v1/live", headers={"Origin": "https://evil.example"})
    assert refused.value.status == 403


async def test_odd_frames_do_no_harm_and_a_ping_is_answered(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    live = await browser.live()
    await live.next("hello")
    for odd in ("no json", "[]", "[" * 2_000, '{"type": []}', "null"):
        await live.socket.send_str(odd)
    await live.socket.send_str('{"type":"ping"}')
    assert await live.next("pong") == {"type": "pong"}


async def test_a_flood_of_frames_ends_only_that_connection(shop: Shop) -> None:
    mei, _ = await shop.logged_in("xiaomei")
    gang, _ = await shop.logged_in("agang")
    flood, calm = await mei.live(), await gang.live()
    for live in (flood, calm):
        await live.next("hello")
    for _ in range(200):
        await flood.socket.send_str("x")
    await _until_closed(flood)
    await calm.socket.send_str('{"type":"ping"}')
    await calm.next("pong")


async def _until_closed(live: Live) -> None:
    async with asyncio.timeout(5):
        while not live.socket.closed:
            await live.socket.receive()


async def test_typing_and_kb_are_told_to_everybody(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    live = await browser.live()
    await live.next("hello")
    shop.api.feed.customer_typing(ConversationId("C1"))
    assert (await live.next("typing"))["conversation_id"] == "C1"
    shop.api.feed.kb_changed(KbStatus(ok=True, loaded_at=NOON, intents=50, phrases=400))
    assert (await live.next("kb"))["intents"] == 50


def an_event(number: int) -> LiveEvent:
    return LiveEvent(number, LiveEventKind.MESSAGE_ADDED, ConversationId("C1"), NOON)


def test_an_event_that_is_committed_late_is_told_after_its_successor() -> None:
    tail = Tail(5)
    assert [one.id for one in tail.take([an_event(6), an_event(8)], NOON)] == [6, 8]
    assert tail.cursor == 6
    assert [one.id for one in tail.take([an_event(7), an_event(8)], NOON)] == [7]
    assert tail.cursor == 8


def test_a_number_that_never_appears_is_given_up() -> None:
    tail = Tail(5)
    tail.take([an_event(8)], NOON)
    tail.take([], NOON.replace(minute=1))
    assert tail.cursor == 8


def test_a_console_too_slow_for_its_frames_is_dropped() -> None:
    listener = Listener(an_agent(), b"session")
    for number in range(QUEUE_FRAMES + 50):
        listener.send(str(number))
    assert listener.is_ended
    assert listener.frames.qsize() == QUEUE_FRAMES + 1
