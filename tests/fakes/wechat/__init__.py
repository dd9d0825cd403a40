"""A faithful WeChat Official Account (公众号), for tests and for trying things by hand."""

from tests.fakes.wechat.platform import FakeWeChatOA
from tests.fakes.wechat.rules import Rules

__all__ = ["FakeWeChatOA", "Rules"]
