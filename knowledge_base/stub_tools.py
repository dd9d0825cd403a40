"""TEMPORARY stand-in for the bot's tools."""

from knowledge_base.tool_spec import ToolSpec

_O = "pending_payment, expired, cancelled, processing, stuck, delivered, partially_delivered, abnormal, risk_hold, failed, topup_processing, topup_stuck, topup_done, refunding, refunded, partially_refunded, not_found, throttled, locked, unavailable"
_OV = "order.number, order.product, order.state_text, order.summary, order.created_at, order.paid_at, order.hold_until, order.amount, order.cards, order.promise"


def _d(s):
    return {x.strip(): x.strip() for x in s.split(",")}


TOOLS = {
    "order_lookup": ToolSpec("order_lookup", ("order_number", "proof"), _d(_OV), _d(_O)),
    "card_resend": ToolSpec(
        "card_resend",
        ("order_number", "proof"),
        _d(_OV + ", order.contact_mask"),
        _d(
            "shown, mailed, proof_needed, not_delivered, not_paid, cooldown, not_found, throttled, locked, unavailable"
        ),
    ),
    "card_status": ToolSpec(
        "card_status",
        ("card_secret",),
        _d(
            "card.mask, card.product, card.state_text, card.summary, card.checked_at, card.expires_at"
        ),
        _d(
            "unused, used, expired, invalid, frozen, unknown, not_ours, throttled, locked, unavailable"
        ),
    ),
    "product_lookup": ToolSpec(
        "product_lookup",
        ("product",),
        _d("product.name, product.price, product.stock, product.summary, products.list"),
        _d("in_stock, low_stock, sold_out, closed, several, none, unavailable"),
    ),
}
