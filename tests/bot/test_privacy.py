"""Every customer is told once what becomes of what they write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.app.services import Services
from bot.app.web_chat import greeting
from connectors.messages import ChannelRef
from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.recognition.loader import KnowledgeBase
from knowledge_base.source.intent import Privacy
from knowledge_base.source.source import read_source
from tests.bot.conftest import Channel, Customer

NOTICE = Privacy("聊天会保存 180 天。", "Chats are kept for 180 days.", "https://a.example/p")


@pytest.fixture
def told(parts: Services) -> None:
    """A shop whose kb.yaml has a notice."""
    kb = parts.knowledge.current
    parts.planner._planner = replace(parts.planner(), privacy=NOTICE)
    assert parts.knowledge.current is kb


@pytest.fixture
def customer(parts: Services) -> Customer:
    """Somebody on a channel that shows no page."""
    channel = Channel(ChannelRef("telegram", "tests"))
    parts.connectors.add(channel)
    return Customer(parts, channel, [])


@pytest.mark.usefixtures("told")
async def test_the_first_answer_on_a_channel_carries_the_notice_and_no_other_does(
    customer: Customer,
) -> None:
    first = await customer.says("你好")
    assert "聊天会保存 180 天。 https://a.example/p" in first
    assert "保存" not in await customer.says("怎么付款")


async def test_a_shop_without_a_notice_says_nothing(customer: Customer, parts: Services) -> None:
    parts.planner._planner = replace(parts.planner(), privacy=None)
    assert "保存" not in await customer.says("你好")


def test_the_page_shows_the_notice_with_its_greeting(knowledge: KnowledgeBase) -> None:
    def shown(privacy: Privacy | None, locale: str) -> str:
        kb = replace(knowledge, shop=replace(knowledge.shop, privacy=privacy))
        return greeting(kb, locale, is_anybody_online=True).text

    assert shown(NOTICE, "zh").endswith("聊天会保存 180 天。 https://a.example/p")
    assert "Chats are kept for 180 days." in shown(NOTICE, "en")
    assert "保存" not in shown(None, "zh")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("privacy: {txt: 会保存}", "txt"),
        ("privacy: {text: 会保存, url: 'javascript:alert(1)'}", "不是网址"),
        ("privacy: []", "privacy"),
    ],
)
def test_a_notice_that_is_wrong_is_told_with_file_and_line(
    written: str, said: str, small_kb_file: Path
) -> None:
    text = small_kb_file.read_text(encoding="utf-8")
    line = text[: text.index("shop: {")].count("\n") + 1
    small_kb_file.write_text(text.replace("shop: {", f"shop: {{{written}, ", 1), encoding="utf-8")
    with pytest.raises(KnowledgeBaseError) as caught:
        read_source(small_kb_file, {})
    assert f"kb.yaml:{line}: " in str(caught.value)
    assert said in str(caught.value)
