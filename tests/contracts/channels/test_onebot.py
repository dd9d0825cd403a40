"""QQ by OneBot keeps the contract, whichever side dials, and whatever implementation it is."""

from __future__ import annotations

from typing import Any

import pytest

from devkit.onebot import FakeOneBot
from tests.contracts.channels.contract import ConnectorContract
from tests.contracts.channels.world import Mode

pytestmark = pytest.mark.asyncio(loop_scope="class")


def _mode(name: str, **options: Any) -> Mode:
    return Mode(
        "onebot",
        name,
        lambda: FakeOneBot(**options),
        "send_private_msg",
        draws=False,
        groups=True,
        tells_leaving=False,
    )


class TestNapCat(ConnectorContract):
    mode = _mode("NapCat, it dials")


class TestGoCqhttp(ConnectorContract):
    mode = _mode("go-cqhttp, it dials", profile="gocq")


class TestForward(ConnectorContract):
    mode = _mode("NapCat, kefu dials", mode="forward")
