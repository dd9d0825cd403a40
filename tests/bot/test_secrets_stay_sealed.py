"""A whole conversation leaves no secret in the clear, and no raw words in the bot's memory."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from bot.app.services import Services
from bot.dialogue.memory import MEMORY_KEY
from shop.demo.seeding import DemoShop
from shop.domain.numbers import show_number
from storage.tables.base import metadata
from storage.unit_of_work import UnitOfWork
from tests.bot.conftest import Customer


async def everything(parts: Services) -> str:
    def unit(work: UnitOfWork) -> str:
        return "\n".join(
            value.decode("latin-1") if isinstance(value, bytes) else str(value)
            for table in metadata.sorted_tables
            for row in work._connection.execute(select(table)).mappings()
            for value in row.values()
        )

    return await parts.storage.read(unit)


def number_and_password(demo: DemoShop) -> tuple[str, str]:
    order = demo.orders["delivered"]
    return show_number(order.order.number), order.password.get_secret_value()


@pytest.mark.parametrize(
    "told",
    [
        "{number} {password}",
        "{number}\n{password}",
        "mima {password} 单号 {number}",
        "order {number} password is {password}",
        "{password} {number} 帮我看下卡密",
    ],
)
async def test_number_and_password_in_any_order_show_the_cards(
    customer: Customer, demo: DemoShop, parts: Services, told: str
) -> None:
    number, password = number_and_password(demo)
    answer = await customer.says(told.format(number=number, password=password))
    for _, secret in demo.orders["delivered"].cards:
        assert secret.get_secret_value() in answer
    stored = await everything(parts)
    assert password not in stored
    assert number in stored


@pytest.mark.parametrize(
    "told",
    [
        "我的密码是 {password} 麻烦快点帮我看一下好不好我等了两个多小时了"
        "活动今天晚上就结束了谢谢谢谢谢谢谢谢谢谢",
        "不好意思刚才没看到，应该就是我平时用的那个 {password} "
        "要是不对的话再跟我说一声我去翻备忘录看看有没有记",
        "sorry for the late reply I was on the train, it should be {password} "
        "please send me the codes",
        "是{password}吧",
    ],
)
async def test_a_password_inside_a_long_sentence_is_taken_and_sealed(
    customer: Customer, demo: DemoShop, parts: Services, told: str
) -> None:
    number, password = number_and_password(demo)
    await customer.says(f"补发卡密 {number}")
    answer = await customer.says(told.format(password=password))
    assert demo.orders["delivered"].cards[0][1].get_secret_value() in answer
    assert password not in await everything(parts)


async def test_a_password_that_was_said_before_it_was_known_as_one_is_sealed_too(
    customer: Customer, demo: DemoShop, parts: Services
) -> None:
    number, password = number_and_password(demo)
    halves = password[:4], password[4:]
    await customer.says(f"我老公说是 {halves[0]}")
    await customer.says(f"{halves[1]} 后面这样")
    await customer.says(f"补发卡密 {number}")
    await customer.says(password)
    stored = await everything(parts)
    assert password not in stored
    assert halves[0] not in stored
    assert f"{halves[1]} 后面" not in stored


async def test_memory_keeps_no_word_of_a_message_that_held_a_secret(
    customer: Customer,
) -> None:
    for said in (
        "付了款没收到卡密 我电话13800138000",
        "付款5元没收到卡密，网址 https://example.com/pay?token=abc",
        "钱付了卡密没到 jxjj7033",
        "卡密没收到，微信号 xiaoming2000",
        "steam 50 有货吗 我邮箱 a @ b . com",
        "换卡 STAR-9PLM-4RTZ-K3XW-QQ21",
    ):
        await customer.says(said)
        conversation = await customer.conversation()
        kept = json.dumps(conversation.memory[MEMORY_KEY], ensure_ascii=False)
        for part in ("13800138000", "example.com", "jxjj7033", "xiaoming2000", "b . com", "QQ21"):
            assert part not in kept
        assert "5元" not in kept
