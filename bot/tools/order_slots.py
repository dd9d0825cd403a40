"""Slots and variables that tools about an order share."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from bot.sealing.finder import Context, secrets_in
from bot.wording.customer.orders import ORDER_NUMBER_TEXTS, PROOF_TEXTS
from knowledge_base.source.tool_spec import Slot
from knowledge_base.text.slots import emails, order_numbers, phones, qq_numbers

_STAYS_TURNS = 3
_PROOF_CHARS = 64
_NAMES = ("单号", "订单", "單號", "order")
_LOST_WORDS = (
    *("没有订单号", "找不到订单号", "不知道订单号", "订单号忘", "忘了订单号", "没订单号"),
    *("订单号在哪", "哪里看订单号", "订单号丢", "no order number", "lost my order"),
)


def read_order_number(text: str, asked: str | None) -> str | None:
    """Return the last order number in a text: "不对，不是那个，是 DD…" means that one.

    Sixteen letters and digits are an order number at dujiaoka and a card key elsewhere: they count
    where an order number was asked for or named.
    """
    found = order_numbers(text)
    ours = [number.value for number in found if number.kind == "ours"]
    if ours:
        return ours[-1]
    if asked == "card_secret" or not found:
        return None
    is_named = asked == ORDER_NUMBER.name or any(name in text for name in _NAMES)
    named = [number.value for number in found if is_named or number.kind != "dujiaoka"]
    return named[-1] if named else None


def read_proof(text: str, asked: str | None) -> str | None:
    """Return whatever shows whose order it is: a password, else a contact, else the one code."""
    is_asked = asked == PROOF.name
    found = secrets_in(text, Context.ASKED if is_asked else Context.NONE)
    passwords = [text[start:end] for start, end, kind in found if kind == "password"]
    if passwords:
        return unicodedata.normalize("NFKC", passwords[0])
    contacts = (*emails(text), *phones(text), *qq_numbers(text))
    if contacts:
        return contacts[0].value
    # a sentence round one code: the code is meant, not the sentence
    codes = [text[start:end] for start, end, kind in found if kind == "proof"]
    return codes[0] if is_asked and len(codes) == 1 else None


def _may_mean(intent: str, last_outcome: str) -> bool:
    """Tell whether an intent may mean the order spoken of: a missing top-up is no card order."""
    return intent != "topup_not_arrived" or last_outcome.startswith("topup_")


ORDER_NUMBER = Slot(
    name="order_number",
    title="订单号",
    shape="DD 开头，一共 22 位字母数字",
    texts=ORDER_NUMBER_TEXTS,
    read=read_order_number,
    stays_turns=_STAYS_TURNS,
    may_mean=_may_mean,
    opens="order_lookup",
    lost_words=_LOST_WORDS,
)
PROOF = Slot(
    name="proof",
    title="查询密码或下单联系方式",
    shape="密码、邮箱、手机号或 6 位验证码",
    texts=PROOF_TEXTS,
    read=read_proof,
    is_secret=True,
    is_required=False,
    answer_chars=_PROOF_CHARS,
)
ORDER_VARIABLES: Mapping[str, str] = {
    "order.number": "订单号",
    "order.product": "商品名称",
    "order.state_text": "订单状态，例如 待付款、处理中、已发货",
    "order.summary": "机器人自己的完整说法",
    "order.created_at": "下单时间",
    "order.paid_at": "付款时间",
    "order.hold_until": "付款截止时间",
    "order.amount": "金额（验证后才有）",
    "order.cards": "卡密（验证后才有）",
    "order.promise": "承诺的发货时间",
    "order.contact_mask": "下单联系方式，打了码（验证后才有）",
}
