"""Time limits of waiting for the database."""

from __future__ import annotations

import time

CALL_S = 10.0
"""One exchange with the server; its own limits end what is merely slow before that."""
HURRIED_S = 2.0
"""The same while the process ends."""


class Patience:
    """The time that calls on one database have; all its connections share it.

    Args:
        call_s: Seconds for one exchange.
    """

    def __init__(self, call_s: float = CALL_S) -> None:
        self._call_s = call_s

    def hurry(self, call_s: float = HURRIED_S) -> None:
        """Leave so much time from now on, also to calls that have begun."""
        self._call_s = min(self._call_s, call_s)

    def is_over(self, began: float) -> bool:
        """Tell whether a call has had its time.

        Args:
            began: Monotonic seconds.
        """
        return time.monotonic() - began > self._call_s
