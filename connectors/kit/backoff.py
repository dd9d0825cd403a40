"""Pauses between tries that fail: longer each time, and spread out."""

from __future__ import annotations

from dataclasses import dataclass

_MOST_STEPS = 64
"""No pause grows for longer: a power without end would leave the range of numbers."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential back-off with jitter.

    Attributes:
        first_s: The pause after the first failure, before jitter.
        longest_s: No pause is longer.
        factor: How many times longer each pause is than the one before.
        jitter: The share of a pause that chance decides, in [0, 1]: clients that failed together
            must not all come back together.

    >>> backoff = Backoff(first_s=1, longest_s=5)
    >>> [backoff.pause_s(failures, 1.0) for failures in (1, 2, 3, 4)]
    [1.0, 2.0, 4.0, 5.0]
    """

    first_s: float
    longest_s: float
    factor: float = 2.0
    jitter: float = 0.5

    def pause_s(self, failures: int, spread: float) -> float:
        """Return the seconds to wait after so many failures in a row.

        Args:
            failures: From 1.
            spread: A random number in [0, 1).

        Returns:
            Between ``1 - jitter`` of the step and the whole step.
        """
        step = self.first_s * self.factor ** min(failures - 1, _MOST_STEPS)
        return spread_out(min(self.longest_s, step), spread, self.jitter)


def spread_out(pause_s: float, spread: float, jitter: float = 0.5) -> float:
    """Return a pause of which chance may take away a share.

    Args:
        pause_s: The longest that is returned, in seconds.
        spread: A random number in [0, 1).
        jitter: The share that chance decides, in [0, 1].

    >>> spread_out(10, 0.0), spread_out(10, 0.5), spread_out(10, 0.5, jitter=0)
    (5.0, 7.5, 10.0)
    """
    return pause_s * (1 - jitter + jitter * spread)


__all__ = ["Backoff", "spread_out"]
