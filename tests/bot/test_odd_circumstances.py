"""Every command in odd circumstances: one line that says what, where and what to do."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from bot.app.persistence.database import opened_database
from bot.app.settings import Settings
from bot.cli.main import main
from tests.factories.server import SMALL_KB, new_data_folder

ROOT = Path(__file__).parent.parent.parent

#: What each command is given; a new command has to be added, or the walk fails.
GIVEN: dict[str, tuple[str, ...]] = {
    "run": ("--port", "0"),
    "chat": (),
    "agent add": ("mei",),
    "agent list": (),
    "agent disable": ("mei",),
    "agent password": ("mei",),
    "db upgrade": (),
    "db new-key": (),
    "db rotate-key": (),
    "db forget": ("web:default:nobody",),
    "shop demo": (),
    "kb check": (),
    "kb eval": ("--cases", "cases.csv"),
    "kb missed": (),
    "kb import": ("cases.csv", "-o", "made.yaml"),
    "kb warm": (),
    "channels list": (),
    "channels check": (),
    "channels init": ("web",),
    "channels fake": ("nothing",),
}
USES_DATABASE = {"run", "agent add", "agent list", "kb missed"}
USES_DATABASE |= {"db upgrade", "db rotate-key", "db forget"}
USES_KB = {"run", "chat", "kb check", "kb eval", "kb missed", "kb warm"}
USES_FOLDER = USES_DATABASE | USES_KB | {"shop demo", "agent disable", "agent password"}
USES_SETTINGS = USES_FOLDER | {"channels list", "channels check"}


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield " ".join((*path, name))


COMMANDS = sorted(leaves(main))


def test_every_command_is_walked_over() -> None:
    assert set(COMMANDS) <= GIVEN.keys()


@pytest.fixture
def shop(fits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are run in: a shop that has started once lies in ``data``."""
    data = new_data_folder(tmp_path / "data", fits)
    opened_database(Settings(data_dir=data, _env_file=None))
    (tmp_path / "kb.yaml").write_text(SMALL_KB.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "cases.csv").write_text("text,intent\n怎么付款,payment_methods\n", "utf-8")
    for name in [name for name in os.environ if name.startswith("KEFU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KEFU_LOG_LEVEL", "error")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def a_folder_for_the_database(shop: Path) -> None:
    (shop / "data" / "kefu.db").unlink()
    (shop / "data" / "kefu.db").mkdir()


def garbage_for_the_database(shop: Path) -> None:
    for file in (shop / "data").glob("kefu.db*"):
        file.unlink()
    (shop / "data" / "kefu.db").write_bytes(b"no database at all\n" * 1000)


def a_newer_database(shop: Path) -> None:
    with closing(sqlite3.connect(shop / "data" / "kefu.db")) as connection, connection:
        connection.execute("update alembic_version set version_num = '9999'")


def a_database_cut_short(shop: Path) -> None:
    path = shop / "data" / "kefu.db"
    for file in (shop / "data").glob("kefu.db-*"):
        file.unlink()
    path.write_bytes(path.read_bytes()[:5000])


def no_knowledge_base(shop: Path) -> None:
    (shop / "kb.yaml").unlink()


def a_folder_for_the_knowledge_base(shop: Path) -> None:
    (shop / "kb.yaml").unlink()
    (shop / "kb.yaml").mkdir()


def garbage_for_the_knowledge_base(shop: Path) -> None:
    (shop / "kb.yaml").write_bytes(bytes(range(256)) * 10)


def wrong_types_in_the_knowledge_base(shop: Path) -> None:
    (shop / "kb.yaml").write_text("shop: [1, 2]\nintents: 5\n", encoding="utf-8")


def a_file_for_the_data_folder(shop: Path) -> None:
    (shop / "data").rename(shop / "elsewhere")
    (shop / "data").write_text("x")


def an_env_file_in_another_encoding(shop: Path) -> None:
    (shop / ".env").write_bytes("KEFU_KB=知识库.yaml\n".encode("gb18030"))


def a_folder_for_the_env_file(shop: Path) -> None:
    (shop / ".env").mkdir()


def a_database_of_another_kind(shop: Path) -> None:
    (shop / ".env").write_text("KEFU_DATABASE_URL=mysql://root:hunter2@db/kefu\n")


def a_database_address_that_is_none(shop: Path) -> None:
    (shop / ".env").write_text("KEFU_DATABASE_URL=hunter2\n")


def a_postgresql_that_is_not_there(shop: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (shop / ".env").write_text(
        f"KEFU_DATABASE_URL=postgresql+psycopg://root:hunter2@127.0.0.1:{port}/kefu\n"
    )


def nonsense_for_a_number(shop: Path) -> None:
    (shop / ".env").write_text("KEFU_PROOF_HOURS=hunter2\n")


CIRCUMSTANCES: list[tuple[Callable[[Path], None], set[str]]] = [
    (a_folder_for_the_database, USES_DATABASE),
    (garbage_for_the_database, USES_DATABASE),
    (a_newer_database, USES_DATABASE),
    (a_database_cut_short, USES_DATABASE),
    (no_knowledge_base, USES_KB),
    (a_folder_for_the_knowledge_base, USES_KB),
    (garbage_for_the_knowledge_base, USES_KB),
    (wrong_types_in_the_knowledge_base, USES_KB),
    (a_file_for_the_data_folder, USES_FOLDER),
    (an_env_file_in_another_encoding, USES_SETTINGS),
    (a_folder_for_the_env_file, set()),
    (a_database_of_another_kind, USES_DATABASE),
    (a_database_address_that_is_none, USES_DATABASE),
    (a_postgresql_that_is_not_there, USES_DATABASE),
    (nonsense_for_a_number, USES_SETTINGS),
]


def told_well(result: Result) -> None:
    """A few lines in Chinese that give no secret away, or a command that did not mind."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    lines = result.stderr.splitlines(keepends=True)
    told = "".join(line for line in lines if "running_as_root" not in line)
    assert "Traceback" not in told
    assert "hunter2" not in told
    if result.exit_code != 0:
        assert result.exit_code == 2, told
        assert told.startswith(("kefu: ", "Usage: ")), told
        assert re.search(r"[\u4e00-\u9fff]", told), told
        assert told.count("\n") <= 5, told


@pytest.mark.parametrize(
    ("spoil", "refused"), CIRCUMSTANCES, ids=[spoil.__name__ for spoil, _ in CIRCUMSTANCES]
)
def test_no_command_ends_in_a_traceback(
    spoil: Callable[[Path], None], refused: set[str], shop: Path
) -> None:
    spoil(shop)
    for name in COMMANDS:
        if name == "run" and "run" not in refused:
            continue  # it would run
        result = CliRunner().invoke(main, [*name.split(), *GIVEN[name]], input="怎么付款\n")
        told_well(result)
        if name in refused:
            assert result.exit_code == 2, f"{name} did not mind: {result.output}"


def test_a_disk_without_room_is_told_by_every_command(shop: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for name in COMMANDS:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        try:
            result = CliRunner().invoke(main, [*name.split(), *GIVEN[name]], input="怎么付款\n")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        told_well(result)
        if name in {"run", "chat", "agent add", "db rotate-key", "kb import"}:
            assert result.exit_code == 2, f"{name} did not mind: {result.output}"
    assert not (shop / "made.yaml").exists() or (shop / "made.yaml").stat().st_size


def test_files_that_are_no_files_are_told_by_the_commands_that_name_them(shop: Path) -> None:
    (shop / "folder").mkdir()
    (shop / "garbage.csv").write_bytes(bytes(range(256)))
    for arguments in (
        ("kb", "eval", "--cases", "folder"),
        ("kb", "eval", "--cases", "garbage.csv"),
        ("kb", "eval", "--cases", "missing.csv"),
        ("kb", "eval", "--cases", "cases.csv", "--predictions", "folder"),
        ("kb", "import", "folder", "-o", "made.yaml"),
        ("kb", "import", "garbage.csv", "-o", "made.yaml"),
        ("kb", "import", "cases.csv", "-o", "folder"),
        ("kb", "import", "cases.csv", "-o", "nowhere/made.yaml"),
        ("kb", "check", "--explain", "nothing"),
        ("channels", "list", "--channels", "folder"),
        ("channels", "check", "--channels", "garbage.csv"),
        ("run", "--port", "70000"),
        ("run", "--port", "0", "--host", "no such host"),
    ):
        result = CliRunner().invoke(main, arguments)
        told_well(result)
        assert result.exit_code == 2, arguments


# ---------------------------------------------------------------------- processes


def started(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("KEFU_")}
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "bot", *arguments],
        env={**clean, "PYTHONPATH": str(ROOT)},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def test_a_reader_that_has_seen_enough_ends_a_command_quietly(shop: Path) -> None:
    process = started("kb", "check", "--json", cwd=shop)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    told = process.stderr.read()
    process.wait(timeout=120)
    process.stderr.close()
    assert "Traceback" not in told, told
    assert "Exception" not in told, told


def test_ctrl_c_while_the_command_is_being_loaded_ends_it_quietly(shop: Path) -> None:
    interrupted = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "bot.app.settings":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
sys.argv = ["kefu", "agent", "list"]
from bot.__main__ import start
start()
"""
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", interrupted],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=shop,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (128 + signal.SIGINT, "")
