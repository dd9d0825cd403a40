"""QQ behind a OneBot implementation, played on this machine."""

from tests.fakes.onebot.platform import FakeOneBot

__all__ = ["FakeOneBot"]
