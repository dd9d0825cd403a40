"""Who opens the page on a shared computer a day later sees masks until they prove it again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.app.demo import demo_of
from bot.app.http.pages import built_pages
from bot.app.process import logs
from bot.app.server import Started, running
from bot.app.settings import Settings
from shop.domain.numbers import show_number
from tests.browser.conftest import ROOT
from tests.browser.test_story import DESKTOP, PHONE, Customer, shot

pytestmark = pytest.mark.browser


class Clock:
    """The machine's clock, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server(tmp_path: Path, clock: Clock) -> AsyncIterator[Started]:
    if not (built_pages() / "index.html").exists():
        pytest.skip("the pages are not built: run `make setup`")
    logs.configure("warning", "text")
    settings = Settings(
        data_dir=tmp_path, kb=ROOT / "kb.yaml", port=0, fragment_wait_s=0.0, _env_file=None
    )
    async with running(settings, is_demo=True, clock=clock) as started:
        yield started


async def with_storage_of(browser: Browser, page: Page, url: str, *, without: str) -> Page:
    """Another browser with the same token: somebody copied it, or sat down later."""
    kept = await page.evaluate("JSON.stringify({...localStorage})")
    assert without not in kept, "no secret lies in the browser once it was sent"
    context = await browser.new_context(viewport=PHONE, locale="zh-CN")
    await context.add_init_script(
        f"for (const [key, value] of Object.entries({kept})) localStorage.setItem(key, value)"
    )
    other = await context.new_page()
    await other.goto(url)
    return other


async def test_another_browser_sees_masks_a_day_later_and_codes_once_it_has_proved_it(
    browser: Browser, server: Started, clock: Clock
) -> None:
    order = demo_of(server.settings.data_dir, datetime.now(UTC)).orders["delivered"]
    card, password = (order.cards[0][1].get_secret_value(), order.password.get_secret_value())
    first = await (await browser.new_context(viewport=DESKTOP, locale="zh-CN")).new_page()
    customer = Customer(first, server.url)
    await customer.opens_the_page()
    await customer.says(f"补发卡密 {show_number(order.order.number)}")
    await customer.reads("查询密码")
    await customer.says(password)
    await customer.reads(card)
    clock.ahead = timedelta(hours=25)
    second = await with_storage_of(browser, first, server.url, without=password)
    later = Customer(second, server.url)
    await expect(second.get_by_role("button", name="再次验证")).to_be_visible()
    assert card not in await second.content()
    assert password not in await second.content()
    await shot(second, "shared-1-masked")
    await second.get_by_role("button", name="再次验证").click()
    await later.reads("查询密码")
    await later.says(password)
    await later.reads(card)
    # the old line shows them again, beside the new one
    await expect(second.get_by_text(card)).to_have_count(2)
    await expect(second.get_by_role("button", name="再次验证", exact=True)).to_have_count(0)
    await shot(second, "shared-2-verified")
    second.on("dialog", lambda dialog: dialog.accept())
    await second.get_by_role("button", name="清除本机记录").click()
    await expect(second.get_by_text(card)).to_have_count(0)
    await expect(second.get_by_role("button", name="清除本机记录")).to_have_count(0)
    await shot(second, "shared-3-cleared")
