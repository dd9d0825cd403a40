"""What is remembered of signed calls: as long as needed, and never without bound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connectors.kit import replay
from connectors.kit.replay import SeenCalls, Sight

NOW = datetime(2026, 11, 30, tzinfo=UTC)
GOOD_FOR = timedelta(minutes=5)


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)


def test_the_first_body_under_a_signature_stays_its_own() -> None:
    seen = SeenCalls(GOOD_FOR, HandClock())
    assert [seen.see("s", digest) for digest in ("a", "a", "b", "a")] == [
        Sight.FIRST,
        Sight.AGAIN,
        Sight.OTHERWISE,
        Sight.AGAIN,
    ]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 400))))
def test_while_a_signature_is_good_it_has_one_body(
    uses: list[tuple[str, str, int]],
) -> None:
    clock = HandClock()
    seen = SeenCalls(GOOD_FOR, clock)
    bodies: dict[str, tuple[str, datetime]] = {}
    for signature, digest, pause_s in uses:
        clock.passes(seconds=pause_s)
        found = seen.see(signature, digest)
        first, at = bodies.get(signature, ("", NOW))
        if first and clock.now - at <= 2 * GOOD_FOR:
            assert found is (Sight.AGAIN if digest == first else Sight.OTHERWISE)
        elif found is Sight.FIRST:
            bodies[signature] = (digest, clock.now)


def test_it_is_bounded_and_forgets_the_oldest_first() -> None:
    seen = SeenCalls(GOOD_FOR, HandClock())
    for number in range(replay._MOST + 10):
        seen.see(str(number), "d")
    assert len(seen._digests) == replay._MOST
    assert not seen.known("0")
    assert seen.known(str(replay._MOST + 9))


def test_what_is_too_old_to_be_used_is_forgotten() -> None:
    clock = HandClock()
    seen = SeenCalls(GOOD_FOR, clock)
    for minute in range(100):
        seen.see(str(minute), "d")
        clock.passes(minutes=1)
    assert len(seen._digests) <= 12
