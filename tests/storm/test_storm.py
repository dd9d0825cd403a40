"""Whatever platforms do, a customer is answered once, and in order."""

from __future__ import annotations

from pathlib import Path

from tests.storm.run import CHANNELS, storm_over
from tests.storm.storm import Weather, table

ASKS_TWICE = frozenset({"wecom", "qq"})
"""Platforms that know a repeated send: nobody need wonder whether it arrived."""


async def test_in_a_storm_every_message_is_stored_once_and_answered_once_and_in_order(
    shop_folder: Path,
) -> None:
    """A small one; ``python -m tests.storm`` is the great one."""
    tallies = await storm_over(
        CHANNELS, shop_folder, Weather(customers=25, per_customer=5, faulty=0.15), seed=7
    )
    told = table(tallies)
    assert sum(sum(tally.faults.values()) for tally in tallies.values()) > 5, "there was no storm"
    for channel, tally in tallies.items():
        assert tally.stored == tally.messages, told
        assert (tally.twice, tally.turned) == (0, 0), told
        # what nobody can be sure of is told to agents, and is not repeated
        assert tally.missing <= tally.unknown + tally.failed + tally.held, told
        if channel in ASKS_TWICE:
            assert tally.unknown == 0, told
