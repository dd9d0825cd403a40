from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.errors import (
    AuthError,
    Fatal,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
    WindowClosed,
)
from connectors.kit.account import Account
from connectors.kit.registry import account_model
from connectors.wecom import codes
from connectors.wecom.account import WecomAccount
from devkit.wecom import FakeWeComKF


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-1, Retryable),
        (40001, AuthError),
        (40014, AuthError),
        (41001, AuthError),
        (42001, AuthError),
        (45009, RateLimited),
        (45033, RateLimited),
        (40013, Fatal),
        (48002, Fatal),
        (60020, Fatal),
        (95000, Fatal),
        (95004, Fatal),
        (95017, Fatal),
        (95001, WindowClosed),
        (95002, WindowClosed),
        (95013, WindowClosed),
        (95018, WindowClosed),
        (40096, Undeliverable),
        (40033, Rejected),
        (45002, Rejected),
        (95008, Rejected),
        (40058, Rejected),
        (123456, Rejected),
    ],
)
def test_each_code_becomes_the_error_that_helps(code: int, kind: type[SendError]) -> None:
    error = codes.error(code, limited_pause_s=60)
    assert type(error) is kind
    assert error.code == str(code)


def test_refused_menus_are_sent_once_more_as_plain_text() -> None:
    menu, words = (codes.error(code, limited_pause_s=60) for code in (95008, 45002))
    assert isinstance(menu, Rejected)
    assert isinstance(words, Rejected)
    assert (menu.is_format, words.is_format) == (True, False)


def test_too_often_pauses_the_whole_account() -> None:
    error = codes.error(45009, limited_pause_s=60)
    assert isinstance(error, RateLimited)
    assert (error.retry_after_s, error.is_account) == (60, True)


def test_whoever_must_act_is_told_how() -> None:
    for code, (meaning, _) in codes.MEANINGS.items():
        if meaning is codes.Meaning.FATAL:
            assert str(code) in codes.ADVICE
    assert "123456" in codes.advice("123456")


# ---------------------------------------------------------------------- channels.yaml


def test_the_fakes_entry_is_an_account() -> None:
    fake = FakeWeComKF()
    fake.url = "http://127.0.0.1:1"
    account = account_model("wecom").model_validate(fake.account("vip"))
    assert isinstance(account, WecomAccount)
    assert (account.ref.channel, account.ref.account_id) == ("wecom", "vip")


@pytest.mark.parametrize("key", ["A", "A" * 42, "A" * 44, "!" * 43])
def test_a_key_of_another_length_is_refused_with_a_hint(key: str) -> None:
    fake = FakeWeComKF()
    fake.url = "http://127.0.0.1:1"
    with pytest.raises(ValidationError, match="43 个字母和数字"):
        WecomAccount.model_validate({**fake.account(), "aes_key": key})


def test_secrets_of_an_account_are_not_shown() -> None:
    fake = FakeWeComKF()
    fake.url = "http://127.0.0.1:1"
    entry = fake.account()
    shown = repr(WecomAccount.model_validate(entry))
    for name in ("secret", "token", "aes_key"):
        assert entry[name] not in shown


def test_every_field_of_an_account_is_explained_on_its_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "channels" / "wecom.md").read_text()
    own = set(WecomAccount.model_fields) - set(Account.model_fields)
    assert [name for name in own if f"`{name}`" not in page and f"{name}: " not in page] == []
    defaults = {
        name: field.default for name, field in WecomAccount.model_fields.items() if name in own
    }
    for name, default in defaults.items():
        if isinstance(default, int | float):
            assert f"| `{name}` | {default:g} |" in page
