"""All fake platforms by channel, and a demo shop beside one: for ``kefu channels fake``."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

from bot.server import Started, running
from bot.settings import Settings
from tests.factories.channels import free_port
from tests.fakes.platform import FakePlatform

FAKES = {
    "telegram": "FakeTelegram",
    "wechat": "FakeWeChatOA",
    "wecom": "FakeWeComKF",
    "onebot": "FakeOneBot",
    "qq": "FakeQQOpen",
    "app": "FakeShopApp",
}


def a_fake(channel: str) -> FakePlatform:
    """A fake of this channel, not yet started; its libraries are loaded here."""
    module = import_module(f"tests.fakes.{channel}")
    made: FakePlatform = getattr(module, FAKES[channel])()
    return made


def _share(cache: Path, data: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    data.mkdir()
    (data / "cache").symlink_to(cache.absolute())


@asynccontextmanager
async def demo_beside(platform: FakePlatform, cache: Path) -> AsyncIterator[Started]:
    """A demo shop of its own, connected to a running fake.

    Args:
        cache: Fitted knowledge bases, so that this one need not be fitted again.
    """
    with tempfile.TemporaryDirectory(prefix="kefu-fake-") as folder:
        port = free_port()
        _share(cache, Path(folder) / "data")
        channels = Path(folder) / "channels.yaml"
        channels.write_text(json.dumps({"channels": [platform.account()]}))
        settings = Settings(
            data_dir=Path(folder) / "data",
            channels=channels,
            port=port,
            public_url=f"http://127.0.0.1:{port}",
            log_level="error",
            _env_file=None,
        )
        async with running(settings, is_demo=True) as started:
            await platform.connect(started.url)
            yield started
