"""What the gate is asked by, and what it answers. Nothing in an answer exceeds its level."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import SecretStr

from shop.access.effects import Effect
from shop.access.throttle import crowd_of
from shop.domain.cards import CheckSource, RedemptionState
from shop.domain.numbers import OrderNumber
from shop.domain.products import ProductKind
from shop.domain.proofs import Factor, Level
from shop.domain.refunds import RefundState
from shop.domain.shown_state import ShownState
from shop.domain.stock import StockBand
from shop.domain.topups import TopUpState


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks.

    Attributes:
        identity: The channel identity, ``channel:account:user``; proofs belong to it.
        sources: Further keys to count by, such as ``ip:<keyed hash>``.
        is_private: ``False`` in groups, where nothing of an order or card is ever shown.
        turn_id: Makes effects happen once.
        vouched: Contacts that the shop's own app vouches for as this customer's: an order with
            one of them is theirs.
    """

    identity: str
    sources: tuple[str, ...]
    is_private: bool
    turn_id: str
    vouched: tuple[SecretStr, ...] = field(default=(), repr=False)

    @property
    def all_sources(self) -> tuple[str, ...]:
        """Every key to count by, each once, in one order for everybody."""
        # identities may be free: one without a network address has at least its channel account
        around = self.sources or (crowd_of(self.identity),)
        return tuple(sorted({self.identity, *around}))


class OrderOutcome(StrEnum):
    """What a look-up came to: a shown state, or why there is none.

    ``NOT_FOUND`` stands for unknown orders and failed proofs alike. ``PROOF_NEEDED`` comes only
    from shops whose numbers can be guessed. ``PRIVATE_ONLY``: asked in a group.
    """

    PENDING_PAYMENT = ShownState.PENDING_PAYMENT.value
    EXPIRED = ShownState.EXPIRED.value
    CANCELLED = ShownState.CANCELLED.value
    PROCESSING = ShownState.PROCESSING.value
    STUCK = ShownState.STUCK.value
    DELIVERED = ShownState.DELIVERED.value
    PARTIALLY_DELIVERED = ShownState.PARTIALLY_DELIVERED.value
    ABNORMAL = ShownState.ABNORMAL.value
    RISK_HOLD = ShownState.RISK_HOLD.value
    FAILED = ShownState.FAILED.value
    TOPUP_PROCESSING = ShownState.TOPUP_PROCESSING.value
    TOPUP_STUCK = ShownState.TOPUP_STUCK.value
    TOPUP_DONE = ShownState.TOPUP_DONE.value
    REFUNDING = ShownState.REFUNDING.value
    REFUNDED = ShownState.REFUNDED.value
    PARTIALLY_REFUNDED = ShownState.PARTIALLY_REFUNDED.value
    NOT_FOUND = "not_found"
    PROOF_NEEDED = "proof_needed"
    THROTTLED = "throttled"
    LOCKED = "locked"
    UNAVAILABLE = "unavailable"
    PRIVATE_ONLY = "private_only"


class ResendOutcome(StrEnum):
    """What asking for the cards again came to."""

    SHOWN = "shown"
    MAILED = "mailed"
    PROOF_NEEDED = "proof_needed"
    NOT_DELIVERED = "not_delivered"
    NOT_PAID = "not_paid"
    COOLDOWN = "cooldown"
    NOT_FOUND = "not_found"
    THROTTLED = "throttled"
    LOCKED = "locked"
    UNAVAILABLE = "unavailable"
    PRIVATE_ONLY = "private_only"


class CodeOutcome(StrEnum):
    """What asking for a code came to. ``SENT`` also where there is no such order or no mailbox."""

    SENT = "sent"
    THROTTLED = "throttled"
    LOCKED = "locked"
    UNAVAILABLE = "unavailable"
    PRIVATE_ONLY = "private_only"


class CardOutcome(StrEnum):
    """What a pasted card came to. ``NOT_OURS`` stands for unknown and unsold cards alike."""

    UNUSED = RedemptionState.UNUSED.value
    USED = RedemptionState.USED.value
    EXPIRED = RedemptionState.EXPIRED.value
    INVALID = RedemptionState.INVALID.value
    FROZEN = RedemptionState.FROZEN.value
    UNKNOWN = RedemptionState.UNKNOWN.value
    NOT_OURS = "not_ours"
    THROTTLED = "throttled"
    LOCKED = "locked"
    UNAVAILABLE = "unavailable"
    PRIVATE_ONLY = "private_only"


class ProductOutcome(StrEnum):
    """What looking for a product came to."""

    IN_STOCK = StockBand.PLENTY.value
    LOW_STOCK = StockBand.LOW.value
    SOLD_OUT = StockBand.NONE.value
    CLOSED = "closed"
    SEVERAL = "several"
    NONE = "none"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class RefundView:
    """A refund as the order's owner sees it."""

    amount_fen: int
    state: RefundState


@dataclass(frozen=True, slots=True)
class TopUpView:
    """A top-up as the order's owner sees it."""

    account_mask: str
    state: TopUpState
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order, cut to what was proved.

    Attributes:
        number: As people read it, with dashes.
        product: Titles in one line.
        promise_s: Seconds from payment in which delivery was promised.
        contact_mask: From level ``CONTACT``; else ``None``.
        amount_fen: At level ``OWNER``; else ``None``. So are the following, else empty.
        cards: Secrets that were delivered.
    """

    number: str
    product: str
    state: ShownState
    created_at: datetime
    paid_at: datetime | None
    hold_until: datetime | None
    promise_s: int
    contact_mask: str | None = None
    amount_fen: int | None = None
    cards: tuple[SecretStr, ...] = ()
    refunds: tuple[RefundView, ...] = ()
    topups: tuple[TopUpView, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """What ``Gate.order`` answers.

    Attributes:
        view: ``None`` unless the outcome is a state.
        level: What is proved by now.
        effects: To be applied in the turn's unit.
        retry_after_s: When throttled or locked; else ``None``.
        is_newly_locked: This failed try locked the pair: staff should be told.
        only_code: So many strangers tried this order that a mailed code gets through at once, and
            anything else only after a while.
    """

    outcome: OrderOutcome
    view: OrderView | None = None
    level: Level = Level.NOTHING
    factor: Factor | None = None
    effects: tuple[Effect, ...] = ()
    retry_after_s: float | None = None
    is_newly_locked: bool = False
    only_code: bool = False


@dataclass(frozen=True, slots=True)
class ResendAnswer:
    """What ``Gate.resend`` answers; fields as in ``OrderAnswer``.

    Attributes:
        view: Has the cards only when the outcome is ``SHOWN``.
    """

    outcome: ResendOutcome
    view: OrderView | None = None
    level: Level = Level.NOTHING
    factor: Factor | None = None
    effects: tuple[Effect, ...] = ()
    retry_after_s: float | None = None
    is_newly_locked: bool = False
    only_code: bool = False


@dataclass(frozen=True, slots=True)
class CodeAnswer:
    """What ``Gate.send_code`` answers: the same whether or not there is an order.

    Attributes:
        good_for_s: Seconds that a code lives.
    """

    outcome: CodeOutcome
    good_for_s: int
    effects: tuple[Effect, ...] = ()
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class CardView:
    """A sold card, without its secret and without its order.

    Attributes:
        state: What may be said now.
        checked_at: When it was last checked, by ``checked_by``; ``None`` if it never was.
    """

    mask: str
    product: str
    state: RedemptionState
    expires_at: datetime | None
    checked_at: datetime | None
    checked_by: CheckSource | None


@dataclass(frozen=True, slots=True)
class CardAnswer:
    """What ``Gate.card`` answers; ``view`` only for cards that were sold."""

    outcome: CardOutcome
    view: CardView | None = None
    retry_after_s: float | None = None
    is_newly_locked: bool = False


@dataclass(frozen=True, slots=True)
class ProductView:
    """A product as everybody may see it, at its retail price.

    Attributes:
        price: Yuan.
        stock: Pieces; ``None`` where there is no limit or the shop shows bands only.
    """

    id: str
    name: str
    nicknames: tuple[str, ...]
    kind: ProductKind
    price: Decimal
    band: StockBand
    stock: int | None
    is_open: bool
    region: str
    how_to: str
    after_sale: str
    promise_s: int


@dataclass(frozen=True, slots=True)
class ProductAnswer:
    """What ``Gate.products`` answers.

    Attributes:
        product: The one that is meant; ``None`` unless the outcome speaks of one.
        products: The choices, best first; of an empty query or no match what is on sale.
    """

    outcome: ProductOutcome
    product: ProductView | None = None
    products: tuple[ProductView, ...] = ()


@dataclass(frozen=True, slots=True)
class ProvenOrder:
    """An order that an identity proved lately."""

    number: OrderNumber
    factor: Factor
    proved_at: datetime
