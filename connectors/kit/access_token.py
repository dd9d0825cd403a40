"""One access token for all callers: fetched once, renewed early, replaced when refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from connectors.errors import AuthError, RateLimited, Retryable

Fetch = Callable[[], Awaitable[tuple[str, float]]]
"""Asks the platform; (token, seconds of life)."""


class AccessToken:
    """Keeps it. Close it.

    Args:
        refresh_before: How long before its end it is renewed.
        force: Asks for another one than the platform has now; ``None`` where it gives none.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        clock: Callable[[], datetime],
        refresh_before: timedelta,
        force: Fetch | None = None,
    ) -> None:
        self._fetch = fetch
        self._force = force
        self._clock = clock
        self._refresh_before = refresh_before
        self._value = ""
        self._stale_at = self._ends_at = clock()
        self._renewing: asyncio.Task[None] | None = None

    async def get(self, refused: str = "") -> str:
        """A token that should work; who asks while one is fetched gets that one, or its error.

        Args:
            refused: The token that the platform just refused; another caller may have replaced
                it already.

        Raises:
            SendError: The platform gives none.
        """
        now = self._clock()
        is_usable = bool(self._value) and self._value != refused and now < self._ends_at
        if is_usable and now < self._stale_at:
            return self._value
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew(refused))
            self._renewing.add_done_callback(self._renewed)
        try:
            # who gives up waiting must not take the token from the others
            await asyncio.shield(self._renewing)
        except (Retryable, RateLimited):
            # renewed early so that a platform that stumbles for a moment is not noticed
            if not is_usable:
                raise
        return self._value

    async def close(self) -> None:
        """Fetch no more."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)

    def _renewed(self, task: asyncio.Task[None]) -> None:
        self._renewing = None
        if not task.cancelled():
            task.exception()  # each who waited was told

    async def _renew(self, refused: str) -> None:
        asked_at = self._clock()
        value, life_s = await self._fetch()
        if value == refused and self._force is not None:
            # the platform hands out what it refuses: only force helps, and that is rationed
            try:
                value, life_s = await self._force()
            except RateLimited as error:
                raise AuthError(error.code, "no other access token to be had") from None
        self._value = value
        self._ends_at = asked_at + timedelta(seconds=life_s)
        # what has less left than the margin is used for half of that
        self._stale_at = self._ends_at - min(self._refresh_before, timedelta(seconds=life_s / 2))


__all__ = ["AccessToken", "Fetch"]
