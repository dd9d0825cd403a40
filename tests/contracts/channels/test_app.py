"""The shop's own app keeps the contract."""

from __future__ import annotations

import pytest

from devkit.app import FakeShopApp
from tests.contracts.channels.contract import ConnectorContract
from tests.contracts.channels.world import Mode

pytestmark = pytest.mark.asyncio(loop_scope="class")


class TestApp(ConnectorContract):
    mode = Mode("app", "", FakeShopApp, "webhook", repeats=True)
