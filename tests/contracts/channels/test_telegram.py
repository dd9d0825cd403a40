"""Telegram keeps the contract: polling, by webhook, and relayed by a shop's own bot."""

from __future__ import annotations

import pytest

from devkit.telegram import FakeTelegram
from tests.contracts.channels.contract import ConnectorContract
from tests.contracts.channels.world import Mode

pytestmark = pytest.mark.asyncio(loop_scope="class")


class TestPolling(ConnectorContract):
    mode = Mode("telegram", "polling", FakeTelegram, "sendMessage", groups=True)


class TestWebhook(ConnectorContract):
    mode = Mode(
        "telegram", "webhook", lambda: FakeTelegram(mode="webhook"), "sendMessage", groups=True
    )


class TestRelayed(ConnectorContract):
    """A relay may lose what its own process had not handed over: declared, not tested away."""

    mode = Mode("telegram", "relayed", lambda: FakeTelegram(mode="relayed"), "sendMessage")
