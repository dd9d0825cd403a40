"""A shop's app: its server and its users, played on this machine."""

from devkit.app.platform import FakeShopApp

__all__ = ["FakeShopApp"]
