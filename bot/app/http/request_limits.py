"""Pace of requests: a source that asks for more than its share waits, and is served more slowly.

Refusing is work too: a flood of requests that are each refused at once (no token, wrong password,
too many) takes a core from everybody. So requests over a source's pace are held, which costs
nothing, and the next one over the same connection cannot come meanwhile. An ordinary source that
does much at once loses a moment, and gets its answers.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import hdrs, web

from bot.app.http.network import Network
from connectors.kit.rate import Bucket, Buckets, Rate

BURST_S = 2.0
"""So many seconds' requests may come at once: a console that was never open here loads 40 files."""
FAULT_COST = 10.0
"""Requests for which one counts that the client got wrong: most floods are of these."""
HOLD_S = 5.0
"""A request whose turn is further away is held for so long all the same, and refused then."""
HOOK_HOLD_S = 1.0
"""Platforms give up after five seconds; what they send is held for a moment, never refused."""
HELD_OF_ONE, HELD_OF_ALL = 200, 2_000
HOOKS = "/hooks/"


def rate_of(per_second: float) -> Rate:
    """Return the rate that a setting means."""
    return Rate(BURST_S * per_second, per_second)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RequestLimits:
    """Stands outside of the rim: what waits has not begun, and every answer's status is known.

    What a platform delivers with a right signature costs its source nothing: platforms speak for
    all of their customers from a few addresses.

    Args:
        rate: Requests of one address or IPv6 /64.
        now_s: Monotonic.
        sleep: Holds a request.
    """

    def __init__(
        self,
        network: Network,
        *,
        rate: Rate,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._network = network
        self._rate = rate
        self._now_s = now_s
        self._sleep = sleep
        self._buckets = Buckets()
        self._held: Counter[str] = Counter()
        self._all_held = 0

    def mount(self, application: web.Application) -> None:
        """Put it round an application's routes."""

        @web.middleware
        async def limits(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self.handle(request, handler)

        application.middlewares.append(limits)

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serve a request when its turn has come."""
        sources = self._network.source(request).keys
        if not sources:
            return await handler(request)
        if not await self._has_turn(request, sources):
            return _refused()
        try:
            response = await handler(request)
        except web.HTTPException as error:
            self._note(sources, error.status)
            raise
        self._note(sources, response.status)
        return response

    async def _has_turn(self, request: web.Request, sources: Sequence[str]) -> bool:
        """Wait for the request's turn; ``False`` where it will not have one."""
        is_hook = request.path.startswith(HOOKS)
        wait_s = self._wait_s(sources)
        is_refused = wait_s > HOLD_S and not is_hook
        if not is_refused and not is_hook:
            self._charge(sources, 1.0)
        if wait_s > 0:
            is_held = await self._hold(sources[0], min(wait_s, HOOK_HOLD_S if is_hook else HOLD_S))
            is_refused = is_refused or not (is_held or is_hook)
            if request.transport is None:
                raise ConnectionResetError("the client did not wait")
        return not is_refused

    async def _hold(self, source: str, seconds: float) -> bool:
        """Wait; ``False`` at once where so many are held already."""
        if self._held[source] >= HELD_OF_ONE or self._all_held >= HELD_OF_ALL:
            return False
        self._held[source] += 1
        self._all_held += 1
        try:
            await self._sleep(seconds)
        finally:
            self._all_held -= 1
            self._held[source] -= 1
            if not self._held[source]:
                del self._held[source]
        return True

    def _note(self, sources: Sequence[str], status: int) -> None:
        if 400 <= status < 500:  # noqa: PLR2004 - the client's fault
            self._charge(sources, FAULT_COST)

    def _wait_s(self, sources: Sequence[str]) -> float:
        return max(bucket.wait_s() for bucket in self._of(sources))

    def _charge(self, sources: Sequence[str], cost: float) -> None:
        for bucket in self._of(sources):
            # nobody's debt grows past what is held for it
            bucket.charge(cost, deepest=bucket.per_s * (HOLD_S + 1))

    def _of(self, sources: Sequence[str]) -> list[Bucket]:
        return self._buckets.of_sources(sources, self._rate, self._now_s())


def _refused() -> web.Response:
    error = {"code": "crowded", "message": "请求太多了，请稍后再试", "retry_after_s": HOLD_S}
    response = web.json_response({"error": error}, status=429)
    response.headers[hdrs.RETRY_AFTER] = str(math.ceil(HOLD_S))
    # the next request need not be read
    response.force_close()
    return response
