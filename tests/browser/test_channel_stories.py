"""The same story on every channel: asked and answered there, ended by a person in the console."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.app.http.pages import built_pages
from bot.app.process import logs
from bot.app.server import Started
from devkit.catalogue import FAKES, a_fake
from devkit.platform import FakePlatform
from shop.domain.numbers import show_number
from tests.browser.conftest import ROOT
from tests.browser.test_story import WIDE, Agent, demo_shop, shot
from tests.factories.channels import kefu_beside

pytestmark = pytest.mark.browser


@pytest.fixture(params=sorted(FAKES))
async def platform(request: pytest.FixtureRequest) -> AsyncIterator[FakePlatform]:
    async with a_fake(request.param) as made:
        yield made


@pytest.fixture
async def server(platform: FakePlatform, tmp_path: Path) -> AsyncIterator[Started]:
    if not (built_pages() / "index.html").exists():
        pytest.skip("the pages are not built: run `make setup`")
    logs.configure("warning", "text")
    async with kefu_beside(
        [platform], tmp_path / "data", ROOT / "kb.yaml", is_demo=True
    ) as started:
        yield started


async def reads(platform: FakePlatform, words: str) -> None:
    """The customer sees these words, in the end."""

    def is_so() -> bool:
        return any(words in line.text for line in platform.shown("小明"))

    try:
        await platform.until(is_so)
    except TimeoutError:
        lines = [line.text for line in platform.shown("小明")]
        raise AssertionError(f"never read {words!r}, but {lines}") from None


async def test_from_a_question_to_a_persons_last_word(
    browser: Browser, server: Started, platform: FakePlatform
) -> None:
    order = demo_shop(server).orders["delivered"]
    card = order.cards[0][1].get_secret_value()
    desk = await (await browser.new_context(viewport=WIDE, locale="zh-CN")).new_page()
    agent = Agent(desk, server)
    await agent.logs_in()

    await platform.says("小明", "支持哪些付款方式？")
    await reads(platform, "支付宝")
    await platform.says("小明", "卡密弄丢了，能再发一次吗？")
    await reads(platform, "订单号")
    await platform.says("小明", show_number(order.order.number))
    await reads(platform, "查询密码")
    await platform.says("小明", order.password.get_secret_value())
    await reads(platform, card)

    await platform.says("小明", "转人工")
    await reads(platform, "人工客服")
    row = desk.get_by_role("listitem").first
    await expect(row).to_be_visible()
    await row.click()
    await expect(desk.get_by_text("支持哪些付款方式？").first).to_be_visible()
    await expect(desk.get_by_text(card)).to_have_count(0)
    await agent.clicks("接入")
    await reads(platform, "已接入")
    await agent.replies("您好，卡密收到了吗？")
    await reads(platform, "您好，卡密收到了吗？")
    await platform.says("小明", "收到了，谢谢")
    await expect(desk.get_by_text("收到了，谢谢").last).to_be_visible()
    await shot(desk, f"channel-{platform.channel}")
    await agent.clicks("结束会话")
    await agent.confirms("结束")
    await reads(platform, "满意")

    await platform.says("小明", "5")
    await expect(desk.get_by_text("5 / 5").first).to_be_visible()
    answers = [line.text for line in platform.shown("小明")]
    assert sum(card in line for line in answers) == 1
    assert sum("支付宝" in line for line in answers) == 1
