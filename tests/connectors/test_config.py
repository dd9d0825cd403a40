"""channels.yaml is read, or refused with what, where and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.errors import BadChannels
from connectors.kit.config import read_channels
from connectors.kit.registry import CHANNELS

GOOD = """
channels:
  - channel: telegram
    account: main
    title: 星辰点卡
    token: ${TELEGRAM_TOKEN}
"""
TOKEN = "123456789:AAFakeTokenForTests_abcdefghijklmnopq"
SET = {"TELEGRAM_TOKEN": TOKEN}


def written(folder: Path, text: str) -> Path:
    path = folder / "channels.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_accounts_are_read_and_secrets_come_from_the_environment(tmp_path: Path) -> None:
    (account,) = read_channels(written(tmp_path, GOOD), SET)
    assert (account.channel, account.account, account.title) == ("telegram", "main", "星辰点卡")
    assert TOKEN not in repr(account)


def test_without_the_file_there_is_only_the_page(tmp_path: Path) -> None:
    assert read_channels(tmp_path / "channels.yaml", {}) == ()


def test_an_account_that_is_switched_off_is_left_out(tmp_path: Path) -> None:
    assert read_channels(written(tmp_path, f"{GOOD}    enabled: false\n"), SET) == ()


def test_an_account_that_is_switched_off_may_lack_its_secrets(tmp_path: Path) -> None:
    assert read_channels(written(tmp_path, f"{GOOD}    enabled: false\n"), {}) == ()


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """\
channels:
  - channel: telegram
    titel: main
    token: ${TELEGRAM_TOKEN}
  - channel: wechatt
    account: other
  - channel: onebot
    account: main
    self_id: "10001"
    access_token: short
    per_minute: 0
  - channel: telegram
    account: second
    token: ${NOWHERE}
"""
    with pytest.raises(BadChannels) as caught:
        read_channels(written(tmp_path, text), SET)
    told = [line.partition("channels.yaml:")[2] for line in str(caught.value).splitlines()]
    assert [line.partition(":")[0] for line in told] == ["3", "5", "10", "11", "14"]
    for line, part in zip(
        told,
        ("是不是 title", "是不是 wechat", "至少 8 个字符", "per_minute", "NOWHERE"),
        strict=True,
    ):
        assert part in line
    assert "short" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (GOOD.replace("telegram\n", "telegran\n", 1), 3, "是不是 telegram"),
        (GOOD.replace("title", "titel"), 5, "是不是 title"),
        (GOOD.replace("${TELEGRAM_TOKEN}", "${TG}"), 6, "环境变量 TG 没有设置"),
        (GOOD.replace("account: main", "account: 主号"), 4, "account"),
        (GOOD + GOOD.partition("channels:")[2], 8, "和第 3 行重复"),
        (GOOD.replace("    token: ${TELEGRAM_TOKEN}\n", ""), 3, "token"),
        ("channel: telegram", 1, "channels:"),
        ("channels: telegram", 1, "以 - 开头"),
        ("channels:\n  - telegram\n", 2, "channel: …"),
        ("channels:\n  - channel: telegram\n   account: x\n", 3, "YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    with pytest.raises(BadChannels) as caught:
        read_channels(written(tmp_path, text), SET)
    message = str(caught.value)
    assert f"channels.yaml:{line}: " in message
    assert says in message
    assert TOKEN not in message


def test_a_secret_that_is_wrong_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(BadChannels) as caught:
        read_channels(written(tmp_path, GOOD), {"TELEGRAM_TOKEN": "my-secret-but-no-token"})
    assert "my-secret" not in str(caught.value)
    assert "token" in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "channels.yaml"
    path.write_bytes("channels: 星辰".encode("gb18030"))
    with pytest.raises(BadChannels, match="UTF-8"):
        read_channels(path, {})


def test_the_example_that_ships_has_every_channel_and_can_be_used() -> None:
    example = Path(__file__).parent.parent.parent / "channels.yaml.example"
    wanted = set(re.findall(r"\$\{(\w+)\}", example.read_text(encoding="utf-8")))
    key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    values = {name: key if "AES" in name else key[:32] for name in wanted}
    accounts = read_channels(example, {**values, **SET})
    assert {one.channel for one in accounts} == {*CHANNELS} - {"onebot"}  # off until one has read
