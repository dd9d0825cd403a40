"""QQ's official bot keeps the contract."""

from __future__ import annotations

from typing import Any

import pytest

from devkit.qq import FakeQQOpen
from tests.contracts.channels.contract import ConnectorContract
from tests.contracts.channels.world import Mode

pytestmark = pytest.mark.asyncio(loop_scope="class")


class TestWebhook(ConnectorContract):
    mode = Mode(
        "qq",
        "without buttons",
        FakeQQOpen,
        "messages",
        draws=False,
        groups=True,
        repeats=True,
        budget=4,
    )


class _MayDrawButtons(FakeQQOpen):
    """A bot whose application for buttons was granted."""

    def __init__(self) -> None:
        super().__init__()
        self.may.keyboard = True

    def account(self, name: str = "main") -> dict[str, Any]:
        return {**super().account(name), "buttons": True}


class TestWithButtons(ConnectorContract):
    mode = Mode(
        "qq", "with buttons", _MayDrawButtons, "messages", groups=True, repeats=True, budget=4
    )
