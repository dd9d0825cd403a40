"""What all fake platforms share: a server on a free port, faults on order, a log of requests.

A fake plays the platform's side of a conversation: customers write on it and read what kefu sends
to it. It keeps the platform's rules (limits, windows, signatures, redelivery) by an injected clock,
so that a test never waits, and a developer can start it by hand (``kefu channels fake …``).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web

Clock = Callable[[], datetime]
Predicate = Callable[[Mapping[str, Any]], bool]

ANY = "*"


@dataclass(slots=True)
class Fault:
    """Something that goes wrong with the next matching requests.

    Attributes:
        kind: ``delay`` (``seconds``, then as usual) · ``hang`` (no answer until the client goes) ·
            ``drop_before`` (connection cut, nothing done) · ``drop_after`` (done, then cut) ·
            ``status`` (``status``, ``body``, ``content_type``; nothing done) ·
            ``error`` (the platform's own error, from ``code`` and ``fields``; nothing done) ·
            ``garbage`` (done, then half of the JSON).
        method: The platform's method or path this is for, or ``*``.
        times: How many requests it meets.
        match: Only requests whose parameters satisfy this.
    """

    kind: str
    method: str = ANY
    times: int = 1
    match: Predicate = lambda _parameters: True
    seconds: float = 0.0
    status: int = 500
    body: str = "<html><body>502 Bad Gateway</body></html>"
    content_type: str = "text/html"
    code: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)


class Faults:
    """Faults in order; the first that matches a request is used up by it."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self.used: list[Fault] = []

    def add(self, kind: str, method: str = ANY, **more: Any) -> Fault:
        """Order a fault."""
        fault = Fault(kind, method, **more)
        self._waiting.append(fault)
        return fault

    def take(self, method: str, parameters: Mapping[str, Any]) -> Fault | None:
        """The fault that this request meets, or ``None``."""
        for fault in self._waiting:
            is_meant = fault.method in {ANY, method}
            if is_meant and fault.match(parameters):
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                self.used.append(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forget what has not happened yet."""
        self._waiting.clear()


@dataclass(frozen=True, slots=True)
class Call:
    """A request that kefu made: the platform's method, what was sent, and when."""

    method: str
    parameters: Mapping[str, Any]
    at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as a customer sees it.

    Attributes:
        text: As displayed: markup already turned into plain text.
        kind: ``text``, ``image``, ``file`` or ``voice``.
        buttons: Labels, where the platform draws buttons.
        content: Bytes of an image or file.
    """

    text: str = ""
    kind: str = "text"
    buttons: tuple[str, ...] = ()
    content: bytes | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


class FakePlatform(ABC):
    """One account of a platform.

    Attributes:
        is_by_socket: Events come over a WebSocket, in their order, and not by webhook.
        calls: Every request that kefu made, oldest first.
        faults: What goes wrong next.
        pushes: (HTTP status or None, body) of every webhook delivery, oldest first; empty where
            the platform does not push.
    """

    channel: str
    is_by_socket: bool = False

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or (lambda: datetime.now(UTC))
        self.faults = Faults()
        self.calls: list[Call] = []
        self.pushes: list[tuple[int | None, str]] = []
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._news = asyncio.Event()

    # ------------------------------------------------------------------ the server

    @abstractmethod
    def application(self) -> web.Application:
        """The platform's HTTP API."""

    async def start(self, port: int = 0) -> str:
        """Listen on this machine; the base URL."""
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        server = site._server
        assert isinstance(server, asyncio.Server)
        self.url = "http://127.0.0.1:" + str(server.sockets[0].getsockname()[1])
        return self.url

    @property
    def hosts(self) -> list[str]:
        """Where its files lie, as ``private_media`` names it; none before it has a port."""
        return [host] if (host := self.url.partition("//")[2]) else []

    async def stop(self) -> None:
        """Hang up."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # ------------------------------------------------------------------ kefu's side

    @abstractmethod
    def account(self, name: str = "main") -> dict[str, Any]:
        """This account as an entry of channels.yaml (``channel``, ``account`` and the rest).

        Secrets stand in it literally; base URLs point here.
        """

    @abstractmethod
    async def connect(self, kefu_url: str, name: str = "main") -> None:
        """Tell the platform where kefu is: register the webhook, dial the socket, or nothing."""

    # ------------------------------------------------------------------ the customer's side

    @abstractmethod
    async def says(
        self,
        user: str,
        text: str,
        *,
        group: str | None = None,
        mentions: bool = True,
        times: int = 1,
    ) -> str:
        """A customer writes; ``times`` is how often the platform delivers it.

        Returns:
            The platform's own id of the message, once kefu has accepted it or the platform has
            given up (see ``pushes``); at once where kefu polls.
        """

    @abstractmethod
    def shown(self, user: str, *, group: str | None = None) -> list[Shown]:
        """What this customer (or the group) sees of us, oldest first."""

    async def sends_media(
        self, user: str, kind: str, content: bytes, *, name: str = "", mime: str = ""
    ) -> str:
        """A customer sends ``image``, ``voice``, ``video`` or ``file``."""
        raise NotImplementedError

    async def presses(self, user: str, label: str, *, times: int = 1) -> str:
        """A customer presses a button of the newest message that has one of this label."""
        raise NotImplementedError

    async def arrives(self, user: str, payload: str = "") -> str:
        """A customer follows, starts or enters."""
        raise NotImplementedError

    async def leaves(self, user: str) -> str:
        """A customer unfollows or blocks us; sends to them are refused from now on."""
        raise NotImplementedError

    async def connected(self) -> None:  # noqa: B027 - most need not wait
        """Wait until kefu can hear; at once where nothing has to stay open."""

    async def replays(self, key: str) -> None:
        """The platform delivers a message once more, byte for byte where it can be."""
        raise NotImplementedError

    # ------------------------------------------------------------------ for tests

    def record(
        self, method: str, parameters: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        """Note a request and wake who waits."""
        self.calls.append(Call(method, parameters, self.clock(), headers or {}))
        self.changed()

    def changed(self) -> None:
        """Something a test may wait for has happened."""
        self._news.set()

    async def until(self, is_so: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait until something is so; it is looked at whenever something happens here.

        Raises:
            TimeoutError: It did not come to be.
        """
        async with asyncio.timeout(timeout_s):
            while not is_so():
                self._news.clear()
                if is_so():
                    return
                await self._news.wait()

    async def until_shown(
        self, user: str, count: int, *, group: str | None = None, timeout_s: float = 10.0
    ) -> list[Shown]:
        """Wait until a customer sees so many messages; all of them."""
        await self.until(lambda: len(self.shown(user, group=group)) >= count, timeout_s)
        return self.shown(user, group=group)

    def fault_of(self, method: str, parameters: Mapping[str, Any]) -> Fault | None:
        """The fault that this request meets, or ``None``; who waits for it is woken."""
        fault = self.faults.take(method, parameters)
        if fault is not None:
            self.changed()
        return fault

    async def met_fault(
        self,
        request: web.Request,
        method: str,
        parameters: Mapping[str, Any],
        act: Callable[[], Awaitable[web.StreamResponse]],
        error: Callable[[Fault], web.StreamResponse],
    ) -> web.StreamResponse:
        """Answer a request, through whatever fault was ordered for it.

        Args:
            act: Does what was asked and answers.
            error: The platform's own error for a fault of kind ``error``.
        """
        fault = self.fault_of(method, parameters)
        if fault is None:
            return await act()
        match fault.kind:
            case "delay":
                await asyncio.sleep(fault.seconds)
                return await act()
            case "hang":
                await asyncio.Event().wait()
            case "drop_before":
                _cut(request)
            case "drop_after":
                await act()
                _cut(request)
            case "garbage":
                answer = await act()
                body = answer.body if isinstance(answer, web.Response) else b"{}"
                assert isinstance(body, bytes)
                return web.Response(body=body[: len(body) // 2], content_type="application/json")
            case "error":
                return error(fault)
        return web.Response(status=fault.status, text=fault.body, content_type=fault.content_type)


def _cut(request: web.Request) -> None:
    transport = request.transport
    if transport is not None:
        transport.close()


__all__ = ["ANY", "Call", "FakePlatform", "Fault", "Faults", "Shown"]
