from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.wechat.account import WechatAccount
from devkit.wechat.platform import AES_KEY, APP_ID, TOKEN


def entry(**more: Any) -> dict[str, Any]:
    return {
        "app_id": APP_ID,
        "app_secret": "s" * 32,
        "token": TOKEN,
        "encoding_aes_key": AES_KEY,
        **more,
    }


def test_an_entry_needs_what_the_platforms_page_shows() -> None:
    account = WechatAccount.model_validate(entry())
    assert (account.encryption, account.replies, account.is_passive) == (
        "safe",
        "customer_service",
        False,
    )


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"encoding_aes_key": "short"}, "43 个字母和数字"),
        ({"encoding_aes_key": None}, "encoding_aes_key"),
        ({"app_secret": None}, "app_secret"),
        ({"app_id": "gh_1"}, "app_id"),
        ({"api_url": "https://api.weixin.qq.com/"}, "api_url"),
        ({"answer_within_s": 6}, "platform_timeout_s"),
        ({"encrypt_mode": "safe"}, "encrypt_mode"),
    ],
)
def test_a_wrong_entry_says_what_is_wrong_and_no_secret(change: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError) as refused:
        WechatAccount.model_validate(entry(**change))
    assert word in str(refused.value)
    assert "ssss" not in str(refused.value)


def test_plain_mode_needs_no_key_and_passive_replies_no_secret() -> None:
    account = WechatAccount.model_validate(
        entry(encoding_aes_key=None, app_secret=None, encryption="plain", replies="passive")
    )
    assert account.is_passive


def test_secrets_are_not_shown() -> None:
    account = WechatAccount.model_validate(entry())
    assert "s" * 32 not in repr(account)
    assert AES_KEY not in repr(account)
