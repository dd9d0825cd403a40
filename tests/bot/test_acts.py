"""Several files sent in one act are one turn: one reply, and no person for their number."""

from __future__ import annotations

from sqlalchemy import func, select

from bot.app.services import Services
from bot.turn.albums import LATE_S
from connectors.messages import Attachment, Inbound
from handoff.model.conversation import State
from storage.tables.messaging import turns
from storage.unit_of_work import UnitOfWork
from tests.bot.conftest import Clock, Customer


def a_picture(number: int) -> tuple[Attachment, ...]:
    return (Attachment(id=f"{number:032d}", kind="image", mime="image/png", size=9),)


async def turns_of(parts: Services) -> int:
    def unit(work: UnitOfWork) -> int:
        statement = select(func.count()).select_from(turns)
        return int(work._connection.execute(statement).scalar_one())

    return await parts.storage.read(unit)


async def state_of(customer: Customer) -> State:
    def unit(work: UnitOfWork) -> State:
        found = work.conversations.of_address(customer.address)
        assert found is not None
        return found.state

    return await customer.parts.storage.read(unit)


def nine(customer: Customer, album: str | None = None) -> list[Inbound]:
    return [customer.message(attachments=a_picture(n), album=album) for n in range(9)]


async def test_nine_pictures_at_once_get_one_reply(customer: Customer, parts: Services) -> None:
    parts.turns._fragment_wait_s = 30.0  # the words end the wait long before
    for picture in nine(customer):
        await parts.intake.accept([picture])
    await parts.intake.accept([customer.message("支持哪些付款方式？")])
    await customer.settled()
    assert (await turns_of(parts), len(customer.heard)) == (2, 2)
    assert await state_of(customer) is State.BOT


async def test_pictures_that_a_phone_loads_up_one_after_the_other_get_one_reply(
    customer: Customer, clock: Clock
) -> None:
    for picture in range(9):
        clock.advance(seconds=LATE_S - 1)
        await customer.says(attachments=a_picture(picture))
    assert len(customer.heard) == 1
    assert await state_of(customer) is State.BOT


async def test_an_album_that_comes_in_one_delivery_gets_one_reply(
    customer: Customer, parts: Services
) -> None:
    parts.turns._fragment_wait_s = 0.05
    await parts.intake.accept(nine(customer, "m1"))
    await customer.settled()
    assert (await turns_of(parts), len(customer.heard)) == (1, 1)


async def test_a_part_of_an_album_that_comes_late_is_not_answered_again(
    customer: Customer,
) -> None:
    await customer.says(attachments=a_picture(1), album="m1")
    assert await customer.says(attachments=a_picture(2), album="m1") == ""
    assert await customer.says(attachments=a_picture(3), album="m1") == ""
    assert await state_of(customer) is State.BOT


async def test_an_albums_caption_is_answered_and_not_its_pictures(
    customer: Customer, parts: Services
) -> None:
    parts.turns._fragment_wait_s = 0.05
    first, *rest = nine(customer, "m1")
    asked = customer.message("付了款没收到卡密怎么办", attachments=a_picture(99), album="m1")
    await parts.intake.accept([asked, first, *rest])
    await customer.settled()
    assert await turns_of(parts) == 1
    assert customer.last_turn.reasons.candidates[0]["intent"] == "order_not_received"


async def test_another_album_is_another_act(customer: Customer, parts: Services) -> None:
    parts.turns._fragment_wait_s = 0.05
    await parts.intake.accept([*nine(customer, "m1"), *nine(customer, "m2")])
    await customer.settled()
    assert await turns_of(parts) == 2


async def test_pictures_apart_in_time_are_two_acts(
    customer: Customer, parts: Services, clock: Clock
) -> None:
    await customer.says(attachments=a_picture(1))
    clock.advance(seconds=LATE_S + 1)
    await customer.says(attachments=a_picture(2))
    assert await turns_of(parts) == 2
    assert await state_of(customer) is State.WAITING


async def test_words_between_pictures_have_a_turn_of_their_own(
    customer: Customer, parts: Services
) -> None:
    parts.turns._fragment_wait_s = 0.05
    picture, later, *_ = nine(customer)
    words = customer.message("支持哪些付款方式？")
    await parts.intake.accept([picture, words, later])
    await customer.settled()
    assert await turns_of(parts) == 3
    assert await state_of(customer) is State.BOT
