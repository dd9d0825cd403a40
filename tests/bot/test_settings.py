"""Settings: each documented, a wrong one refused with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import BadSetting
from bot.settings import Settings, read_settings

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
