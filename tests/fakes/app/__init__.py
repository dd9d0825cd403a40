"""A shop's app: its server and its users, played on this machine."""

from tests.fakes.app.platform import FakeShopApp

__all__ = ["FakeShopApp"]
