"""The whole story in a real browser: a question, an order with proof, a person, and a rating."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.demo import demo_of
from bot.server import Started
from shop.numbers import show_number

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


async def shot(page: Page, name: str) -> None:
    """Keep a picture where ``KEFU_SCREENSHOTS`` says; pictures are looked at before a commit."""
    folder = os.environ.get("KEFU_SCREENSHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")
