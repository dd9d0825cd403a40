"""Secrets are hidden when the proof ends, and shown again to who proves it once more."""

from __future__ import annotations

from bot.app.services import Services
from shop.demo.seeding import DemoShop
from shop.domain.numbers import show_number
from storage.unit_of_work import UnitOfWork
from tests.bot.conftest import Clock, Customer


async def shown_to(parts: Services, customer: Customer) -> str:
    """All lines as their customer may read them now."""
    conversation = await customer.conversation()

    def unit(work: UnitOfWork) -> str:
        view = work.view_of(conversation)
        lines = work.messages.after(conversation.id, 0, 100)
        return "\n".join(view.of(line).text for line in lines)

    return await parts.storage.read(unit)


async def test_after_a_day_cards_are_hidden_until_the_order_is_proved_again(
    customer: Customer, demo: DemoShop, parts: Services, clock: Clock
) -> None:
    order = demo.orders["delivered"]
    password = order.password.get_secret_value()
    card = order.cards[0][1].get_secret_value()
    await customer.says(f"补发卡密 {show_number(order.order.number)}")
    assert card in await customer.says(password)
    assert card in await shown_to(parts, customer)
    clock.advance(hours=25)
    assert card not in await shown_to(parts, customer)
    assert password not in await shown_to(parts, customer)
    asked = await customer.says("再次验证")
    assert "查询密码" in asked
    assert card not in asked
    assert card in await customer.says(password)
    assert (await shown_to(parts, customer)).count(card) == 2
    assert password not in await shown_to(parts, customer)


async def test_verifying_again_while_the_proof_holds_shows_the_cards_at_once(
    customer: Customer, demo: DemoShop, clock: Clock
) -> None:
    order = demo.orders["delivered"]
    await customer.says(f"补发卡密 {show_number(order.order.number)}")
    await customer.says(order.password.get_secret_value())
    clock.advance(minutes=5)
    answer = await customer.says("Verify again")
    assert order.cards[0][1].get_secret_value() in answer


async def test_verifying_again_without_a_known_order_asks_which(customer: Customer) -> None:
    assert "订单号" in await customer.says("再次验证")
