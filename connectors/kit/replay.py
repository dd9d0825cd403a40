"""Signed calls that come again: the platform's own repeats, or somebody who recorded one.

A signature is good for some minutes, so whoever sees one (in a proxy's log, on the way) can use it
again for that long. The same body again is what platforms send on purpose, and the inbox takes it
once; another body under a signature that does not vouch for it is a forgery.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256

from cachetools import TTLCache

from connectors.errors import BadWebhook
from connectors.kit.host import Checkpoints
from connectors.messages import ChannelRef, Checkpoint

_MOST = 50_000
"""Remembered calls, some 8 MB: at 80 pushes a second a full window of ten minutes."""
_MARGIN = timedelta(seconds=1)
_SLOT_DIGITS = 3


class Sight(Enum):
    """What a signature was seen with before."""

    FIRST = "first"
    AGAIN = "again"
    OTHERWISE = "otherwise"


class SeenCalls:
    """Which body came with each signature, for as long as the signature is good.

    Args:
        good_for: From when it is signed, either way: twice that long can pass between two uses.
        clock: Never runs backwards.
    """

    def __init__(self, good_for: timedelta, clock: Callable[[], datetime]) -> None:
        self._digests: TTLCache[str, str, datetime] = TTLCache(_MOST, 2 * good_for + _MARGIN, clock)

    def known(self, signature: str) -> bool:
        """Tell whether it was seen."""
        return signature in self._digests

    def see(self, signature: str, digest: str) -> Sight:
        """Note a use of a signature; the first body that came with it stays its own."""
        before = self._digests.get(signature)
        if before is None:
            self._digests[signature] = digest
            return Sight.FIRST
        return Sight.AGAIN if before == digest else Sight.OTHERWISE


class BoundBodies:
    """Binds signatures to bodies where the platform signs none; a restart forgets nothing.

    Each binding is stored with the message that it brought, in one of 4,096 slots of the account's
    checkpoints: so many calls are remembered after a restart, more only while we run.
    """

    def __init__(
        self,
        ref: ChannelRef,
        checkpoints: Checkpoints,
        good_for: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._ref = ref
        self._checkpoints = checkpoints
        self._seen = SeenCalls(good_for, clock)

    async def check(self, signature: str, body: bytes) -> None:
        """Accept a body that is the first under its signature, or the same again.

        Raises:
            BadWebhook: 403: the signature came with another body before.
            NotStored: Nobody can tell now: the platform has to call again.
        """
        if not self._seen.known(signature):
            stored = await self._checkpoints.get(self._ref, _slot(signature))
            before, _, digest = (stored or "").partition(" ")
            if before == signature:
                self._seen.see(signature, digest)
        if self._seen.see(signature, _digest(body)) is Sight.OTHERWISE:
            raise BadWebhook(403, "a signature that was used for something else")

    def binding(self, signature: str, body: bytes) -> Checkpoint:
        """What is stored together with the message."""
        return Checkpoint(self._ref, _slot(signature), f"{signature} {_digest(body)}")


def _slot(signature: str) -> str:
    return f"call-{signature[:_SLOT_DIGITS]}"


def _digest(body: bytes) -> str:
    return sha256(body).hexdigest()[:32]


__all__ = ["BoundBodies", "SeenCalls", "Sight"]
