"""Parts that the commands share: settings, the database, the knowledge base."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.app.process import logs
from bot.app.process.data_folder import open_folder
from bot.app.settings import Settings, read_settings

if TYPE_CHECKING:  # these take longer to import than most commands run
    from knowledge_base.recognition.loader import KnowledgeBase
    from storage.core.keyring import Keyring
    from storage.storage import Storage

DATA = click.option("--data", type=click.Path(path_type=Path), help="数据目录（KEFU_DATA_DIR）")
KB = click.option("--kb", type=click.Path(path_type=Path), help="知识库文件（KEFU_KB）")
"""Options that stand before the environment."""

PATIENCE_S = 10.0
"""How long a command waits for another kefu that brings the database up to date."""


def settings_of(data: Path | None = None, kb: Path | None = None, **more: object) -> Settings:
    """The settings, and logs as they say."""
    settings = read_settings(data_dir=data, kb=kb, **more)
    logs.configure(settings.log_level, settings.log_format)
    return settings


def settings_and_data(data: Path | None, kb: Path | None = None, **more: object) -> Settings:
    """The settings of a command that works on the data folder, which is ready for it.

    Raises:
        BadSetting: A setting is wrong.
        BadData: The data folder cannot be used.
    """
    settings = settings_of(data, kb, **more)
    open_folder(settings.data_dir)
    return settings


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run async work to its end."""
    asyncio.run(work)


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Keep every other kefu off the data folder and the database while the block runs.

    Raises:
        DataInUse: One has the data folder.
        DatabaseInUse: One has the database, perhaps from another data folder.
    """
    from bot.app.process.data_lock import exclusive  # noqa: PLC0415
    from storage.core.claim import claimed  # noqa: PLC0415

    with exclusive(settings.data_dir), claimed(settings.database):
        yield


def with_storage(settings: Settings, work: Callable[[Storage], Coroutine[Any, Any, None]]) -> None:
    """Open the database, up to date, for one command; a running kefu may use it meanwhile.

    Raises:
        DataInUse, DatabaseInUse: It would have to be brought up to date under a running kefu.
    """
    from storage.storage import Storage  # noqa: PLC0415

    keyring = _keyring_of_current(settings)

    async def opened() -> None:
        async with Storage.open(settings.database, keyring=keyring, clock=now) as storage:
            await work(storage)

    run(opened())


def _keyring_of_current(settings: Settings) -> Keyring:
    """Bring the database up to date unless it is; return the keyring that opens it.

    A command that another kefu is just doing this for waits for it: two commands of one minute,
    or a command typed while the first start is still at it, do not refuse each other.

    Raises:
        DataInUse, DatabaseInUse: Another kefu keeps an older database to itself.
    """
    from bot.app.persistence.database import opened_database  # noqa: PLC0415
    from bot.app.process.errors import DataInUse  # noqa: PLC0415
    from storage.core.errors import DatabaseInUse  # noqa: PLC0415
    from storage.core.schema import is_current  # noqa: PLC0415

    until = time.monotonic() + PATIENCE_S
    while True:
        if is_current(settings.database):
            return opened_database(settings)
        try:
            with alone(settings):
                return opened_database(settings)
        except (DataInUse, DatabaseInUse):
            if time.monotonic() > until:
                raise
        time.sleep(0.1)


def knowledge_base_of(settings: Settings) -> KnowledgeBase:
    """The knowledge base, fitted if need be, with progress on a terminal."""
    from bot.tools.registry import TOOL_SPECS  # noqa: PLC0415
    from knowledge_base.recognition.loader import load  # noqa: PLC0415

    cache_dir = settings.data_dir / "cache"
    return load(settings.kb, tools=TOOL_SPECS, cache_dir=cache_dir, progress=_show_progress)


def _show_progress(step: str, done: float) -> None:
    """On a terminal alone: nothing where the output is read by a program."""
    if sys.stderr.isatty():
        click.echo(f"\r识别模型：{step} {done:.0%}   ", nl=done >= 1, err=True)
