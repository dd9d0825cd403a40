from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.kit.registry import account_model
from connectors.messages import HealthState
from connectors.telegram.account import TelegramAccount
from devkit.telegram import FakeTelegram
from devkit.telegram.platform import SECRET
from devkit.telegram.state import TOKEN
from tests.connectors.telegram.conftest import Stand
from tests.factories.channels import a_house


def an_account(**fields: Any) -> TelegramAccount:
    return TelegramAccount.model_validate({"channel": "telegram", "token": TOKEN, **fields})


def test_a_token_is_all_that_an_account_needs() -> None:
    assert account_model("telegram") is TelegramAccount
    account = an_account()
    assert account.updates == "polling"
    assert account.bot_id == 110201543
    assert TOKEN not in repr(account)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"token": "110201543"}, "不完整，"),
        ({"token": TOKEN + " "}, "不能有空格"),
        ({"webhook_secret": "有 空格"}, "只能用"),
        ({"webhook_secret": "abcdef012" * 29}, "只能用"),
        ({"proxy": "socks5://127.0.0.1:1080"}, "不支持 socks"),
        ({"updates": "relayed"}, "要填 webhook_secret"),
        ({"api_url": "https://api.telegram.org/"}, "api_url"),
        ({"max_text": 5000}, "max_text"),
    ],
)
def test_what_cannot_be_right_is_said_in_words(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        an_account(**fields)
    assert words in str(caught.value)


def test_a_secret_that_nobody_chose_is_the_bots_own_and_stays() -> None:
    secret = an_account().hook_secret
    assert secret == an_account(account="second").hook_secret
    assert secret != an_account(token="2" + TOKEN).hook_secret
    assert TOKEN not in secret
    assert len(secret) == 64


@pytest.mark.parametrize("mode", ["polling", "webhook", "relayed"])
async def test_the_fakes_entry_makes_a_connector(fake: FakeTelegram, mode: str) -> None:
    fake.mode = mode
    async with a_house(fake.clock) as house:
        connector = house.connector(fake.account("second"))
        assert connector.ref.account_id == "second"
        assert [route.path for route in connector.routes()] == (
            [] if mode == "polling" else ["/hooks/telegram/second"]
        )
        assert connector.capabilities.loses_before_us is (mode == "relayed")
        assert connector.health().state is HealthState.STARTING


# ---------------------------------------------------------------------- kefu channels check


async def test_check_names_the_bot(stand: Stand) -> None:
    found = await stand.connector.check()
    assert (found.is_reachable, found.is_authorised) == (True, True)
    assert found.name == "星辰点卡客服 @star_card_bot"
    assert found.advice == ()


async def test_check_tells_a_wrong_token_from_a_network_that_is_down(stand: Stand) -> None:
    stand.fake.token = "110201543:" + "B" * 35
    found = await stand.makes(token=TOKEN).check()
    assert (found.is_reachable, found.is_authorised) == (True, False)
    await stand.fake.stop()
    found = await stand.connector.check()
    assert (found.is_reachable, found.is_authorised) == (False, None)
    assert "proxy" in found.advice[0]


@pytest.mark.parametrize(
    ("mode", "there", "public_url", "words"),
    [
        ("polling", "https://shop.example.com/bot", None, "replace_webhook"),
        ("webhook", "https://shop.example.com/bot", "https://kefu.example.com", "replace_webhook"),
        ("webhook", "", None, "KEFU_PUBLIC_URL"),
        ("webhook", "", "http://kefu.example.com", "https://"),
        (
            "relayed",
            "https://kefu.example.com/hooks/telegram/main",
            "https://kefu.example.com",
            "重新设置",
        ),
    ],
)
async def test_check_advises_on_where_updates_go(
    stand: Stand, mode: str, there: str, public_url: str | None, words: str
) -> None:
    stand.fake.mode = mode
    if there:
        await stand.connector._api.set_webhook(there)
    async with a_house(stand.clock, public_url=public_url) as house:
        found = await house.connector(stand.fake.account()).check()
    assert any(words in one for one in found.advice)
    if mode != "polling" and public_url:
        assert found.webhook == f"{public_url}/hooks/telegram/main"
    assert SECRET not in str(found)
    calls = {call.method for call in stand.fake.calls}
    assert calls <= {"getMe", "getWebhookInfo", "setWebhook"}


@pytest.mark.parametrize("mode", ["polling", "webhook", "relayed"])
async def test_check_has_nothing_to_say_where_all_is_well(stand: Stand, mode: str) -> None:
    stand.fake.mode = mode
    async with a_house(stand.clock, public_url="https://kefu.example.com") as house:
        found = await house.connector(stand.fake.account()).check()
    assert found.advice == ()
