"""The page that ``kefu kb eval --chart`` writes, in a real browser, wide and narrow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, ViewportSize, expect

from bot.tools.registry import TOOL_SPECS
from knowledge_base.evaluation.cases import Case
from knowledge_base.evaluation.chart import page as drawn
from knowledge_base.evaluation.evaluation import evaluate
from knowledge_base.recognition.loader import load
from tests.factories.server import SMALL_KB

pytestmark = pytest.mark.browser

LONG = "https://shop.example.com/" + "a" * 200
WIDE, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)


@pytest.fixture
def chart(tmp_path: Path, fits: Path) -> Path:
    kb = load(SMALL_KB, tools=TOOL_SPECS, cache_dir=fits)
    cases = [
        Case("怎么付款", ("payment_methods",)),
        Case("几点关门", ("payment_methods",)),
        Case(LONG, ("an_intent_with_a_very_long_name_that_nobody_would_choose",)),
        Case("快递几天到", ()),
        Case("客服几点下班", ()),
    ]
    path = tmp_path / "chart.html"
    titles = {str(name): intent.title for name, intent in kb.intents.items()}
    html = drawn(evaluate(kb, cases), titles=titles, shop=kb.shop.name, cases="cases.csv")
    path.write_text(html, encoding="utf-8")
    return path


@pytest.mark.parametrize("viewport", [WIDE, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_chart_fits_the_screen_and_asks_nobody_for_anything(
    browser: Browser, chart: Path, viewport: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    context = await browser.new_context(viewport=viewport, color_scheme=scheme)
    page = await context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    await page.goto(chart.as_uri())
    await expect(page.get_by_role("heading", name="机器人听懂了多少")).to_be_visible()
    charts = page.get_by_role("img", name="把握的分布")
    assert [await one.is_visible() for one in await charts.all()].count(True) == 1
    assert asked == [chart.as_uri()]
    assert said == []
    assert await page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    folder = os.environ.get("KEFU_SCREENSHOTS")
    if folder:
        name = f"chart-{viewport['width']}-{scheme}.png"
        await page.screenshot(path=Path(folder) / name, full_page=True)
    await context.close()
