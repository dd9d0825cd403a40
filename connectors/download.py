"""Fetching files from addresses that somebody else named: public ones only, and not too much.

A message can name any address, also one inside our own network: a cloud's metadata service, the
database's port, the console. So the address is looked at after the name was resolved, at every
redirect anew, and the connection is made to what was looked at.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from connectors.errors import MediaBusy, MediaGone
from connectors.http import read_response

TIMEOUT_S = 30.0
_MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({400, 401, 403, 404, 410})


class Downloads:
    """Fetches files. Close it."""

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        self._public = _session(_PublicOnly(resolver or aiohttp.ThreadedResolver()))
        self._any = _session(resolver or aiohttp.ThreadedResolver())

    async def close(self) -> None:
        """Hang up."""
        await self._public.close()
        await self._any.close()

    async def get(
        self,
        url: str,
        max_bytes: int,
        *,
        allow_private: bool = False,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        """The content behind an http(s) address.

        Args:
            allow_private: Our own network's addresses as well; only where an admin said so.
            headers: Sent to the named host only, never to where it redirects.

        Raises:
            MediaGone: ``expired`` (no longer there), ``too_large``, ``refused`` (not a public
                http address).
            MediaBusy: It could not be fetched now. No text names the address.
        """
        session = self._any if allow_private else self._public
        try:
            async with asyncio.timeout(TIMEOUT_S):
                for _ in range(_MAX_REDIRECTS + 1):
                    _check(url, allow_private=allow_private)
                    async with session.get(url, headers=headers, allow_redirects=False) as answer:
                        if answer.status in _REDIRECTS:
                            url = urljoin(url, answer.headers.get("Location", ""))
                            headers = None
                            continue
                        return await _body(answer, max_bytes)
        except (_Private, aiohttp.InvalidURL):
            raise MediaGone("refused") from None
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error.__cause__, _Private) or isinstance(error.__context__, _Private):
                raise MediaGone("refused") from None
            raise MediaBusy(type(error).__name__) from None
        raise MediaGone("refused")


class _Private(OSError):
    """An address that is not public."""


class _PublicOnly(AbstractResolver):
    """Resolves names, and refuses those that lead inside."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not all(is_public(one["host"]) for one in found):
            raise _Private
        return found

    async def close(self) -> None:
        await self._inner.close()


def is_public(host: str) -> bool:
    """Whether an IP address is one of the open internet.

    >>> [is_public(host) for host in ("8.8.8.8", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1")]
    [True, False, False, False]
    """
    address = ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if mapped is not None:
        address = mapped
    return address.is_global and not address.is_multicast


def _check(url: str, *, allow_private: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise MediaGone("refused")
    if allow_private:
        return
    try:
        # a literal address is never resolved, so nobody else looks at it
        is_inside = not is_public(parts.hostname)
    except ValueError:
        return
    if is_inside:
        raise MediaGone("refused")


async def _body(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    if answer.status in _GONE:
        raise MediaGone("expired")
    if answer.status != 200:  # noqa: PLR2004 - HTTP
        raise MediaBusy(str(answer.status))
    return await read_response(answer, max_bytes)


def _session(resolver: AbstractResolver) -> aiohttp.ClientSession:
    connector: Any = aiohttp.TCPConnector(resolver=resolver, limit=20, use_dns_cache=False)
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )
