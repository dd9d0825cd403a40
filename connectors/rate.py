"""A token bucket: short bursts are fine, a flood is not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """Holds up to ``burst`` tokens and gains ``per_s`` each second.

    Attributes:
        level: Tokens in it now.
        at_s: Monotonic time of the last look.

    >>> bucket = Bucket(burst=2, per_s=1, level=2, at_s=0)
    >>> [bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(1)]
    [True, True, False, True]
    """

    burst: float
    per_s: float
    level: float
    at_s: float

    def take(self, now_s: float) -> bool:
        """Take one token; ``False`` if there is none."""
        self.level = min(self.burst, self.level + (now_s - self.at_s) * self.per_s)
        self.at_s = now_s
        if self.level < 1:
            return False
        self.level -= 1
        return True

    def wait_s(self) -> float:
        """Seconds until the next token, as of the last look."""
        return max(0.0, (1 - self.level) / self.per_s)
