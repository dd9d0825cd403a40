"""Connections to the server: deadlines for those who dawdle, and a limit on how many there are.

aiohttp answers a complete request at once and waits for an incomplete one as long as the client
likes (slowloris). Here every connection has to bring its request's head and body in time, and to
read its answer.

Source: the deadlines are Apache's (mod_reqtimeout, ``header=20-40,MinRate=500
    body=20,MinRate=500``).
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from bot.app.http.network import networks

log = structlog.get_logger(__name__)

SERVER_NAME = "kefu"
SWEEP_S = 1.0
AWAY_S = 10.0
"""A connection too many is left unread for so long before it is closed: closed at once it would
come back at once, some hundred times a second."""
AWAY_OF_ONE, AWAY_OF_ALL = 512, 2048
_OPEN_FILES_KEPT = 256
"""For the database, files and our own connections."""
_OPTIONS: dict[str, Any] = {
    "access_log": None,
    "keepalive_timeout": 75.0,
    "lingering_time": 5.0,
}


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Deadlines of a connection, in seconds.

    Attributes:
        head_s: From connecting, or from the first byte of a further request, to a whole head.
        idle_s: Without a request, after one was answered.
        body_s: From the head to a whole body, longer by a second for each ``min_rate`` bytes.
        min_rate: Bytes a second of a body.
        unread_s: With an answer that the client does not read.
    """

    head_s: float = 20.0
    idle_s: float = 75.0
    body_s: float = 20.0
    min_rate: int = 500
    unread_s: float = 60.0


class Connections:
    """All connections of a server, swept once a second.

    Args:
        monotonic: Seconds; the loop's clock.
        at_most: Connections in all. At the limit the longest idle one makes room.
        of_one: Connections of one source, where no proxy of ours stands in front; ``None``: the
            proxy has to limit them, all come from it.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        deadlines: Deadlines | None = None,
        at_most: int = 4096,
        of_one: int | None = None,
    ) -> None:
        self.monotonic = monotonic
        self._deadlines = deadlines or Deadlines()
        self._at_most = at_most
        self._of_one = of_one
        self._all: dict[asyncio.Transport, Connection] = {}
        self._by_source: Counter[str] = Counter()
        self._away: dict[asyncio.Transport, tuple[str, float]] = {}
        self._away_of: Counter[str] = Counter()
        self._turned_away = 0

    def __len__(self) -> int:
        return len(self._all)

    def protocol(self, server: web.Server) -> Doorman:
        """A new connection's protocol, as ``loop.create_server`` wants it."""
        return Doorman(self, server)

    def has_room(self, source: str) -> bool:
        """Tell whether one more connection of this source may be served."""
        if self._of_one is not None and self._by_source[source] >= self._of_one:
            return False
        return len(self._all) < self._at_most or self._make_room()

    def opened(self, connection: Connection, transport: asyncio.Transport) -> None:
        """Note a connection that is served."""
        if self._away and len(self._all) + len(self._away) >= self._at_most:
            self._close_away(next(iter(self._away)))
        self._all[transport] = connection
        self._by_source[connection.source] += 1

    def turn_away(self, transport: asyncio.Transport, source: str) -> None:
        """Leave a connection unread until a later sweep closes it."""
        self._turned_away += 1
        is_full = len(self._all) + len(self._away) >= self._at_most
        if is_full or self._away_of[source] >= AWAY_OF_ONE or len(self._away) >= AWAY_OF_ALL:
            transport.abort()
            return
        transport.pause_reading()
        self._away[transport] = source, self.monotonic()
        self._away_of[source] += 1

    def went_away(self, transport: asyncio.Transport) -> None:
        """Forget a connection that was turned away."""
        source, _ = self._away.pop(transport, ("", 0.0))
        if source:
            self._away_of[source] -= 1
            if not self._away_of[source]:
                del self._away_of[source]

    def closed(self, transport: asyncio.Transport) -> None:
        """Forget a connection."""
        connection = self._all.pop(transport, None)
        if connection is None:
            return
        self._by_source[connection.source] -= 1
        if not self._by_source[connection.source]:
            del self._by_source[connection.source]

    def began(self, request: web.BaseRequest) -> None:
        """Note that a request's head is complete."""
        connection = self._of(request)
        if connection is not None:
            connection.request = request
            connection.since_s, connection.received = self.monotonic(), 0

    def answered(self, request: web.BaseRequest) -> None:
        """Note that the answer was given."""
        connection = self._of(request)
        if connection is not None:
            connection.request, connection.is_first = None, False
            connection.since_s, connection.received = self.monotonic(), 0

    def _of(self, request: web.BaseRequest) -> Connection | None:
        transport = request.transport
        return None if transport is None else self._all.get(transport)

    def _make_room(self) -> bool:
        """Close the connection that has gone without a request for the longest time."""
        idle = [(one.since_s, key) for key, one in self._all.items() if one.request is None]
        if not idle:
            return False
        _, transport = min(idle, key=lambda pair: pair[0])
        self.closed(transport)
        transport.abort()
        return True

    def _close_turned_away(self, now_s: float) -> None:
        if self._turned_away:
            log.warning(
                "connections_refused", refused=self._turned_away, connections=len(self._all)
            )
            self._turned_away = 0
        for transport in [one for one, (_, at) in self._away.items() if now_s - at >= AWAY_S]:
            self._close_away(transport)

    def close(self) -> None:
        """Close what was turned away; what is served ends with the runner."""
        for transport in list(self._away):
            self._close_away(transport)

    def _close_away(self, transport: asyncio.Transport) -> None:
        self.went_away(transport)
        transport.abort()

    def sweep(self) -> int:
        """Close what is late; how many that were."""
        now_s = self.monotonic()
        self._close_turned_away(now_s)
        late = [
            (transport, why)
            for transport, one in self._all.items()
            if (why := one.lateness(now_s, self._deadlines)) is not None
        ]
        for transport, _ in late:
            transport.abort()
        if late:
            reasons = Counter(why for _, why in late)
            log.info("connections_closed_as_late", **reasons)
        return len(late)

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Sweep until cancelled."""
        while True:
            await sleep(SWEEP_S)
            self.sweep()


class Doorman(asyncio.Protocol):
    """The first protocol of each connection: serves it, or leaves it unread.

    aiohttp's protocol is dear to make and to end; a flood of connections shall not cost that.
    """

    def __init__(self, connections: Connections, server: web.Server) -> None:
        self._connections = connections
        self._server = server
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Judge by the source how the connection goes on."""
        peer = transport.get_extra_info("peername")
        source = networks(peer[0])[0] if isinstance(peer, tuple) else "unknown"
        stream = cast("asyncio.Transport", transport)
        if not self._connections.has_room(source):
            self._transport = stream
            self._connections.turn_away(stream, source)
            return
        connection = Connection(self._connections, self._server, source)
        stream.set_protocol(connection)
        connection.connection_made(stream)

    def connection_lost(self, exc: BaseException | None) -> None:  # noqa: ARG002
        """End a connection that was turned away."""
        if self._transport is not None:
            self._connections.went_away(self._transport)


class Connection(RequestHandler):
    """aiohttp's protocol, which also tells how long it has been waiting for what."""

    __slots__ = ("_connections", "is_first", "received", "request", "since_s", "source", "unread_s")

    def __init__(self, connections: Connections, server: web.Server, source: str) -> None:
        quiet = cast("logging.Logger", _QuietLog())
        super().__init__(server, loop=asyncio.get_running_loop(), logger=quiet, **_OPTIONS)
        self._connections = connections
        self.source = source
        self.request: web.BaseRequest | None = None
        self.is_first = True
        self.since_s = 0.0
        self.received = 0
        self.unread_s: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.since_s = self._connections.monotonic()
        super().connection_made(transport)
        self._connections.opened(self, transport)  # type: ignore[arg-type]

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        if self.transport is not None:
            self._connections.closed(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes."""
        if self.request is None and not self.received and not self.is_first:
            self.since_s = self._connections.monotonic()  # another head begins
        self.received += len(data)
        super().data_received(data)

    def pause_writing(self) -> None:
        """Note that the client does not read its answer."""
        self.unread_s = self._connections.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that it reads again."""
        self.unread_s = None
        super().resume_writing()

    def lateness(self, now_s: float, deadlines: Deadlines) -> str | None:
        """Return the step that took too long; ``None`` if the connection is in time."""
        if self.unread_s is not None and now_s - self.unread_s >= deadlines.unread_s:
            return "answer"
        waited_s = now_s - self.since_s
        if self.request is None:
            is_idle = not self.is_first and not self.received
            longest_s = deadlines.idle_s if is_idle else deadlines.head_s
            return ("idle" if is_idle else "head") if waited_s >= longest_s else None
        # an upgraded connection has no body; its own pings tell whether it lives
        has_body = not self.request.content.is_eof()
        longest_s = deadlines.body_s + self.received / deadlines.min_rate
        return "body" if has_body and waited_s >= longest_s else None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's words, which quote the client's
    ) -> web.StreamResponse:
        """Answer what is no HTTP, or what failed outside of every middleware, in one short line."""
        log.info("http_refused", status=status, error=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun; another cannot be sent")
        code = "bad_request" if status < 500 else "internal"  # noqa: PLR2004 - the server's fault
        response = web.json_response({"error": {"code": code}}, status=status)
        response.headers["Server"] = SERVER_NAME
        response.force_close()
        return response


class _QuietLog:
    """Log of aiohttp's protocol: one bounded line, without a traceback of the client's making."""

    def debug(self, *_words: object, **_more: object) -> None:
        """Say nothing: a client that went away is no news."""

    def warning(self, message: object, *_words: object, **_more: object) -> None:
        """Pass on what aiohttp thinks of its own configuration."""
        log.warning("http", detail=str(message)[:200])

    def exception(self, message: object, *_words: object, **more: object) -> None:
        """Name the error; its text may be the client's."""
        error = more.get("exc_info")
        if not isinstance(
            error, web.RequestPayloadError
        ):  # a body that ends in nonsense is no news
            log.warning("http_failed", detail=str(message)[:80], error=type(error).__name__)

    error = exception


class Site(web.BaseSite):
    """A listening socket whose connections are watched."""

    def __init__(self, runner: web.AppRunner, listener: Any, connections: Connections) -> None:
        super().__init__(runner)
        self._listener = listener
        self._connections = connections

    @property
    def name(self) -> str:
        """Return the address that it listens on."""
        return str(self._listener.getsockname())

    async def stop(self) -> None:
        """Listen no more."""
        self._connections.close()
        await super().stop()

    async def start(self) -> None:
        """Listen."""
        await super().start()
        server = self._runner.server
        assert server is not None  # noqa: S101 - the runner is set up
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: self._connections.protocol(server), sock=self._listener, backlog=512
        )


def connections_at_most() -> int:
    """As many connections as this process may have files, less what it needs itself."""
    if sys.platform == "win32":
        return 4096
    import resource  # noqa: PLC0415 - there is none on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 16_384 if hard == resource.RLIM_INFINITY else min(hard, 16_384)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(64, max(soft, wanted) - _OPEN_FILES_KEPT)
