"""Who is at the other end of a request, behind none, one or more proxies of our own."""

from __future__ import annotations

from aiohttp import web

FORWARDED_FOR = "X-Forwarded-For"


def is_this_machine(request: web.Request, address: str) -> bool:
    """Whether a request comes from this machine, and not through a proxy nobody told of."""
    return address in {"127.0.0.1", "::1"} and FORWARDED_FOR not in request.headers


def client_address(request: web.Request, trusted_proxies: int) -> str:
    """The network address of whoever sent a request.

    Args:
        trusted_proxies: How many proxies of our own stand in front. Each appends the address that
            it saw, so the one that counts is that many places from the right; what stands further
            left was written by the client and is not believed.
    """
    remote = request.remote or "unknown"
    if trusted_proxies == 0:
        return remote
    chain = [
        part.strip() for part in ",".join(request.headers.getall(FORWARDED_FOR, [])).split(",")
    ]
    seen = [part for part in chain if part]
    return seen[-trusted_proxies] if len(seen) >= trusted_proxies else remote
