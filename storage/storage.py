"""Runs units of work: in groups on SQLite's one writer, side by side on PostgreSQL.

Measured on 2 cores with ``synchronous=FULL``: one transaction a unit gives about 110 turns a
second, because each waits for the disk; up to 64 units in one commit, each in a savepoint, gave ten
times as many. A unit is answered only after the commit that holds it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from handoff.errors import StorageUnavailable
from storage.aftermath import Aftermath
from storage.errors import may_retry, translate
from storage.keyring import Keyring
from storage.unit_of_work import UnitOfWork

T = TypeVar("T")
log = structlog.get_logger(__name__)

GROUP_SIZE = 64
"""Units in one commit; more make the first wait longer without being cheaper."""
MAX_WAITING = 20_000
"""Units that may wait for the writer; beyond that it is refused rather than answered too late."""
POOL_SIZE = 8
READERS = 2
RETRIES = 3


@dataclass(slots=True)
class _Job:
    unit: Callable[[UnitOfWork], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class Storage:
    """The one way to the database. Open it with ``Storage.open``."""

    def __init__(
        self,
        engine: Engine,
        keyring: Keyring,
        clock: Callable[[], datetime],
        on_commit: Callable[[Aftermath], None],
    ) -> None:
        self._engine = engine
        self._keyring = keyring
        self._clock = clock
        self._on_commit = on_commit
        self._is_sqlite = engine.dialect.name == "sqlite"
        readers = READERS if self._is_sqlite else POOL_SIZE
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="storage-read")
        self._writers = ThreadPoolExecutor(POOL_SIZE, thread_name_prefix="storage-write")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._local = threading.local()
        self._open_connections: list[Connection] = []
        self._writer = threading.Thread(target=self._write_loop, name="storage-writer", daemon=True)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        *,
        keyring: Keyring,
        clock: Callable[[], datetime],
        on_commit: Callable[[Aftermath], None] = lambda _aftermath: None,
    ) -> AsyncIterator[Storage]:
        """Open a database whose tables are up to date (see ``storage.schema``).

        Args:
            url: SQLAlchemy URL: ``sqlite:///path`` or ``postgresql+psycopg://…``.
            on_commit: Told on the event loop, in commit order, what each commit leaves to do.
        """
        storage = cls(engine_for(url), keyring, clock, on_commit)
        if storage._is_sqlite:
            storage._writer.start()
        try:
            yield storage
        finally:
            await asyncio.to_thread(storage._close)

    async def write(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run a unit in a transaction; answered after the commit, or with the unit's exception.

        Raises:
            StorageUnavailable: A full disk, a lost server, too much waiting; nothing was changed.
        """
        loop = asyncio.get_running_loop()
        if not self._is_sqlite:
            # shielded: a caller who goes away must not take a unit back that no thread has begun
            running = loop.run_in_executor(self._writers, self._write_alone, unit, loop)
            return await asyncio.shield(running)
        if self._jobs.qsize() > MAX_WAITING:
            raise StorageUnavailable("more is waiting to be written than can be written")
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(unit, future, loop))
        return await future

    async def read(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run a unit that only reads, on one snapshot.

        Raises:
            StorageUnavailable: The database cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._readers, self._read_alone, unit
        )

    # ------------------------------------------------------------------ SQLite's writer thread

    def _write_loop(self) -> None:
        connection: Connection | None = None
        is_closing = False
        while not is_closing:
            first = self._jobs.get()
            if first is None:
                break
            group = [first]
            while len(group) < GROUP_SIZE:
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    is_closing = True
                    break
                group.append(job)
            try:
                connection = connection or self._engine.connect()
                outcome = self._run_group(connection, group)
            except DBAPIError as error:
                failure = translate(error)
                log.error("storage_group_failed", units=len(group), reason=str(failure)[:200])
                outcome = [(job, failure, None) for job in group]
            except BaseException as error:
                log.exception("storage_writer_error")
                outcome = [(job, StorageUnavailable(type(error).__name__), None) for job in group]
            self._answer(outcome)
        if connection is not None:
            connection.close()

    def _run_group(
        self, connection: Connection, group: Sequence[_Job]
    ) -> list[tuple[_Job, Any, Aftermath | None]]:
        outcome: list[tuple[_Job, Any, Aftermath | None]] = []
        with connection.begin():
            # the driver itself: SQLAlchemy's way costs as much as an insert, twice a unit
            driver: Any = connection.connection.driver_connection
            for job in group:
                work = UnitOfWork(connection, self._keyring, self._clock)
                driver.execute("SAVEPOINT unit")
                try:
                    result = job.unit(work)
                    work.flush()
                except DBAPIError as error:
                    failure = translate(error)
                    if isinstance(failure, StorageUnavailable):
                        raise  # SQLite has rolled the whole transaction back by itself
                    driver.execute("ROLLBACK TO unit")
                    outcome.append((job, failure, None))
                except Exception as error:  # noqa: BLE001 - a unit's failure is its caller's
                    driver.execute("ROLLBACK TO unit")
                    outcome.append((job, error, None))
                else:
                    outcome.append((job, _Answer(result), work.aftermath))
                driver.execute("RELEASE unit")
        return outcome

    def _answer(self, outcome: list[tuple[_Job, Any, Aftermath | None]]) -> None:
        def tell() -> None:
            for job, result, aftermath in outcome:
                # what a commit leaves to do goes first and in commit order, even where the
                # caller has gone: its change is stored
                if aftermath is not None:
                    self._on_commit(aftermath)
                if job.future.done():
                    continue
                if isinstance(result, _Answer):
                    job.future.set_result(result.value)
                else:
                    job.future.set_exception(result)

        try:
            outcome[0][0].loop.call_soon_threadsafe(tell)
        except RuntimeError:
            log.warning("storage_answer_without_loop", units=len(outcome))

    # ------------------------------------------------------------------ PostgreSQL, and reading

    def _write_alone(self, unit: Callable[[UnitOfWork], T], loop: asyncio.AbstractEventLoop) -> T:
        for attempt in range(1, RETRIES + 1):
            try:
                with self._engine.begin() as connection:
                    work = UnitOfWork(connection, self._keyring, self._clock)
                    result = unit(work)
                    work.flush()
            except DBAPIError as error:
                if may_retry(error) and attempt < RETRIES:
                    continue
                raise translate(error) from error
            loop.call_soon_threadsafe(self._on_commit, work.aftermath)
            return result
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _read_alone(self, unit: Callable[[UnitOfWork], T]) -> T:
        try:
            with self._reading() as connection:
                return unit(UnitOfWork(connection, self._keyring, self._clock))
        except DBAPIError as error:
            raise translate(error) from error

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        if not self._is_sqlite:
            with self._engine.connect() as connection:
                yield connection
            return
        # one connection a thread is kept: opening one costs more than most reads
        connection = getattr(self._local, "connection", None) or self._new_reader()
        transaction = connection.begin()
        try:
            yield connection
        finally:
            transaction.rollback()

    def _new_reader(self) -> Connection:
        connection = self._engine.connect().execution_options(is_reader=True)
        self._local.connection = connection
        self._open_connections.append(connection)
        return connection

    def _close(self) -> None:
        if self._writer.is_alive():
            self._jobs.put(None)
            self._writer.join(timeout=10)
        self._writers.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        for connection in self._open_connections:
            connection.close()
        self._engine.dispose()


@dataclass(frozen=True, slots=True)
class _Answer:
    value: Any


def engine_for(url: str) -> Engine:
    """An engine with what each database needs said at connecting.

    Raises:
        StorageUnavailable: The address is no database address, or its driver is not installed.
    """
    try:
        kind = make_url(url).get_backend_name()
        if kind == "sqlite":
            return _sqlite_engine(url)
        if kind == "postgresql":
            return create_engine(
                url, pool_size=POOL_SIZE * 2, pool_pre_ping=True, hide_parameters=True
            )
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise StorageUnavailable(
            f"KEFU_DATABASE_URL cannot be used: {error}; "
            "PostgreSQL is written postgresql+psycopg://…"
        ) from error
    raise StorageUnavailable(
        f"KEFU_DATABASE_URL names {kind}: kefu runs on SQLite and PostgreSQL only"
    )


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(
        url,
        poolclass=NullPool,
        # error texts must not carry what customers wrote
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": 10},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # the driver's own transaction handling breaks savepoints; we say BEGIN ourselves
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        is_reader = connection.get_execution_options().get("is_reader", False)
        connection.exec_driver_sql("BEGIN" if is_reader else "BEGIN IMMEDIATE")

    return engine
