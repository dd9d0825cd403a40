"""What may become of a card."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shop.domain.cards import (
    Card,
    RedemptionState,
    StockState,
    delivered,
    fold_loosely,
    fold_secret,
    redemption_to_tell,
    released,
    reserved,
)
from shop.domain.stock import StockBand, band_of, tally
from shop.errors import IllegalMove
from tests.factories.shop import NOON, a_card

UNTIL = NOON + timedelta(minutes=15)


def _card(state: StockState = StockState.AVAILABLE) -> Card:
    return a_card("STAR-7KQ2-M8XD", stock_state=state)[0]


def _do(card: Card, move: str) -> Card:
    match move:
        case "reserve":
            return reserved(card, "line", until=UNTIL)
        case "deliver":
            return delivered(card, now=NOON)
        case "quarantine":
            return released(card, StockState.QUARANTINED)
        case "void":
            return released(card, StockState.VOID)
        case _:
            return released(card)


MOVES = st.lists(
    st.sampled_from(["reserve", "deliver", "release", "quarantine", "void"]), max_size=12
)


@given(MOVES)
def test_a_card_is_held_by_a_line_exactly_while_reserved_or_delivered(moves: list[str]) -> None:
    card = _card()
    for move in moves:
        try:
            card = _do(card, move)
        except IllegalMove:
            continue
        is_held = card.stock_state in {StockState.RESERVED, StockState.DELIVERED}
        assert (card.line_id is not None) is is_held
        assert (card.reserved_until is not None) is (card.stock_state is StockState.RESERVED)


@given(MOVES)
def test_a_delivered_card_is_burnt(moves: list[str]) -> None:
    card = _card(StockState.DELIVERED)
    for move in moves:
        with pytest.raises(IllegalMove):
            _do(card, move)


@given(st.lists(MOVES, max_size=6))
def test_no_card_is_lost_or_made_by_moving_cards(histories: list[list[str]]) -> None:
    cards = []
    for moves in histories:
        card = _card()
        for move in moves:
            try:
                card = _do(card, move)
            except IllegalMove:
                continue
        cards.append(card)

    assert sum(tally(card.stock_state for card in cards).values()) == len(histories)


def test_a_reservation_that_is_over_cannot_be_consumed() -> None:
    held = reserved(_card(), "line", until=UNTIL)

    with pytest.raises(IllegalMove):
        delivered(held, now=UNTIL)


def test_a_card_set_aside_unseen_may_return_to_stock() -> None:
    aside = released(_card(), StockState.QUARANTINED)

    assert released(aside).stock_state is StockState.AVAILABLE


@pytest.mark.parametrize("state", StockState)
def test_the_sale_state_says_nothing_about_redemption(state: StockState) -> None:
    assert redemption_to_tell(_card(state), NOON) is RedemptionState.UNKNOWN


@given(st.text(max_size=60))
@example("O¨")
@example("Õ¨")
def test_folding_a_secret_twice_changes_nothing(text: str) -> None:
    assert fold_secret(fold_secret(text)) == fold_secret(text)
    assert fold_loosely(fold_loosely(text)) == fold_loosely(text)


@pytest.mark.parametrize(
    ("stock", "band"),
    [
        (0, StockBand.NONE),
        (1, StockBand.LOW),
        (20, StockBand.LOW),
        (21, StockBand.PLENTY),
        (None, StockBand.PLENTY),
    ],
)
def test_stock_is_told_in_bands(stock: int | None, band: StockBand) -> None:
    assert band_of(stock) is band
