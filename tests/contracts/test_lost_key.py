"""A key that is lost is not replaced beside a database that it sealed, whichever that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app.persistence.database import opened_database
from bot.app.settings import Settings
from storage.core.keyring import Keyring, KeyringError


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database_url=url, _env_file=None)


def test_a_first_start_makes_a_key_and_the_next_one_uses_it(settings: Settings) -> None:
    first = opened_database(settings)
    assert opened_database(settings).open(first.seal("x")) == "x"


def test_a_lost_key_beside_a_sealed_database_is_told_and_none_is_made(settings: Settings) -> None:
    opened_database(settings)
    key = settings.data_dir / "secret.key"
    key.unlink()
    with pytest.raises(KeyringError, match=r"secret\.key"):
        opened_database(settings)
    assert not key.exists()


def test_a_database_of_another_folder_is_not_opened_with_a_fresh_key(
    settings: Settings, tmp_path: Path
) -> None:
    opened_database(settings)
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    with pytest.raises(KeyringError, match=r"secret\.key"):
        opened_database(elsewhere)


def test_a_configured_key_needs_no_file(settings: Settings) -> None:
    key = Keyring.new_key()
    configured = Settings(
        data_dir=settings.data_dir,
        database_url=settings.database_url,
        secret_key=key,
        _env_file=None,
    )
    opened_database(configured)
    assert not (settings.data_dir / "secret.key").exists()
    assert Keyring([key]).open(opened_database(configured).seal("x")) == "x"
