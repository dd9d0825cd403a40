from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.backoff import Backoff, spread_out

PARTS = st.floats(min_value=0, max_value=1, exclude_max=True)


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(first_s=1, longest_s=30, jitter=0)
    steps = [backoff.pause_s(failures, 0.7) for failures in range(1, 8)]
    assert steps == [1, 2, 4, 8, 16, 30, 30]


def test_another_factor_grows_as_it_says() -> None:
    backoff = Backoff(first_s=2, longest_s=100, factor=3, jitter=0)
    assert [backoff.pause_s(failures, 0) for failures in (1, 2, 3, 4)] == [2, 6, 18, 54]


def test_chance_decides_half_of_a_pause() -> None:
    backoff = Backoff(first_s=4, longest_s=60)
    assert backoff.pause_s(1, 0.0) == 2
    assert backoff.pause_s(1, 0.5) == 3
    assert spread_out(10, 0.0) == 5
    assert spread_out(10, 0.25, jitter=1) == 2.5


@given(st.integers(min_value=1, max_value=10**9), PARTS, PARTS)
def test_a_pause_is_never_longer_than_the_longest_nor_shorter_than_its_share(
    failures: int, spread: float, jitter: float
) -> None:
    pause_s = Backoff(first_s=1, longest_s=300, jitter=jitter).pause_s(failures, spread)
    assert math.isfinite(pause_s)
    assert (1 - jitter) * 0.999 <= pause_s <= 300
