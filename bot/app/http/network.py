"""Sources of requests: network addresses behind none, one or more proxies of our own.

A source is what limits count by. It is never the visitor, whose tokens are free, and never a single
IPv6 address, of which everybody has 2^64.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

FORWARDED_FOR = "X-Forwarded-For"
EXACT_V6_BITS = 64
WIDE_V6_BITS, WIDE_V4_BITS = 48, 24
EXACT, WIDE = "ip:", "net:"
_OF_PROXIES = (FORWARDED_FOR, "Forwarded", "X-Real-IP", "X-Forwarded-Proto", "Via")
_NOT_COUNTED = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked by the machine itself, past the proxy."""


@dataclass(frozen=True, slots=True)
class Source:
    """The other end of a request, as keyed hashes: no address can be read from them.

    Attributes:
        exact: ``ip:…``: one IPv4 address, or one IPv6 /64, which is one customer's line.
        wide: ``net:…``: the IPv4 /24 or IPv6 /48 around it, for whoever has many of the former.
            Neighbours share it: a limit on it is several times that on ``exact``.
        is_exempt: The owner of a demo, at the machine itself; no limit holds.
    """

    exact: str
    wide: str
    is_exempt: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Throttle keys, the exact one first; none where no limit holds."""
        return () if self.is_exempt else self.networks

    @property
    def networks(self) -> tuple[str, str]:
        """Throttle keys for what nobody is exempt from, such as logging in."""
        return self.exact, self.wide


class Network:
    """Tells sources apart.

    Args:
        key: Secret; makes the hashes.
        trusted_proxies: How many proxies of our own stand in front. Each appends the address that
            it saw to ``X-Forwarded-For``, so the one that counts is that many places from the
            right; what stands further left was written by the client and is not believed.
        is_demo: The demo's owner tries things out at this machine. Everywhere else the loopback
            address is a source like any other: behind a proxy that says nothing, it is everybody.
    """

    def __init__(self, key: bytes, *, trusted_proxies: int = 0, is_demo: bool = False) -> None:
        self._key = key
        self._trusted_proxies = trusted_proxies
        self._is_demo = is_demo
        self._lacks_header = False
        self._has_warned = False

    @property
    def trusts_proxy(self) -> bool:
        """Tell whether ``X-Forwarded-*`` are believed."""
        return self._trusted_proxies > 0

    @property
    def problem(self) -> str | None:
        """Fault in the proxy's configuration, told to the admin; ``None`` if there is none."""
        if not self._lacks_header:
            return None
        return (
            f"KEFU_TRUSTED_PROXIES={self._trusted_proxies}，但最近的请求没有带够 {FORWARDED_FOR}："
            "所有顾客被当成同一个来源。请照 docs/admin.md 配置反向代理 "
            f"(the proxy sends too few {FORWARDED_FOR} entries: everybody is one source)"
        )

    def source(self, request: web.Request) -> Source:
        """The source of a request."""
        exact, wide = networks(self.address(request))
        return Source(
            EXACT + self._hashed(exact),
            WIDE + self._hashed(wide),
            is_exempt=self._is_demo and _is_at_this_machine(request),
        )

    def address(self, request: web.Request) -> str:
        """The network address of whoever sent a request, or what stands in its place."""
        remote = request.remote or "unknown"
        if not self.trusts_proxy:
            return remote
        chain = _entries(request, FORWARDED_FOR)
        has_enough = len(chain) >= self._trusted_proxies
        if request.path not in _NOT_COUNTED:
            self._note(lacks_header=not has_enough)
        # a proxy that says nothing makes everybody one source, and that one is limited
        return chain[-self._trusted_proxies] if has_enough else remote

    def forwarded(self, request: web.Request, header: str) -> str | None:
        """An ``X-Forwarded-*`` header as our own proxy wrote it; ``None`` without one."""
        if not self.trusts_proxy:
            return None
        # of several entries, and of several headers, only the last is our own proxy's
        given = _entries(request, header)
        return given[-1] if given else None

    def is_https(self, request: web.Request) -> bool:
        """Tell whether the browser speaks TLS, with us or with our proxy."""
        return request.secure or self.forwarded(request, "X-Forwarded-Proto") == "https"

    def _note(self, *, lacks_header: bool) -> None:
        self._lacks_header = lacks_header
        if lacks_header and not self._has_warned:
            self._has_warned = True
            log.warning("proxy_sends_no_forwarded_for", trusted_proxies=self._trusted_proxies)

    def _hashed(self, network: str) -> str:
        given = network.encode(errors="surrogateescape")
        return hmac.digest(self._key, given, "sha256").hex()[:16]


def networks(address: str) -> tuple[str, str]:
    """The exact and the wide network of an address.

    Returns:
        Such as ``("2001:db8:1:2::/64", "2001:db8:1::/48")``; twice ``"unknown"`` where the text is
        no address, so that whoever has none is one source.
    """
    known = _parsed(address)
    match known:
        case IPv4Address():
            return str(known), str(ip_network((known, WIDE_V4_BITS), strict=False))
        case IPv6Address():
            exact = ip_network((known.packed, EXACT_V6_BITS), strict=False)
            return str(exact), str(ip_network((known.packed, WIDE_V6_BITS), strict=False))
        case None:
            return "unknown", "unknown"


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: with a port, in brackets, with a zone, or bare."""
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        known = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if isinstance(known, IPv6Address):
        # whoever has one IPv4 address has it in all of these spellings
        return known.ipv4_mapped or known.sixtofour or known
    return known


def _entries(request: web.Request, header: str) -> list[str]:
    given = ",".join(request.headers.getall(header, []))
    return [part for entry in given.split(",") if (part := entry.strip())]


def _is_at_this_machine(request: web.Request) -> bool:
    known = _parsed(request.remote or "")
    is_through_proxy = any(header in request.headers for header in _OF_PROXIES)
    return known is not None and known.is_loopback and not is_through_proxy
