"""The one gate for what may be shown: pure rules from what was proved to what is seen.

Everything that leaves the shop is made here. A rule that is not written here does not exist: bot
and console word what they are given and can show nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from shop.access.answers import (
    CardOutcome,
    CardView,
    OrderView,
    ProductView,
    RefundView,
    ResendOutcome,
    TopUpView,
)
from shop.domain.cards import Card, redemption_to_tell
from shop.domain.contacts import ContactKind
from shop.domain.numbers import show_number
from shop.domain.orders import FulfilmentState, Order, PaymentState
from shop.domain.products import Product, ProductKind
from shop.domain.proofs import (
    LEVELS,
    Factor,
    Level,
    Proof,
)
from shop.domain.shown_state import ShownState, shown_state

_HANDED_OUT = frozenset(
    {
        FulfilmentState.PARTIALLY_DELIVERED,
        FulfilmentState.DELIVERED,
        FulfilmentState.COMPLETED,
    }
)
_NEVER_PAID = frozenset({ShownState.PENDING_PAYMENT, ShownState.EXPIRED, ShownState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody has proved of one order.

    Attributes:
        factor: The strongest; ``None`` at levels ``NOTHING`` and ``NUMBER``.
    """

    level: Level
    factor: Factor | None = None


NOBODY = Standing(Level.NOTHING)


def standing_of(
    order: Order | None,
    identity: str,
    proofs: Iterable[Proof],
    *,
    valid_since: datetime,
    numbers_can_be_guessed: bool,
) -> Standing:
    """What this identity has proved of this order before it typed anything more.

    Args:
        proofs: Of any order, identity and age; only those that fit count.
        numbers_can_be_guessed: Then the number alone is worth nothing.
    """
    if order is None:
        return NOBODY
    if identity in order.identities:
        return Standing(Level.OWNER, Factor.ACCOUNT)
    fitting = [
        proof
        for proof in proofs
        if proof.number == order.number
        and proof.identity == identity
        and proof.proved_at >= valid_since
    ]
    if fitting:
        best = max(fitting, key=lambda proof: proof.level)
        return Standing(best.level, best.factor)
    return NOBODY if numbers_can_be_guessed else Standing(Level.NUMBER)


def factor_shown(
    order: Order | None, typed: SecretStr, *, is_password: bool, is_code: bool
) -> Factor | None:
    """The strongest factor that was typed; ``None`` if it proves nothing.

    Args:
        is_password: Whether the slow hash matched.
        is_code: Whether it is the code that is out for this identity.
    """
    is_contact = order is not None and order.contact.is_same(typed)
    if order is None:
        return None
    if is_password:
        return Factor.PASSWORD
    if is_code:
        return Factor.CODE
    return Factor.CONTACT if is_contact else None


def may_see_cards(order: Order, level: Level, now: datetime) -> bool:
    """Whether the cards of the order may be shown: to its owner, once they were handed out."""
    return level >= Level.OWNER and has_cards_to_send(order, now)


def has_cards_to_send(order: Order, now: datetime) -> bool:
    """Whether there is anything to resend.

    A top-up leaves nothing to send, and an order refunded in full nothing any more.
    """
    return (
        order.payment is PaymentState.PAID
        and order.fulfilment in _HANDED_OUT
        and any(line.kind is not ProductKind.TOPUP for line in order.lines)
        and shown_state(order, now) is not ShownState.REFUNDED
    )


def order_view(
    order: Order, level: Level, now: datetime, *, cards: Sequence[SecretStr] = ()
) -> OrderView:
    """The order, cut to a level of at least ``NUMBER``.

    Raises:
        PermissionError: Nothing was proved: there is no view of that.
    """
    if level < Level.NUMBER:
        raise PermissionError("an order is not shown to somebody who proved nothing")
    state = shown_state(order, now)
    is_owner = level >= Level.OWNER
    is_contact = level >= Level.CONTACT
    return OrderView(
        number=show_number(order.number),
        product=order.title,
        state=state,
        created_at=order.created_at,
        paid_at=order.paid_at,
        hold_until=order.hold_until if state is ShownState.PENDING_PAYMENT else None,
        promise_s=order.promise_s,
        contact_mask=order.contact.mask if is_contact else None,
        amount_fen=order.total_fen if is_owner else None,
        cards=tuple(cards) if may_see_cards(order, level, now) else (),
        refunds=tuple(RefundView(one.amount_fen, one.state) for one in order.refunds)
        if is_owner
        else (),
        topups=tuple(
            TopUpView(one.account_mask, one.state, one.submitted_at) for one in order.topups
        )
        if is_owner
        else (),
    )


def resend_outcome(
    order: Order, level: Level, now: datetime, *, want_mail: bool, mail_available: bool
) -> ResendOutcome:
    """Whether and how the cards of an order go out again, the cooldown aside.

    Typing the contact lets them go to that contact, and nowhere else.
    """
    if shown_state(order, now) in _NEVER_PAID:
        return ResendOutcome.NOT_PAID
    if not has_cards_to_send(order, now):
        return ResendOutcome.NOT_DELIVERED
    can_mail = mail_available and order.contact.kind is ContactKind.EMAIL
    if level >= Level.OWNER:
        return ResendOutcome.MAILED if want_mail and can_mail else ResendOutcome.SHOWN
    if level >= Level.CONTACT and can_mail:
        return ResendOutcome.MAILED
    return ResendOutcome.PROOF_NEEDED


def card_view(card: Card | None, now: datetime) -> tuple[CardOutcome, CardView | None]:
    """What a pasted card gets: its state only if it was sold, and never its order."""
    if card is None or not card.is_sold:
        return CardOutcome.NOT_OURS, None
    state = redemption_to_tell(card, now)
    view = CardView(
        mask=card.mask,
        product=card.title,
        state=state,
        expires_at=card.expires_at,
        checked_at=card.redemption.checked_at,
        checked_by=card.redemption.source,
    )
    return CardOutcome(state.value), view


def product_view(product: Product, *, shows_exact_stock: bool) -> ProductView:
    """The product as everybody may see it."""
    return ProductView(
        id=product.id,
        name=product.title,
        nicknames=product.nicknames,
        kind=product.kind,
        price=product.price,
        band=product.stock_band,
        stock=product.stock if shows_exact_stock else None,
        is_open=product.is_open,
        region=product.region,
        how_to=product.how_to,
        after_sale=product.after_sale,
        promise_s=product.promise_s,
    )


def worth(factor: Factor) -> Level:
    """The level that a factor proves."""
    return LEVELS[factor]
