"""``kefu channels init`` as an admin types it: accounts that start, secrets that nobody guesses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dotenv import dotenv_values

from bot.app.channels import accounts
from bot.cli.main import main
from connectors.kit.registry import CHANNELS
from connectors.onebot.account import OneBotAccount
from devkit.telegram.state import TOKEN as BOT_TOKEN

GIVEN = {
    "telegram": [],
    "wechat": ["--app-id", "wx1234567890abcdef"],
    "wecom": ["--corp-id", "ww1234567890abcdef", "--open-kfid", "wk0"],
    "qq": ["--app-id", "102000000"],
    "onebot": ["--self-id", "2854196310"],
    "app": ["--webhook-url", "https://shop.example.com/kefu/reply"],
}
OURS = {
    "telegram": [],
    "wechat": ["WECHAT_TOKEN", "WECHAT_ENCODING_AES_KEY"],
    "wecom": ["WECOM_TOKEN", "WECOM_AES_KEY"],
    "qq": [],
    "onebot": ["ONEBOT_ACCESS_TOKEN"],
    "app": ["APP_SECRET"],
}
ISSUED = {
    "telegram": {"TELEGRAM_TOKEN": BOT_TOKEN},
    "wechat": {"WECHAT_APP_SECRET": "0123456789abcdef" * 2},
    "wecom": {"WECOM_SECRET": "0123456789abcdef" * 2},
    "qq": {"QQ_SECRET": "0123456789abcdef" * 2},
    "onebot": {},
    "app": {},
}
FILE, ENV = Path("channels.yaml"), Path(".env")
VALUE = re.compile(r"[A-Za-z0-9]{32,43}")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def init(*arguments: str, said: str | None = None) -> Result:
    ask = "--no-ask" if said is None else "--ask"
    return CliRunner().invoke(main, ["channels", "init", *arguments, ask], input=said)


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_account_that_was_made_starts(channel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result = init(channel, *GIVEN[channel], "--title", "星辰: 点卡 #1")
    assert result.exit_code == 0, result.output
    written = dotenv_values(ENV)
    assert sorted(written) == sorted(OURS[channel])
    assert ENV.stat().st_mode & 0o777 == 0o600
    for name in OURS[channel]:
        value = written[name]
        assert value is not None
        assert VALUE.fullmatch(value)
        assert result.output.count(value) == 1  # shown once
        assert value not in FILE.read_text()
    assert "接下来" in result.output
    for name, value in ISSUED[channel].items():
        assert f"{name}=…" in result.output
        monkeypatch.setenv(name, value)
    (account,) = accounts(FILE)
    assert (account.channel, account.account, account.title) == (channel, "main", "星辰: 点卡 #1")


def test_all_channels_fit_into_one_file_and_no_line_of_it_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = ""
    for channel in CHANNELS:
        assert init(channel, *GIVEN[channel]).exit_code == 0
        after = FILE.read_text()
        assert after.startswith(before)
        before = after
        for name, value in ISSUED[channel].items():
            monkeypatch.setenv(name, value)
    assert init("telegram", "--account", "second-shop").exit_code == 0
    monkeypatch.setenv("TELEGRAM_SECOND_SHOP_TOKEN", BOT_TOKEN)
    assert [one.account for one in accounts(FILE)] == [*["main"] * len(CHANNELS), "second-shop"]


def test_a_file_to_start_from_is_written_once() -> None:
    assert init().exit_code == 0
    assert accounts(FILE) == ()
    again = init()
    assert again.exit_code == 2
    assert "channels.yaml 已经有了，没有动它" in again.output
    assert not ENV.exists()


@pytest.mark.parametrize(
    "text",
    [
        "channels:\n- channel: app\n  secret: x\n  webhook_url: y\n",
        "# 我的\nchannels:\n    - channel: app\n      secret: x\n      webhook_url: y",
        "channels:\r\n  - channel: app\r\n    secret: x\r\n    webhook_url: y\r\n",
        "\ufeffchannels:\n  - {channel: app, secret: x, webhook_url: y}\n# 完\n\n",
        "channels:\n",
        "channels: []\n",
        "",
    ],
)
def test_what_stands_in_the_file_stays(text: str) -> None:
    FILE.write_bytes(text.encode())
    result = init("onebot", *GIVEN["onebot"])
    now = FILE.read_bytes().decode()
    assert now.startswith(text)
    if result.exit_code == 0:
        assert "- channel: onebot" in now
    else:  # told what to add by hand
        assert now == text
        assert "没有动它" in result.output
        assert "- channel: onebot" in result.output


@pytest.mark.parametrize(
    "text", ["channels: {a: 1}\n", "[]", "channels: [1]", ":\n:", "\x00", "a\n- b"]
)
def test_what_is_no_channels_file_is_left_alone(text: str) -> None:
    FILE.write_text(text)
    result = init("onebot", *GIVEN["onebot"])
    assert result.exit_code == 2
    assert "没有动它" in result.output
    assert FILE.read_text() == text
    assert not ENV.exists()


def test_what_stands_in_the_env_file_stays_and_is_used() -> None:
    ENV.write_text("# 我的\nONEBOT_ACCESS_TOKEN=mine-0123456789abcdef\nOTHER=1")
    ENV.chmod(0o644)
    result = init("onebot", *GIVEN["onebot"])
    assert result.exit_code == 0
    assert "沿用已经有的 ONEBOT_ACCESS_TOKEN" in result.output
    assert "mine-" not in result.output
    assert dotenv_values(ENV) == {"ONEBOT_ACCESS_TOKEN": "mine-0123456789abcdef", "OTHER": "1"}
    assert init("app", *GIVEN["app"]).exit_code == 0
    assert ENV.read_text().startswith(
        "# 我的\nONEBOT_ACCESS_TOKEN=mine-0123456789abcdef\nOTHER=1\n"
    )
    assert ENV.stat().st_mode & 0o777 == 0o600
    assert len(accounts(FILE)) == 2


def test_a_variable_that_is_empty_gets_a_value() -> None:
    ENV.write_text("ONEBOT_ACCESS_TOKEN=\n")
    assert init("onebot", *GIVEN["onebot"]).exit_code == 0
    (account,) = accounts(FILE)
    assert isinstance(account, OneBotAccount)
    assert len(account.access_token.get_secret_value()) == 32


def test_a_weak_secret_that_stands_there_is_told_and_nothing_written() -> None:
    ENV.write_text("ONEBOT_ACCESS_TOKEN=short\n")
    result = init("onebot", *GIVEN["onebot"])
    assert result.exit_code == 2
    assert "access_token（ONEBOT_ACCESS_TOKEN）: 太短" in result.output
    assert not FILE.exists()


def test_an_old_account_without_a_token_is_told_which_line_to_add() -> None:
    old = 'channels:\n  - channel: onebot\n    self_id: "2854196310"\n'
    FILE.write_text(old)
    result = init("onebot")
    assert result.exit_code == 0
    assert "channels.yaml:2 的 onebot/main 缺这几行" in result.output
    line = "    access_token: ${ONEBOT_ACCESS_TOKEN}\n"
    assert line in result.output
    assert FILE.read_text() == old
    FILE.write_text(old + line)
    assert len(accounts(FILE)) == 1
    again = init("onebot")
    assert again.exit_code == 2
    assert "已经有 onebot/main 了，没有动它" in again.output


def test_what_is_missing_is_named_and_nothing_written() -> None:
    result = init("wecom")
    assert result.exit_code == 2
    assert "--corp-id" in result.output
    assert "--open-kfid" in result.output
    assert not FILE.exists()
    assert not ENV.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["onebot", "--self-id", "abc"], "self_id"),
        (["onebot", "--self-id", "2854196310", "--set", "per_minute=0"], "per_minute"),
        (["onebot", "--self-id", "2854196310", "--set", "nonsense=1"], "nonsense"),
        (["onebot", "--self-id", "2854196310", "--set", "nonsense"], "名字=值"),
        (["onebot", "--self-id", "2854196310", "--account", "主号"], "account"),
        (["onebot", "--self-id", "2854196310", "--set", "mode=forward"], "url"),
        (["onebott", "--self-id", "2854196310"], "没有 onebott 这个渠道"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_written(arguments: list[str], says: str) -> None:
    result = init(*arguments)
    assert result.exit_code == 2
    assert says in result.output
    assert not FILE.exists()
    assert not ENV.exists()


def test_what_is_missing_is_asked_for_in_a_terminal() -> None:
    secret = "0123456789abcdef" * 2
    result = init("qq", said=f"102000000\n{secret}\n")
    assert result.exit_code == 0
    assert secret not in result.output
    assert dotenv_values(ENV) == {"QQ_SECRET": secret}
    assert len(accounts(FILE)) == 1


def test_a_relayed_bot_gets_a_secret_to_share(monkeypatch: pytest.MonkeyPatch) -> None:
    assert init("telegram", "--set", "updates=relayed").exit_code == 0
    monkeypatch.setenv("TELEGRAM_TOKEN", BOT_TOKEN)
    assert list(dotenv_values(ENV)) == ["TELEGRAM_WEBHOOK_SECRET"]
    assert len(accounts(FILE)) == 1


def test_plain_mode_and_passive_replies_need_no_key_of_the_platform() -> None:
    given = [*GIVEN["wechat"], "--set", "encryption=plain", "--set", "replies=passive"]
    assert init("wechat", *given).exit_code == 0
    assert list(dotenv_values(ENV)) == ["WECHAT_TOKEN"]
    assert len(accounts(FILE)) == 1
