"""Fetching files from addresses that somebody else named: public ones only, and not too much.

A message can name any address, also one inside our own network: a cloud's metadata service, the
database's port, the console. What an address means is decided by who connects to it, so nothing
else is judged than what is connected to: the very address object that the client is given, each
address a name leads to, the address of each socket before it connects, and who is at its other end
before anything is asked. Every redirect is a new address. Hosts inside that an admin has named are
reached through connections of their own.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from connectors.errors import MediaBusy, MediaGone
from connectors.media import addresses
from connectors.media.addresses import PrivateHost
from connectors.media.http import read_response

if TYPE_CHECKING:
    from aiohttp.client import ClientTimeout
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import AddrInfoType, Connection
    from aiohttp.tracing import Trace

TIMEOUT_S = 30.0
_MAX_REDIRECTS = 3
_MAX_CONNECTIONS = 20
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({400, 401, 403, 404, 410})
IsPublic = Callable[[str], bool]


class Downloads:
    """Fetches files. Close it.

    Args:
        is_public: Tells an address of the open internet from one inside; tests have their own.
    """

    def __init__(
        self,
        resolver: AbstractResolver | None = None,
        *,
        is_public: IsPublic = addresses.is_public,
    ) -> None:
        resolver = resolver or aiohttp.ThreadedResolver()
        self._outside = _session(_OutsideOnly(resolver, is_public))
        # told apart by the connections: one that was opened for a host an admin named must never
        # serve an account that named none
        self._named = _session(
            aiohttp.TCPConnector(resolver=resolver, limit=_MAX_CONNECTIONS, use_dns_cache=False)
        )

    async def close(self) -> None:
        """Hang up."""
        await self._outside.close()
        await self._named.close()

    async def get(
        self,
        url: str,
        max_bytes: int,
        *,
        private_hosts: Sequence[PrivateHost] = (),
        headers: dict[str, str] | None = None,
    ) -> bytes:
        """The content behind an http(s) address.

        Args:
            private_hosts: Inside our own network, and reached all the same; looked at anew for
                every redirect.
            headers: Sent to the named host only, never to where it redirects.

        Raises:
            MediaGone: ``expired`` (no longer there), ``too_large``, ``refused`` (not a public
                http address).
            MediaBusy: It could not be fetched now. No text names the address.
        """
        target = _checked(url)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                for _ in range(_MAX_REDIRECTS + 1):
                    is_named = any(one.is_meant_by(target) for one in private_hosts)
                    session = self._named if is_named else self._outside
                    async with session.get(
                        target, headers=headers, allow_redirects=False
                    ) as answer:
                        if answer.status not in _REDIRECTS:
                            return await _body(answer, max_bytes)
                        target = _checked(answer.headers.get("Location", ""), target)
                        headers = None
        except (_Inside, aiohttp.InvalidURL):
            raise MediaGone("refused") from None
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error.__cause__, _Inside) or isinstance(error.__context__, _Inside):
                raise MediaGone("refused") from None
            raise MediaBusy(type(error).__name__) from None
        raise MediaGone("refused")


class _Inside(OSError):
    """An address that is not of the open internet."""


class _OutsideOnly(aiohttp.TCPConnector):
    """Connects to the open internet alone."""

    def __init__(self, resolver: AbstractResolver, is_public: IsPublic) -> None:
        super().__init__(
            resolver=_PublicNames(resolver, is_public),
            # no name is resolved for an address that stands as digits: this is asked for all
            socket_factory=self._socket,
            limit=_MAX_CONNECTIONS,
            use_dns_cache=False,
        )
        self._is_public = is_public

    def _socket(self, info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        if not self._is_public(str(address[0])):
            raise _Inside
        return socket.socket(family, kind, protocol)

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - the library's signature
    ) -> Connection:
        """A connection, new or kept open, whose other end is outside."""
        connection = await super().connect(req, traces, timeout)
        transport = connection.transport
        peer = transport.get_extra_info("peername") if transport is not None else None
        if peer is None or not self._is_public(str(peer[0])):
            connection.close()
            raise _Inside
        return connection


class _PublicNames(AbstractResolver):
    """Resolves names, and refuses those that lead inside by any of their addresses."""

    def __init__(self, inner: AbstractResolver, is_public: IsPublic) -> None:
        self._inner = inner
        self._is_public = is_public

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not all(self._is_public(one["host"]) for one in found):
            raise _Inside
        return found

    async def close(self) -> None:
        await self._inner.close()


def _checked(text: str, base: URL | None = None) -> URL:
    """The address as it will be connected to.

    Raises:
        MediaGone: ``refused``: it is no http address, or one with a user's name.
    """
    try:
        url = URL(text) if base is None else base.join(URL(text))
        is_web = url.scheme in {"http", "https"} and bool(url.raw_host) and bool(url.port)
    except (ValueError, TypeError):  # half an address, or a host that no name can be
        raise MediaGone("refused") from None
    if not text or not is_web or url.user is not None or url.password is not None:
        raise MediaGone("refused")
    return url


async def _body(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    if answer.status in _GONE:
        raise MediaGone("expired")
    if answer.status != 200:  # noqa: PLR2004 - HTTP
        raise MediaBusy(str(answer.status))
    return await read_response(answer, max_bytes)


def _session(connector: Any) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )
