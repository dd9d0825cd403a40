"""Keeping to a channel's pace, so that its limits are met rarely instead of always."""

from __future__ import annotations

from collections import OrderedDict

from connectors.messages import Pace

_MAX_PEERS = 5000


class Pacer:
    """How long to wait before the next send of one account.

    A place is taken when it is asked for: who is told to wait sends after that wait without
    asking again.

    >>> pacer = Pacer(Pace(account_per_s=10, peer_per_s=1, peer_burst=1))
    >>> [pacer.wait_s("a", 0.0), pacer.wait_s("a", 0.0), pacer.wait_s("b", 0.0)]
    [0.0, 1.0, 0.0]
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._account = _Line(pace.account_per_s, max(1.0, pace.account_per_s))
        self._peers: OrderedDict[str, _Line] = OrderedDict()

    def wait_s(self, peer_id: str, now_s: float) -> float:
        """Seconds until this peer may be written to; the place is taken."""
        line = self._peers.pop(peer_id, None) or _Line(
            self._pace.peer_per_s, float(self._pace.peer_burst)
        )
        self._peers[peer_id] = line
        while len(self._peers) > _MAX_PEERS:
            self._peers.popitem(last=False)
        return max(self._account.take(now_s), line.take(now_s))


class _Line:
    """A token bucket that may go below zero: the debt is the wait."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._level = burst
        self._at_s: float | None = None

    def take(self, now_s: float) -> float:
        passed_s = 0.0 if self._at_s is None else now_s - self._at_s
        self._at_s = now_s
        self._level = min(self._burst, self._level + passed_s * self._per_s) - 1
        return max(0.0, -self._level / self._per_s)
