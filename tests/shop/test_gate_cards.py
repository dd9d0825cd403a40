"""What a pasted card key gets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from shop.access.answers import CardAnswer, CardOutcome
from shop.domain.cards import CheckSource, RedemptionState, StockState
from tests.factories.shop import NOON, Shop, a_card, a_requester, an_order

SECRET = "STAR-7KQ2-M8XD-41VN-9CHT"
STRANGER = SecretStr("STAR-9999-9999-9999-9999")


async def test_a_sold_card_that_nobody_checked_is_neither_used_nor_unused(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))

    answer = await shop.gate.card(a_requester(), SecretStr(SECRET))

    assert answer.outcome is CardOutcome.UNKNOWN
    assert answer.view is not None
    assert answer.view.state is RedemptionState.UNKNOWN
    assert answer.view.mask == "ST••••HT"


@pytest.mark.parametrize("source", [CheckSource.SUPPLIER, CheckSource.ISSUER])
@pytest.mark.parametrize(
    "state",
    [
        RedemptionState.UNUSED,
        RedemptionState.USED,
        RedemptionState.INVALID,
        RedemptionState.FROZEN,
    ],
)
async def test_a_fresh_word_of_the_supplier_is_told(
    shop: Shop, state: RedemptionState, source: CheckSource
) -> None:
    checked = NOON - timedelta(minutes=9)
    card = a_card(SECRET, state=state, source=source, checked_at=checked)
    await shop.has(an_order(), cards=(card,))

    answer = await shop.gate.card(a_requester(), SecretStr(SECRET))

    assert answer.outcome.value == state.value


@pytest.mark.parametrize(
    ("source", "age"),
    [
        (CheckSource.SUPPLIER, timedelta(minutes=10)),
        (CheckSource.SUPPLIER, timedelta(minutes=-10)),
        (CheckSource.VERDICT, timedelta(minutes=1)),
        (CheckSource.STAFF, timedelta(minutes=1)),
        (CheckSource.BUYER, timedelta(minutes=1)),
    ],
)
async def test_a_stale_or_weak_check_is_told_as_when_and_by_whom_only(
    shop: Shop, source: CheckSource, age: timedelta
) -> None:
    card = a_card(SECRET, state=RedemptionState.UNUSED, source=source, checked_at=NOON - age)
    await shop.has(an_order(), cards=(card,))

    answer = await shop.gate.card(a_requester(), SecretStr(SECRET))

    assert answer.outcome is CardOutcome.UNKNOWN
    assert answer.view is not None
    assert (answer.view.checked_by, answer.view.checked_at) == (source, NOON - age)


async def test_a_card_whose_date_has_passed_is_expired(shop: Shop) -> None:
    card = a_card(SECRET, expires_at=NOON)
    await shop.has(an_order(), cards=(card,))

    answer = await shop.gate.card(a_requester(), SecretStr(SECRET))

    assert answer.outcome is CardOutcome.EXPIRED


@pytest.mark.parametrize(
    "stock_state",
    [
        StockState.AVAILABLE,
        StockState.RESERVED,
        StockState.QUARANTINED,
        StockState.VOID,
    ],
)
async def test_an_unsold_card_and_an_unknown_one_get_one_answer(
    shop: Shop, stock_state: StockState
) -> None:
    card = a_card(
        SECRET,
        stock_state=stock_state,
        state=RedemptionState.UNUSED,
        source=CheckSource.ISSUER,
        checked_at=NOON,
    )
    await shop.has(an_order(), cards=(card,))

    unsold = await shop.gate.card(a_requester(), SecretStr(SECRET))
    unknown = await shop.gate.card(a_requester(), STRANGER)

    assert unsold == unknown == CardAnswer(CardOutcome.NOT_OURS)


@pytest.mark.parametrize(
    "typed",
    [
        "star7kq2m8xd41vn9cht",
        "ＳＴＡＲ－7KQ2－M8XD－41VN－9CHT",
        " STAR 7KQ2 M8XD 41VN 9CHT\n",
        "STAR–7KQ2–M8XD–4lVN–9CHT",
        "STAR-7KQ2-M8XD-4IVN-9CHT",
    ],
)
async def test_a_card_is_found_however_it_is_spelt(shop: Shop, typed: str) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))

    answer = await shop.gate.card(a_requester(), SecretStr(typed))

    assert answer.view is not None


async def test_two_cards_that_differ_in_case_only_are_told_apart(shop: Shop) -> None:
    used = a_card(
        "aBcDeFgH1", state=RedemptionState.USED, source=CheckSource.ISSUER, checked_at=NOON
    )
    unused = a_card(
        "AbCdEfGh1", state=RedemptionState.UNUSED, source=CheckSource.ISSUER, checked_at=NOON
    )
    await shop.has(an_order(), cards=(used, unused))

    outcomes = [
        (await shop.gate.card(a_requester(), SecretStr(text))).outcome
        for text in ("aBcDeFgH1", "AbCdEfGh1", "abcdefgh1")
    ]

    assert outcomes == [CardOutcome.USED, CardOutcome.UNUSED, CardOutcome.NOT_OURS]


async def test_the_bot_is_no_oracle_for_card_keys(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))
    guesses = [
        await shop.gate.card(a_requester(), SecretStr(f"STAR-0000-0000-{at:04}"))
        for at in range(11)
    ]
    sold = await shop.gate.card(a_requester(), SecretStr(SECRET))

    assert [one.outcome.value for one in guesses] == ["not_ours"] * 10 + ["locked"]
    assert [one.is_newly_locked for one in guesses].index(True) == 9
    assert sold.outcome is CardOutcome.LOCKED


async def test_a_customer_may_check_a_whole_batch_of_sold_cards(shop: Shop) -> None:
    secrets = [f"STAR-AAAA-BBBB-{at:04}" for at in range(25)]
    await shop.has(an_order(), cards=tuple(a_card(one) for one in secrets))

    answers = [await shop.gate.card(a_requester(), SecretStr(one)) for one in secrets]

    assert {one.outcome for one in answers} == {CardOutcome.UNKNOWN}


async def test_a_text_of_any_length_is_just_not_ours(shop: Shop) -> None:
    for typed in ("", " ", "x" * 10_000, "\x00"):
        answer = await shop.gate.card(a_requester(), SecretStr(typed))
        assert answer.outcome is CardOutcome.NOT_OURS
