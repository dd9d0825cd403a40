"""``secret.key``: made once, whole or not at all, never replaced beside what it sealed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.app.persistence.database import opened_database
from bot.app.process.data_lock import exclusive
from bot.app.settings import Settings
from bot.cli.main import main
from tests.factories.server import SMALL_KB, new_data_folder

ROOT = Path(__file__).parent.parent.parent


def kefu(data: Path, *arguments: str, **environment: str) -> Result:
    return CliRunner(env={"KEFU_KB": str(SMALL_KB), **environment}).invoke(
        main, [*arguments, "--data", str(data)], input="怎么付款\n"
    )


@pytest.fixture
def own_folder(tmp_path: Path, fits: Path) -> Path:
    """An empty data folder, whose database lies in it."""
    return new_data_folder(tmp_path / "data", fits)


@pytest.fixture
def sealed(own_folder: Path) -> Path:
    """The data folder of a shop that has started once."""
    assert kefu(own_folder, "agent", "add", "mei").exit_code == 0
    return own_folder


OPENING = [
    ("agent", "list"),
    ("agent", "add", "lan"),
    ("kb", "missed"),
    ("chat",),
    ("db", "rotate-key"),
    ("run", "--port", "0"),
]


@pytest.mark.parametrize("content", [None, "", "\n\n"], ids=["deleted", "empty", "blank"])
@pytest.mark.parametrize("arguments", OPENING, ids=" ".join)
def test_a_lost_key_beside_a_sealed_database_is_not_replaced(
    arguments: tuple[str, ...], content: str | None, sealed: Path
) -> None:
    key = sealed / "secret.key"
    if content is None:
        key.unlink()
    else:
        key.write_text(content)
    result = kefu(sealed, *arguments)
    assert result.exit_code == 2
    *warned, told = result.stderr.splitlines()
    assert all("running_as_root" in line for line in warned)
    assert told.startswith(f"kefu: {key}: ")
    assert "备份" in told  # put it back
    assert "从头" in told  # or begin anew
    assert (key.read_text() if key.exists() else None) == content


@pytest.mark.parametrize("arguments", OPENING[:-1], ids=" ".join)
def test_the_key_that_is_put_back_opens_everything_again(
    arguments: tuple[str, ...], sealed: Path
) -> None:
    key = sealed / "secret.key"
    kept = key.read_text()
    key.unlink()
    assert kefu(sealed, *arguments).exit_code == 2
    key.write_text(kept)
    assert kefu(sealed, *arguments).exit_code == 0


@pytest.mark.parametrize("arguments", OPENING[:-1], ids=" ".join)
def test_a_key_of_other_data_is_refused_and_left_as_it_is(
    arguments: tuple[str, ...], sealed: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    assert kefu(other, "agent", "list").exit_code == 0
    foreign = (other / "secret.key").read_text()
    (sealed / "secret.key").write_text(foreign)
    result = kefu(sealed, *arguments)
    assert result.exit_code == 2
    assert "KEFU_SECRET_KEY" in result.stderr
    assert (sealed / "secret.key").read_text() == foreign


def test_an_empty_key_heals_where_nothing_was_sealed_by_it(own_folder: Path) -> None:
    (own_folder / "secret.key").touch()
    assert kefu(own_folder, "agent", "add", "mei").exit_code == 0
    assert len((own_folder / "secret.key").read_text().split()) == 1
    assert "mei" in kefu(own_folder, "agent", "list").output


def test_a_damaged_key_is_told_with_its_file(sealed: Path) -> None:
    (sealed / "secret.key").write_text("no key at all\n")
    result = kefu(sealed, "agent", "list")
    assert result.exit_code == 2
    assert str(sealed / "secret.key") in result.stderr
    assert "no key at all" not in result.stderr


def test_a_key_that_is_a_folder_or_no_text_is_told_in_one_line(own_folder: Path) -> None:
    key = own_folder / "secret.key"
    key.mkdir()
    result = kefu(own_folder, "agent", "list")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    key.rmdir()
    key.write_bytes(b"\xff\xfe\x00")
    result = kefu(own_folder, "agent", "list")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


# ---------------------------------------------------------------------- crashes

CRASHING = """
import os, sys
at, data = sys.argv[1:]
def crash(event, arguments):
    if event == at and "secret.key" in str(arguments[0]):
        os._exit(9)
sys.addaudithook(crash)
from bot.app.persistence.database import opened_database
from bot.app.process.data_lock import exclusive
from bot.app.settings import Settings
opened_database(Settings(data_dir=data, _env_file=None))
"""


@pytest.mark.parametrize("at", ["open", "os.rename"])
def test_a_crash_while_the_key_is_made_leaves_a_whole_key_or_none(
    at: str, own_folder: Path
) -> None:
    crashed = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", CRASHING, at, str(own_folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        timeout=60,
    )
    assert crashed.returncode == 9, "it did not pass there"
    key = own_folder / "secret.key"
    assert not key.exists() or len(key.read_text().split()) == 1
    opened_database(Settings(data_dir=own_folder, _env_file=None))
    assert [path.name for path in own_folder.glob("*secret.key*")] == ["secret.key"]


def test_a_disk_without_room_for_the_key_leaves_none(own_folder: Path) -> None:
    full = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
from bot.cli.main import main
main(["agent", "list", "--data", {str(own_folder)!r}])
"""
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", full],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert not (own_folder / "secret.key").exists()
    assert kefu(own_folder, "agent", "list").exit_code == 0


def test_two_first_starts_agree_on_one_key(own_folder: Path) -> None:
    starts = [
        subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "bot", "agent", "list", "--data", str(own_folder)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for _ in range(2)
    ]
    assert [start.communicate(timeout=60)[1] for start in starts] == ["", ""]
    assert len((own_folder / "secret.key").read_text().split()) == 1


def test_a_command_waits_for_who_brings_the_database_up_to_date(own_folder: Path) -> None:
    held, may_go = threading.Event(), threading.Event()

    def first_start() -> None:
        settings = Settings(data_dir=own_folder, _env_file=None)
        with exclusive(own_folder):
            held.set()
            may_go.wait(timeout=60)
            opened_database(settings)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(first_start)
        held.wait(timeout=60)
        second = threads.submit(kefu, own_folder, "agent", "list")
        with pytest.raises(TimeoutError):
            second.result(timeout=0.5)
        may_go.set()
        assert second.result(timeout=60).exit_code == 0
        first.result(timeout=60)


def test_a_command_does_not_wait_for_ever(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.command.PATIENCE_S", 0.0)
    with exclusive(own_folder):
        refused = kefu(own_folder, "agent", "list")
    assert refused.exit_code == 2
    assert "正在用这个数据目录" in refused.output
