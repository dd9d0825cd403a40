from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.rate import WIDE, WIDE_SHARE, Bucket, Buckets, Rate


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


def test_who_books_ahead_waits_once_for_each_that_was_booked() -> None:
    bucket = Rate(burst=2, per_s=4).bucket(10)
    assert [bucket.book(10) for _ in range(4)] == [0, 0, 0.25, 0.5]
    assert bucket.book(11) == 0


def test_a_debt_has_an_end() -> None:
    bucket = Rate(burst=2, per_s=1).bucket(0)
    bucket.charge(1_000, deepest=5)
    assert bucket.wait_s() == 6


def test_a_wide_network_has_a_bucket_of_its_own_that_is_larger() -> None:
    buckets = Buckets()
    exact, wide = buckets.of_sources(("ip:a", f"{WIDE}a"), Rate(burst=3, per_s=1), 0)
    assert (exact.level, wide.level) == (3, 3 * WIDE_SHARE)
    exact.charge(2, deepest=2)
    assert wide.level == 3 * WIDE_SHARE
