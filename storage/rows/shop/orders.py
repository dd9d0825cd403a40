"""Orders with everything that hangs on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection, RowMapping, bindparam, select, update

from shop.domain.contacts import Contact, ContactKind
from shop.domain.numbers import OrderNumber
from shop.domain.orders import (
    FulfilmentState,
    Order,
    OrderLine,
    PaymentState,
)
from shop.domain.payments import Payment, PaymentRecordState
from shop.domain.products import ProductKind
from shop.domain.refunds import Refund, RefundState
from shop.domain.topups import TopUp, TopUpState
from shop.errors import BackendError, ErrorCode
from storage.core.dialect import insert_or_ignore, upsert
from storage.core.keyring import Keyring
from storage.tables.shop import (
    order_identities,
    order_lines,
    orders,
    payments,
    refunds,
    topups,
)

_ORDER = select(orders).where(orders.c.number == bindparam("number"))
_PASSWORD = select(orders.c.password_hash).where(orders.c.number == bindparam("number"))
_LINES = (
    select(
        order_lines,
        topups.c.account_sealed,
        topups.c.account_mask,
        topups.c.region,
        topups.c.state,
        topups.c.submitted_at,
        topups.c.finished_at,
    )
    .join(topups, topups.c.line_id == order_lines.c.id, isouter=True)
    .where(order_lines.c.order_number == bindparam("number"))
    .order_by(order_lines.c.position)
)
_PAYMENTS = (
    select(payments)
    .where(payments.c.order_number == bindparam("number"))
    .order_by(payments.c.paid_at, payments.c.provider_no)
)
_REFUNDS = (
    select(refunds)
    .where(refunds.c.order_number == bindparam("number"))
    .order_by(refunds.c.requested_at, refunds.c.id)
)
_IDENTITIES = (
    select(order_identities.c.identity)
    .where(order_identities.c.order_number == bindparam("number"))
    .order_by(order_identities.c.identity)
)
_OF_IDENTITY = (
    select(orders.c.number)
    .join(order_identities, order_identities.c.order_number == orders.c.number)
    .where(order_identities.c.identity == bindparam("identity"))
    .order_by(orders.c.created_at.desc(), orders.c.number)
)
_TIMES = ("created_at", "hold_until", "paid_at", "delivered_at")


class OrderRows:
    """Implements ``shop.domain.ports.Orders``."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._connection = connection
        self._keyring = keyring

    def get(self, number: OrderNumber) -> Order | None:
        """The order, or ``None``."""
        key = {"number": number}
        row = self._connection.execute(_ORDER, key).mappings().one_or_none()
        # asked for in every case: an unknown order must not be told by a quicker answer
        lines = self._rows(_LINES, key)
        paid = self._rows(_PAYMENTS, key)
        refunded = self._rows(_REFUNDS, key)
        identities = self._connection.execute(_IDENTITIES, key).scalars().all()
        if row is None:
            return None
        contact = Contact(
            ContactKind(row["contact_kind"]),
            SecretStr(self._keyring.open(row["contact_sealed"])),
            row["contact_mask"],
        )
        return Order(
            number=OrderNumber(row["number"]),
            lines=tuple(self._line(line) for line in lines),
            contact=contact,
            payment=PaymentState(row["payment_state"]),
            fulfilment=FulfilmentState(row["fulfilment_state"]),
            discount_fen=row["discount_fen"],
            payments=tuple(_payment(payment) for payment in paid),
            refunds=tuple(_refund(refund) for refund in refunded),
            identities=tuple(identities),
            version=row["version"],
            **{name: row[name] for name in _TIMES},
        )

    def _rows(self, statement: Any, key: Mapping[str, str]) -> Sequence[RowMapping]:
        return self._connection.execute(statement, key).mappings().all()

    def password_hash(self, number: OrderNumber) -> str | None:
        """The hash of its query password; ``None`` if it has none or does not exist."""
        found: str | None = self._connection.execute(_PASSWORD, {"number": number}).scalar()
        return found

    def of_identity(self, identity: str) -> Sequence[OrderNumber]:
        """Numbers of the orders that this account bought, the newest first."""
        found = self._connection.execute(_OF_IDENTITY, {"identity": identity}).scalars()
        return [OrderNumber(number) for number in found]

    def put(self, order: Order, *, password_hash: str | None) -> None:
        """Store an order with everything that belongs to it, or change it.

        Raises:
            BackendError: ``conflict``: one of its payments was counted for another order.
        """
        contact = order.contact.value.get_secret_value()
        upsert(
            self._connection,
            orders,
            {
                "number": order.number,
                "contact_kind": order.contact.kind.value,
                "contact_sealed": self._keyring.seal(contact),
                "contact_blind": self._keyring.blind(contact, "contact"),
                "contact_mask": order.contact.mask,
                "password_hash": password_hash,
                "payment_state": order.payment.value,
                "fulfilment_state": order.fulfilment.value,
                "total_fen": order.total_fen,
                "discount_fen": order.discount_fen,
                "version": order.version,
                **{name: getattr(order, name) for name in _TIMES},
            },
            keys=["number"],
        )
        for position, line in enumerate(order.lines):
            self._put_line(order.number, line, position)
        for payment in order.payments:
            self._put_payment(order.number, payment)
        for refund in order.refunds:
            self._put_refund(order.number, refund)
        for identity in order.identities:
            row = {"order_number": order.number, "identity": identity}
            insert_or_ignore(self._connection, order_identities, row)

    def _put_line(self, number: OrderNumber, line: OrderLine, position: int) -> None:
        row = {
            "id": line.id,
            "order_number": number,
            "position": position,
            "product_id": line.product_id,
            "title": line.title,
            "kind": line.kind.value,
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "promise_s": line.promise_s,
        }
        upsert(self._connection, order_lines, row, keys=["id"])
        if line.topup is None:
            return
        topup = line.topup
        row = {
            "line_id": line.id,
            "account_sealed": self._keyring.seal(topup.account.get_secret_value()),
            "account_mask": topup.account_mask,
            "region": topup.region,
            "state": topup.state.value,
            "submitted_at": topup.submitted_at,
            "finished_at": topup.finished_at,
        }
        upsert(self._connection, topups, row, keys=["line_id"])

    def _put_payment(self, number: OrderNumber, payment: Payment) -> None:
        row = {
            "provider": payment.provider,
            "provider_no": payment.provider_no,
            "order_number": number,
            "amount_fen": payment.amount_fen,
            "paid_at": payment.paid_at,
            "state": payment.state.value,
        }
        if insert_or_ignore(self._connection, payments, row):
            return
        changed = self._connection.execute(
            update(payments).where(
                payments.c.provider == payment.provider,
                payments.c.provider_no == payment.provider_no,
                payments.c.order_number == number,
            ),
            {"state": payment.state.value, "paid_at": payment.paid_at},
        )
        if changed.rowcount != 1:
            raise BackendError(ErrorCode.CONFLICT)

    def _put_refund(self, number: OrderNumber, refund: Refund) -> None:
        row = {
            "id": refund.id,
            "order_number": number,
            "amount_fen": refund.amount_fen,
            "state": refund.state.value,
            "requested_at": refund.requested_at,
            "decided_by": refund.decided_by,
            "decided_at": refund.decided_at,
            "done_at": refund.done_at,
        }
        upsert(self._connection, refunds, row, keys=["id"])

    def _line(self, row: RowMapping) -> OrderLine:
        return OrderLine(
            id=row["id"],
            product_id=row["product_id"],
            title=row["title"],
            kind=ProductKind(row["kind"]),
            quantity=row["quantity"],
            unit_price=row["unit_price"],
            promise_s=row["promise_s"],
            topup=None if row["account_sealed"] is None else self._topup(row),
        )

    def _topup(self, row: RowMapping) -> TopUp:
        return TopUp(
            account=SecretStr(self._keyring.open(row["account_sealed"])),
            account_mask=row["account_mask"],
            state=TopUpState(row["state"]),
            submitted_at=row["submitted_at"],
            region=row["region"],
            finished_at=row["finished_at"],
        )


def _payment(row: RowMapping) -> Payment:
    return Payment(
        provider=row["provider"],
        provider_no=row["provider_no"],
        amount_fen=row["amount_fen"],
        paid_at=row["paid_at"],
        state=PaymentRecordState(row["state"]),
    )


def _refund(row: RowMapping) -> Refund:
    return Refund(
        id=row["id"],
        amount_fen=row["amount_fen"],
        state=RefundState(row["state"]),
        requested_at=row["requested_at"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        done_at=row["done_at"],
    )
