"""Who is there, who is next, and when the shop is open."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from handoff.auth.passwords import WeakPassword, hashed, is_right
from handoff.console.wording import close_reason_text, reason_text
from handoff.desk.hours import open_seconds
from handoff.desk.presence import Presence, Status
from handoff.desk.queue import estimate_min, positions
from handoff.machine.events import CloseReason, Reason
from handoff.model.conversation import AgentId, ConversationId, State
from tests.factories.handoff import NOON, DailyHours, ManualClock, a_conversation

MEI = AgentId("A1")


def test_a_connected_agent_is_online_until_a_while_after_the_connection_is_lost(
    clock: ManualClock, presence: Presence
) -> None:
    presence.connected(MEI, "小美")
    clock.advance(hours=3)
    assert presence.status(MEI) is Status.ONLINE
    presence.disconnected(MEI)
    clock.advance(seconds=45)
    assert presence.status(MEI) is Status.ONLINE
    clock.advance(seconds=1)
    assert presence.status(MEI) is Status.OFFLINE


def test_two_tabs_are_one_agent_and_closing_one_changes_nothing(
    clock: ManualClock, presence: Presence
) -> None:
    presence.connected(MEI, "小美")
    presence.connected(MEI, "小美")
    presence.disconnected(MEI)
    clock.advance(hours=1)
    assert (presence.status(MEI), presence.online_count()) == (Status.ONLINE, 1)


def test_being_away_outlives_a_lost_connection(presence: Presence) -> None:
    presence.connected(MEI, "小美")
    presence.choose(MEI, Status.AWAY)
    presence.disconnected(MEI)
    presence.connected(MEI, "小美")
    assert presence.status(MEI) is Status.AWAY


def test_everybody_leaving_is_news_once_and_not_right_after_a_start(
    clock: ManualClock, presence: Presence
) -> None:
    assert not presence.has_just_emptied()
    clock.advance(seconds=45)
    assert presence.has_just_emptied()
    assert not presence.has_just_emptied()
    presence.connected(MEI, "小美")
    assert not presence.has_just_emptied()
    presence.gone(MEI)
    assert presence.has_just_emptied()


def test_acting_makes_an_earlier_lapse_forgotten(presence: Presence) -> None:
    presence.connected(MEI, "小美")
    presence.missed_claim(MEI, away_at=2)
    presence.acted(MEI)
    assert not presence.missed_claim(MEI, away_at=2)
    assert presence.missed_claim(MEI, away_at=2)


def test_who_waits_longest_is_first_and_equals_go_by_id() -> None:
    queue = [
        a_conversation(
            State.WAITING, id=ConversationId(key), queued_at=NOON + timedelta(seconds=at)
        )
        for key, at in [("C3", 0), ("C1", 5), ("C2", 0)]
    ]
    others = [a_conversation(State.BOT, id=ConversationId("C0"))]
    assert positions([*queue, *others]) == {"C2": 1, "C3": 2, "C1": 3}


@pytest.mark.parametrize(
    ("position", "online", "expected"), [(1, 1, 3), (4, 2, 6), (3, 0, 9), (1, 9, 3)]
)
def test_an_estimate_counts_those_in_front_at_the_agents_pace(
    position: int, online: int, expected: int
) -> None:
    assert estimate_min(position, online, 180) == expected


def test_waiting_over_night_counts_open_hours_only() -> None:
    hours = DailyHours(opens=9, closes=23)
    late = NOON.replace(hour=14)  # 22:00 in Shanghai
    assert open_seconds(hours, late, late + timedelta(hours=12)) == 3_600 + 3_600
    assert open_seconds(hours, late + timedelta(hours=2), late + timedelta(hours=3)) == 0
    assert open_seconds(hours, NOON, NOON + timedelta(seconds=90)) == 90


async def test_a_password_is_known_again_and_nothing_else_is() -> None:
    password_hash = await hashed(SecretStr("correct horse"))
    assert "correct" not in password_hash
    assert await is_right(SecretStr("correct horse"), password_hash)
    assert not await is_right(SecretStr("wrong horse"), password_hash)
    assert not await is_right(SecretStr("correct horse"), None)
    assert not await is_right(SecretStr("x"), "no hash at all")


@pytest.mark.parametrize("password", ["", "1234567", "x" * 201])
async def test_a_password_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        await hashed(SecretStr(password))


def test_every_reason_has_words_for_the_console() -> None:
    assert all(reason_text(one.value) for one in Reason)
    assert all(close_reason_text(one.value) for one in CloseReason)
