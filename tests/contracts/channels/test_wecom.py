"""WeCom customer service keeps the contract."""

from __future__ import annotations

import pytest

from devkit.wecom import FakeWeComKF
from tests.contracts.channels.contract import ConnectorContract
from tests.contracts.channels.world import Mode

pytestmark = pytest.mark.asyncio(loop_scope="class")


class TestCustomerService(ConnectorContract):
    mode = Mode("wecom", "", FakeWeComKF, "send_msg", repeats=True, tells_leaving=False, budget=5)
