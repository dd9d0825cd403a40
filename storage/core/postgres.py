"""Connections to PostgreSQL on which no call waits for ever.

A server that crashes or refuses is noticed at once. One that falls silent (a pulled cable, a
firewall that forgets, a host that hangs) closes nothing: without deadlines a call waits until TCP
gives up, which for an idle connection is never. The server's own limits end what it knows to be too
slow; the limits here end what it can no longer say.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from sqlalchemy import URL, Engine, create_engine, event

from storage.core.patience import Patience

T = TypeVar("T")

POOL_SIZE = 16
POOL_S = 5
"""How long a unit waits for a connection."""
CONNECTING = {
    "connect_timeout": "5",
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""Connection parameters, in s; ``tcp_user_timeout`` in ms. The address may say otherwise.

Source: PostgreSQL 15 documentation, 34.1.2 Parameter Key Words.
"""
SERVING = {
    "statement_timeout": "8s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    # a client that is gone lets go of its locks within 20 s, not two hours
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
}
"""Session settings while customers are served. The address may say otherwise."""


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is given up when an answer does not come in time."""

    patience = Patience()

    def wait(
        self, gen: Generator[Any, Any, T], interval: float = 0.1, timeout: float | None = None
    ) -> T:
        """Run one exchange with the server.

        Args:
            interval: How often, in s, it is looked whether the time is over.

        Raises:
            psycopg.OperationalError: It took too long; the connection is closed.
        """
        try:
            return super().wait(self._watched(gen), interval, timeout)
        except _Silent:
            # whatever the server still says would be taken for the answer to another question
            self.pgconn.finish()
            raise

    def _watched(self, exchange: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        began = time.monotonic()
        try:
            wanted = next(exchange)
            while True:
                ready = yield wanted
                if not ready and self.patience.is_over(began):
                    raise _Silent("the server gives no answer")
                wanted = exchange.send(ready)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


class _Silent(psycopg.OperationalError):
    """No answer came in time."""


def postgres_engine(url: URL, patience: Patience, *, is_serving: bool) -> Engine:
    """An engine for PostgreSQL.

    Args:
        is_serving: ``False`` for migrations, whose statements may take long.
    """
    engine = create_engine(
        with_limits(url, is_serving=is_serving),
        pool_size=POOL_SIZE,
        pool_timeout=POOL_S,
        pool_pre_ping=True,
        hide_parameters=True,
    )

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, arguments: Any, parameters: Any) -> Any:
        connection = PatientConnection.connect(*arguments, **parameters)
        connection.patience = patience
        return connection

    return engine


def with_limits(url: URL, *, is_serving: bool) -> URL:
    """The address with our limits; what it says itself stays as it is.

    >>> from sqlalchemy import make_url
    >>> given = make_url("postgresql+psycopg://db/kefu?options=-c lock_timeout=1s&keepalives=0")
    >>> limited = with_limits(given, is_serving=True)
    >>> limited.query["keepalives"], limited.query["options"].split(" -c ")[-1]
    ('0', 'lock_timeout=1s')
    """
    query = dict(url.query)
    missing = {name: value for name, value in CONNECTING.items() if name not in query}
    url = url.update_query_dict(missing)
    if not is_serving:
        return url
    given = query.get("options", ())
    theirs = [given] if isinstance(given, str) else list(given)
    ours = [f"-c {name}={value}" for name, value in SERVING.items()]
    # of two values for one setting the later counts
    return url.update_query_dict({"options": " ".join([*ours, *theirs])})
