"""One process serves on a database: the second is refused, and who has lost it is silent."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy import Engine

from bot.cli.main import main
from storage.core.claim import SessionClaim, claim_to, claimed
from storage.core.errors import DatabaseInUse
from storage.core.schema import is_current, upgrade
from tests.factories.process import KefuProcess, kefu, settings_of
from tests.factories.server import SMALL_KB, new_data_folder

WITHIN_S = 15.0
_HOLDS = (
    "import sys, storage.core.claim as c\n"
    "with c.claimed(sys.argv[1]):\n print(1, flush=True); input()"
)


@contextmanager
def another_process(url: str) -> Iterator[int]:
    """Another process that has the claim; its id."""
    import subprocess  # noqa: PLC0415 - the one test that needs it

    with subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", _HOLDS, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"1"
        try:
            yield process.pid
        finally:
            process.kill()


def test_a_database_in_use_is_refused_and_who_has_it_is_told(url: str) -> None:
    with another_process(url) as pid:
        with pytest.raises(DatabaseInUse) as refused, claimed(url):
            pass
        assert str(pid) in str(refused.value)
        assert os.uname().nodename[:30] in str(refused.value)
        assert "\n" not in str(refused.value)


def test_a_process_that_was_killed_has_let_go(url: str) -> None:
    with another_process(url):
        pass
    for _ in range(100):  # the server has to notice
        try:
            with claimed(url) as claim:
                assert claim.is_held
                return
        except DatabaseInUse:
            continue
    pytest.fail("a dead process still has the database")


@pytest.mark.parametrize("way", ["same", "symlink", "hardlink", "dots", "linked folder"])
def test_one_file_is_one_database_whatever_path_leads_to_it(way: str, tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.mkdir()
    upgrade(f"sqlite:///{one / 'kefu.db'}")
    other = tmp_path / "other"
    paths = {
        "same": one / "kefu.db",
        "symlink": other / "kefu.db",
        "hardlink": other / "mine.db",
        "dots": one / ".." / "one" / "kefu.db",
        "linked folder": tmp_path / "again" / "kefu.db",
    }
    other.mkdir()
    (other / "kefu.db").symlink_to(one / "kefu.db")
    (other / "mine.db").hardlink_to(one / "kefu.db")
    (tmp_path / "again").symlink_to(one)
    with (
        another_process(f"sqlite:///{one / 'kefu.db'}"),
        pytest.raises(DatabaseInUse),
        claimed(f"sqlite:///{paths[way]}"),
    ):
        pass


def test_a_claim_does_not_hinder_who_reads_and_writes(url: str, engine: Engine) -> None:
    with another_process(url), engine.begin() as connection:
        connection.execute(sa.text("delete from heartbeat"))


# ---------------------------------------------------------------------- a session that ends


@pytest.fixture
def session(url: str) -> Iterator[SessionClaim]:
    claim = claim_to(url)
    if not isinstance(claim, SessionClaim):
        pytest.skip("a file's lock cannot be lost")
    claim.take()
    yield claim
    claim.release()


def end_sessions_of(engine: Engine, claim: SessionClaim) -> None:
    """As a network break or an admin ends them."""
    ended = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = :a"
    with engine.begin() as connection:
        assert connection.execute(sa.text(ended), {"a": claim._name}).all()


async def test_a_lost_claim_is_noticed_and_taken_again(
    session: SessionClaim, engine: Engine
) -> None:
    resumed = asyncio.Event()

    async def resumes() -> None:
        resumed.set()

    keeping = asyncio.create_task(session.keep(resumes))
    await asyncio.sleep(0)
    end_sessions_of(engine, session)

    async with asyncio.timeout(WITHIN_S):
        await resumed.wait()  # it comes after a loss alone
    assert session.is_held
    assert not keeping.done()
    keeping.cancel()


async def test_who_finds_another_in_its_place_stays_silent_and_ends(
    session: SessionClaim, engine: Engine, url: str
) -> None:
    async def resumes() -> None:
        pytest.fail("it must not go on")

    keeping = asyncio.create_task(session.keep(resumes))
    await asyncio.sleep(0)
    end_sessions_of(engine, session)
    # faster than the first process comes back, as it is while its network is away
    other = claim_to(url)
    other.take()
    try:
        async with asyncio.timeout(WITHIN_S):
            taken = await keeping
        assert str(os.getpid()) in str(taken)
        assert not session.is_held
    finally:
        other.release()


# ---------------------------------------------------------------------- commands


@pytest.fixture
async def second_folder(data_folder: Path, fits: Path) -> Path:
    """Another data folder that is told to use the first one's database."""
    return new_data_folder(data_folder.parent / "second", fits)


async def typed(command: Sequence[str], settings: Mapping[str, str]) -> tuple[int, str]:
    """A command in this process, which is another than the server's."""
    result = await asyncio.to_thread(CliRunner(env=settings).invoke, main, command)
    return result.exit_code, result.output


async def test_what_may_run_beside_a_server_does_and_what_may_not_says_why(
    data_folder: Path, second_folder: Path
) -> None:
    process = KefuProcess(data_folder, SMALL_KB)
    await process.start()
    try:
        database = settings_of(data_folder) or {
            "KEFU_DATABASE_URL": f"sqlite:///{data_folder / 'kefu.db'}"
        }
        first = {**database, "KEFU_KB": str(SMALL_KB), "KEFU_DATA_DIR": str(data_folder)}
        second = {**first, "KEFU_PORT": "0", "KEFU_DATA_DIR": str(second_folder)}
        (second_folder / "secret.key").write_bytes((data_folder / "secret.key").read_bytes())
        (second_folder / "secret.key").chmod(0o600)
        beside: list[tuple[str, ...]] = [
            ("agent", "add", "mei"),
            ("agent", "list"),
            ("agent", "password", "mei"),
            ("db", "upgrade"),
            ("kb", "missed"),
        ]
        for command in beside:
            status, told = await typed(command, first)
            assert status == 0, told
        refused = [
            await typed(("db", "rotate-key"), first),
            await typed(("db", "rotate-key"), second),
            await kefu("run", cwd=data_folder, **second),
        ]
        for status, told in refused:
            assert status == 2, told
            assert f"进程 {process.pid}" in told
            assert "请先停掉" in told
        assert process.is_alive
    finally:
        assert await process.stop() == 0


async def test_tables_are_not_changed_under_a_running_server(
    url: str, engine: Engine, tmp_path: Path
) -> None:
    assert is_current(url)
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '0001'"))
    assert not is_current(url)
    with another_process(url) as pid:
        settings = {"KEFU_DATABASE_URL": url, "KEFU_DATA_DIR": str(tmp_path / "data")}
        status, told = await typed(("db", "upgrade"), settings)
        assert status == 2
        assert f"进程 {pid}" in told
