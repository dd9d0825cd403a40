"""What tests of every folder share: a small shop's data, PostgreSQL, and no way out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

POSTGRES_URL = os.environ.get(
    "KEFU_TEST_POSTGRES_URL", "postgresql+psycopg://root@127.0.0.1:5432/test"
)


# a slow moment of the machine is not a failed promise; benchmarks measure time
settings.register_profile("promises", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("promises")


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


@pytest.fixture(scope="session")
def fits() -> Path:
    """A cache in which the small shop's recognition is fitted."""
    # imported here: the server's libraries would slow down every test
    from tests.factories.server import fitted  # noqa: PLC0415

    return fitted()


@pytest.fixture
def data_folder(tmp_path: Path, fits: Path) -> Path:
    """An empty data folder of the small shop."""
    from tests.factories.server import new_data_folder  # noqa: PLC0415 - as above

    return new_data_folder(tmp_path / "data", fits)


@pytest.fixture
def small_kb_file(tmp_path: Path) -> Path:
    """The small shop's kb.yaml, to be spoilt at will."""
    original = Path(__file__).parent / "fixtures" / "kb.yaml"
    copy = tmp_path / "kb.yaml"
    copy.write_text(original.read_text(encoding="utf-8"), encoding="utf-8")
    return copy


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a schema of this test process alone, empty."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    schema = f"kefu_{os.getpid()}"
    admin = create_engine(POSTGRES_URL, connect_args={"connect_timeout": 2})
    try:
        with admin.begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError:
        admin.dispose()
        pytest.skip("no PostgreSQL server answers; set KEFU_TEST_POSTGRES_URL")
    yield f"{POSTGRES_URL}?options=-csearch_path%3D{schema}"
    with admin.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    admin.dispose()
