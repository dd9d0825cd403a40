"""Every secret in channels.yaml: empty, blank, short or misspelt ones do not start anything."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter, ValidationError

from connectors.errors import BadChannels
from connectors.kit.config import read_channels
from connectors.kit.registry import CHANNELS, account_model
from connectors.kit.secrets import (
    AesKey,
    CallbackToken,
    SharedSecret,
    SigningSecret,
    is_same,
    new_aes_key,
    new_token,
    origin_of,
)
from devkit.telegram.state import TOKEN as BOT_TOKEN
from devkit.wechat.platform import AES_KEY

GOOD = "aGoodSecret0123456789abcdefXYZ09"
ENTRIES: dict[str, dict[str, Any]] = {
    "telegram": {"token": BOT_TOKEN, "updates": "webhook", "webhook_secret": GOOD},
    "wechat": {
        "app_id": "wx1234567890abcdef",
        "app_secret": GOOD,
        "token": GOOD,
        "encoding_aes_key": AES_KEY,
    },
    "wecom": {
        "corp_id": "ww1234567890abcdef",
        "secret": GOOD,
        "token": GOOD,
        "aes_key": AES_KEY,
        "open_kfid": "wk1",
    },
    "qq": {"app_id": "102000000", "secret": GOOD},
    "onebot": {"self_id": "2854196310", "access_token": GOOD},
    "app": {"secret": GOOD, "old_secret": GOOD, "webhook_url": "https://shop.example.com/reply"},
}
SECRETS = [
    (channel, name)
    for channel in CHANNELS
    for name, field in account_model(channel).model_fields.items()
    if origin_of(field) is not None
]
BAD = [
    "",
    " ",
    "\t",
    "\u3000",
    "\u200b",
    "有中文的密钥有中文的密钥有中文",
    " " + GOOD,
]


SHORT = [
    ("app", "secret", "fifteen-letters"),
    ("app", "secret", "a" * 32),
    ("app", "old_secret", "ten-letter"),
    ("onebot", "access_token", "seven77"),
    ("wechat", "token", "ab"),
    ("wecom", "token", "ab"),
    ("wechat", "encoding_aes_key", AES_KEY[:-1]),
    ("wecom", "aes_key", AES_KEY[:-1]),
]


def file_of(folder: Path, channel: str, **changes: Any) -> Path:
    entry = {"channel": channel, **ENTRIES[channel], **changes}
    path = folder / "channels.yaml"
    path.write_text(yaml.safe_dump({"channels": [entry]}, sort_keys=False), encoding="utf-8")
    return path


def line_of(path: Path, name: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(n for n, line in enumerate(lines, 1) if line.strip("- ").startswith(f"{name}:"))


def test_every_secret_of_every_channel_is_of_a_checked_kind() -> None:
    plain = {
        (channel, name)
        for channel in CHANNELS
        for name, field in account_model(channel).model_fields.items()
        if "SecretStr" in str(field.annotation) and (channel, name) not in SECRETS
    }
    assert plain == {("telegram", "proxy")}  # an address that may hold a password
    assert {channel for channel, _ in SECRETS} == set(CHANNELS)


@pytest.mark.parametrize("channel", CHANNELS)
def test_good_secrets_are_taken(tmp_path: Path, channel: str) -> None:
    (account,) = read_channels(file_of(tmp_path, channel), {})
    assert GOOD not in repr(account)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(("channel", "name"), SECRETS)
def test_a_secret_that_is_none_does_not_start(
    tmp_path: Path, channel: str, name: str, bad: str
) -> None:
    path = file_of(tmp_path, channel, **{name: bad})
    with pytest.raises(BadChannels) as caught:
        read_channels(path, {})
    told = str(caught.value)
    assert f"channels.yaml:{line_of(path, name)}: {name}" in told
    assert GOOD not in told


@pytest.mark.parametrize(("channel", "name", "short"), SHORT)
def test_a_secret_shorter_than_its_use_allows_does_not_start(
    tmp_path: Path, channel: str, name: str, short: str
) -> None:
    path = file_of(tmp_path, channel, **{name: short})
    with pytest.raises(BadChannels) as caught:
        read_channels(path, {})
    assert f"channels.yaml:{line_of(path, name)}: {name}" in str(caught.value)
    assert short not in str(caught.value)


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("wechat", "token"),
        ("wecom", "token"),
        ("onebot", "access_token"),
        ("telegram", "webhook_secret"),
    ],
)
def test_a_short_token_that_a_shop_has_on_its_platform_starts_and_is_pointed_out(
    tmp_path: Path, channel: str, name: str
) -> None:
    (account,) = read_channels(file_of(tmp_path, channel, **{name: "weixin88"}), {})
    assert account.weak_secrets() == (name,)
    (strong,) = read_channels(file_of(tmp_path, channel), {})
    assert strong.weak_secrets() == ()


@pytest.mark.parametrize(("value", "says"), [("", "是空的"), ("  ", "是空的"), (None, "没有设置")])
@pytest.mark.parametrize(("channel", "name"), SECRETS)
def test_a_variable_that_is_empty_does_not_start(
    tmp_path: Path, channel: str, name: str, value: str | None, says: str
) -> None:
    path = file_of(tmp_path, channel, **{name: "${SHOP_SECRET}"})
    with pytest.raises(BadChannels) as caught:
        read_channels(path, {} if value is None else {"SHOP_SECRET": value})
    assert f"channels.yaml:{line_of(path, name)}: 环境变量 SHOP_SECRET {says}" in str(caught.value)


@pytest.mark.parametrize(("channel", "name"), SECRETS)
def test_a_line_without_a_value_is_told_as_one(tmp_path: Path, channel: str, name: str) -> None:
    path = file_of(tmp_path, channel, **{name: None})
    if channel == "telegram" and name == "webhook_secret":
        assert read_channels(path, {})  # the bot's own follows from its token
        return
    if name == "old_secret":
        assert read_channels(path, {})
        return
    with pytest.raises(BadChannels, match=r"没填|要填"):
        read_channels(path, {})


def test_an_old_file_without_a_onebot_token_is_told_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "channels.yaml"
    path.write_text('channels:\n  - channel: onebot\n    self_id: "2854196310"\n')
    with pytest.raises(BadChannels) as caught:
        read_channels(path, {})
    told = str(caught.value)
    assert "channels.yaml:2: access_token: 还没填" in told
    assert "kefu channels init onebot" in told


@pytest.mark.parametrize("mode", [{}, {"mode": "forward", "url": "ws://127.0.0.1:3001"}])
def test_onebot_needs_a_token_whoever_dials(tmp_path: Path, mode: dict[str, str]) -> None:
    with pytest.raises(BadChannels, match="access_token"):
        read_channels(file_of(tmp_path, "onebot", **mode, access_token=None), {})


def test_what_we_make_is_taken_everywhere_and_never_the_same() -> None:
    for kind in (SharedSecret, SigningSecret, CallbackToken):
        TypeAdapter(kind).validate_python(new_token())
    key = new_aes_key()
    TypeAdapter(AesKey).validate_python(key)
    assert len(b64decode(key + "=", validate=True)) == 32
    assert len({new_token() for _ in range(100)} | {new_aes_key() for _ in range(100)}) == 200


@given(st.text(max_size=60))
def test_no_text_at_all_makes_the_check_of_a_secret_fail_otherwise(text: str) -> None:
    for kind, shortest in (
        (SharedSecret, 1),
        (SigningSecret, 16),
        (CallbackToken, 3),
        (AesKey, 43),
    ):
        try:
            found = TypeAdapter(kind).validate_python(text)
        except ValidationError:
            continue
        assert isinstance(found, SecretStr)
        assert len(text) >= shortest


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_secrets_compare_as_texts_do_and_never_raise(given_: str, expected: str) -> None:
    assert is_same(given_, expected) is (given_ == expected)
    assert is_same(expected, expected)
