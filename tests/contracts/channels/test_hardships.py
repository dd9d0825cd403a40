"""Every channel keeps its promises when things are hard."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from devkit.onebot import FakeOneBot
from devkit.qq import FakeQQOpen
from devkit.qq.rules import BAD_TOKEN
from devkit.telegram import FakeTelegram
from devkit.wechat import FakeWeChatOA, payloads
from devkit.wecom import FakeWeComKF, items
from tests.contracts.channels import (
    test_app,
    test_onebot,
    test_telegram,
)
from tests.contracts.channels.hardships import (
    WAIT_S,
    HardshipContract,
    Refused,
    Trouble,
    by_itself,
)
from tests.contracts.channels.world import Mode

pytestmark = pytest.mark.asyncio(loop_scope="class")


class _OutsideOnly:
    """An account that may not fetch from inside our network."""

    def account(self, name: str = "main") -> dict[str, Any]:
        entry: dict[str, Any] = super().account(name)  # type: ignore[misc]
        return {**entry, "private_media": []}


class _Hasty:
    """An account that waits a second where the platform does not say how long."""

    def account(self, name: str = "main") -> dict[str, Any]:
        entry: dict[str, Any] = super().account(name)  # type: ignore[misc]
        return {**entry, "limited_pause_s": WAIT_S}


# ---------------------------------------------------------------------- Telegram

_PARSE = {"description": "can't parse entities: Unsupported start tag"}
_TELEGRAM: dict[str, Any] = {
    "slowly": Refused(429, {"retry_after": WAIT_S}),
    "no_format": Refused(400, _PARSE),
    "no_token": Refused(401),
    "unknown": lambda platform: platform.sends("u", boost_added={"boost_count": 1}),
    "too_large_mb": 21,
}


class TestTelegramPolling(HardshipContract):
    mode = test_telegram.TestPolling.mode
    trouble = Trouble(**_TELEGRAM, back=by_itself)


class TestTelegramWebhook(HardshipContract):
    mode = test_telegram.TestWebhook.mode
    trouble = Trouble(**_TELEGRAM, back=FakeTelegram.redelivers)


class TestTelegramRelayed(HardshipContract):
    """What the shop's bot holds when it ends is lost: declared (``loses_before_us``)."""

    mode = test_telegram.TestRelayed.mode
    trouble = Trouble(**_TELEGRAM)


# ---------------------------------------------------------------------- WeChat and WeCom


class _HastyWeChat(_Hasty, FakeWeChatOA):
    pass


class TestWeChat(HardshipContract):
    mode = Mode("wechat", "safe", _HastyWeChat, "custom/send", budget=5)
    trouble = Trouble(
        slowly=Refused(45011),
        slows_all=True,
        no_format=Refused(40008),
        no_token=Refused(40001),
        unknown=lambda platform: platform.happens("u", payloads.event("dance", "x")),
        too_large_mb=21,
    )


class TestWeChatPlain(TestWeChat):
    mode = replace(TestWeChat.mode, name="plain", make=partial(_HastyWeChat, mode="plain"))


class TestWeChatCompatible(TestWeChat):
    mode = replace(TestWeChat.mode, name="compat", make=partial(_HastyWeChat, mode="compat"))


class _HastyWeCom(_Hasty, FakeWeComKF):
    async def dances(self) -> None:
        """An event that nobody has documented."""
        about = (self.open_kfid, self.external_userid("u"))
        await self.logs(items.event(*about, msgid="dance1", at=self.clock(), kind="dance"))


class TestWeCom(HardshipContract):
    mode = Mode("wecom", "", _HastyWeCom, "send_msg", repeats=True, tells_leaving=False, budget=5)
    trouble = Trouble(
        slowly=Refused(45009),
        slows_all=True,
        no_format=Refused(95009, method="kf/send_msg_on_event"),
        no_token=Refused(40014),
        unknown=_HastyWeCom.dances,
        back=by_itself,
    )


# ---------------------------------------------------------------------- QQ


class _OutsideOneBot(_OutsideOnly, FakeOneBot):
    pass


async def _dances(platform: FakeOneBot) -> None:
    event = {
        "time": int(platform.clock().timestamp()),
        "self_id": int(platform.self_id),
        "post_type": "notice",
        "notice_type": "dance",
        "user_id": platform.number("u"),
    }
    await platform.wires.push(event)


class TestOneBot(HardshipContract):
    """What was said while kefu was stopped, nobody repeats: OneBot does not know who heard it."""

    mode = test_onebot.TestNapCat.mode
    trouble = Trouble(unknown=_dances, inside=_OutsideOneBot, too_large_mb=21)


class _ButtonsQQ(_Hasty, FakeQQOpen):
    def account(self, name: str = "main") -> dict[str, Any]:
        return {**super().account(name), "buttons": True}


class _OutsideQQ(_OutsideOnly, FakeQQOpen):
    pass


class TestQQ(HardshipContract):
    mode = Mode("qq", "", _ButtonsQQ, "messages", groups=True, repeats=True, budget=4)
    trouble = Trouble(
        slowly=Refused(1100100),
        no_format=Refused(304037),
        no_token=Refused(BAD_TOKEN, {"status": 401}),
        unknown=FakeQQOpen.pushes_unknown,
        inside=_OutsideQQ,
        too_large_mb=21,
    )


# ---------------------------------------------------------------------- the shop's app


class TestApp(HardshipContract):
    mode = test_app.TestApp.mode
    trouble = Trouble(
        slowly=Refused(429, {"Retry-After": int(WAIT_S)}),
        no_token=Refused(401),
    )
