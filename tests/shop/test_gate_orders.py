"""Who may see what of an order, asked the way the bot asks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from shop.access.answers import (
    CardAnswer,
    CodeAnswer,
    OrderAnswer,
    OrderOutcome,
    ResendAnswer,
)
from shop.access.disclosure import factor_shown
from shop.access.gate import Gate
from shop.backends.base import Capabilities, Delivery, DeliveryKind
from shop.backends.embedded import EmbeddedShop
from shop.domain.numbers import OrderNumber, new_number, show_number
from shop.domain.orders import PaymentState
from shop.domain.proofs import Factor, Level, Proof
from shop.domain.records import Shown
from shop.errors import BackendError, ErrorCode
from tests.factories.shop import (
    EMAIL,
    NOON,
    NUMBER,
    PASSWORD,
    Shop,
    a_card,
    a_requester,
    an_order,
)

UNKNOWN = "DD-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ"
SECRET = "STAR-7KQ2-M8XD-41VN-9CHT"


async def test_the_number_alone_shows_a_coarse_state_and_nothing_more(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))

    answer = await shop.gate.order(a_requester(), show_number(NUMBER))

    assert answer.outcome is OrderOutcome.DELIVERED
    assert answer.level is Level.NUMBER
    assert answer.view is not None
    assert answer.view.cards == ()
    assert answer.view.contact_mask is None
    assert answer.view.amount_fen is None
    assert answer.view.refunds == ()


async def test_a_customer_whom_the_shops_own_app_knows_sees_the_cards_of_their_orders(
    shop: Shop,
) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))
    known = replace(a_requester(), vouched=(SecretStr("other@example.com"), SecretStr(EMAIL)))

    answer = await shop.gate.order(known, NUMBER)

    assert (answer.level, answer.factor) == (Level.OWNER, Factor.ACCOUNT)
    assert answer.view is not None
    assert [card.get_secret_value() for card in answer.view.cards] == [SECRET]


async def test_a_customer_whom_the_app_knows_sees_nothing_of_other_peoples_orders(
    shop: Shop,
) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))
    stranger = replace(a_requester(), vouched=(SecretStr("other@example.com"), SecretStr("")))

    answer = await shop.gate.order(stranger, NUMBER)

    assert answer.level is Level.NUMBER
    assert answer.view is not None
    assert answer.view.cards == ()


async def test_the_query_password_shows_the_cards(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))

    answer = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(PASSWORD))

    assert (answer.level, answer.factor) == (Level.OWNER, Factor.PASSWORD)
    assert answer.view is not None
    assert [card.get_secret_value() for card in answer.view.cards] == [SECRET]
    assert answer.view.amount_fen == 4880
    assert answer.view.contact_mask == "xi••••@example.com"


async def test_the_typed_contact_shows_its_mask_but_no_card_and_no_amount(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))

    answer = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(" XiaoMing@Example.com"))

    assert (answer.level, answer.factor) == (Level.CONTACT, Factor.CONTACT)
    assert answer.view is not None
    assert answer.view.contact_mask == "xi••••@example.com"
    assert answer.view.cards == ()
    assert answer.view.amount_fen is None


async def test_the_account_that_bought_needs_no_further_proof(shop: Shop) -> None:
    requester = a_requester()
    await shop.has(an_order(identities=(requester.identity,)), cards=(a_card(SECRET),))

    answer = await shop.gate.order(requester, NUMBER)

    assert answer.factor is Factor.ACCOUNT
    assert answer.view is not None
    assert len(answer.view.cards) == 1


async def test_a_proof_holds_for_a_day_in_the_identity_that_gave_it(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))
    given_ = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(PASSWORD))
    await shop.commit(given_.effects)

    later = await shop.gate.order(shop.turn(), NUMBER)
    stranger = await shop.gate.order(a_requester("web:default:visitor-2"), NUMBER)
    shop.clock.pass_(hours=24, seconds=1)
    next_day = await shop.gate.order(shop.turn(), NUMBER)

    assert later.level is Level.OWNER
    assert stranger.level is Level.NUMBER
    assert next_day.level is Level.NUMBER


async def test_a_proof_opens_that_order_only(shop: Shop) -> None:
    other = OrderNumber("DD" + "7" * 20)
    await shop.has(an_order(), an_order(other))
    given_ = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(PASSWORD))
    await shop.commit(given_.effects)

    answer = await shop.gate.order(shop.turn(), other)

    assert answer.level is Level.NUMBER


async def test_a_proof_that_was_not_committed_with_its_turn_does_not_count(shop: Shop) -> None:
    await shop.has(an_order())
    await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(PASSWORD))

    assert (await shop.gate.order(shop.turn(), NUMBER)).level is Level.NUMBER


async def test_an_unknown_order_and_a_failed_proof_get_one_answer_and_one_effort(
    shop: Shop,
) -> None:
    await shop.has(an_order())

    efforts, answers = [], []
    for number in (NUMBER, UNKNOWN):
        before = shop.hasher.verifications
        answers.append(await shop.gate.order(a_requester(), number, proof=SecretStr("guess-1")))
        efforts.append(shop.hasher.verifications - before)

    assert answers[0] == answers[1] == OrderAnswer(OrderOutcome.NOT_FOUND)
    assert efforts == [1, 1]


@pytest.mark.parametrize("stored", [None, PASSWORD])
@pytest.mark.parametrize("typed", ["", "   ", "　"])
async def test_an_empty_password_opens_nothing(shop: Shop, stored: str | None, typed: str) -> None:
    await shop.has(an_order(), password=stored, cards=(a_card(SECRET),))

    answer = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(typed))

    assert answer.level <= Level.NUMBER
    assert answer.view is None or answer.view.cards == ()


async def test_an_order_without_a_password_or_contact_is_opened_by_no_text(shop: Shop) -> None:
    await shop.has(an_order(contact=""), password=None)

    for typed in ("None", "null", "0", "''"):
        answer = await shop.gate.order(
            a_requester(typed, sources=()), NUMBER, proof=SecretStr(typed)
        )
        assert answer.outcome is OrderOutcome.NOT_FOUND


async def test_the_sixth_try_is_locked_for_that_source_and_not_for_the_owner(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))
    tries = [
        await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(f"guess-{at}"))
        for at in range(6)
    ]
    right = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(PASSWORD))
    owner = a_requester("web:default:owner", sources=("ip:bbbb",))
    owned = await shop.gate.order(owner, NUMBER, proof=SecretStr(PASSWORD))

    assert [one.outcome.value for one in tries] == ["not_found"] * 5 + ["locked"]
    assert [one.is_newly_locked for one in tries] == [False] * 4 + [True, False]
    assert right.outcome is OrderOutcome.LOCKED
    assert tries[5].retry_after_s == pytest.approx(1800)
    assert owned.level is Level.OWNER


async def test_an_unknown_order_locks_like_a_known_one(shop: Shop) -> None:
    await shop.has(an_order())

    outcomes = {
        number: [
            (await shop.gate.order(a_requester(), number, proof=SecretStr(f"g{at}"))).outcome
            for at in range(7)
        ]
        for number in (NUMBER, UNKNOWN)
    }

    assert outcomes[NUMBER] == outcomes[UNKNOWN]


async def test_a_lock_ends_after_half_an_hour(shop: Shop) -> None:
    await shop.has(an_order())
    for at in range(5):
        await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(f"guess-{at}"))

    shop.clock.pass_(minutes=29, seconds=59)
    before = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(PASSWORD))
    shop.clock.pass_(seconds=2)
    after = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(PASSWORD))

    assert before.outcome is OrderOutcome.LOCKED
    assert after.level is Level.OWNER


async def test_a_lock_is_kept_by_each_source_so_a_new_visitor_does_not_escape_it(
    shop: Shop,
) -> None:
    await shop.has(an_order())
    for at in range(5):
        visitor = a_requester(f"web:default:new-{at}")
        await shop.gate.order(visitor, NUMBER, proof=SecretStr(f"guess-{at}"))

    answer = await shop.gate.order(a_requester("web:default:new-9"), NUMBER)

    assert answer.outcome is OrderOutcome.LOCKED


async def test_someone_who_proved_the_order_is_not_locked_out_by_the_neighbours(
    shop: Shop,
) -> None:
    await shop.has(an_order())
    given_ = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(PASSWORD))
    await shop.commit(given_.effects)
    for at in range(5):
        neighbour = a_requester(f"web:default:n{at}")
        await shop.gate.order(neighbour, NUMBER, proof=SecretStr(f"guess-{at}"))

    assert (await shop.gate.order(shop.turn(), NUMBER)).level is Level.OWNER


async def test_typing_the_contact_does_not_wipe_out_guesses_at_the_password(shop: Shop) -> None:
    await shop.has(an_order())
    outcomes = []
    for at in range(6):
        guess = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(f"guess-{at}"))
        outcomes.append(guess.outcome)
        shop.clock.pass_(minutes=3)
        await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(EMAIL))

    assert outcomes.count(OrderOutcome.NOT_FOUND) == 5
    assert outcomes[5] is OrderOutcome.LOCKED


async def test_fifty_guesses_at_once_get_no_more_tries_than_one_after_the_other(
    shop: Shop,
) -> None:
    await shop.has(an_order())
    before = shop.hasher.verifications

    answers = await asyncio.gather(
        *(
            shop.gate.order(a_requester(), NUMBER, proof=SecretStr(f"guess-{at}"))
            for at in range(50)
        )
    )

    assert shop.hasher.verifications - before == 5
    assert sum(one.outcome is OrderOutcome.NOT_FOUND for one in answers) == 5


async def test_a_thousand_guessed_numbers_get_one_answer_and_then_none(shop: Shop) -> None:
    await shop.has(an_order())
    draws = iter(range(7, 10**9))

    seen = []
    for _ in range(60):
        guess = new_number(lambda limit: next(draws) % limit)
        seen.append((await shop.gate.order(a_requester(), guess)).outcome)

    assert seen == [OrderOutcome.NOT_FOUND] * 30 + [OrderOutcome.THROTTLED] * 30


async def test_what_was_counted_survives_a_turn_that_failed(shop: Shop) -> None:
    await shop.has(an_order())
    for at in range(5):
        await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(f"guess-{at}"))
        # the turn's effects are never committed

    assert (await shop.gate.order(a_requester(), NUMBER)).outcome is OrderOutcome.LOCKED


async def test_a_group_is_shown_nothing_even_by_the_owner(shop: Shop) -> None:
    group = a_requester(is_private=False)
    await shop.has(an_order(identities=(group.identity,)), cards=(a_card(SECRET),))

    answers: list[OrderAnswer | ResendAnswer | CardAnswer | CodeAnswer] = [
        await shop.gate.order(group, NUMBER, proof=SecretStr(PASSWORD)),
        await shop.gate.resend(group, NUMBER, proof=SecretStr(PASSWORD)),
        await shop.gate.card(group, SecretStr(SECRET)),
        await shop.gate.send_code(group, NUMBER),
    ]

    assert {answer.outcome.value for answer in answers} == {"private_only"}
    assert all(getattr(answer, "view", None) is None for answer in answers)
    assert all(not getattr(answer, "effects", ()) for answer in answers)


async def test_every_disclosure_leaves_a_row_with_its_level(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))
    for turn, proof in (("t1", None), ("t2", EMAIL), ("t3", PASSWORD)):
        answer = await shop.gate.order(
            a_requester(turn_id=turn), NUMBER, proof=None if proof is None else SecretStr(proof)
        )
        await shop.commit(answer.effects)
        await shop.commit(answer.effects)  # a turn that is told twice

    rows = await shop.units.read(lambda work: work.deliveries.disclosures(NUMBER))

    assert [(row.what, row.level, row.cards) for row in rows] == [
        (Shown.STATE, Level.NUMBER, 0),
        (Shown.STATE, Level.CONTACT, 0),
        (Shown.CARDS, Level.OWNER, 1),
    ]


class _BrokenShop(EmbeddedShop):
    async def find_order(self, number: OrderNumber) -> None:  # noqa: ARG002 - the protocol's
        raise BackendError(ErrorCode.UPSTREAM_UNAVAILABLE)


class _GuessableShop(EmbeddedShop):
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), numbers_can_be_guessed=True)


class _ApologizingShop(EmbeddedShop):
    async def delivery(self, number: OrderNumber) -> Delivery:  # noqa: ARG002 - the protocol's
        return Delivery(DeliveryKind.SHORTAGE, (SecretStr("有人在你付款之前抢走了商品"),), NOON)


def _gate(shop: Shop, backend: type[EmbeddedShop]) -> Gate:
    return Gate(
        shop.units,
        backend(shop.units, shop.passwords, shop.clock),
        shop.clock,
        mail_available=True,
        shop_name=lambda: "星辰点卡",
    )


async def test_a_shop_that_does_not_answer_shows_nothing(shop: Shop) -> None:
    await shop.has(an_order())

    answer = await _gate(shop, _BrokenShop).order(a_requester(), NUMBER)

    assert answer == OrderAnswer(OrderOutcome.UNAVAILABLE)


async def test_where_numbers_can_be_guessed_both_get_the_same_request_for_proof(
    shop: Shop,
) -> None:
    await shop.has(an_order())
    gate = _gate(shop, _GuessableShop)

    known = await gate.order(a_requester(), NUMBER)
    unknown = await gate.order(a_requester(), UNKNOWN)

    assert known == unknown == OrderAnswer(OrderOutcome.PROOF_NEEDED)


async def test_a_shortage_apology_is_not_shown_as_a_card(shop: Shop) -> None:
    await shop.has(an_order())
    gate = _gate(shop, _ApologizingShop)

    looked = await gate.order(a_requester(), NUMBER, proof=SecretStr(PASSWORD))
    resent = await gate.resend(a_requester(), NUMBER, proof=SecretStr(PASSWORD))

    assert looked.view is not None
    assert looked.view.cards == ()
    assert resent.outcome.value == "not_delivered"


async def test_an_unpaid_order_reads_expired_before_any_job_ran(shop: Shop) -> None:
    await shop.has(an_order(payment=PaymentState.PENDING, created_at=NOON))

    inside = await shop.gate.order(a_requester(), NUMBER)
    shop.clock.pass_(minutes=15)
    after = await shop.gate.order(a_requester(), NUMBER)

    assert inside.outcome is OrderOutcome.PENDING_PAYMENT
    assert inside.view is not None
    assert inside.view.hold_until == NOON + timedelta(minutes=15)
    assert after.outcome is OrderOutcome.EXPIRED


async def test_the_proofs_asked_for_are_the_same_for_every_order(shop: Shop) -> None:
    assert shop.gate.offered_factors() == (Factor.PASSWORD, Factor.CODE, Factor.CONTACT)
    assert shop.a_gate(mail_available=False).offered_factors() == (
        Factor.PASSWORD,
        Factor.CONTACT,
    )


async def test_proven_orders_are_those_of_the_last_day(shop: Shop) -> None:
    identity = a_requester().identity
    await shop.commit(
        (
            Proof(NUMBER, identity, Factor.CONTACT, NOON - timedelta(hours=1), "t1"),
            Proof(NUMBER, identity, Factor.PASSWORD, NOON - timedelta(hours=2), "t2"),
            Proof(OrderNumber("DDOLD"), identity, Factor.PASSWORD, NOON - timedelta(days=2), "t3"),
        )
    )

    proven = await shop.gate.proven_orders(identity)

    assert [(one.number, one.factor) for one in proven] == [(NUMBER, Factor.PASSWORD)]


@given(st.text(max_size=200))
def test_nothing_but_the_password_or_contact_proves_anything(typed: str) -> None:
    factor = factor_shown(an_order(), SecretStr(typed), is_password=False, is_code=False)

    assert factor is None or typed.strip().casefold() == EMAIL
