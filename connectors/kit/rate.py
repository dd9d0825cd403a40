"""Token buckets: short bursts are fine, a flood is not.

A limit hangs on the visitor *and* on the source behind them, because visitors' tokens are free, and
it outlives the connection, because reconnecting is free as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_KEYS = 50_000
"""Buckets that one limit keeps; about 10 MB."""
WIDE_SHARE = 4.0
"""A wide network (an IPv4 /24, an IPv6 /48) may do so many times what one address may."""
WIDE = "net:"


@dataclass(slots=True)
class Bucket:
    """Holds up to ``burst`` tokens and gains ``per_s`` each second.

    Attributes:
        level: Tokens in it now; below zero after a penalty.
        at_s: Monotonic time of the last look.

    >>> bucket = Bucket(burst=2, per_s=1, level=2, at_s=0)
    >>> [bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(1)]
    [True, True, False, True]
    """

    burst: float
    per_s: float
    level: float
    at_s: float

    def take(self, now_s: float, cost: float = 1.0) -> bool:
        """Take tokens; ``False`` if there are not enough."""
        self.fill(now_s)
        if self.level < cost:
            return False
        self.level -= cost
        return True

    def fill(self, now_s: float) -> None:
        """Add what has come since the last look."""
        self.level = min(self.burst, self.level + (now_s - self.at_s) * self.per_s)
        self.at_s = now_s

    def book(self, now_s: float) -> float:
        """Take a token that need not be there yet; return the seconds until it is."""
        self.fill(now_s)
        self.level -= 1
        return self.wait_s(0.0)

    def charge(self, cost: float, *, deepest: float) -> None:
        """Take tokens that need not be there, until so many are owed."""
        self.level = max(self.level - cost, -deepest)

    def wait_s(self, cost: float = 1.0) -> float:
        """Seconds until there are so many tokens, as of the last look."""
        return max(0.0, (cost - self.level) / self.per_s)


@dataclass(frozen=True, slots=True)
class Rate:
    """How much one key may do: ``burst`` at once, and ``per_s`` in the long run."""

    burst: float
    per_s: float

    def bucket(self, now_s: float) -> Bucket:
        """Return a full bucket."""
        return Bucket(self.burst, self.per_s, self.burst, now_s)

    def times(self, share: float) -> Rate:
        """So many times as much."""
        return Rate(self.burst * share, self.per_s * share)


class Buckets:
    """A bucket for each key, for as long as it matters.

    A bucket that is full again is as good as a new one and is forgotten first. So keys that cost
    nothing cannot push out those that are in debt, unless 50,000 are in debt at once.
    """

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self._buckets: dict[str, Bucket] = {}
        self._max_keys = max_keys

    def of(self, key: str, rate: Rate, now_s: float) -> Bucket:
        """The key's bucket, filled up to now."""
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._max_keys:
                self._forget(now_s)
            bucket = self._buckets[key] = rate.bucket(now_s)
        bucket.fill(now_s)
        return bucket

    def of_sources(self, sources: Sequence[str], rate: Rate, now_s: float) -> list[Bucket]:
        """Return the buckets of a source and of the networks around it, filled up to now.

        Args:
            rate: Of one address; a wide network has so many times as much.
        """
        return [
            self.of(key, rate.times(WIDE_SHARE) if key.startswith(WIDE) else rate, now_s)
            for key in sources
        ]

    def _forget(self, now_s: float) -> None:
        for key, bucket in list(self._buckets.items()):
            bucket.fill(now_s)
            if bucket.level >= bucket.burst:
                del self._buckets[key]
        # still full: the oldest go, a tenth at a time, so that this is rare
        over = len(self._buckets) - self._max_keys * 9 // 10
        for key in list(self._buckets)[: max(0, over)]:
            del self._buckets[key]

    def __len__(self) -> int:
        return len(self._buckets)


class SharedLimit:
    """One limit for a visitor and one for the source that they come from.

    A visitor who is over their own limit costs their source nothing: who shares a network with a
    flood of one visitor is not held up by it.

    >>> limit = SharedLimit(visitor=Rate(2, 1), source=Rate(3, 1))
    >>> [limit.wait_s(who, ("ip:a",), 0.0) for who in "xxxyy"]
    [0.0, 0.0, 1.0, 0.0, 1.0]
    """

    def __init__(self, *, visitor: Rate, source: Rate) -> None:
        self._visitor, self._source = visitor, source
        self._buckets = Buckets()

    def wait_s(
        self, visitor: str | None, sources: Sequence[str], now_s: float, cost: float = 1.0
    ) -> float:
        """Take ``cost`` tokens of each; 0.0 if all had them, else seconds until they will.

        Args:
            visitor: ``None`` for who is nobody yet.
            sources: Keys of the network behind it; none where no limit holds.
        """
        buckets = self._of(visitor, sources, now_s)
        wait_s = max((bucket.wait_s(cost) for bucket in buckets), default=0.0)
        if wait_s == 0:
            for bucket in buckets:
                bucket.level -= cost
        return wait_s

    def charge(
        self, visitor: str | None, sources: Sequence[str], now_s: float, cost: float
    ) -> None:
        """Take tokens that need not be there: the debt has to be waited off."""
        for bucket in self._of(visitor, sources, now_s):
            bucket.charge(cost, deepest=bucket.burst)

    def _of(self, visitor: str | None, sources: Sequence[str], now_s: float) -> list[Bucket]:
        found = self._buckets.of_sources(sources, self._source, now_s)
        if visitor is not None:
            found.append(self._buckets.of(f"visitor:{visitor}", self._visitor, now_s))
        return found
