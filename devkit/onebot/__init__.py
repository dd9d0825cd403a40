"""QQ behind a OneBot implementation, played on this machine."""

from devkit.onebot.platform import FakeOneBot

__all__ = ["FakeOneBot"]
