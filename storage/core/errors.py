"""Translation of the database's own exceptions into ours."""

from __future__ import annotations

from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)

from handoff.errors import Conflict, StorageUnavailable, Unstorable


class DatabaseInUse(StorageUnavailable):
    """Another process serves on this database, and there may be only one."""

    def __init__(self, database: str, host: str, pid: str) -> None:
        super().__init__(
            f"{database}: 另一个 kefu（主机 {host}，进程 {pid}）正在用这个数据库，"
            "两个一起跑顾客会收到两遍；请先停掉它，或用 KEFU_DATABASE_URL 换一个数据库 "
            "(in use by another kefu)"
        )


#: PostgreSQL's serialization failure and deadlock: the same unit again may succeed.
RETRYABLE_STATES = frozenset({"40001", "40P01"})


def translate(error: DBAPIError) -> Exception:
    """The error a use case acts on, in place of a driver's.

    Source: SQLite result codes (SQLITE_FULL, SQLITE_IOERR, SQLITE_READONLY, SQLITE_BUSY) all come
        as ``OperationalError``; so does PostgreSQL's lost connection and full disk (class 53).
    """
    if isinstance(error, IntegrityError):
        return Conflict(reason(error))
    if isinstance(error, DataError):
        return Unstorable("有的内容太长或者超出范围，请改短再试")
    # DatabaseError's subclasses are our own mistakes; itself it is a file that is damaged
    is_damaged = type(error) is DatabaseError
    is_away = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
    if is_away or is_damaged:
        return StorageUnavailable(f"the database cannot be used now: {reason(error)}")
    return error


def reason(error: DBAPIError) -> str:
    """The driver's own words in one line, without the statement and its parameters."""
    return " ".join(str(error.orig).split())[:200]


def may_retry(error: DBAPIError) -> bool:
    """Return whether the same unit may succeed at once."""
    return getattr(error.orig, "sqlstate", None) in RETRYABLE_STATES
