"""Runs units of work: in groups on SQLite's one writer, side by side on PostgreSQL.

Measured on 2 cores with ``synchronous=FULL``: one transaction a unit gives about 110 turns a
second, because each waits for the disk; up to 64 units in one commit, each in a savepoint, gave ten
times as many. A unit is answered only after the commit that holds it.

Nobody waits for ever: a unit whose answer does not come in time is given up (see ``patience``), and
is not begun any more if it had not been.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from handoff.errors import StorageUnavailable
from storage.core.after_commit import AfterCommit
from storage.core.engine import engine_for
from storage.core.errors import may_retry, translate
from storage.core.keyring import Keyring
from storage.core.patience import HURRIED_S, Patience
from storage.rows.messages.customer_view import PROOFS_LAST
from storage.unit_of_work import UnitOfWork

T = TypeVar("T")
log = structlog.get_logger(__name__)

GROUP_SIZE = 64
"""Units in one commit; more make the first wait longer without being cheaper."""
MAX_WAITING = 4_000
"""Units that may wait for the database, about four seconds of work; beyond that one is refused at
once rather than answered too late: platforms deliver again, and pages send again."""
WRITERS = 8
"""Units that PostgreSQL runs side by side; as many may read."""
READERS = 2
RETRIES = 3
ANSWER_S = 12.0
"""How long a caller waits; longer than any one exchange with the database may take."""
SOONER_WHILE_SILENT = 4
"""By how much less, once somebody has waited in vain: a customer is told soon, and tries again."""
CLOSE_S = 3.0


@dataclass(slots=True)
class _Job:
    """A unit of work, and the caller that waits for it.

    Attributes:
        is_given_up: Its caller was told that it is not done: do not do it.
    """

    unit: Callable[[UnitOfWork], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    is_given_up: bool = field(default=False)


class _GivenUp(Exception):
    """A unit must not succeed any more: its caller has been told that it failed."""


class Storage:
    """The one way to the database. Open it with ``Storage.open``."""

    def __init__(
        self,
        url: str,
        keyring: Keyring,
        clock: Callable[[], datetime],
        on_commit: Callable[[AfterCommit], None],
        *,
        answer_s: float,
        proofs_last: timedelta,
    ) -> None:
        self._patience = Patience()
        self._engine = engine_for(url, self._patience)
        self._keyring = keyring
        self._clock = clock
        self._on_commit = on_commit
        self._answer_s = answer_s
        self._proofs_last = proofs_last
        self._is_silent = False
        self._limits: set[asyncio.Timeout] = set()
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        readers = READERS if self._is_sqlite else WRITERS
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="storage-read")
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="storage-write")
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
        on_commit: Callable[[AfterCommit], None] = lambda _after_commit: None,
        answer_s: float = ANSWER_S,
        proofs_last: timedelta = PROOFS_LAST,
    ) -> AsyncIterator[Storage]:
        """Open a database whose tables are up to date (see ``storage.core.schema``).

        Args:
            url: SQLAlchemy URL: ``sqlite:///path`` or ``postgresql+psycopg://…``.
            on_commit: Told on the event loop, in commit order, what each commit leaves to do.
            answer_s: How long a caller waits.
            proofs_last: How long what was proved shows a customer's secrets to them.
        """
        storage = cls(url, keyring, clock, on_commit, answer_s=answer_s, proofs_last=proofs_last)
        if storage._is_sqlite:
            storage._writer.start()
        try:
            yield storage
        finally:
            await asyncio.to_thread(storage._close)

    def _unit_of_work(self, connection: Connection) -> UnitOfWork:
        return UnitOfWork(connection, self._keyring, self._clock, self._proofs_last)

    def hurry(self) -> None:
        """Wait little from now on, on the event loop: the process is to end."""
        self._patience.hurry()
        self._answer_s = min(self._answer_s, HURRIED_S)
        soon = asyncio.get_running_loop().time() + self._answer_s
        for limit in self._limits:
            limit.reschedule(min(soon, limit.when() or soon))

    async def write(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run a unit in a transaction; answered after the commit, or with the unit's exception.

        Raises:
            StorageUnavailable: A full disk, a lost server, too much waiting, no answer in time.
                Nothing was changed, unless the answer to the commit itself was lost: then nobody
                can know, and the same unit again has to find out by itself.
        """
        job = self._new_job(unit)
        if self._is_sqlite:
            self._jobs.put(job)
        else:
            self._writers.submit(self._write_alone, job)
        result: T = await self._answered(job)
        return result

    async def read(self, unit: Callable[[UnitOfWork], T]) -> T:
        """Run a unit that only reads, on one snapshot.

        Raises:
            StorageUnavailable: The database cannot be read.
        """
        job = self._new_job(unit)
        self._readers.submit(self._read_alone, job)
        result: T = await self._answered(job)
        return result

    def _new_job(self, unit: Callable[[UnitOfWork], Any]) -> _Job:
        if len(self._limits) >= MAX_WAITING:
            raise StorageUnavailable("more is waiting for the database than it can do")
        loop = asyncio.get_running_loop()
        return _Job(unit, loop.create_future(), loop)

    async def _answered(self, job: _Job) -> Any:
        """Wait for a unit's answer, but not for ever."""
        limit = asyncio.timeout(self._answer_s / (SOONER_WHILE_SILENT if self._is_silent else 1))
        self._limits.add(limit)
        try:
            # a caller who goes away does not take back what may have begun
            async with limit:
                return await job.future
        except TimeoutError:
            if not limit.expired():
                raise
            job.is_given_up = True
            self._is_silent = True
            raise StorageUnavailable("the database gives no answer") from None
        finally:
            self._limits.discard(limit)

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
    ) -> list[tuple[_Job, Any, AfterCommit | None]]:
        outcome: list[tuple[_Job, Any, AfterCommit | None]] = []
        with connection.begin():
            # the driver itself: SQLAlchemy's way costs as much as an insert, twice a unit
            driver: Any = connection.connection.driver_connection
            for job in group:
                if job.is_given_up:
                    continue
                work = self._unit_of_work(connection)
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
                    outcome.append((job, _Answer(result), work.after_commit))
                driver.execute("RELEASE unit")
        return outcome

    def _answer(self, outcome: list[tuple[_Job, Any, AfterCommit | None]]) -> None:
        if not outcome:
            return

        def tell() -> None:
            if any(isinstance(result, _Answer) for _, result, _ in outcome):
                self._is_silent = False
            for job, result, after_commit in outcome:
                # what a commit leaves to do goes first and in commit order, even where the
                # caller has gone: its change is stored
                if after_commit is not None:
                    self._on_commit(after_commit)
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

    def _write_alone(self, job: _Job) -> None:
        for attempt in range(1, RETRIES + 1):
            if job.is_given_up:
                return
            result: Any
            after_commit: AfterCommit | None = None
            try:
                result, after_commit = self._committed(job)
            except DBAPIError as error:
                if may_retry(error) and attempt < RETRIES:
                    continue
                result = translate(error)
            except BaseException as error:  # noqa: BLE001 - it is its caller's
                result = self._failure(error)
            self._answer([(job, result, after_commit)])
            return

    def _committed(self, job: _Job) -> tuple[_Answer, AfterCommit]:
        with self._engine.begin() as connection:
            work = self._unit_of_work(connection)
            result = job.unit(work)
            work.flush()
            if job.is_given_up:
                raise _GivenUp
        return _Answer(result), work.after_commit

    def _read_alone(self, job: _Job) -> None:
        if job.is_given_up:
            return
        result: Any
        try:
            with self._reading() as connection:
                result = _Answer(job.unit(self._unit_of_work(connection)))
        except DBAPIError as error:
            result = translate(error)
        except BaseException as error:  # noqa: BLE001 - as above
            result = self._failure(error)
        self._answer([(job, result, None)])

    def _failure(self, error: BaseException) -> BaseException:
        if isinstance(error, PoolTimeout):
            return StorageUnavailable("every connection to the database is in use")
        return error

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
        self._patience.hurry()
        ending = threading.Thread(target=self._end_threads, name="storage-end", daemon=True)
        ending.start()
        ending.join(timeout=CLOSE_S)
        if ending.is_alive():
            log.error("storage_left_hanging", reason="the database or its disk does not answer")

    def _end_threads(self) -> None:
        if self._writer.is_alive():
            self._jobs.put(None)
            self._writer.join()
        self._writers.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        for connection in self._open_connections:
            connection.close()
        self._engine.dispose()


@dataclass(frozen=True, slots=True)
class _Answer:
    value: Any


__all__ = ["Storage", "engine_for"]
