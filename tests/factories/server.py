"""A whole server in this process, on a small shop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.app.server import Started, running
from bot.app.settings import Settings
from bot.tools.registry import TOOL_SPECS
from knowledge_base.recognition.loader import load
from tests.factories.database import database_of

TESTS = Path(__file__).parent.parent
SMALL_KB = TESTS / "fixtures" / "kb.yaml"


def fitted(kb: Path = SMALL_KB) -> Path:
    """A cache in which the recognition of a shop is fitted; kept between runs."""
    cache = TESTS.parent / ".pytest_cache" / "kefu"
    load(kb, tools=TOOL_SPECS, cache_dir=cache)
    return cache


def new_data_folder(folder: Path, fits: Path) -> Path:
    """An empty data folder, but for recognition's cache."""
    folder.mkdir(mode=0o700)
    (folder / "cache").symlink_to(fits)
    return folder


@asynccontextmanager
async def small_server(data: Path, kb: Path) -> AsyncIterator[Started]:
    """A server on a free port and the folder's database, that waits little for fragments."""
    settings = Settings(
        data_dir=data,
        database_url=database_of(data),
        kb=kb,
        port=0,
        fragment_wait_s=0.05,
        _env_file=None,
    )
    async with running(settings) as started:
        yield started
