"""A faithful WeChat Official Account (公众号), for tests and for trying things by hand."""

from devkit.wechat.platform import FakeWeChatOA
from devkit.wechat.rules import Rules

__all__ = ["FakeWeChatOA", "Rules"]
