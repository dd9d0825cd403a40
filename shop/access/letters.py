"""The mails that the gate sends, Chinese first."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import SecretStr

from shop.access.effects import Mail
from shop.domain.numbers import show_number
from shop.domain.orders import Order


def code_letter(
    order: Order, digits: SecretStr, *, shop: str, minutes: int, idempotency_key: str
) -> Mail:
    """The code that proves that somebody reads the order's mailbox."""
    value = digits.get_secret_value()
    body = (
        f"您好，\n\n您的订单查询验证码是：{value}\n"
        f"{minutes} 分钟内有效，请只在聊天窗口里填写，不要告诉任何人。\n"
        "如果不是您本人在查询，忽略这封邮件就好。\n\n"
        f"Your order look-up code is {value}. It is good for {minutes} minutes; "
        f"please do not share it.\n\n{shop}\n"
    )
    return Mail(order.contact.value, f"{shop}：订单查询验证码", SecretStr(body), idempotency_key)


def cards_letter(
    order: Order, cards: Sequence[SecretStr], *, shop: str, idempotency_key: str
) -> Mail:
    """The cards of an order, once more, to the contact on the order."""
    number = show_number(order.number)
    listed = "\n".join(card.get_secret_value() for card in cards)
    body = (
        f"您好，\n\n这是您订单 {number}（{order.title}）的卡密：\n\n{listed}\n\n"
        "请尽快使用，并妥善保管。\n\n"
        f"These are the card codes of your order {number}. "
        f"Please use them soon and keep them safe.\n\n{shop}\n"
    )
    return Mail(order.contact.value, f"{shop}：您的卡密", SecretStr(body), idempotency_key)
