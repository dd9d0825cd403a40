"""Work that texts make, judged by proportion: no machine is too slow or too busy for that."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import AnyStr

from bot.sealing import finder as sealing
from bot.sealing import forms as secret_forms
from knowledge_base.text import slots

SHARE = 8
WITHIN = 2.5
"""Two and a half times its proportion is noise; growth with the square would be eight times."""
TIMES = 6
TOO_SHORT_TO_TELL_S = 0.004
_REMEMBERING = (
    *(slots.order_numbers, slots.card_secrets, slots._fold),
    *(sealing._by_form, secret_forms.fold),
)


def work_s(run: Callable[[], object]) -> float:
    """CPU time of this thread, nothing remembered: what else runs on the machine hardly counts."""
    for reader in _REMEMBERING:
        reader.cache_clear()
    started = time.thread_time()
    run()
    return time.thread_time() - started


def is_within(times: float, run: Callable[[], object], measure: Callable[[], object]) -> bool:
    """Tell whether one piece of work takes at most so many times what another takes.

    The least of several measurements is compared, taken in turn: a busy machine makes work
    longer, never shorter.
    """
    run_s = math.inf
    with _without_collector():
        measure_s = min(work_s(measure) for _ in range(2))
        for _ in range(TIMES):
            run_s = min(run_s, work_s(run))
            measure_s = min(measure_s, work_s(measure))
            if run_s < TOO_SHORT_TO_TELL_S or run_s < measure_s * times:
                return True
    return False


def grows_in_proportion(run: Callable[[AnyStr], object], long: AnyStr, short: AnyStr) -> bool:
    """Tell whether a text takes about as many times longer as it is longer."""
    share = len(long) / len(short)
    return is_within(share * WITHIN, lambda: run(long), lambda: run(short))


def repeated(crumb: str, length: int) -> str:
    """A text of so many characters out of one crumb."""
    return (crumb * (length // len(crumb) + 1))[:length]


@contextmanager
def _without_collector() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
