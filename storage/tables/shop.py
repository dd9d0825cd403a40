"""Tables of the embedded shop, and of who asked it for what."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

from storage.tables.base import BigId, Json, UtcDateTime, metadata

ID = String(40)
"""Opaque text; kefu's own are ULIDs, imported shops bring theirs."""
NUMBER = String(64)
"""An order number as ``shop.domain.numbers`` folds it."""
IDENTITY = String(240)
"""``channel:account:user``."""
BLIND = LargeBinary(32)
"""A keyed hash for looking up what is sealed."""

_STEPS_PER_YUAN = Decimal(10_000)


class UnitPrice(TypeDecorator[Decimal]):
    """Yuan with four decimals, stored as whole ten-thousandths: SQLite has no exact decimals.

    Raises:
        ValueError: The price has more than four decimals; storing it would change it.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn yuan into whole ten-thousandths."""
        if value is None:
            return None
        steps = value * _STEPS_PER_YUAN
        if steps != steps.to_integral_value():
            raise ValueError(f"a unit price has at most four decimals: {value}")
        return int(steps)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Give yuan back, with two decimals at least."""
        if value is None:
            return None
        yuan = (Decimal(value) / _STEPS_PER_YUAN).quantize(Decimal("0.0001"))
        cents = yuan.quantize(Decimal("0.01"))
        return cents if cents == yuan else yuan


products = Table(
    "products",
    metadata,
    Column("id", ID, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("title", String(120), nullable=False),
    Column("nicknames", Json, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("price", UnitPrice, nullable=False),
    # cards are counted, not written down; NULL elsewhere means no limit
    Column("stock", Integer),
    Column("promise_s", Integer, nullable=False),
    Column("min_quantity", Integer, nullable=False),
    Column("max_quantity", Integer, nullable=False),
    Column("region", String(80), nullable=False),
    Column("how_to", Text, nullable=False),
    Column("after_sale", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    CheckConstraint("kind in ('card','topup','manual')", name="kind"),
    CheckConstraint("price >= 0", name="price"),
    CheckConstraint("kind <> 'card' or stock is null", name="card_stock_is_counted"),
    CheckConstraint("stock is null or stock >= 0", name="stock"),
    CheckConstraint("min_quantity >= 1 and max_quantity >= min_quantity", name="quantities"),
)

orders = Table(
    "orders",
    metadata,
    Column("number", NUMBER, primary_key=True),
    Column("contact_kind", String(10), nullable=False),
    Column("contact_sealed", LargeBinary, nullable=False, info={"sealed": True}),
    Column("contact_blind", BLIND, nullable=False, index=True),
    Column("contact_mask", String(260), nullable=False),
    # argon2id: slow by itself, so it is not sealed as well
    Column("password_hash", String(200)),
    Column("payment_state", String(12), nullable=False),
    Column("fulfilment_state", String(20), nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("discount_fen", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("hold_until", UtcDateTime, nullable=False),
    Column("paid_at", UtcDateTime),
    Column("delivered_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    CheckConstraint("contact_kind in ('email','phone','qq','other')", name="contact_kind"),
    CheckConstraint("password_hash is null or password_hash <> ''", name="password_hash"),
    CheckConstraint(
        "payment_state in ('pending','paid','expired','cancelled','disputed')",
        name="payment_state",
    ),
    CheckConstraint(
        "fulfilment_state in ('waiting','risk_hold','fulfilling','partially_delivered',"
        "'delivered','completed','abnormal','failed')",
        name="fulfilment_state",
    ),
    CheckConstraint("payment_state <> 'paid' or paid_at is not null", name="paid_has_paid_at"),
    CheckConstraint(
        "fulfilment_state = 'waiting' or payment_state = 'paid'", name="unpaid_is_not_fulfilled"
    ),
    CheckConstraint(
        "fulfilment_state not in ('delivered','completed') or delivered_at is not null",
        name="delivered_has_delivered_at",
    ),
    CheckConstraint("total_fen >= 0 and discount_fen >= 0", name="amounts"),
)
Index(
    "ix_orders_hold_until_pending",
    orders.c.hold_until,
    sqlite_where=orders.c.payment_state == "pending",
    postgresql_where=orders.c.payment_state == "pending",
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("id", ID, primary_key=True),
    Column("order_number", ForeignKey("orders.number"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("product_id", ForeignKey("products.id"), nullable=False),
    Column("title", String(120), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price", UnitPrice, nullable=False),
    Column("promise_s", Integer, nullable=False),
    UniqueConstraint("order_number", "position"),
    CheckConstraint("kind in ('card','topup','manual')", name="kind"),
    CheckConstraint("quantity >= 1", name="quantity"),
    CheckConstraint("unit_price >= 0", name="unit_price"),
)

order_identities = Table(
    "order_identities",
    metadata,
    Column("order_number", ForeignKey("orders.number"), primary_key=True),
    Column("identity", IDENTITY, primary_key=True),
    Index("ix_order_identities_identity", "identity"),
)

payments = Table(
    "payments",
    metadata,
    # one number of one provider counts once, whichever order it names
    Column("provider", String(40), primary_key=True),
    Column("provider_no", String(120), primary_key=True),
    Column("order_number", ForeignKey("orders.number"), nullable=False, index=True),
    Column("amount_fen", BigInteger, nullable=False),
    Column("paid_at", UtcDateTime, nullable=False),
    Column("state", String(10), nullable=False),
    CheckConstraint("state in ('received','returned')", name="state"),
    CheckConstraint("amount_fen >= 0", name="amount"),
)

refunds = Table(
    "refunds",
    metadata,
    Column("id", ID, primary_key=True),
    Column("order_number", ForeignKey("orders.number"), nullable=False, index=True),
    Column("amount_fen", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("decided_by", String(80)),
    Column("decided_at", UtcDateTime),
    Column("done_at", UtcDateTime),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint(
        "state in ('requested','approved','processing','done','refused','failed')", name="state"
    ),
    CheckConstraint("state = 'requested' or decided_by is not null", name="decided_by_somebody"),
    CheckConstraint("state <> 'done' or done_at is not null", name="done_has_done_at"),
)

topups = Table(
    "topups",
    metadata,
    Column("line_id", ForeignKey("order_lines.id"), primary_key=True),
    Column("account_sealed", LargeBinary, nullable=False, info={"sealed": True}),
    Column("account_mask", String(40), nullable=False),
    Column("region", String(80), nullable=False),
    Column("state", String(12), nullable=False),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    CheckConstraint(
        "state in ('submitted','processing','succeeded','failed','unknown')", name="state"
    ),
    CheckConstraint(
        "(state in ('succeeded','failed')) = (finished_at is not null)", name="finished"
    ),
)

cards = Table(
    "cards",
    metadata,
    Column("id", ID, primary_key=True),
    Column("product_id", ForeignKey("products.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("batch", String(40), nullable=False),
    Column("secret_sealed", LargeBinary, nullable=False, info={"sealed": True}),
    # the secret itself: importing one twice is refused; its two foldings need not be unique
    Column("exact_blind", BLIND, nullable=False, unique=True),
    Column("folded_blind", BLIND, nullable=False, index=True),
    Column("loose_blind", BLIND, nullable=False, index=True),
    Column("mask", String(40), nullable=False),
    Column("stock_state", String(12), nullable=False),
    Column("line_id", ForeignKey("order_lines.id"), index=True),
    Column("reserved_until", UtcDateTime),
    Column("redemption_state", String(10), nullable=False),
    Column("redemption_source", String(10)),
    Column("redemption_checked_at", UtcDateTime),
    Column("redemption_evidence", String(80)),
    Column("expires_at", UtcDateTime),
    CheckConstraint(
        "stock_state in ('available','reserved','delivered','quarantined','void')",
        name="stock_state",
    ),
    CheckConstraint(
        "(stock_state in ('reserved','delivered')) = (line_id is not null)", name="held_by_a_line"
    ),
    CheckConstraint(
        "(stock_state = 'reserved') = (reserved_until is not null)", name="reserved_until"
    ),
    CheckConstraint(
        "redemption_state in ('unknown','unused','used','expired','invalid','frozen')",
        name="redemption_state",
    ),
    CheckConstraint(
        "redemption_source in ('buyer','staff','verdict','supplier','issuer')",
        name="redemption_source",
    ),
    CheckConstraint(
        "redemption_state = 'unknown' or "
        "(redemption_source is not null and redemption_checked_at is not null)",
        name="known_has_a_source",
    ),
    Index("ix_cards_product_id_stock_state", "product_id", "stock_state"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("kind", String(10), nullable=False),
    Column("source", IDENTITY, nullable=False),
    # an order number is worth something: only its hash is kept
    Column("subject_blind", BLIND, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    CheckConstraint("kind in ('lookup','try','harmless','proved','code')", name="kind"),
    Index("ix_attempts_source_at", "source", "at"),
    Index("ix_attempts_subject_blind_kind", "subject_blind", "kind"),
)

attempt_sources = Table(
    "attempt_sources",
    metadata,
    Column("source", IDENTITY, primary_key=True),
    Column("seen_at", UtcDateTime, nullable=False, index=True),
)

proofs = Table(
    "proofs",
    metadata,
    Column("turn_id", ID, primary_key=True),
    # no foreign key: the order may be another shop's
    Column("order_number", NUMBER, primary_key=True),
    Column("factor", String(10), primary_key=True),
    Column("identity", IDENTITY, nullable=False),
    Column("proved_at", UtcDateTime, nullable=False),
    CheckConstraint("factor in ('password','code','account','contact')", name="factor"),
    Index("ix_proofs_identity_proved_at", "identity", "proved_at"),
)

proof_codes = Table(
    "proof_codes",
    metadata,
    Column("order_number", NUMBER, primary_key=True),
    Column("identity", IDENTITY, primary_key=True),
    Column("digits_blind", BLIND, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("tries_left", Integer, nullable=False),
    CheckConstraint("tries_left >= 0", name="tries_left"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("turn_id", ID, primary_key=True),
    Column("order_number", NUMBER, primary_key=True),
    Column("channel", String(10), primary_key=True),
    Column("cause", String(10), nullable=False),
    Column("identity", IDENTITY, nullable=False),
    Column("target_mask", String(260), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint("channel in ('chat','mail')", name="channel"),
    CheckConstraint("cause in ('first','resend')", name="cause"),
    Index("ix_deliveries_order_number_at", "order_number", "at"),
)

disclosures = Table(
    "disclosures",
    metadata,
    Column("turn_id", ID, primary_key=True),
    Column("order_number", NUMBER, primary_key=True),
    Column("what", String(20), primary_key=True),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("identity", IDENTITY, nullable=False),
    Column("cards", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint("what in ('state','cards','mailed_cards')", name="what"),
    CheckConstraint("level between 1 and 4", name="level"),
    CheckConstraint("what = 'state' or level >= 2", name="cards_need_a_proof"),
    CheckConstraint("what <> 'cards' or level >= 3", name="shown_cards_need_an_owner"),
    Index("ix_disclosures_order_number_at", "order_number", "at"),
)
