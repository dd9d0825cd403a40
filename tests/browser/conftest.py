"""A real server and a real Chromium."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from bot.app.http.pages import built_pages
from bot.app.process import logs
from bot.app.server import Started, running
from bot.app.settings import Settings

# what is waited for comes at once; five seconds ran out where other tests ran beside it
expect.set_options(timeout=30_000)

ROOT = Path(__file__).parent.parent.parent
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> str | None:
    """Where a Chromium is; ``None`` for the one that Playwright downloaded."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def is_there(path: str) -> bool:
    return Path(path).exists()


@pytest.fixture
async def browser(chromium: str | None) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        if chromium is None and not is_there(playwright.chromium.executable_path):
            pytest.skip("no Chromium on this machine: `apt install chromium` to run this test")
        started = await playwright.chromium.launch(executable_path=chromium, args=_QUIET)
        yield started
        await started.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Started]:
    if not (built_pages() / "index.html").exists():
        pytest.skip("the pages are not built: run `make setup`")
    logs.configure("warning", "text")
    settings = Settings(
        data_dir=tmp_path,
        kb=ROOT / "kb.yaml",
        port=0,
        fragment_wait_s=0.0,
        _env_file=None,
    )
    async with running(settings, is_demo=True) as started:
        yield started
