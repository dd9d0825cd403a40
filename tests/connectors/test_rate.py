from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.rate import Bucket


def test_a_burst_passes_and_then_one_a_second() -> None:
    bucket = Bucket(burst=3, per_s=1, level=3, at_s=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait_s() == 1
    assert not bucket.take(0.5)
    assert bucket.wait_s() == 0.5
    assert bucket.take(1)
    assert not bucket.take(1)


def test_a_long_rest_gives_no_more_than_a_burst() -> None:
    bucket = Bucket(burst=2, per_s=10, level=0, at_s=0)
    assert [bucket.take(1_000) for _ in range(3)] == [True, True, False]


@given(st.lists(st.floats(min_value=0, max_value=5), min_size=1, max_size=200))
def test_never_more_pass_than_the_burst_and_what_the_time_allows(gaps_s: list[float]) -> None:
    bucket = Bucket(burst=5, per_s=2, level=5, at_s=0)
    now_s, passed = 0.0, 0
    for gap_s in gaps_s:
        now_s += gap_s
        passed += bucket.take(now_s)
        assert passed <= 5 + 2 * now_s + 1e-6
