"""The claim to be the only process that serves on a database.

Two would each take what the other has on its way, and customers would hear everything twice. The
claim belongs to the database itself: to the inode of the file, whatever path leads to it, or to the
schema on the server, from whatever machine. A process that dies lets go by itself.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from handoff.errors import StorageUnavailable
from storage.core.engine import engine_for
from storage.core.errors import DatabaseInUse
from storage.core.patience import Patience

log = structlog.get_logger(__name__)

CHECK_S = 2.0
ANSWER_S = 4.0
"""A silent server is noticed within these two; the server itself needs longer to let go."""
_HOST_CHARS = 30  # PostgreSQL cuts an application's name after 63


class Claim(Protocol):
    """One process's claim to one database.

    Attributes:
        is_held: While it is not, nothing may be sent: another process may be at it.
    """

    is_held: bool

    def take(self) -> None:
        """Take it. Blocking.

        Raises:
            DatabaseInUse: Another process has it; the text tells which.
            StorageUnavailable: The database cannot be used.
        """

    async def keep(self, on_back: Callable[[], Awaitable[None]]) -> DatabaseInUse:
        """Watch over it, and take it again where it was lost; ends when another process has it.

        Args:
            on_back: Called when it was lost and is held again.
        """

    def release(self) -> None:
        """Let go. Blocking."""


def claim_to(url: str) -> Claim:
    """The claim to a database, not taken yet."""
    with suppress(ArgumentError):  # a wrong address is told by whoever opens it
        address = make_url(url)
        if address.get_backend_name() == "postgresql":
            return SessionClaim(url)
        if address.database not in {None, "", ":memory:"}:
            return FileClaim(Path(str(address.database)))
    return NoClaim()


@contextmanager
def claimed(url: str) -> Iterator[Claim]:
    """Hold the claim to a database while the block runs.

    Raises:
        DatabaseInUse: Another process has it.
        StorageUnavailable: The database cannot be used.
    """
    claim = claim_to(url)
    claim.take()
    try:
        yield claim
    finally:
        claim.release()


async def _never() -> DatabaseInUse:
    nothing: asyncio.Future[DatabaseInUse] = asyncio.get_running_loop().create_future()
    return await nothing


class NoClaim:
    """Implements ``Claim`` for what nobody else can reach."""

    is_held = True

    def take(self) -> None:
        """Nothing to take."""

    async def keep(self, on_back: Callable[[], Awaitable[None]]) -> DatabaseInUse:  # noqa: ARG002 - it never happens
        """Never ends."""
        return await _never()

    def release(self) -> None:
        """Nothing to let go."""


class FileClaim:
    """Implements ``Claim`` by a lock on the file itself, beside those that SQLite takes.

    Source: flock(2): it belongs to the open file, and so to the inode; SQLite's own locks are
        those of fcntl(2), which do not see it, except over NFS.
    """

    def __init__(self, path: Path) -> None:
        self.is_held = False
        self._path = path
        self._file: int | None = None

    def take(self) -> None:
        """Lock the file; it is made if there is none."""
        try:
            import fcntl  # noqa: PLC0415 - Windows has none; there the data folder's lock is all
        except ImportError:
            self.is_held = True
            return
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageUnavailable(f"{self._path}: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder_of(file)
            os.close(file)
            raise DatabaseInUse(str(self._path), socket.gethostname(), holder) from None
        except OSError as error:
            os.close(file)
            # a file system without locks: better to serve, and to say what does not hold
            log.warning("database_not_locked", path=str(self._path), reason=error.strerror)
        else:
            self._file = file
        self.is_held = True

    async def keep(self, on_back: Callable[[], Awaitable[None]]) -> DatabaseInUse:  # noqa: ARG002 - it never happens
        """Never ends: nobody can take a file's lock from a process that lives."""
        return await _never()

    def release(self) -> None:
        """Close the file."""
        self.is_held = False
        if self._file is not None:
            # the last thing: closing any handle of a file drops all that SQLite has locked on it
            os.close(self._file)
            self._file = None


def _holder_of(file: int) -> str:
    """The process that holds a file's lock, as far as the kernel tells us."""
    status = os.fstat(file)
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():
            fields = line.split()
            if "FLOCK" in fields and device in fields:
                return fields[fields.index(device) - 1]
    return "?"


_TRY = text("select pg_try_advisory_lock(hashtext('kefu'), hashtext(current_schema()))")
_HOLDER = text(
    "select l.pid, a.application_name from pg_locks l join pg_stat_activity a using (pid)"
    " where l.locktype = 'advisory' and l.granted and l.objsubid = 2"
    " and l.database = (select oid from pg_database where datname = current_database())"
    " and l.classid::bigint = hashtext('kefu') & 4294967295::bigint"
    " and l.objid::bigint = hashtext(current_schema()) & 4294967295::bigint"
)


class SessionClaim:
    """Implements ``Claim`` by an advisory lock of a session of its own.

    Source: PostgreSQL 15 documentation, 13.3.5 Advisory Locks: held until the session ends.
    """

    def __init__(self, url: str) -> None:
        self.is_held = False
        host = socket.gethostname()[:_HOST_CHARS]
        self._name = f"kefu {host} {os.getpid()} {secrets.token_hex(4)}"
        self._engine: Engine = engine_for(url, Patience(ANSWER_S))
        self._connection: Connection | None = None

    def take(self) -> None:
        """Begin a session and take its lock."""
        try:
            taken_by = self._try()
        except SQLAlchemyError as error:
            self._drop()
            raise StorageUnavailable(
                f"the database cannot be used: {' '.join(str(error).split())[:200]}"
            ) from error
        if taken_by is not None:
            self.release()
            raise taken_by

    async def keep(self, on_back: Callable[[], Awaitable[None]]) -> DatabaseInUse:
        """Check every two seconds, and at once when the session ends."""
        while True:
            await self._until_news()
            try:
                await asyncio.to_thread(self._check)
            except SQLAlchemyError as error:
                # fail closed: from here on another process may have it
                self.is_held = False
                log.error("database_claim_lost", error=type(error).__name__)
                taken_by = await self._retaken()
                if taken_by is not None:
                    return taken_by
                log.warning("database_claim_back")
                await on_back()

    def release(self) -> None:
        """End the session."""
        self.is_held = False
        self._drop()
        self._engine.dispose()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                # not back into the pool: the session must end, and its lock with it
                connection.invalidate()
                connection.close()

    def _try(self) -> DatabaseInUse | None:
        """Take it in a new session, unless another process has it: then that."""
        self._drop()
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._connection = connection
        connection.execute(
            text("select set_config('application_name', :a, false)"), {"a": self._name}
        )
        if connection.execute(_TRY).scalar():
            self.is_held = True
            return None
        holder = connection.execute(_HOLDER).first()
        if holder is None:
            return self._try()  # let go in between
        pid, name = holder
        if name == self._name:
            # our own session from before a break, which the server still believes in
            connection.execute(text("select pg_terminate_backend(:a)"), {"a": pid})
            return None
        _, host, process, *_ = [*str(name).split(), "?", "?", "?"]
        return DatabaseInUse(self._engine.url.render_as_string(), host, process)

    async def _retaken(self) -> DatabaseInUse | None:
        while not self.is_held:
            try:
                taken_by = await asyncio.to_thread(self._try)
            except SQLAlchemyError:
                taken_by = None
            if taken_by is not None:
                return taken_by
            if not self.is_held:
                await asyncio.sleep(CHECK_S / 4)
        return None

    def _check(self) -> None:
        self._session().execute(text("select 1"))

    def _session(self) -> Connection:
        if self._connection is None:
            raise StorageUnavailable("the claim was never taken")
        return self._connection

    async def _until_news(self) -> None:
        """Wait for the next check; a session that ends is noticed at once."""
        driver: Any = self._session().connection.driver_connection
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        file = driver.fileno()
        loop.add_reader(file, ended.set)
        try:
            async with asyncio.timeout(CHECK_S):
                await ended.wait()
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(file)
