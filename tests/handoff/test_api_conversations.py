"""What agents do in the console, over HTTP, on a real database."""

from __future__ import annotations

import asyncio

from handoff.auth.agents import Role
from handoff.model.conversation import State
from handoff.model.transcript import Author, DeliveryState, MessageKind
from tests.handoff.console import Shop


async def test_a_waiting_customer_is_in_the_queue_with_reason_and_place(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    first = await shop.waits_for_a_person("v-one1")
    shop.clock.advance(seconds=5)
    await shop.waits_for_a_person("v-two2")
    listed = await browser.get("/conversations?view=queue")
    assert [row["position"] for row in listed["items"]] == [1, 2]
    assert listed["items"][0]["id"] == first.id
    assert listed["items"][0]["reason_text"] == "顾客要求人工"
    assert listed["items"][0]["unread"] == 1
    assert listed["counts"] == {"queue": 2, "mine": 0, "bot": 0}
    one = await browser.get(f"/conversations/{first.id}")
    assert one["summary"]["wanted"] == "退款"
    assert one["summary"]["tried"] == ["查订单"]


async def test_of_two_who_claim_at_once_one_wins_and_the_other_learns_who(shop: Shop) -> None:
    mei, mei_agent = await shop.logged_in("xiaomei", name="小美")
    gang, gang_agent = await shop.logged_in("agang", name="阿刚")
    waiting = await shop.waits_for_a_person()
    path = f"/conversations/{waiting.id}/claim"
    answers = await asyncio.gather(
        mei.ask("POST", path, {"version": waiting.version}),
        gang.ask("POST", path, {"version": waiting.version}),
    )
    assert sorted(status for status, _ in answers) == [200, 409]
    row = next(answer for status, answer in answers if status == 200)
    refused = next(answer for status, answer in answers if status == 409)["error"]
    assert refused["code"] == "already_claimed"
    assert refused["assignee"] == row["assignee"]
    assert row["assignee"]["id"] in {mei_agent.id, gang_agent.id}
    joined = [one.text for one in await shop.transcript(waiting) if "已接入" in one.text]
    assert joined == [f"{row['assignee']['name']} 已接入，接下来由 TA 为您服务。"]


async def test_a_claim_is_won_although_the_customer_wrote_meanwhile(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    waiting = await shop.waits_for_a_person()
    await shop.customer_says("在吗")
    row = await browser.post(f"/conversations/{waiting.id}/claim", version=waiting.version)
    assert row["state"] == "agent"


async def test_a_reply_sent_twice_is_stored_and_sent_once(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei", name="小美")
    waiting = await shop.waits_for_a_person()
    await browser.post(f"/conversations/{waiting.id}/claim", version=waiting.version)
    path = f"/conversations/{waiting.id}/messages"
    answers = await asyncio.gather(
        *(browser.post(path, client_id="one", text="您好，请稍等") for _ in range(3))
    )
    assert len({answer["id"] for answer in answers}) == 1
    lines = [one for one in await shop.transcript(waiting) if one.author is Author.AGENT]
    assert [(one.text, one.author_name) for one in lines] == [("您好，请稍等", "小美")]
    assert lines[0].delivery is DeliveryState.PENDING


async def test_a_reply_takes_over_from_the_bot_and_its_late_answer_is_never_sent(
    shop: Shop,
) -> None:
    browser, agent = await shop.logged_in("xiaomei")
    conversation, _ = await shop.customer_says("卡密无效")
    path = f"/conversations/{conversation.id}"
    await browser.post(path + "/messages", client_id="one", text="我来看看")
    row = (await browser.get(path))["row"]
    assert (row["state"], row["assignee"]["id"]) == ("agent", agent.id)
    stored = await shop.database.read(lambda work: work.conversations.get(conversation.id))
    assert stored is not None
    assert stored.owner_epoch == conversation.owner_epoch + 1


async def test_a_colleagues_conversation_is_answered_only_when_taken_over(shop: Shop) -> None:
    mei, mei_agent = await shop.logged_in("xiaomei", name="小美")
    gang, gang_agent = await shop.logged_in("agang", name="阿刚")
    conversation, _ = await shop.customer_says("在吗")
    path = f"/conversations/{conversation.id}"
    await mei.post(path + "/messages", client_id="one", text="在的")
    status, refused = await gang.ask(
        "POST", path + "/messages", {"client_id": "two", "text": "我也在"}
    )
    assert (status, refused["error"]["code"]) == (409, "not_assignee")
    assert refused["error"]["assignee"] == {"id": mei_agent.id, "name": "小美"}
    await gang.post(path + "/messages", client_id="two", text="我来", takeover=True)
    assert (await gang.get(path))["row"]["assignee"]["id"] == gang_agent.id


async def test_a_note_is_never_sent_to_the_customer(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    waiting = await shop.waits_for_a_person()
    await browser.post(f"/conversations/{waiting.id}/claim", version=waiting.version)
    path = f"/conversations/{waiting.id}/messages"
    note = await browser.post(path, client_id="n", text="老客户，小心", note=True)
    again = await browser.post(path, client_id="n", text="老客户，小心", note=True)
    assert note["id"] == again["id"]
    assert note["delivery"] == {"state": "none", "error": None, "is_held": False}
    status, _ = await browser.ask("POST", f"{path}/{note['id']}/retry", {})
    assert status == 422
    due = await shop.database.write(
        lambda work: work.outbox.claim(shop.clock.advance(hours=1), 100)
    )
    assert note["id"] not in {one.outbound.message_id for one in due}
    assert all("小心" not in one.outbound.text for one in due)


async def test_a_transfer_leaves_a_note_and_tells_the_customer_once(shop: Shop) -> None:
    mei, _ = await shop.logged_in("xiaomei", name="小美")
    gang, gang_agent = await shop.logged_in("agang", name="阿刚")
    conversation, _ = await shop.customer_says("要退款")
    path = f"/conversations/{conversation.id}"
    await mei.post(path + "/messages", client_id="one", text="我看下")
    status, _ = await mei.ask("POST", path + "/transfer", {"to": gang_agent.id, "note": "  "})
    assert status == 422
    row = await mei.post(path + "/transfer", to=gang_agent.id, note="要退款，已核实")
    assert row["assignee"] == {"id": gang_agent.id, "name": "阿刚"}
    lines = await shop.transcript(conversation)
    assert [one.text for one in lines if one.kind is MessageKind.NOTE] == ["要退款，已核实"]
    assert sum("阿刚" in one.text for one in lines if one.kind is MessageKind.NOTICE) == 1
    assert [one["id"] for one in (await gang.get("/conversations?view=mine"))["items"]] == [
        conversation.id
    ]


async def test_giving_back_is_announced_and_only_the_holder_may(shop: Shop) -> None:
    mei, _ = await shop.logged_in("xiaomei")
    gang, _ = await shop.logged_in("agang")
    boss, _ = await shop.logged_in("boss", Role.SUPERVISOR)
    conversation, _ = await shop.customer_says("在吗")
    path = f"/conversations/{conversation.id}"
    await mei.post(path + "/messages", client_id="one", text="在的")
    status, refused = await gang.ask("POST", path + "/give-back", {})
    assert (status, refused["error"]["code"]) == (409, "not_assignee")
    assert (await boss.post(path + "/give-back"))["state"] == "bot"
    assert "机器人" in (await shop.transcript(conversation))[-1].text


async def test_closing_sends_the_last_word_first_and_asks_for_csat_once(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    conversation, _ = await shop.customer_says("在吗")
    path = f"/conversations/{conversation.id}"
    await browser.post(path + "/messages", client_id="one", text="已处理")
    row = await browser.post(path + "/close", text="祝您愉快")
    again = await browser.post(path + "/close", text="祝您愉快")
    assert row["state"] == again["state"] == "closed"
    lines = await shop.transcript(conversation)
    assert [one.text for one in lines[-3:-1]] == ["已处理", "祝您愉快"]
    assert [one.kind for one in lines].count(MessageKind.CSAT) == 1
    assert lines[-1].kind is MessageKind.CSAT
    segments = await shop.database.read(lambda work: work.segments.of_conversation(conversation.id))
    assert (segments[0].closed_reason, segments[0].last_seq) == ("agent", lines[-1].seq)


async def test_a_reopened_conversation_shows_its_earlier_segment(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei", name="小美")
    conversation, _ = await shop.customer_says("第一次")
    path = f"/conversations/{conversation.id}"
    await browser.post(path + "/messages", client_id="one", text="好的")
    await browser.post(path + "/close")
    shop.clock.advance(minutes=5)
    thanks, _ = await shop.customer_says("谢谢", reopens=False)
    assert thanks.state is State.CLOSED
    reopened, message = await shop.customer_says("还有个问题")
    assert reopened.state is State.WAITING
    panel = await browser.get(path + "/customer")
    assert [one["preview"] for one in panel["earlier"]] == ["第一次"]
    assert panel["earlier"][0]["agent_name"] == "小美"
    assert panel["customer"]["segments_count"] == 2
    segments = await shop.database.read(lambda work: work.segments.of_conversation(conversation.id))
    assert max(one.first_seq for one in segments) == message.seq


async def test_first_response_is_counted_from_the_queue_in_open_hours(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    waiting = await shop.waits_for_a_person()
    shop.clock.advance(seconds=50)
    await browser.post(f"/conversations/{waiting.id}/claim", version=waiting.version)
    shop.clock.advance(seconds=40)
    await browser.post(f"/conversations/{waiting.id}/messages", client_id="one", text="您好")
    segment = (await shop.database.read(lambda work: work.segments.of_conversation(waiting.id)))[0]
    assert segment.first_response_s == 90
    assert segment.handoff_reason == "asked"


async def test_the_panel_still_shows_who_writes_when_the_shop_is_down(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    conversation, _ = await shop.customer_says("在吗")
    path = f"/conversations/{conversation.id}/customer"
    assert (await browser.get(path))["orders"][0]["cards"][0]["mask"] == "ST••••HT"
    shop.panel.is_down = True
    panel = await browser.get(path)
    assert (panel["orders"], panel["problem"] is None) == ([], False)
    assert panel["customer"]["id"] == conversation.customer_id


async def test_a_reveal_shows_the_secret_and_is_logged(shop: Shop) -> None:
    browser, agent = await shop.logged_in("xiaomei")
    conversation, _ = await shop.customer_says("在吗")
    path = f"/conversations/{conversation.id}/messages"
    secret = "STAR-7KQ2-M8XD-41VN-9CHT"
    sent = await browser.post(path, client_id="one", text=f"卡密：{secret}，请收好")
    assert secret not in str(sent)
    ref = sent["secrets"][0]
    assert sent["text"] == f"卡密：{{{{secret:{ref['id']}}}}}，请收好"
    assert secret not in str(await browser.get(path))
    assert secret not in str(await browser.get("/conversations?view=mine"))
    shown = await browser.post(f"/secrets/{ref['id']}/reveal")
    assert shown == {"value": secret}
    looks = await shop.database.read(lambda work: work.reveals.of_secret(ref["id"]))
    assert [(one.agent_id, one.conversation_id) for one in looks] == [(agent.id, conversation.id)]
    status, _ = await browser.ask("POST", "/secrets/01HZZZZZZZZZZZZZZZZZZZZZZZ/reveal", {})
    assert status == 404


async def test_reading_on_lowers_the_unread_count(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    conversation, message = await shop.customer_says("在吗")
    path = f"/conversations/{conversation.id}"
    assert (await browser.get(path))["row"]["unread"] == 1
    status, _ = await browser.ask("POST", path + "/read", {"seq": message.seq})
    assert status == 204
    assert (await browser.get(path))["row"]["unread"] == 0


async def test_only_the_assignees_typing_is_shown_and_it_keeps_the_claim(shop: Shop) -> None:
    mei, _ = await shop.logged_in("xiaomei")
    gang, _ = await shop.logged_in("agang")
    waiting = await shop.waits_for_a_person()
    path = f"/conversations/{waiting.id}"
    await mei.post(path + "/claim", version=waiting.version)
    for browser in (gang, mei):
        status, _ = await browser.ask("POST", path + "/typing")
        assert status == 204
    assert shop.typing.heard == [(waiting.address.user_id, "agent")]
    stored = await shop.database.read(lambda work: work.conversations.get(waiting.id))
    assert stored is not None
    assert stored.acted_at is not None


async def test_the_transcript_comes_in_pages_both_ways(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    for number in range(7):
        conversation, _ = await shop.customer_says(f"第 {number} 句")
    path = f"/conversations/{conversation.id}/messages"
    newest = await browser.get(path + "?limit=3")
    assert ([one["seq"] for one in newest["items"]], newest["has_more"]) == ([5, 6, 7], True)
    older = await browser.get(path + "?before=5&limit=10")
    assert ([one["seq"] for one in older["items"]], older["has_more"]) == ([1, 2, 3, 4], False)
    newer = await browser.get(path + "?after=2&limit=2")
    assert ([one["seq"] for one in newer["items"]], newer["has_more"]) == ([3, 4], True)
    one = await browser.get(f"{path}/{newest['items'][0]['id']}")
    assert one == newest["items"][0]


async def test_a_list_comes_in_pages_without_holes_or_doubles(shop: Shop) -> None:
    browser, _ = await shop.logged_in("xiaomei")
    for number in range(7):
        shop.clock.advance(seconds=number % 2)
        await shop.customer_says("在吗", visitor=f"v-{number:04}")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        before = f"&before={cursor}" if cursor else ""
        page = await browser.get(f"/conversations?view=bot&limit=3{before}")
        seen += [row["id"] for row in page["items"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == 7
