"""What the console is told of channels: how accounts are, what is left to say, who is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.messages import (
    ChannelRef,
    HealthState,
    InboundKind,
    PeerKind,
    ReplyWindow,
)
from handoff.auth.agents import Role
from tests.factories.messaging import an_address, an_inbound
from tests.handoff.console import Browser, Shop, a_channel

WECOM = ChannelRef("wecom", "shop2")


async def writes(shop: Shop, key: str, **more: Any) -> str:
    """A customer of WeCom writes, which opens a window of three replies."""
    message = an_inbound(
        "在吗",
        key=key,
        address=an_address(ref=WECOM),
        received_at=shop.clock(),
        window=ReplyWindow(key, expires_at=shop.clock() + timedelta(hours=48), max_replies=3),
    )
    return await shop.customer_does(replace(message, **more))


async def sends(shop: Shop, browser: Browser, conversation: str, count: int) -> None:
    """An agent says so much, and delivery asks leave for it."""
    for number in range(count):
        said = await browser.post(
            f"/conversations/{conversation}/messages",
            client_id=f"{int(shop.clock().timestamp())}-{number}",
            text=f"第 {number} 句",
        )
        await shop.deliver(said["id"])


async def test_a_row_says_channel_account_and_whether_it_is_a_group(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    group = replace(
        an_address("g1", ChannelRef("qq", "second")), user_id="member", kind=PeerKind.GROUP
    )
    conversation = await shop.customer_does(an_inbound("在吗", address=group))
    row = (await browser.get(f"/conversations/{conversation}"))["row"]
    assert (row["customer"]["channel"], row["account"], row["is_group"]) == ("qq", "second", True)
    assert row["budget"] is None


async def test_what_is_left_counts_down_to_nothing_and_is_full_again_by_the_next_message(
    shop: Shop,
) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    conversation = await writes(shop, "one")
    path = f"/conversations/{conversation}"
    live = await browser.live()
    await live.next("hello")

    async def budget() -> tuple[int, int, bool]:
        told = (await browser.get(path))["row"]["budget"]
        return told["left"], told["total"], told["expires_at"] is None

    assert await budget() == (3, 3, False)

    async def until_told(left: int) -> None:
        while True:
            frame = await live.next("update")
            shown = [row for row in frame["conversations"] if row["id"] == conversation]
            if [row["budget"]["left"] for row in shown] == [left]:
                return

    await sends(shop, browser, conversation, 3)
    await until_told(0)
    assert await budget() == (0, 3, True)
    await writes(shop, "two")
    await until_told(3)
    assert await budget() == (3, 3, False)


async def test_a_window_that_ran_out_leaves_nothing_to_say(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    soon = shop.clock() + timedelta(minutes=5)
    window = ReplyWindow("one", expires_at=soon, max_replies=3)
    conversation = await writes(shop, "one", window=window)
    shop.clock.advance(minutes=6)
    row = (await browser.get(f"/conversations/{conversation}"))["row"]
    assert (row["budget"]["left"], row["budget"]["total"]) == (0, 3)


async def test_what_waits_for_the_customer_says_so_until_they_write(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    shop.channels = [a_channel("wecom", "shop2", has_budget=True)]
    conversation = await writes(shop, "one")
    await sends(shop, browser, conversation, 4)
    path = f"/conversations/{conversation}/messages"
    lines = (await browser.get(path))["items"]
    held = [line for line in lines if line["delivery"]["is_held"]]
    assert [line["text"] for line in held] == ["第 3 句"]
    assert held[0]["delivery"] == {"state": "pending", "error": None, "is_held": True}
    assert (await browser.get(f"{path}/{held[0]['id']}"))["delivery"]["is_held"]
    (account,) = (await browser.get("/channels"))["items"]
    assert account["held"] == 1
    await writes(shop, "two")
    assert not (await browser.get(f"{path}/{held[0]['id']}"))["delivery"]["is_held"]
    (account,) = (await browser.get("/channels"))["items"]
    assert account["held"] == 0


async def test_who_left_is_marked_and_no_longer_when_they_write_again(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    conversation = await writes(shop, "one")
    path = f"/conversations/{conversation}"
    await writes(shop, "bye", kind=InboundKind.DEPARTURE, text="", window=None)
    assert "取消关注" in (await browser.get(path))["row"]["unreachable"]
    await writes(shop, "back")
    assert (await browser.get(path))["row"]["unreachable"] is None


async def test_a_platforms_refusal_is_read_in_chinese_on_the_row_and_beside_the_message(
    shop: Shop,
) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    conversation = await writes(shop, "one")
    path = f"/conversations/{conversation}"
    said = await browser.post(path + "/messages", client_id="said-1", text="您好")
    error = "40054004: the customer removed the bot"

    def refuse(work: Any) -> None:
        mine = work.outbox.claim(shop.clock.advance(minutes=10), 10)[-1]
        work.outbox.unreachable(mine.outbound.outbox_id, shop.clock(), error)

    await shop.database.write(refuse)
    told = "顾客删除了机器人（40054004）"
    assert (await browser.get(path))["row"]["unreachable"] == told
    delivery = (await browser.get(f"{path}/messages/{said['id']}"))["delivery"]
    assert delivery == {"state": "failed", "error": told, "is_held": False}
    await browser.post(path + "/messages", client_id="said-2", text="还在吗？")


async def test_every_agent_reads_how_each_account_is(shop: Shop) -> None:
    shop.channels = [
        a_channel("web", "shop"),
        a_channel(
            "telegram",
            title="二店",
            state=HealthState.DEGRADED,
            last_error="暂时连不上 Telegram",
            last_inbound_at=shop.clock(),
        ),
    ]
    browser, _ = await shop.logged_in("xiaomei", Role.AGENT)
    answer = await browser.get("/channels")
    web, telegram = answer["items"]
    assert (web["channel_title"], web["state"], web["last_error"]) == ("网页", "up", None)
    assert (telegram["title"], telegram["state"]) == ("二店", "degraded")
    assert telegram["last_error"] == "暂时连不上 Telegram"
    assert telegram["last_inbound_at"] == "2026-11-23T04:00:00.000Z"
    assert answer["max_file_bytes"] == 1024 * 1024
    status, _ = await (await shop.browser()).ask("GET", "/channels")
    assert status == 401


@pytest.mark.parametrize("error", ["429", "waits behind an earlier message"])
async def test_what_is_tried_again_says_so_in_chinese(shop: Shop, error: str) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    conversation = await writes(shop, "one")
    path = f"/conversations/{conversation}/messages"
    said = await browser.post(path, client_id="said-1", text="您好")

    def postpone(work: Any) -> None:
        mine = work.outbox.claim(shop.clock.advance(minutes=10), 10)[-1]
        later = shop.clock() + timedelta(minutes=1)
        work.outbox.postpone([mine.outbound.outbox_id], later, error, is_fault=True)

    await shop.database.write(postpone)
    delivery = (await browser.get(f"{path}/{said['id']}"))["delivery"]
    assert delivery["state"] == "pending"
    assert "会" in delivery["error"]
    assert "earlier" not in delivery["error"]
