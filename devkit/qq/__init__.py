"""The QQ bot platform (q.qq.com), its webhook side: FakeQQOpen."""

from devkit.qq.platform import APP_ID, SECRET, FakeQQOpen

__all__ = ["APP_ID", "SECRET", "FakeQQOpen"]
