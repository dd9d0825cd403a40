"""How patient the bot is."""

from __future__ import annotations

import pytest

from bot.dialogue.policy import Policy


@pytest.mark.parametrize(("misses", "is_lost"), [(0, False), (1, False), (2, True), (3, True)])
def test_two_misses_in_a_row_are_enough(misses: int, *, is_lost: bool) -> None:
    assert Policy().is_lost(misses) is is_lost


@pytest.mark.parametrize(("repeats", "is_circle"), [(1, False), (2, False), (3, True), (4, True)])
def test_three_times_the_same_answer_is_a_circle(repeats: int, *, is_circle: bool) -> None:
    assert Policy().is_going_in_circles(repeats) is is_circle


def test_a_shop_may_be_more_patient() -> None:
    patient = Policy(misses_before_handoff=5, repeats_before_handoff=9)
    assert not patient.is_lost(4)
    assert not patient.is_going_in_circles(8)
