"""What a customer may read again, while the proof holds and after it, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from connectors.messages import Attachment, ChannelRef, MessageId, Outbound, button_token
from handoff.desk.append import append_message, sealed
from handoff.model.conversation import ConversationId
from handoff.model.transcript import Author, Message
from shop.domain.numbers import OrderNumber
from shop.domain.proofs import Factor, Proof
from storage.chatlog import StoredChatLog
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork
from tests.factories.messaging import WEB, an_address, an_inbound, received
from tests.factories.shop import NOON, FakeClock

NUMBER = OrderNumber("DD4K8ZP92MQX7T1VCH60RA")
OTHER = OrderNumber("DD7KQ2M8XD41VN09CHTABC")
CARD = "STAR-7KQ2-M8XD-41VN-9CHT"
PICTURE = Attachment("a" * 32, "image", "image/png", 10)


async def proves(
    storage: Storage,
    clock: FakeClock,
    number: OrderNumber = NUMBER,
    factor: Factor = Factor.PASSWORD,
) -> None:
    proof = Proof(number, an_address().identity, factor, clock(), f"T{clock()}{number}"[:26])
    await storage.write(lambda work: work.proofs.add(proof))


async def says(
    storage: Storage,
    clock: FakeClock,
    *,
    author: Author = Author.BOT,
    order: OrderNumber | None = NUMBER,
    attachments: Sequence[Attachment] = (),
    ref: ChannelRef = WEB,
) -> MessageId:
    """The shop's side shows a card."""
    (receipt,) = await received(storage, an_inbound(address=an_address(ref=ref)))

    def unit(work: UnitOfWork) -> Message:
        conversation = work.conversations.lock(ConversationId(receipt.conversation_id))
        said = f"您的卡密：{CARD}"
        start = said.index(CARD)
        text, secrets = sealed(
            work.secrets,
            conversation.id,
            said,
            lambda _text: [(start, start + len(CARD), "card")],
            order,
        )
        conversation, message = append_message(
            work,
            conversation,
            author=author,
            text=text,
            secrets=secrets,
            at=clock(),
            attachments=attachments,
            is_last_word=True,
        )
        work.conversations.save(conversation)
        return message

    return (await storage.write(unit)).id


async def page(storage: Storage) -> list[Outbound]:
    """What any browser with this visitor's token is shown."""
    log = StoredChatLog(storage, lambda _work, _agent: None)
    lines = await log.after(WEB, "v1", 0, 100)
    earlier = await log.before(WEB, "v1", 1000, 100)
    assert [one.text for one in earlier] == [one.text for one in lines]
    return list(lines)


async def test_cards_are_shown_while_the_proof_holds_and_masked_after_it(
    storage: Storage, clock: FakeClock
) -> None:
    await proves(storage, clock)
    await says(storage, clock)
    assert CARD in (await page(storage))[-1].text
    clock.pass_(hours=23.9)
    assert CARD in (await page(storage))[-1].text
    clock.pass_(hours=0.2)
    line = (await page(storage))[-1]
    assert line.text == "您的卡密：ST••••HT"
    assert line.verify is not None
    assert (line.verify.id, line.verify.label) == (f"verify:{NUMBER}", "再次验证")


async def test_proving_the_order_again_shows_its_cards_again_and_no_others(
    storage: Storage, clock: FakeClock
) -> None:
    await proves(storage, clock)
    await says(storage, clock)
    clock.pass_(hours=30)
    await proves(storage, clock, OTHER)
    assert CARD not in (await page(storage))[-1].text
    await proves(storage, clock, factor=Factor.CONTACT)
    assert CARD not in (await page(storage))[-1].text, "typing the contact is no proof"
    await proves(storage, clock)
    line = (await page(storage))[-1]
    assert CARD in line.text
    assert line.verify is None


async def test_what_an_agent_sent_is_hidden_after_a_day_and_opened_by_any_proof(
    storage: Storage, clock: FakeClock
) -> None:
    await says(storage, clock, author=Author.AGENT, order=None, attachments=[PICTURE])
    line = (await page(storage))[-1]
    assert CARD in line.text
    assert line.attachments == (PICTURE,)
    clock.pass_(hours=24)
    line = (await page(storage))[-1]
    assert CARD not in line.text
    assert (line.attachments, "[图片已隐藏]" in line.text) == ((), True)
    assert line.verify is not None
    assert line.verify.id == "verify"
    await proves(storage, clock, OTHER)
    line = (await page(storage))[-1]
    assert CARD in line.text
    assert line.attachments == (PICTURE,)


async def test_pictures_from_the_knowledge_base_stay(storage: Storage, clock: FakeClock) -> None:
    await says(storage, clock, attachments=[PICTURE])
    clock.pass_(days=30)
    assert (await page(storage))[-1].attachments == (PICTURE,)


async def test_a_password_is_never_shown_back_and_other_secrets_for_a_day(
    storage: Storage, clock: FakeClock
) -> None:
    said = f"密码 jxjj7033，卡 {CARD}，电话 13800138000"
    await received(storage, an_inbound(said, attachments=(PICTURE,)))
    (line,) = await page(storage)
    assert line.text == f"密码 ••••，卡 {CARD}，电话 13800138000"
    clock.pass_(days=2)
    (line,) = await page(storage)
    assert line.text == "密码 ••••，卡 ST••••HT，电话 13••••00\n[图片已隐藏]"
    await proves(storage, clock)
    (line,) = await page(storage)
    assert line.text == f"密码 ••••，卡 {CARD}，电话 13800138000"


async def test_an_old_password_alone_offers_nothing_to_verify(
    storage: Storage, clock: FakeClock
) -> None:
    await received(storage, an_inbound("密码 jxjj7033"))
    clock.pass_(days=2)
    (line,) = await page(storage)
    assert line.verify is None


async def test_a_message_that_waited_longer_than_the_proof_goes_out_masked(
    storage: Storage, clock: FakeClock
) -> None:
    await proves(storage, clock)
    visitor = await says(storage, clock)
    clock.pass_(hours=1)
    (first,) = await storage.write(lambda work: work.outbox.claim(clock(), 10))
    assert CARD in first.outbound.text
    assert first.outbound.codes == (CARD,)
    clock.pass_(days=3)
    (late,) = await storage.write(lambda work: work.outbox.claim(clock(), 10))
    assert late.outbound.message_id == visitor
    assert CARD not in late.outbound.text
    assert late.outbound.codes == ()
    assert late.outbound.verify is not None
    await proves(storage, clock)
    clock.pass_(minutes=5)
    (again,) = await storage.write(lambda work: work.outbox.claim(clock(), 10))
    assert CARD in again.outbound.text


async def test_only_who_was_offered_it_can_press_it(storage: Storage, clock: FakeClock) -> None:
    message = await says(storage, clock)
    await received(storage, an_inbound(visitor="v2"))
    log = StoredChatLog(storage, lambda _work, _agent: None)
    key = f"verify:{NUMBER}"
    assert await log.button_label(WEB, "v1", message, key) == "再次验证"
    assert await log.button_label(WEB, "v2", message, key) is None


async def test_the_button_that_went_out_with_a_masked_line_names_its_order(
    storage: Storage, clock: FakeClock
) -> None:
    telegram = ChannelRef("telegram", "main")
    message = await says(storage, clock, ref=telegram)
    clock.pass_(days=2)
    (late,) = await storage.write(lambda work: work.outbox.claim(clock(), 10))
    assert "再次验证" in late.outbound.text
    place = [one.label for one in late.outbound.buttons].index("再次验证")
    pressed = an_inbound(
        address=an_address(ref=telegram), text="", button_token=button_token(message, place)
    )
    (receipt,) = await received(storage, pressed)
    conversation_id = ConversationId(receipt.conversation_id)
    pending = await storage.read(lambda work: work.inbox.pending(conversation_id))
    assert (pending[-1].button, pending[-1].button_of) == (f"verify:{NUMBER}", message)


async def test_the_time_that_proofs_last_is_the_shops(
    url: str, clock: FakeClock, storage: Storage
) -> None:
    await says(storage, clock, author=Author.AGENT, order=None)
    clock.pass_(hours=2)
    async with Storage.open(
        url, keyring=storage._keyring, clock=clock, proofs_last=timedelta(hours=1)
    ) as short:
        assert CARD not in (await page(short))[-1].text
    assert CARD in (await page(storage))[-1].text
    assert clock() > NOON
