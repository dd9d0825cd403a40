"""All fake platforms by channel."""

from __future__ import annotations

from importlib import import_module

from devkit.platform import FakePlatform

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
    module = import_module(f"devkit.{channel}")
    made: FakePlatform = getattr(module, FAKES[channel])()
    return made
