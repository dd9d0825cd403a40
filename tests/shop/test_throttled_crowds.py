"""Many sources together: new visitors, one network, a crowd; and the owner among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from shop.access.answers import (
    CardOutcome,
    CodeOutcome,
    OrderOutcome,
    Requester,
    ResendOutcome,
)
from shop.access.throttle import Limits, breadth
from shop.domain.numbers import OrderNumber, show_number
from shop.domain.proofs import Factor, Level
from tests.factories.shop import EMAIL, NUMBER, PASSWORD, Shop, a_card, a_requester, an_order

LIMITS = Limits()
SECRET = "STAR-7KQ2-M8XD-41VN-9CHT"
WRONG = SecretStr("not the password")


def strangers(
    *, network: str | None = None, address: str | None = None, start: int = 0
) -> Iterator[Requester]:
    """New visitors, each from an address and a network of their own unless one is given."""
    number = start
    while True:
        number += 1
        sources = (f"ip:{address or number}", f"net:{network or number}")
        yield a_requester(f"web:default:v{number}", sources=sources, turn_id=f"turn {number}")


def app_users() -> Iterator[Requester]:
    """Users of a shop's app: as many as somebody likes to make, and no address of any."""
    for number in range(10_000):
        yield a_requester(f"app:shop:u{number}", sources=(), turn_id=f"turn {number}")


async def fails(shop: Shop, who: Requester, number: str = NUMBER) -> OrderOutcome:
    return (await shop.gate.order(who, number, proof=WRONG)).outcome


async def wrong_tries(shop: Shop, count: int, *, start: int = 100_000) -> None:
    """As many strangers, each with an address of their own, fail once on the order."""
    some = strangers(start=start)
    for _ in range(count):
        assert await fails(shop, next(some)) is OrderOutcome.NOT_FOUND


async def test_new_visitors_at_one_address_share_its_tries(shop: Shop) -> None:
    await shop.has(an_order())
    some = strangers(address="one")

    told = [await fails(shop, next(some)) for _ in range(LIMITS.order.failures + 1)]

    assert told[-2:] == [OrderOutcome.NOT_FOUND, OrderOutcome.LOCKED]


async def test_addresses_that_rotate_in_one_network_share_a_wider_limit(shop: Shop) -> None:
    await shop.has(an_order())
    limits = Limits(lookups=5)
    gate = replace(shop, settings=replace(shop.settings, limits=limits)).gate
    some = strangers(network="the /48")
    numbers = iter(range(1_000))

    async def looks() -> OrderOutcome:
        unknown = show_number(OrderNumber(f"DD{next(numbers):020}"))
        return (await gate.order(next(some), unknown)).outcome

    for _ in range(limits.lookups * limits.wider):
        assert await looks() is OrderOutcome.NOT_FOUND
    assert await looks() is OrderOutcome.THROTTLED
    elsewhere = next(strangers(start=5_000))
    assert (await gate.order(elsewhere, NUMBER)).outcome is OrderOutcome.DELIVERED


async def test_strangers_from_everywhere_guess_one_order_only_slowly(shop: Shop) -> None:
    await shop.has(an_order())
    crowd = LIMITS.order_crowd
    await wrong_tries(shop, crowd.failures)
    some = strangers()

    assert await fails(shop, next(some)) is OrderOutcome.THROTTLED
    shop.clock.pass_(seconds=crowd.spacing_s)
    assert await fails(shop, next(some)) is OrderOutcome.NOT_FOUND
    assert await fails(shop, next(some)) is OrderOutcome.THROTTLED


async def test_an_unknown_order_is_slowed_like_a_known_one(shop: Shop) -> None:
    unknown, some = "DD-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ", strangers()
    for _ in range(LIMITS.order_crowd.failures):
        assert await fails(shop, next(some), unknown) is OrderOutcome.NOT_FOUND

    answer = await shop.gate.order(next(some), unknown, proof=WRONG)

    assert answer.outcome is OrderOutcome.THROTTLED
    assert answer.only_code


async def test_an_owner_who_proved_it_before_minds_no_crowd(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))
    owner = a_requester()
    proved = await shop.gate.order(owner, NUMBER, proof=SecretStr(PASSWORD))
    await shop.commit(proved.effects)
    shop.clock.pass_(hours=25)  # the proof is over; that there was one is not
    await wrong_tries(shop, LIMITS.order_crowd.failures)

    answer = await shop.gate.order(shop.turn(owner), NUMBER, proof=SecretStr(PASSWORD))

    assert answer.level is Level.OWNER


async def test_having_typed_the_contact_once_does_not_make_an_owner(shop: Shop) -> None:
    await shop.has(an_order())
    stranger = a_requester()
    typed = await shop.gate.order(stranger, NUMBER, proof=SecretStr(EMAIL))
    await shop.commit(typed.effects)
    await wrong_tries(shop, LIMITS.order_crowd.failures)

    assert await fails(shop, shop.turn(stranger)) is OrderOutcome.THROTTLED


async def test_an_owner_on_a_new_phone_gets_through_a_crowd_by_a_mailed_code(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))
    await wrong_tries(shop, LIMITS.order_crowd.failures)
    owner = a_requester()

    refused = await shop.gate.order(owner, NUMBER, proof=SecretStr(PASSWORD))
    assert refused.outcome is OrderOutcome.THROTTLED
    assert refused.only_code
    sent = await shop.gate.send_code(shop.turn(owner), NUMBER)
    await shop.commit(sent.effects)
    digits = re.findall(r"\d{6}", shop.mails[-1].body.get_secret_value())[0]
    answer = await shop.gate.order(shop.turn(owner), NUMBER, proof=SecretStr(digits))

    assert (answer.level, answer.factor) == (Level.OWNER, Factor.CODE)


async def test_a_wrong_code_gets_nobody_through_a_crowd(shop: Shop) -> None:
    await shop.has(an_order())
    await wrong_tries(shop, LIMITS.order_crowd.failures)
    sent = await shop.gate.send_code(a_requester(), NUMBER)
    await shop.commit(sent.effects)

    assert await fails(shop, shop.turn()) is OrderOutcome.THROTTLED


async def test_a_crowd_at_one_order_slows_no_other_order(shop: Shop) -> None:
    other = OrderNumber("DD" + "7" * 20)
    await shop.has(an_order(), an_order(other))
    await wrong_tries(shop, LIMITS.order_crowd.failures)

    answer = await shop.gate.order(a_requester(), other, proof=SecretStr(PASSWORD))

    assert answer.level is Level.OWNER


async def test_a_crowd_that_went_away_slows_nobody(shop: Shop) -> None:
    await shop.has(an_order())
    await wrong_tries(shop, LIMITS.order_crowd.failures)
    shop.clock.pass_(seconds=LIMITS.order_crowd.window_s)

    answer = await shop.gate.order(a_requester(), NUMBER, proof=SecretStr(PASSWORD))

    assert answer.level is Level.OWNER


async def test_accounts_made_by_the_thousand_share_a_limit_of_their_channel(shop: Shop) -> None:
    limits = Limits(lookups=2, crowd=5)
    small = replace(shop.settings, limits=limits)
    gate = replace(shop, settings=small).gate
    users = app_users()
    told = [(await gate.order(next(users), NUMBER)).outcome for _ in range(2 * 5 + 1)]

    assert told == [OrderOutcome.NOT_FOUND] * 10 + [OrderOutcome.THROTTLED]
    other = a_requester("telegram:main:1", sources=())
    assert (await gate.order(other, NUMBER)).outcome is OrderOutcome.NOT_FOUND


async def test_somebody_with_a_proved_order_minds_no_crowd_of_their_channel(shop: Shop) -> None:
    await shop.has(an_order())
    gate = replace(shop, settings=replace(shop.settings, limits=Limits(lookups=2, crowd=2))).gate
    owner = a_requester("app:shop:owner", sources=())
    proved = await gate.order(owner, NUMBER, proof=SecretStr(PASSWORD))
    await shop.commit(proved.effects)
    users = app_users()
    for _ in range(4):
        await gate.order(next(users), NUMBER)

    assert (await gate.order(next(users), NUMBER)).outcome is OrderOutcome.THROTTLED
    assert (await gate.order(shop.turn(owner), NUMBER)).level is Level.OWNER


async def test_cards_are_guessed_by_a_crowd_only_slowly(shop: Shop) -> None:
    crowd = replace(LIMITS.card_crowd, failures=12)
    gate = replace(shop, settings=replace(shop.settings, limits=Limits(card_crowd=crowd))).gate
    some = strangers()

    async def guesses() -> CardOutcome:
        return (await gate.card(next(some), SecretStr(SECRET))).outcome

    assert [await guesses() for _ in range(12)] == [CardOutcome.NOT_OURS] * 12
    assert await guesses() is CardOutcome.THROTTLED
    shop.clock.pass_(seconds=crowd.spacing_s)
    assert await guesses() is CardOutcome.NOT_OURS


async def test_new_visitors_cannot_have_codes_mailed_without_end(shop: Shop) -> None:
    some, numbers = strangers(address="one", network="one"), iter(range(1_000))

    async def asks() -> CodeOutcome:
        unknown = show_number(OrderNumber(f"DD{next(numbers):020}"))
        return (await shop.gate.send_code(next(some), unknown)).outcome

    assert [await asks() for _ in range(LIMITS.codes)] == [CodeOutcome.SENT] * LIMITS.codes
    assert await asks() is CodeOutcome.THROTTLED


async def test_all_codes_together_have_a_limit(shop: Shop) -> None:
    gate = replace(shop, settings=replace(shop.settings, limits=Limits(codes_of_all=3))).gate
    some, numbers = strangers(), iter(range(1_000))

    async def asks() -> CodeOutcome:
        unknown = show_number(OrderNumber(f"DD{next(numbers):020}"))
        return (await gate.send_code(next(some), unknown)).outcome

    told = [await asks() for _ in range(4)]

    assert told == [*[CodeOutcome.SENT] * 3, CodeOutcome.THROTTLED]
    shop.clock.pass_(seconds=LIMITS.code_window_s)
    assert await asks() is CodeOutcome.SENT


async def test_one_mailbox_gets_few_codes_however_many_orders_it_has(shop: Shop) -> None:
    numbers = [OrderNumber(f"DD{at:020}") for at in range(LIMITS.mails_of_contact + 2)]
    await shop.has(*(an_order(one) for one in numbers))
    some = strangers()
    for number in numbers:
        answer = await shop.gate.send_code(next(some), number)
        # the same answer, or it would tell which orders have one owner
        assert answer.outcome is CodeOutcome.SENT
        await shop.commit(answer.effects)

    assert len(shop.mails) == LIMITS.mails_of_contact


async def test_whoever_knows_a_contact_cannot_fill_its_mailbox_with_cards(shop: Shop) -> None:
    await shop.has(an_order(), cards=(a_card(SECRET),))
    some = strangers()
    told = []
    for _ in range(LIMITS.mails_of_contact + 1):
        answer = await shop.gate.resend(next(some), NUMBER, proof=SecretStr(EMAIL))
        await shop.commit(answer.effects)
        told.append(answer.outcome)
        shop.clock.pass_(minutes=2)

    assert told[:-1] == [ResendOutcome.MAILED] * LIMITS.mails_of_contact
    assert told[-1] is ResendOutcome.COOLDOWN
    shop.clock.pass_(hours=1)
    answer = await shop.gate.resend(next(some), NUMBER, proof=SecretStr(EMAIL))
    assert answer.outcome is ResendOutcome.MAILED


async def test_strangers_who_use_an_orders_codes_up_leave_some_to_its_owner(shop: Shop) -> None:
    await shop.has(an_order())
    owner = a_requester()
    proved = await shop.gate.order(owner, NUMBER, proof=SecretStr(PASSWORD))
    await shop.commit(proved.effects)
    some = strangers()
    told = [(await shop.gate.send_code(next(some), NUMBER)).outcome for _ in range(6)]
    assert told[-1] is CodeOutcome.THROTTLED

    assert (await shop.gate.send_code(shop.turn(owner), NUMBER)).outcome is CodeOutcome.SENT


@pytest.mark.parametrize(
    ("source", "times"),
    [
        ("web:default:v1", 1),
        ("ip:abc", 1),
        ("net:abc", LIMITS.wider),
        ("crowd:app:shop", LIMITS.crowd),
        ("netizen:net:1", 1),
    ],
)
def test_each_source_is_as_wide_as_its_name_says(source: str, times: int) -> None:
    assert breadth(source, LIMITS) == times
