"""What a customer quotes is seen, read by tools, and never taken for their own words."""

from __future__ import annotations

from sqlalchemy import select

from bot.app.services import Services
from handoff.model.transcript import Message
from shop.demo.seeding import DemoShop
from shop.domain.numbers import show_number
from storage.tables.messaging import messages
from storage.unit_of_work import UnitOfWork
from tests.bot.conftest import Customer


def number_of(demo: DemoShop) -> str:
    return show_number(demo.orders["delivered"].order.number)


def password_of(demo: DemoShop) -> str:
    return demo.orders["delivered"].password.get_secret_value()


async def last_said(customer: Customer) -> Message:
    def unit(work: UnitOfWork) -> Message:
        conversation = work.conversations.of_address(customer.address)
        assert conversation is not None
        lines = work.messages.before(conversation.id, conversation.last_seq + 1, 20)
        return next(line for line in reversed(lines) if line.author.value == "customer")

    return await customer.parts.storage.read(unit)


async def stored_texts(parts: Services) -> str:
    def unit(work: UnitOfWork) -> str:
        rows = work._connection.execute(select(messages.c.text, messages.c.extra)).all()
        return repr([tuple(row) for row in rows])

    return await parts.storage.read(unit)


async def test_a_quote_is_kept_beside_the_words(customer: Customer) -> None:
    await customer.says("这个怎么退款", quoted="Steam 钱包码 50元")
    line = await last_said(customer)
    assert (line.text, line.quoted) == ("这个怎么退款", "Steam 钱包码 50元")


async def test_a_quote_is_not_what_the_customer_asks(customer: Customer) -> None:
    await customer.says("支持哪些付款方式", quoted="付了款没收到卡密怎么办")
    assert customer.last_turn.plan.intent != "order_not_received"


async def test_an_order_that_is_quoted_is_looked_up(customer: Customer, demo: DemoShop) -> None:
    number = number_of(demo)
    await customer.says("这个到哪一步了", quoted=f"您的订单 {number} 已收到")
    assert customer.last_turn.plan.tool == "order_lookup"
    assert customer.last_turn.plan.outcome == "delivered"


async def test_a_number_that_is_said_counts_more_than_one_that_is_quoted(
    customer: Customer, demo: DemoShop
) -> None:
    said, quoted = number_of(demo), "DD-AAAAA-BBBBB-CCCCC-DDDDD"
    await customer.says(f"{said} 到哪一步了", quoted=f"您的订单 {quoted} 已收到")
    assert customer.last_turn.plan.outcome == "delivered"


async def test_a_password_is_taken_although_the_question_for_it_is_quoted(
    customer: Customer, demo: DemoShop
) -> None:
    number = number_of(demo)
    asked = await customer.says(f"{number} 卡密发我")
    heard = await customer.says(password_of(demo), quoted=asked)
    assert customer.last_turn.plan.outcome == "shown", heard


async def test_a_card_that_is_quoted_back_is_nowhere_in_the_clear(
    customer: Customer, demo: DemoShop, parts: Services
) -> None:
    number = number_of(demo)
    await customer.says(f"{number} 卡密发我")
    shown = await customer.says(password_of(demo))
    cards = [word for word in shown.split() if "-" in word]
    assert cards
    await customer.says("这张用不了", quoted=shown)
    await customer.says("就是这张", quoted=cards[0])
    await customer.says("这一段对吗", quoted=cards[0][3:12])
    stored = await stored_texts(parts)
    assert all(card not in stored and card[3:12] not in stored for card in cards)
    assert password_of(demo) not in stored
    assert (await last_said(customer)).quoted.startswith("{{secret:")


async def test_a_word_that_proves_to_be_a_password_is_sealed_in_quotes_too(
    customer: Customer, demo: DemoShop, parts: Services
) -> None:
    password = password_of(demo)
    await customer.says("这个是什么", quoted=f"我记得是 {password} 吧")
    await customer.says(f"{number_of(demo)} 卡密发我")
    await customer.says(password)
    assert customer.last_turn.plan.outcome == "shown"
    assert password not in await stored_texts(parts)


async def test_a_long_quote_is_cut(customer: Customer) -> None:
    await customer.says("这个呢", quoted="长" * 5000)
    assert len((await last_said(customer)).quoted) == 500
