"""What agents see of channels: what is left to say, files on their way, how accounts are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from bot.app.http.pages import built_pages
from bot.app.process import logs
from bot.app.server import Started
from devkit.onebot import FakeOneBot
from devkit.platform import FakePlatform
from devkit.wechat import FakeWeChatOA
from tests.browser.test_story import PHONE, WIDE, Agent, shot
from tests.contracts.channels.world import a_png
from tests.factories.channels import kefu_beside
from tests.factories.server import SMALL_KB

pytestmark = pytest.mark.browser


@pytest.fixture
async def wechat() -> AsyncIterator[FakePlatform]:
    async with FakeWeChatOA() as made:
        yield made


@pytest.fixture
async def qq() -> AsyncIterator[FakePlatform]:
    async with FakeOneBot() as made:
        yield made


@pytest.fixture
async def server(wechat: FakePlatform, qq: FakePlatform, tmp_path: Path) -> AsyncIterator[Started]:
    if not (built_pages() / "index.html").exists():
        pytest.skip("the pages are not built: run `make setup`")
    logs.configure("warning", "text")
    async with kefu_beside([wechat, qq], tmp_path / "data", SMALL_KB) as started:
        yield started


async def at_the_desk(browser: Browser, server: Started, size: ViewportSize) -> Page:
    page = await (await browser.new_context(viewport=size, locale="zh-CN")).new_page()
    await Agent(page, server).logs_in()
    return page


async def test_what_is_left_to_say_is_counted_and_nothing_left_locks_the_composer(
    browser: Browser, server: Started, wechat: FakePlatform
) -> None:
    page = await at_the_desk(browser, server, WIDE)
    agent = Agent(page, server)
    await wechat.says("小明", "转人工")
    await page.get_by_role("listitem").first.click()
    await agent.clicks("接入")
    await expect(page.get_by_text("还能发 3 条 · 47 小时内有效")).to_be_visible()
    for number in range(3):
        await agent.replies(f"第 {number + 1} 句")
        await expect(page.get_by_text(f"第 {number + 1} 句").last).to_be_visible()
    await expect(page.get_by_text("要等顾客再发来消息才能回复")).to_be_visible()
    await shot(page, "channels-spent")
    await wechat.says("小明", "好的")
    await expect(page.get_by_text("还能发 5 条")).to_be_visible()


async def test_a_picture_from_a_channel_is_shown_and_who_left_is_marked(
    browser: Browser, server: Started, wechat: FakePlatform
) -> None:
    page = await at_the_desk(browser, server, WIDE)
    await wechat.says("小明", "转人工")
    await wechat.sends_media("小明", "image", a_png(), name="截图.png")
    await page.get_by_role("listitem").first.click()
    await expect(page.locator(".kc-thumb img")).to_be_visible()
    await wechat.leaves("小明")
    await Agent(page, server).clicks("接入")
    await expect(page.locator(".kc-notices__bad")).to_contain_text("取消")
    await shot(page, "channels-left")


@pytest.mark.parametrize(("size", "name"), [(WIDE, "desktop"), (PHONE, "phone")])
async def test_how_each_account_is_stands_on_a_page(
    browser: Browser, server: Started, qq: FakeOneBot, size: ViewportSize, name: str
) -> None:
    page = await at_the_desk(browser, server, size)
    await page.goto(f"{server.url}/console/channels")
    await expect(page.locator(".kc-channel")).to_have_count(3)
    await expect(page.locator(".kc-channel--up")).to_have_count(3)
    await qq.wires.close()
    await expect(page.get_by_text("QQ 那边断开了")).to_be_visible()
    await shot(page, f"channels-{name}")
    await page.get_by_role("button", name="返回会话").click()
    await expect(page.get_by_text("排队").first).to_be_visible()


async def test_an_agent_attaches_what_the_channel_takes(
    browser: Browser, server: Started, qq: FakePlatform, wechat: FakePlatform, tmp_path: Path
) -> None:
    prices = tmp_path / "价格表.txt"
    prices.write_bytes("一月卡 10 元".encode())
    page = await at_the_desk(browser, server, PHONE)
    agent = Agent(page, server)
    picker = page.locator("input[type=file]")
    await qq.says("小明", "转人工")
    await page.get_by_role("listitem").first.click()
    await agent.clicks("接入")
    arrives = asyncio.Event()

    async def slowly(route: Route) -> None:
        await arrives.wait()
        await route.continue_()

    await page.route("**/attachments", slowly)
    await picker.set_input_files(prices)
    await expect(page.locator(".kc-files__file")).to_contain_text("价格表.txt")
    await agent.replies("都在这里")
    await expect(page.get_by_text("文件传好就发出去")).to_be_visible()
    await shot(page, "channels-attached")
    assert not qq.shown("小明")[-1].text.startswith("都在这里")
    arrives.set()
    await expect(page.locator("a.kc-file")).to_contain_text("价格表.txt")
    await qq.until(lambda: any(line.kind == "file" for line in qq.shown("小明")))
    (file,) = (line for line in qq.shown("小明") if line.kind == "file")
    assert file.content == prices.read_bytes()

    await wechat.says("小红", "转人工")
    await page.goto(f"{server.url}/console/queue")
    await page.get_by_role("listitem").first.click()
    await agent.clicks("接入")
    await picker.set_input_files(prices)
    await expect(page.get_by_text("这个渠道发不了「价格表.txt」这样的文件")).to_be_visible()
    await expect(page.locator(".kc-files")).to_have_count(0)


@pytest.mark.parametrize(("size", "name"), [(WIDE, "wide"), (PHONE, "phone")])
async def test_what_a_customer_answers_stands_above_their_words(
    browser: Browser, server: Started, qq: FakeOneBot, size: ViewportSize, name: str
) -> None:
    page = await at_the_desk(browser, server, size)
    number = await qq.says("小明", "Steam 钱包码 50 元的多少钱，能用微信付吗")
    answered = {"type": "reply", "data": {"id": number}}
    await qq._tells("小明", [answered, {"type": "text", "data": {"text": "转人工 就问这个"}}])
    await page.get_by_role("listitem").first.click()
    quote = page.locator(".kc-msg__quoted")
    await expect(quote).to_contain_text("引用")
    await expect(quote).to_contain_text("能用微信付吗")
    await shot(page, f"channels-quote-{name}")
