"""What tests of every folder share: both databases, a small shop's data, and no way out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings

from tests.factories.database import SETTING, Databases, Kind, NoPostgres, assign

ADatabase = Callable[[Path], AbstractContextManager[str]]

# a slow moment of the machine is not a failed promise; benchmarks measure time
settings.register_profile("promises", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("promises")
# tests are one address that asks for much; the limit has tests of its own
os.environ["KEFU_REQUESTS_PER_SECOND"] = "100000"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", action="store_true", help="list the forty cases of channels")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--cases"):
        from tests.contracts.channels import report  # noqa: PLC0415 - asked for rarely

        report.note(items)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.getoption("--cases"):
        from tests.contracts.channels import report  # noqa: PLC0415 - as above

        terminalreporter.write_line("")
        terminalreporter.write_line(report.write(terminalreporter))
    _tell_about_postgres(terminalreporter)


def _tell_about_postgres(terminal: pytest.TerminalReporter) -> None:
    """Say how much of the run PostgreSQL has seen; loudly, where that was nothing."""

    reports = [*terminal.getreports("passed"), *terminal.getreports("failed")]
    ran = sum("postgres" in report.keywords for report in reports)
    left_out = sum(str(NoPostgres()) in str(one.longrepr) for one in terminal.getreports("skipped"))
    if left_out:
        terminal.section("NOT TESTED ON POSTGRESQL", red=True, bold=True)
        terminal.write_line(
            f"{left_out} tests were left out: no PostgreSQL server answers. Start one, and say "
            f"where by {SETTING}=postgresql+psycopg://user@host:5432/database.",
            red=True,
        )
    if ran:
        terminal.write_line(f"{ran} tests ran on PostgreSQL")


def pytest_configure() -> None:
    # an audit hook sees every socket of this process, whichever library opens it
    sys.addaudithook(_only_this_machine)


def _only_this_machine(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect":
        return
    address = arguments[1]
    if isinstance(address, tuple) and not _is_here(str(address[0])):
        raise RuntimeError(f"tests reach this machine only, not {address[0]}")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True)
def _log_settings_of_one_test() -> Iterator[None]:
    """What one test, or a command that it runs, sets for the log is not what the next one finds."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def fits() -> Path:
    """A cache in which the small shop's recognition is fitted."""
    # imported here: the server's libraries would slow down every test
    from tests.factories.server import fitted  # noqa: PLC0415

    return fitted()


@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def database_kind(request: pytest.FixtureRequest) -> Kind:
    """Which database: whatever asks for one runs on SQLite, and again on PostgreSQL."""
    kind: Kind = request.param
    return kind


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """All databases of this process; for fixtures that outlive a test."""
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def a_database(database_kind: Kind, databases: Databases) -> ADatabase:
    """Make databases of the kind that is tested now, each for as long as its block runs."""

    @contextmanager
    def make(path: Path) -> Iterator[str]:
        with ExitStack() as stack:
            try:
                yield stack.enter_context(databases.one(database_kind, path))
            except NoPostgres as error:
                if os.environ.get(SETTING):
                    raise  # somebody said that there is one
                pytest.skip(str(error))

    return make


@pytest.fixture
def database_url(a_database: ADatabase, tmp_path: Path) -> Iterator[str]:
    """An empty database with all tables."""
    with a_database(tmp_path / "kefu.db") as url:
        yield url


@pytest.fixture
def shop_folder(tmp_path: Path, database_kind: Kind, a_database: ADatabase) -> Iterator[Path]:
    """An empty folder; the data folder ``data`` that is made in it goes with a database.

    ``small_server``, ``kefu_beside`` and ``KefuProcess`` use that database.
    """
    with ExitStack() as stack:
        if database_kind == "postgres":
            url = stack.enter_context(a_database(tmp_path / "kefu.db"))
            assign(tmp_path / "data", url)
        yield tmp_path


@pytest.fixture
def data_folder(shop_folder: Path, fits: Path) -> Path:
    """An empty data folder of the small shop, and the database that goes with it."""
    from tests.factories.server import new_data_folder  # noqa: PLC0415 - as above

    return new_data_folder(shop_folder / "data", fits)


@pytest.fixture
def small_kb_file(tmp_path: Path) -> Path:
    """The small shop's kb.yaml, to be spoilt at will."""
    original = Path(__file__).parent / "fixtures" / "kb.yaml"
    copy = tmp_path / "kb.yaml"
    copy.write_text(original.read_text(encoding="utf-8"), encoding="utf-8")
    return copy
