"""Settings: each documented, a wrong one refused with what to do."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from bot.app.process.errors import BadSetting
from bot.app.settings import Settings, read_settings
from handoff.auth.passwords import MAX_CHARS, MIN_CHARS

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "settings.md"


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert f"| `KEFU_{name.upper()}` | {description} |" in DOCUMENT.read_text()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEFU_PORT", "abc"),
        ("KEFU_PORT", "70000"),
        ("KEFU_LOG_LEVEL", "loud"),
        ("KEFU_SMTP_TLS", "yes"),
        ("KEFU_FRAGMENT_WAIT_S", "-1"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting, match=name):
        read_settings()


@pytest.mark.parametrize("value", ["", " ", "\u3000", "\t"])
@pytest.mark.parametrize(
    "name", ["KEFU_SECRET_KEY", "KEFU_ADMIN_PASSWORD", "KEFU_SMTP_PASSWORD", "KEFU_DATABASE_URL"]
)
def test_a_secret_that_is_empty_is_refused_and_not_taken_for_unset(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting, match=f"{name}: is empty"):
        read_settings()


def test_a_password_is_refused_where_an_agents_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    for length, is_good in ((MIN_CHARS - 1, False), (MIN_CHARS, True), (MAX_CHARS + 1, False)):
        monkeypatch.setenv("KEFU_ADMIN_PASSWORD", "x" * length)
        with nullcontext() if is_good else pytest.raises(BadSetting, match="KEFU_ADMIN_PASSWORD"):
            assert read_settings().admin_password


@pytest.mark.parametrize("name", ["PUBLIC_URL", "SMTP_HOST", "SMTP_USER", "SMTP_FROM"])
def test_what_is_no_secret_and_empty_is_not_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"KEFU_{name}", "")
    settings = read_settings()
    assert getattr(settings, name.lower()) is None
    assert not settings.has_mail


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_PORT", "9000")
    assert read_settings(port=9001).port == 9001
    assert read_settings(port=None).port == 9000


def test_a_secret_setting_is_not_shown() -> None:
    settings = read_settings(smtp_password="hunter2hunter2")
    assert "hunter2" not in repr(settings)


def test_origins_are_split_at_commas() -> None:
    settings = read_settings(widget_origins="https://a.example, https://b.example/")
    assert settings.widget_origins == ("https://a.example", "https://b.example")
