"""What happens on a channel beside words: arriving, leaving, pressing, files, people in its app."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from bot.app.services import Services
from connectors.errors import MediaBusy, MediaGone
from connectors.messages import (
    InboundKind,
    MediaHandle,
    MediaState,
    Outbound,
    button_token,
)
from handoff.machine import events
from handoff.model.conversation import AgentId, Conversation, State
from handoff.model.transcript import (
    Author,
    DeliveryState,
    Message,
    MessageKind,
)
from storage.unit_of_work import UnitOfWork
from tests.bot.conftest import Channel, Clock, Customer


def token(line: Outbound, label: str) -> str:
    labels = [button.label for button in line.buttons]
    return button_token(line.message_id, labels.index(label))


async def transcript(customer: Customer) -> list[Message]:
    conversation = await customer.conversation()
    found = await customer.parts.storage.read(
        lambda work: work.messages.after(conversation.id, 0, 100)
    )
    return list(found)


async def closed(parts: Services, conversation: Conversation) -> None:
    def unit(work: UnitOfWork) -> None:
        parts.desk.handle(work, work.conversations.lock(conversation.id), events.Closed())

    await parts.storage.write(unit)


async def test_who_arrives_is_greeted_with_choices(customer: Customer) -> None:
    heard = await customer.says(kind=InboundKind.ARRIVAL)
    assert "您好" in heard
    assert customer.buttons
    (note, _) = await transcript(customer)
    assert (note.author, note.kind) == (Author.SYSTEM, MessageKind.NOTE)


async def test_a_link_that_names_an_order_shows_where_it_stands(
    customer: Customer, demo: Any
) -> None:
    order = demo.as_json()["orders"]["delivered"]["number"]
    await customer.says(order, kind=InboundKind.ARRIVAL)
    assert customer.last_turn.plan.tool == "order_lookup"


async def test_who_left_is_marked_and_who_is_back_is_not(customer: Customer) -> None:
    await customer.says("在吗")
    await customer.says(kind=InboundKind.DEPARTURE, detail="顾客取消了关注")
    assert (await customer.conversation()).unreachable == "顾客取消了关注"
    await customer.says("我又来了")
    assert (await customer.conversation()).unreachable is None


async def test_a_changed_message_is_read_anew_and_shown_as_changed(customer: Customer) -> None:
    await customer.says("支持微信")
    heard = await customer.says("支持微信付款吗", kind=InboundKind.EDIT)
    assert "微信" in heard
    assert "✎ 支持微信付款吗" in [line.text for line in await transcript(customer)]


async def test_a_message_that_was_taken_back_is_told_to_agents_only(customer: Customer) -> None:
    await customer.says("在吗")
    assert await customer.says(kind=InboundKind.RECALL) == ""
    assert (await transcript(customer))[-1].kind is MessageKind.NOTE


async def test_a_pressed_button_is_found_by_its_token(customer: Customer) -> None:
    await customer.says(kind=InboundKind.ARRIVAL)
    offer = customer.heard[-1]
    label = offer.buttons[0].label
    await customer.says(kind=InboundKind.BUTTON, button_token=token(offer, label))
    assert customer.last_turn.plan.recognitions[0].rule == "button"
    assert label in [line.text for line in await transcript(customer)]


async def test_a_button_that_is_pressed_twice_in_a_breath_is_pressed_once(
    customer: Customer, clock: Clock
) -> None:
    await customer.says(kind=InboundKind.ARRIVAL)
    pressed = token(customer.heard[-1], customer.heard[-1].buttons[0].label)
    assert await customer.says(kind=InboundKind.BUTTON, button_token=pressed)
    assert not await customer.says(kind=InboundKind.BUTTON, button_token=pressed)
    clock.advance(minutes=2)
    assert await customer.says(kind=InboundKind.BUTTON, button_token=pressed)


@pytest.mark.parametrize("bad", ["kf1:01JABCDEFGHJKMNPQRSTVWXYZ0:0", "kf1:no", "x" * 64])
async def test_a_button_of_nobodys_message_is_answered_kindly(customer: Customer, bad: str) -> None:
    assert "过期" in await customer.says(kind=InboundKind.BUTTON, button_token=bad)


async def test_somebody_elses_button_cannot_be_pressed(
    customer: Customer, parts: Services, channel: Channel
) -> None:
    await customer.says(kind=InboundKind.ARRIVAL)
    stolen = token(customer.heard[-1], customer.heard[-1].buttons[0].label)
    stranger = Customer(parts, channel, customer.turns)
    assert "过期" in await stranger.says(kind=InboundKind.BUTTON, button_token=stolen)


async def test_a_number_rates_the_service_where_there_are_no_stars(
    customer: Customer, parts: Services
) -> None:
    await customer.says("支持微信付款吗")
    conversation = await customer.conversation()
    await closed(parts, conversation)
    await customer.says("5")
    segment = await parts.storage.read(lambda work: work.segments.get(conversation.segment_id))
    assert segment is not None
    assert segment.csat_score == 5
    assert (await customer.conversation()).state is State.CLOSED


async def test_a_pressed_star_rates_the_service(customer: Customer, parts: Services) -> None:
    await customer.says("支持微信付款吗")
    conversation = await customer.conversation()
    await closed(parts, conversation)
    await customer.settled()
    asked = customer.heard[-1]
    await customer.says(kind=InboundKind.BUTTON, button_token=button_token(asked.message_id, 3))
    segment = await parts.storage.read(lambda work: work.segments.get(conversation.segment_id))
    assert segment is not None
    assert segment.csat_score == 4


async def test_a_number_chooses_from_what_the_queue_offers(
    customer: Customer, parts: Services, agent_online: str, clock: Clock
) -> None:
    await customer.says("转人工")
    parts.desk.presence.disconnected(AgentId(agent_online))
    clock.advance(minutes=11)
    conversation = await customer.conversation()

    def unit(work: UnitOfWork) -> None:
        parts.desk.handle(work, work.conversations.lock(conversation.id), events.NobodyOnline())

    await parts.storage.write(unit)
    await customer.settled()
    choices = [button.id for button in customer.heard[-1].buttons]
    await customer.says(str(choices.index("back_to_bot") + 1))
    assert (await customer.conversation()).state is State.BOT


async def test_a_voice_message_is_said_to_be_unheard_and_a_person_is_offered(
    customer: Customer,
) -> None:
    voice = MediaHandle("voice", {"file_id": "F"}, mime="audio/ogg")
    assert "语音" in await customer.says(media=(voice,))
    assert "handoff" in customer.buttons
    await customer.says(media=(voice,))
    assert (await customer.conversation()).state is State.WAITING


async def test_a_voice_message_with_its_words_is_answered_by_them(customer: Customer) -> None:
    voice = MediaHandle("voice", {"media_id": "F"})
    await customer.says("支持微信付款吗", media=(voice,))
    assert customer.last_turn.plan.intent == "payment_methods"


async def test_what_can_only_be_described_is_not_taken_for_words(customer: Customer) -> None:
    heard = await customer.says("[位置] 订单怎么查路 1 号", is_unreadable=True)
    assert "看不懂" in heard


async def test_a_reply_in_the_channels_own_app_silences_the_bot(customer: Customer) -> None:
    await customer.says("在吗")
    assert await customer.says("我来处理", kind=InboundKind.NATIVE_REPLY, detail="微信客服") == ""
    assert (await customer.conversation()).state is State.EXTERNAL
    assert await customer.says("支持微信付款吗") == ""
    await customer.says(kind=InboundKind.NATIVE_END)
    assert (await customer.conversation()).state is State.BOT
    assert "微信" in await customer.says("支持微信付款吗")


async def test_a_message_that_the_platform_lost_after_taking_it_shows_as_failed(
    customer: Customer,
) -> None:
    await customer.says("支持微信付款吗")
    lost = customer.heard[-1]
    await customer.says(
        kind=InboundKind.DELIVERY_FAILED,
        reference=f"{lost.outbox_id}-0",
        detail="顾客拒收了客服消息",
    )
    line = next(one for one in await transcript(customer) if one.id == lost.message_id)
    assert line.delivery is DeliveryState.FAILED
    assert line.delivery_error == "顾客拒收了客服消息"


# ---------------------------------------------------------------------- files


def a_png() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(written, "PNG")
    return written.getvalue()


class Store:
    """What the platform has of a file, or says of it."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def fetch(self, media: MediaHandle, max_bytes: int) -> bytes:
        assert media.handle == {"file_id": "F1"}
        assert max_bytes == 20 * 1024 * 1024
        self.asked += 1
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def a_file_comes(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, *answers: bytes | Exception
) -> Store:
    store = Store(*answers)
    monkeypatch.setattr(customer.channel, "fetch", store.fetch)
    await customer.says(media=(MediaHandle("image", {"file_id": "F1"}, name="截图.png"),))
    await customer.parts.fetching.poll()
    return store


async def test_a_file_is_brought_in_and_told_by_content(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_file_comes(customer, monkeypatch, a_png())
    (file,) = (await transcript(customer))[0].attachments
    assert (file.state, file.kind, file.mime) == (MediaState.READY, "image", "image/png")
    assert (file.width, file.height, file.name) == (4, 3, "截图.png")
    path = customer.parts.files.store.path(file.id)
    assert path is not None
    assert path.read_bytes() == a_png()


async def test_a_script_that_calls_itself_a_picture_is_a_file_to_download(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_file_comes(customer, monkeypatch, b"<script>alert(1)</script>")
    (file,) = (await transcript(customer))[0].attachments
    assert (file.kind, file.mime) == ("file", "application/octet-stream")


@pytest.mark.parametrize("fault", [MediaGone("too_large"), MediaGone("expired"), b""])
async def test_a_file_that_cannot_be_had_is_said_to_be_missing(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, fault: bytes | Exception
) -> None:
    store = await a_file_comes(customer, monkeypatch, fault)
    (file,) = (await transcript(customer))[0].attachments
    assert file.state is MediaState.FAILED
    await customer.parts.fetching.poll()
    assert store.asked == 1


async def test_a_platform_that_is_busy_is_asked_again(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    store = await a_file_comes(customer, monkeypatch, MediaBusy("502"), OSError("gone"), a_png())
    for _ in range(2):
        clock.advance(minutes=1)
        await customer.parts.fetching.poll()
    (file,) = (await transcript(customer))[0].attachments
    assert (store.asked, file.state) == (3, MediaState.READY)


async def test_a_channel_whose_replies_are_counted_gets_one_message_a_turn(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    merging = replace(Channel.capabilities, merges_replies=True)
    monkeypatch.setattr(customer.channel, "capabilities", merging)
    await customer.says("支持微信付款吗？另外卡密怎么用？")
    assert len(customer.last_turn.plan.actions) == 2
    assert len(customer.heard) == 1


# ---------------------------------------------------------------------- before the first message


async def test_whom_a_person_served_before_their_first_message_here_is_left_to_that_person(
    customer: Customer,
) -> None:
    await customer.says("（接待了这位顾客）", kind=InboundKind.NATIVE_REPLY, detail="企业微信")
    assert await customer.says("付了款没收到卡密怎么办") == ""
    assert (await customer.conversation()).state is State.EXTERNAL
    await customer.says(kind=InboundKind.NATIVE_END)
    assert await customer.says("付了款没收到卡密怎么办") != ""


async def test_who_left_before_their_first_message_here_is_reached_again_when_they_write(
    customer: Customer,
) -> None:
    await customer.says(kind=InboundKind.DEPARTURE, key="left", detail="顾客取消了关注")
    assert (await customer.conversation()).unreachable == "顾客取消了关注"
    assert await customer.says("你好") != ""
    # told again, late: it is known, and changes nothing
    await customer.says(kind=InboundKind.DEPARTURE, key="left", detail="顾客取消了关注")
    assert (await customer.conversation()).unreachable is None


async def test_events_about_nobody_open_no_conversation(
    customer: Customer, parts: Services
) -> None:
    for kind in (InboundKind.RECALL, InboundKind.NATIVE_END, InboundKind.DELIVERY_FAILED):
        await customer.says(kind=kind, reference="x-0")
    found = await parts.storage.read(lambda work: work.conversations.of_address(customer.address))
    assert found is None
