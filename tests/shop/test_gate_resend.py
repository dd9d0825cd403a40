"""Getting the cards of an order again, and the code that proves a mailbox."""

from __future__ import annotations

import re

import pytest
from pydantic import SecretStr

from shop.access.answers import CodeOutcome, ResendOutcome
from shop.domain.cards import StockState
from shop.domain.numbers import OrderNumber
from shop.domain.orders import FulfilmentState, PaymentState
from shop.domain.proofs import Factor, Level
from shop.domain.records import Shown
from shop.domain.refunds import RefundState
from shop.domain.shown_state import ShownState
from shop.domain.stock import tally
from shop.domain.topups import TopUp
from tests.factories.shop import EMAIL, NOON, NUMBER, PASSWORD, Shop, a_card, a_requester, an_order

SECRETS = ["STAR-7KQ2-M8XD-41VN-9CHT", "STAR-AAAA-BBBB-CCCC-DDDD"]


async def _delivered(shop: Shop, *, contact: str = EMAIL) -> None:
    await shop.has(an_order(contact=contact), cards=tuple(a_card(one) for one in SECRETS))


async def test_the_owner_is_shown_the_same_secrets_and_no_stock_moves(shop: Shop) -> None:
    await _delivered(shop)
    stock_before = await _stock(shop)

    shown = []
    for at in range(3):
        answer = await shop.gate.resend(
            a_requester(turn_id=f"t{at}"), NUMBER, proof=SecretStr(PASSWORD)
        )
        await shop.commit(answer.effects)
        shop.clock.pass_(minutes=1)
        assert answer.outcome is ResendOutcome.SHOWN
        assert answer.view is not None
        shown.append([card.get_secret_value() for card in answer.view.cards])

    assert shown == [SECRETS] * 3
    assert await _stock(shop) == stock_before


async def _stock(shop: Shop) -> dict[StockState, int]:
    cards = await shop.backend.cards_of(NUMBER)
    return tally(card.stock_state for card in cards)


async def test_typing_the_contact_mails_the_cards_to_it_and_shows_none(shop: Shop) -> None:
    await _delivered(shop)

    answer = await shop.gate.resend(a_requester(), NUMBER, proof=SecretStr(EMAIL))
    await shop.commit(answer.effects)

    assert answer.outcome is ResendOutcome.MAILED
    assert answer.view is not None
    assert answer.view.cards == ()
    assert answer.view.contact_mask == "xi••••@example.com"
    assert [mail.to.get_secret_value() for mail in shop.mails] == [EMAIL]
    assert all(secret in shop.mails[0].body.get_secret_value() for secret in SECRETS)


async def test_another_address_is_a_failed_proof_and_gets_no_mail(shop: Shop) -> None:
    await _delivered(shop)

    answer = await shop.gate.resend(
        a_requester(), NUMBER, proof=SecretStr("thief@example.com"), want_mail=True
    )

    assert answer.outcome is ResendOutcome.NOT_FOUND
    assert answer.effects == ()


async def test_the_owner_may_have_them_mailed_to_the_contact(shop: Shop) -> None:
    await _delivered(shop)

    answer = await shop.gate.resend(
        a_requester(), NUMBER, proof=SecretStr(PASSWORD), want_mail=True
    )
    await shop.commit(answer.effects)

    assert answer.outcome is ResendOutcome.MAILED
    assert [mail.to.get_secret_value() for mail in shop.mails] == [EMAIL]


async def test_a_contact_that_cannot_be_mailed_needs_a_better_proof(shop: Shop) -> None:
    await _delivered(shop, contact="13800138000")

    answer = await shop.gate.resend(a_requester(), NUMBER, proof=SecretStr("138 0013 8000"))

    assert answer.outcome is ResendOutcome.PROOF_NEEDED
    assert answer.level is Level.CONTACT


async def test_without_mail_the_owner_sees_the_cards_instead(shop: Shop) -> None:
    await _delivered(shop)
    gate = shop.a_gate(mail_available=False)

    answer = await gate.resend(a_requester(), NUMBER, proof=SecretStr(PASSWORD), want_mail=True)

    assert answer.outcome is ResendOutcome.SHOWN


async def test_the_number_alone_is_asked_for_proof(shop: Shop) -> None:
    await _delivered(shop)

    answer = await shop.gate.resend(a_requester(), NUMBER)

    assert answer.outcome is ResendOutcome.PROOF_NEEDED
    assert answer.view is not None
    assert answer.view.cards == ()


async def test_twice_in_ten_seconds_is_too_soon(shop: Shop) -> None:
    await _delivered(shop)
    first = await shop.gate.resend(a_requester(), NUMBER, proof=SecretStr(PASSWORD))
    await shop.commit(first.effects)

    shop.clock.pass_(seconds=9)
    second = await shop.gate.resend(shop.turn(), NUMBER)
    shop.clock.pass_(seconds=1)
    third = await shop.gate.resend(shop.turn(), NUMBER)

    assert second.outcome is ResendOutcome.COOLDOWN
    assert second.retry_after_s == pytest.approx(1)
    assert second.view is not None
    assert second.view.cards == ()
    assert third.outcome is ResendOutcome.SHOWN


@pytest.mark.parametrize(
    ("payment", "fulfilment", "outcome"),
    [
        (PaymentState.PENDING, FulfilmentState.WAITING, ResendOutcome.NOT_PAID),
        (PaymentState.CANCELLED, FulfilmentState.WAITING, ResendOutcome.NOT_PAID),
        (PaymentState.DISPUTED, FulfilmentState.WAITING, ResendOutcome.NOT_DELIVERED),
        (PaymentState.PAID, FulfilmentState.FULFILLING, ResendOutcome.NOT_DELIVERED),
        (PaymentState.PAID, FulfilmentState.RISK_HOLD, ResendOutcome.NOT_DELIVERED),
        (PaymentState.PAID, FulfilmentState.ABNORMAL, ResendOutcome.NOT_DELIVERED),
    ],
)
async def test_what_was_not_delivered_is_not_resent_to_its_owner_either(
    shop: Shop, payment: PaymentState, fulfilment: FulfilmentState, outcome: ResendOutcome
) -> None:
    await shop.has(an_order(payment=payment, fulfilment=fulfilment), cards=(a_card(SECRETS[0]),))

    answer = await shop.gate.resend(a_requester(), NUMBER, proof=SecretStr(PASSWORD))

    assert answer.outcome is outcome
    assert answer.view is not None
    assert answer.view.cards == ()


async def test_a_top_up_that_is_done_asks_for_no_proof_to_resend_nothing(shop: Shop) -> None:
    await shop.has(an_order(topup=TopUp.submitted("10001000", at=NOON)))

    answer = await shop.gate.resend(a_requester(), NUMBER)

    assert answer.outcome is ResendOutcome.NOT_DELIVERED
    assert answer.view is not None
    assert answer.view.state is ShownState.TOPUP_DONE


async def test_an_order_refunded_in_full_gives_no_cards_any_more(shop: Shop) -> None:
    await shop.has(an_order(refunds=((RefundState.DONE, 4880),)), cards=(a_card(SECRETS[0]),))

    resent = await shop.gate.resend(a_requester(), NUMBER, proof=SecretStr(PASSWORD))
    looked = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(PASSWORD))

    assert resent.outcome is ResendOutcome.NOT_DELIVERED
    assert looked.view is not None
    assert looked.view.cards == ()


async def test_cards_that_were_only_reserved_are_never_given_out(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRETS[0], stock_state=StockState.RESERVED),))

    answer = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(PASSWORD))

    assert answer.view is not None
    assert answer.view.cards == ()


async def test_a_mailed_disclosure_is_written_down(shop: Shop) -> None:
    await _delivered(shop)
    answer = await shop.gate.resend(a_requester(), NUMBER, proof=SecretStr(EMAIL))
    await shop.commit(answer.effects)

    rows = await shop.units.read(lambda work: work.deliveries.disclosures(NUMBER))

    assert [(row.what, row.level, row.cards) for row in rows] == [
        (Shown.MAILED_CARDS, Level.CONTACT, 2)
    ]


# ------------------------------------------------------------------------------- e-mailed codes


def _code(shop: Shop) -> str:
    found = re.search(r"\d{6}", shop.mails[-1].body.get_secret_value())
    assert found is not None
    return found[0]


async def _asked(shop: Shop, number: str = NUMBER) -> None:
    answer = await shop.gate.send_code(shop.turn(), number)
    assert answer.outcome is CodeOutcome.SENT
    await shop.commit(answer.effects)


async def test_a_mailed_code_proves_the_order_in_the_conversation_that_asked(shop: Shop) -> None:
    await _delivered(shop)
    await _asked(shop)

    other = await shop.gate.order(
        a_requester("web:default:other", sources=()), NUMBER, proof=SecretStr(_code(shop))
    )
    mine = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(f"验证码是{_code(shop)}"))

    assert other.level is Level.NOTHING
    assert (mine.level, mine.factor) == (Level.OWNER, Factor.CODE)


async def test_a_code_serves_once(shop: Shop) -> None:
    await _delivered(shop)
    await _asked(shop)
    digits = SecretStr(_code(shop))
    used = await shop.gate.order(a_requester(), NUMBER, proof=digits)
    await shop.commit(used.effects)
    shop.clock.pass_(hours=25)  # the proof that it gave is over

    assert (await shop.gate.order(shop.turn(), NUMBER, proof=digits)).level is Level.NOTHING


async def test_a_code_lives_ten_minutes(shop: Shop) -> None:
    await _delivered(shop)
    await _asked(shop)
    shop.clock.pass_(minutes=10)

    answer = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(_code(shop)))

    assert answer.level is Level.NOTHING


async def test_a_code_can_be_tried_five_times(shop: Shop) -> None:
    await _delivered(shop)
    await _asked(shop)
    digits, identity = SecretStr(_code(shop)), a_requester().identity
    wrong = SecretStr("000000" if _code(shop) != "000000" else "111111")

    for _ in range(5):
        await shop.units.write(
            lambda work: work.proofs.try_code(NUMBER, identity, wrong, shop.clock())
        )
    is_right = await shop.units.write(
        lambda work: work.proofs.try_code(NUMBER, identity, digits, shop.clock())
    )

    assert not is_right


async def test_asking_for_a_code_does_not_tell_whether_there_is_an_order(shop: Shop) -> None:
    phone = OrderNumber("DD" + "7" * 20)
    await shop.has(an_order(), an_order(phone, contact="13800138000"))

    answers = [
        await shop.gate.send_code(a_requester(), number)
        for number in (NUMBER, phone, "DD-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ")
    ]

    assert {answer.outcome for answer in answers} == {CodeOutcome.SENT}
    assert [len(answer.effects) for answer in answers] == [2, 0, 0]


async def test_a_stranger_cannot_flood_the_owners_mailbox(shop: Shop) -> None:
    await _delivered(shop)

    outcomes = [
        (await shop.gate.send_code(a_requester(f"web:default:v{at}", sources=()), NUMBER)).outcome
        for at in range(7)
    ]

    assert outcomes == [CodeOutcome.SENT] * 5 + [CodeOutcome.THROTTLED] * 2


async def test_without_mail_no_code_is_offered(shop: Shop) -> None:
    await _delivered(shop)

    answer = await shop.a_gate(mail_available=False).send_code(a_requester(), NUMBER)

    assert answer.outcome is CodeOutcome.UNAVAILABLE
