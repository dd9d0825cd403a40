"""A WeChat Official Account keeps the contract, however its pushes are sealed."""

from __future__ import annotations

import pytest

from devkit.wechat import FakeWeChatOA
from tests.contracts.channels.contract import ConnectorContract
from tests.contracts.channels.world import Mode

pytestmark = pytest.mark.asyncio(loop_scope="class")


def _mode(name: str) -> Mode:
    return Mode(
        "wechat",
        name,
        lambda: FakeWeChatOA(mode=name),
        "custom/send",
        budget=5,
        holds_for_who_left=True,
    )


class WeChatContract(ConnectorContract):
    def mode_shows(self, text: str) -> str:
        # what WeChat would read as a link or an entity is widened, so that it is shown
        return text.replace("&amp;", "＆amp;")


class TestPlain(WeChatContract):
    mode = _mode("plain")


class TestCompatible(WeChatContract):
    mode = _mode("compat")


class TestSafe(WeChatContract):
    mode = _mode("safe")
