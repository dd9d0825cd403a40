"""The whole story in a real browser: a question, an order with proof, a person, and a rating."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, ViewportSize, expect

from bot.app.demo import demo_of
from bot.app.server import Started
from shop.demo.seeding import DemoShop
from shop.domain.numbers import show_number

pytestmark = pytest.mark.browser

DESKTOP = ViewportSize(width=1280, height=800)
WIDE = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=390, height=844)


async def shot(page: Page, name: str) -> None:
    """Keep a picture where ``KEFU_SCREENSHOTS`` says: pictures are looked at before a commit."""
    folder = os.environ.get("KEFU_SCREENSHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")


def demo_shop(server: Started) -> DemoShop:
    return demo_of(server.settings.data_dir, datetime.now(UTC))


class Customer:
    """Somebody on the shop's page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    async def opens_the_page(self) -> None:
        await self.page.goto(self.url)
        await expect(self.page.get_by_role("region", name="对话内容")).to_be_visible()

    async def says(self, text: str) -> None:
        box = self.page.get_by_role("textbox")
        await box.fill(text)
        await box.press("Enter")

    async def reads(self, text: str) -> None:
        await expect(self.page.get_by_text(text).last).to_be_visible()


class Agent:
    """Somebody at the console."""

    def __init__(self, page: Page, server: Started) -> None:
        self.page = page
        self.server = server

    async def logs_in(self) -> None:
        assert self.server.admin_password is not None
        await self.page.goto(f"{self.server.url}/console")
        await self.page.get_by_label("用户名").fill("admin")
        await self.page.get_by_label("密码").first.fill(self.server.admin_password)
        await self.page.get_by_role("button", name="登录").click()
        await expect(self.page.get_by_text("排队").first).to_be_visible()

    async def replies(self, text: str) -> None:
        box = self.page.get_by_role("textbox").last
        await box.fill(text)
        await box.press("Enter")

    async def clicks(self, name: str) -> None:
        """Press an action, which a phone keeps in a menu."""
        button = self.page.get_by_role("button", name=name, exact=True).first
        more = self.page.get_by_role("button", name="更多操作")
        await expect(button.or_(more).first).to_be_visible()
        if not await button.is_visible():
            await more.click()
            button = self.page.get_by_role("menuitem", name=name).or_(button).first
        await button.click()

    async def confirms(self, name: str) -> None:
        await self.page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize(("viewport", "size"), [(DESKTOP, "desktop"), (PHONE, "phone")])
async def test_from_the_first_word_to_a_persons_answer(  # noqa: PLR0915 - one story, told in order
    browser: Browser, server: Started, viewport: ViewportSize, size: str
) -> None:
    demo = demo_shop(server)
    order = demo.orders["delivered"]
    errors: list[str] = []
    chat = await (await browser.new_context(viewport=viewport, locale="zh-CN")).new_page()
    desk_size = WIDE if size == "desktop" else PHONE
    desk = await (await browser.new_context(viewport=desk_size, locale="zh-CN")).new_page()
    for page in (chat, desk):
        page.on("pageerror", lambda error: errors.append(str(error)))

    agent = Agent(desk, server)
    await agent.logs_in()
    customer = Customer(chat, server.url)
    await customer.opens_the_page()
    await shot(chat, f"{size}-1-welcome")

    await customer.says("支持哪些付款方式？")
    await customer.reads("支付宝")
    await customer.says("卡密弄丢了，能再发一次吗？")
    await customer.reads("订单号")
    await customer.says(show_number(order.order.number))
    await customer.reads("查询密码")
    await customer.says(order.password.get_secret_value())
    await customer.reads(order.cards[0][1].get_secret_value())
    await shot(chat, f"{size}-2-cards")

    await customer.says("转人工")
    await customer.reads("叫人工客服")
    row = desk.get_by_role("listitem").filter(has_text="访客").first
    await expect(row).to_be_visible()
    await shot(desk, f"{size}-3-queue")
    await row.click()
    await expect(desk.get_by_text("支持哪些付款方式？").first).to_be_visible()
    # the password that proved it, and the cards, are masked in the console
    await expect(desk.get_by_text(order.cards[0][1].get_secret_value())).to_have_count(0)
    await agent.clicks("接入")
    await customer.reads("已接入")
    await shot(desk, f"{size}-4-thread")

    await agent.replies("您好，我是人工客服，卡密收到了吗？")
    await customer.reads("您好，我是人工客服，卡密收到了吗？")
    await customer.says("收到了，谢谢")
    await expect(desk.get_by_text("收到了，谢谢").last).to_be_visible()
    await shot(chat, f"{size}-5-agent")

    await agent.clicks("交还机器人")
    await agent.confirms("交还")
    await customer.says("付款后多久发货")
    await customer.reads("自动发货")

    await agent.replies("还有问题随时找我～")
    await agent.confirms("接手并发送")
    await customer.reads("还有问题随时找我～")
    await agent.clicks("结束会话")
    await agent.confirms("结束")
    await chat.locator("label").filter(has_text="非常满意").click()
    await shot(chat, f"{size}-5b-rating")
    await chat.get_by_role("button", name="提交评价").click()
    await customer.reads("感谢您的评价")
    await shot(chat, f"{size}-6-rated")
    await expect(desk.get_by_text("5 / 5").first).to_be_visible()
    await shot(desk, f"{size}-7-closed")

    await chat.reload()
    await customer.reads(order.cards[0][1].get_secret_value())
    assert errors == []


async def test_a_page_that_lost_its_connection_misses_and_doubles_nothing(
    browser: Browser, server: Started
) -> None:
    context = await browser.new_context(viewport=DESKTOP, locale="zh-CN")
    page = await context.new_page()
    customer = Customer(page, server.url)
    await customer.opens_the_page()
    await customer.says("你好")
    await customer.reads("欢迎")
    await context.set_offline(True)
    await customer.says("支持哪些付款方式？")
    await context.set_offline(False)
    await customer.reads("支付宝")
    await expect(page.get_by_text("支持哪些付款方式？", exact=True)).to_have_count(1)


async def test_script_from_a_customer_is_only_text(browser: Browser, server: Started) -> None:
    chat = await (await browser.new_context(locale="zh-CN")).new_page()
    desk = await (await browser.new_context(viewport=WIDE, locale="zh-CN")).new_page()
    ran: list[str] = []
    for page in (chat, desk):
        page.on("dialog", lambda dialog: ran.append(dialog.message))
    agent = Agent(desk, server)
    await agent.logs_in()
    customer = Customer(chat, server.url)
    await customer.opens_the_page()
    await customer.says("<img src=x onerror=alert(1)><script>alert(2)</script> 转人工")
    await customer.says("转人工")
    row = desk.get_by_role("listitem").filter(has_text="访客").first
    await row.click()
    await expect(desk.get_by_text("<script>alert(2)</script>").first).to_be_visible()
    assert ran == []


async def test_the_widget_opens_on_somebody_elses_page(browser: Browser, server: Started) -> None:
    async def shop_page(_request: web.Request) -> web.Response:
        script = f'<script src="{server.url}/widget.js" defer></script>'
        return web.Response(text=f"<!doctype html><h1>shop</h1>{script}", content_type="text/html")

    shop = web.Application()
    shop.router.add_get("/", shop_page)
    async with TestServer(shop, host="localhost") as elsewhere:
        page = await (await browser.new_context(viewport=DESKTOP, locale="zh-CN")).new_page()
        await page.goto(str(elsewhere.make_url("/")))
        await page.get_by_role("button", name="联系客服").click()
        box = page.get_by_role("textbox")
        await box.fill("支持哪些付款方式？")
        await box.press("Enter")
        await expect(page.get_by_text("支付宝").last).to_be_visible()
        await shot(page, "widget")
