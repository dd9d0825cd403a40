"""The pages under their content security policy: everything works, and nothing is reported."""

from __future__ import annotations

import io

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image
from playwright.async_api import Browser, FilePayload, Page, expect

from bot.app.server import Started
from tests.browser.test_story import Agent, Customer

pytestmark = pytest.mark.browser

_REPORT = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error('violated:', event.effectiveDirective, event.blockedURI, event.sourceFile))
"""


async def watched(browser: Browser, complaints: list[str]) -> Page:
    """A page whose violations and errors are kept."""
    page = await (await browser.new_context(locale="zh-CN")).new_page()
    await page.add_init_script(_REPORT)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: (
            complaints.append(said.text)
            if "violated" in said.text or "Content Security Policy" in said.text
            else None
        ),
    )
    return page


def a_picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (60, 40), "green").save(written, "PNG")
    return written.getvalue()


async def test_chat_and_console_work_under_their_policy(browser: Browser, server: Started) -> None:
    complaints: list[str] = []
    desk, chat = await watched(browser, complaints), await watched(browser, complaints)
    agent, customer = Agent(desk, server), Customer(chat, server.url)
    await agent.logs_in()
    await customer.opens_the_page()
    await customer.says("支持哪些付款方式？")
    await customer.reads("支付宝")
    picture = FilePayload(name="order.png", mimeType="image/png", buffer=a_picture())
    await chat.locator("input[type=file]").first.set_input_files([picture])
    await expect(
        chat.locator("img[src*='/widget/media/'], img[src^='blob:']").first
    ).to_be_visible()
    await customer.says("转人工")
    await customer.reads("叫人工客服")
    await desk.get_by_role("listitem").filter(has_text="访客").first.click()
    await agent.clicks("接入")
    await customer.reads("已接入")
    await agent.replies("您好，我来帮您看")
    await customer.reads("您好，我来帮您看")

    assert complaints == []


async def test_an_inline_script_or_style_would_not_run(browser: Browser, server: Started) -> None:
    complaints: list[str] = []
    page = await watched(browser, complaints)
    for path in ("/", "/console"):
        await page.goto(f"{server.url}{path}")
        await page.evaluate(
            """() => {
              const script = document.createElement('script')
              script.textContent = 'window.ran = true'
              const style = document.createElement('style')
              style.textContent = 'body { display: none }'
              document.body.append(script, style)
            }"""
        )
        assert not await page.evaluate("() => window.ran === true")
        assert await page.evaluate("() => getComputedStyle(document.body).display") != "none"
    assert any("script-src" in one for one in complaints)
    assert any("style-src" in one for one in complaints)


async def test_the_widget_works_in_a_shop_that_forbids_inline_styles(
    browser: Browser, server: Started
) -> None:
    async def shop(_request: web.Request) -> web.Response:
        policy = (
            f"default-src 'none'; script-src {server.url}; style-src 'none'; "
            f"connect-src {server.url} {server.url.replace('http', 'ws')}; img-src {server.url}"
        )
        page = f'<!doctype html><body><script src="{server.url}/widget.js"></script></body>'
        headers = {"Content-Security-Policy": policy}
        return web.Response(text=page, content_type="text/html", headers=headers)

    complaints: list[str] = []
    application = web.Application()
    application.router.add_get("/", shop)
    async with TestServer(application) as elsewhere:
        page = await watched(browser, complaints)
        await page.goto(str(elsewhere.make_url("/")))
        await page.get_by_role("button", name="联系客服").click()
        await page.get_by_role("textbox").fill("支持哪些付款方式？")
        await page.get_by_role("textbox").press("Enter")
        await expect(page.get_by_text("支付宝").last).to_be_visible()

    assert complaints == []


async def test_the_console_is_shown_in_nobodys_frame(browser: Browser, server: Started) -> None:
    async def thief(_request: web.Request) -> web.Response:
        frame = f'<iframe src="{server.url}/console"></iframe>'
        return web.Response(text=frame, content_type="text/html")

    application = web.Application()
    application.router.add_get("/", thief)
    async with TestServer(application) as elsewhere:
        page = await watched(browser, [])
        await page.goto(str(elsewhere.make_url("/")))
        frame = page.frames[-1]
        assert await frame.locator("form").count() == 0
