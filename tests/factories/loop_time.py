"""Time that is let pass: what waits for seconds runs out at once, and nothing else is hurried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

_STEP_S = 0.1
_TURN_S = 0.005
"""For everybody to act on a step before the next one; a busy machine is as slow for all."""
_ahead_s: WeakKeyDictionary[asyncio.AbstractEventLoop, float] = WeakKeyDictionary()


async def time_passes_until(is_so: Callable[[], bool], most_s: float = 60.0) -> None:
    """Let the running loop's clock go ahead in small steps, until something is so.

    It stays ahead for the life of the loop, for a clock that went back would delay its timers.

    Raises:
        TimeoutError: It was not so after so many seconds of the loop's.
    """
    loop = asyncio.get_running_loop()
    if loop not in _ahead_s:
        real = loop.time
        _ahead_s[loop] = 0.0
        loop.time = lambda: real() + _ahead_s[loop]  # type: ignore[method-assign]
    end = loop.time() + most_s
    while not is_so():
        if loop.time() > end:
            raise TimeoutError
        _ahead_s[loop] += _STEP_S
        await asyncio.sleep(_TURN_S)
