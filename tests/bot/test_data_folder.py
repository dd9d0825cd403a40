"""The data folder belongs to its owner alone, whichever command comes first."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.app.process import logs
from bot.app.process.data_folder import open_folder, warn_of_root
from bot.app.process.errors import BadData
from bot.cli.main import main
from tests.factories.process import KefuProcess
from tests.factories.server import SMALL_KB, new_data_folder

NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def own_folder(tmp_path: Path, fits: Path) -> Path:
    """An empty data folder, whose database lies in it."""
    return new_data_folder(tmp_path / "data", fits)


@pytest.fixture(autouse=True)
def careless() -> Iterator[None]:
    """A shell in which everybody may read what a command writes, as is usual."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def kefu(*arguments: str) -> tuple[int, str]:
    """Run a command; its status and all that it said."""
    result = CliRunner(env={"KEFU_KB": str(SMALL_KB)}).invoke(main, arguments, input="")
    return result.exit_code, result.output


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user without rights for a while."""
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def open_to_others(folder: Path) -> list[str]:
    """What others than the owner may read, write or enter, links aside."""
    found = [folder, *folder.rglob("*")]
    return [
        f"{stat.S_IMODE(path.lstat().st_mode):o} {path}"
        for path in found
        if not path.is_symlink() and path.lstat().st_mode & 0o077
    ]


# ---------------------------------------------------------------------- every command


@pytest.mark.parametrize(
    "arguments",
    [
        ("kb", "warm"),
        ("kb", "check"),
        ("kb", "missed"),
        ("chat",),
        ("agent", "add", "mei"),
        ("agent", "list"),
        ("shop", "demo"),
        ("db", "upgrade"),
        ("db", "rotate-key"),
    ],
    ids=" ".join,
)
def test_whichever_command_makes_the_data_folder_makes_it_for_its_owner_alone(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    data = tmp_path / "new" / "data"
    kefu(*arguments, "--data", str(data))
    assert data.is_dir()
    assert open_to_others(data) == []


async def test_what_a_running_shop_writes_is_its_owners_alone(own_folder: Path) -> None:
    process = KefuProcess(own_folder, SMALL_KB)
    await process.start()
    try:
        for name in ("kefu.db", "kefu.db-wal", "kefu.db-shm", "kefu.pid", "kefu.lock"):
            assert (own_folder / name).exists(), name
        assert open_to_others(own_folder) == []
    finally:
        await process.stop()


# ---------------------------------------------------------------------- what was there before


@pytest.fixture
def left_open(tmp_path: Path) -> Path:
    """The folder of a kefu that did not care: everybody may read what customers wrote."""
    data = tmp_path / "data"
    (data / "media").mkdir(parents=True)
    for name in ("kefu.db", "kefu.db-wal", "secret.key", "media/one", "backup.db"):
        (data / name).write_bytes(b"x")
        (data / name).chmod(0o644)
    for folder in (data / "media", data):
        folder.chmod(0o755)
    return data


def test_a_folder_that_was_open_to_others_is_closed_and_that_is_said_once(
    left_open: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info", "text")
    open_folder(left_open)
    open_folder(left_open)
    assert open_to_others(left_open) == []
    (line,) = capsys.readouterr().err.splitlines()
    assert "data_folder_closed" in line
    assert "changed=7" in line


def test_a_file_that_is_copied_in_later_is_closed_as_well(left_open: Path) -> None:
    open_folder(left_open)
    restored = left_open / "kefu.db"
    restored.chmod(0o644)
    open_folder(left_open)
    assert open_to_others(left_open) == []


def test_what_a_link_in_the_folder_points_to_is_left_alone(left_open: Path, tmp_path: Path) -> None:
    others = tmp_path / "others"
    others.write_text("not kefu's")
    others.chmod(0o644)
    (left_open / "link").symlink_to(others)
    open_folder(left_open)
    assert stat.S_IMODE(others.stat().st_mode) == 0o644


# ---------------------------------------------------------------------- folders that cannot be


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_a_folder_with_other_things_in_it_is_not_touched(mode: int, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "cache").mkdir(parents=True)
    (home / "public.html").touch()
    (home / "public.html").chmod(0o644)
    home.chmod(mode)
    status, told = kefu("agent", "list", "--data", str(home))
    assert (status, told.count("\n")) == (2, 1)
    assert f"kefu: {home}: " in told
    assert stat.S_IMODE(home.stat().st_mode) == mode
    assert stat.S_IMODE((home / "public.html").stat().st_mode) == 0o644
    assert sorted(path.name for path in home.iterdir()) == ["cache", "public.html"]


def test_a_folder_in_which_only_the_cache_was_made_is_ours(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "cache").mkdir(parents=True)
    data.chmod(0o755)
    assert kefu("agent", "list", "--data", str(data))[0] == 0
    assert open_to_others(data) == []


def test_a_link_to_a_folder_of_ours_is_followed(left_open: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(left_open)
    open_folder(link)
    assert open_to_others(left_open) == []


def test_a_link_to_nowhere_is_told_in_one_line(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(BadData, match=rf"{link}: .*{tmp_path / 'nowhere'}") as caught:
        open_folder(link)
    assert "\n" not in str(caught.value)


def test_a_file_in_place_of_the_folder_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("x")
    with pytest.raises(BadData, match=f"{file}: ") as caught:
        open_folder(file)
    assert "\n" not in str(caught.value)


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that another user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="kefu-tests-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@needs_root
def test_somebody_elses_folder_is_refused_with_whose_it_is(shared: Path) -> None:
    data = shared / "data"
    data.mkdir()
    data.chmod(0o777)
    with as_nobody(), pytest.raises(BadData, match=f"{data}: .*root.*nobody") as caught:
        open_folder(data)
    assert "\n" not in str(caught.value)
    assert list(data.iterdir()) == []


@needs_root
def test_a_link_that_somebody_else_made_is_not_followed(shared: Path) -> None:
    mine, link = shared / "mine", shared / "link"
    mine.mkdir()
    link.symlink_to(mine)
    os.lchown(link, NOBODY, NOBODY)
    with pytest.raises(BadData, match="nobody"):
        open_folder(link)


@needs_root
def test_a_file_in_the_folder_that_is_not_ours_is_named_with_what_to_do(shared: Path) -> None:
    os.chown(shared, NOBODY, NOBODY)
    (shared / "kefu.db").touch()
    (shared / "kefu.db").chmod(0o644)
    with as_nobody(), pytest.raises(BadData, match=r"kefu\.db: .*chown -R nobody"):
        open_folder(shared)


@needs_root
def test_root_leaves_no_files_in_the_folder_of_the_user_that_kefu_runs_as(shared: Path) -> None:
    data = shared / "data"
    data.mkdir(mode=0o700)
    os.chown(data, NOBODY, NOBODY)
    status, told = kefu("agent", "list", "--data", str(data))
    assert (status, told.count("\n")) == (2, 1)
    assert "sudo -u nobody" in told
    assert list(data.iterdir()) == []


@needs_root
def test_a_folder_that_may_not_be_made_is_told_in_one_line(shared: Path) -> None:
    data = shared / "data"
    with as_nobody(), pytest.raises(BadData, match=f"{data}: ") as caught:
        open_folder(data)
    assert "\n" not in str(caught.value)


@needs_root
def test_a_folder_on_a_read_only_disk_is_told_in_one_line(shared: Path) -> None:
    mounted = subprocess.run(  # noqa: S603 - our own words
        ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", str(shared)],  # noqa: S607
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("nothing may be mounted here")
    try:
        for data in (shared, shared / "data"):
            status, told = kefu("agent", "list", "--data", str(data))
            assert (status, told.count("\n")) == (2, 1), told
            assert f"kefu: {data}: " in told
    finally:
        subprocess.run(["umount", "-l", str(shared)], check=True)  # noqa: S603, S607 - as above


# ---------------------------------------------------------------------- root


@needs_root
def test_a_shop_that_runs_as_root_is_told_what_to_do_instead(tmp_path: Path) -> None:
    # the port is taken by nobody, the knowledge base is missing: it ends by itself
    _, told = kefu("run", "--port", "0", "--data", str(tmp_path / "data"), "--kb", "/nowhere.yaml")
    assert "root" in told
    assert "docs/admin.md" in told


@needs_root
def test_only_root_is_warned(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")
    with as_nobody():
        warn_of_root()
    assert capsys.readouterr().err == ""
    warn_of_root()
    assert "running_as_root" in capsys.readouterr().err


def test_help_and_commands_without_data_make_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (["--help"], ["db", "new-key"], ["channels", "list"], ["kb", "--help"]):
        with suppress(SystemExit):
            CliRunner().invoke(main, arguments)
    assert list(tmp_path.iterdir()) == []
