"""Sentences about a card that a customer sent."""

from __future__ import annotations

from collections.abc import Mapping

from bot.wording.customer.refusals import LOCKED, THROTTLED, UNAVAILABLE
from knowledge_base.source.tool_spec import SlotTexts, ToolOutcome

CARD_SECRET_TEXTS = SlotTexts(
    question=(
        "好的，请把卡密（卡号和密码）完整发给我，我只用它查状态。",
        "Sure. Please send me the whole code; I use it only to look up its state.",
    ),
    unreadable=(
        "这里面我没认出卡密。请把整串卡密复制过来，带横杠空格也没关系。",
        "I could not find a code in that. Please copy the whole code.",
    ),
    resume=(
        "刚才那张卡还要查吗？把卡密发我就行，不查了就说“算了”。",
        "Shall I still check the code? Send it, or say “never mind”.",
    ),
)

CARD_OUTCOMES: Mapping[str, ToolOutcome] = {
    "unused": ToolOutcome(
        "核实过：未使用",
        (
            "查到了：这张 {{ card.product }}（{{ card.mask }}）{{ card.checked_at }} 核实过，"
            "还没有使用。",
            "{{ card.product }} ({{ card.mask }}): unused, checked at {{ card.checked_at }}.",
        ),
    ),
    "used": ToolOutcome(
        "核实过：已使用",
        (
            "查到了：这张 {{ card.product }}（{{ card.mask }}）{{ card.checked_at }} 核实为已使用。"
            "如果不是您用的，点“转人工”，把兑换页面截图发给客服。",
            "{{ card.product }} ({{ card.mask }}): used, checked at {{ card.checked_at }}. "
            "If that was not you, call a person and send a screenshot.",
        ),
    ),
    "expired": ToolOutcome(
        "已过有效期",
        (
            "这张 {{ card.product }}（{{ card.mask }}）的有效期到 {{ card.expires_at }}，"
            "已经过期了。",
            "{{ card.product }} ({{ card.mask }}) expired on {{ card.expires_at }}.",
        ),
    ),
    "invalid": ToolOutcome(
        "核实过：无效",
        (
            "这张 {{ card.product }}（{{ card.mask }}）核实为无效，请点“转人工”处理。",
            "{{ card.product }} ({{ card.mask }}) is invalid; please call a person.",
        ),
    ),
    "frozen": ToolOutcome(
        "被冻结或地区不符",
        (
            "这张 {{ card.product }}（{{ card.mask }}）被冻结或地区不符，请点“转人工”处理。",
            "{{ card.product }} ({{ card.mask }}) is frozen or of another region.",
        ),
    ),
    "unknown": ToolOutcome(
        "是本店卖出的卡，但用没用过查不到",
        (
            "这张 {{ card.product }}（{{ card.mask }}）是本店卖出的。用没用过我这边查不到，"
            "请在官方兑换页面看提示；提示异常的话截图，点“转人工”。",
            "{{ card.product }} ({{ card.mask }}) was sold by us. Whether it is used, I cannot "
            "tell; the official page can. If it refuses, send a screenshot to a person.",
        ),
    ),
    "not_ours": ToolOutcome(
        "不是本店卖出的卡（没卖出的也这样说）",
        (
            "没有查到这张卡的售出记录。请核对有没有抄错（0 和 O、1 和 I），或告诉我订单号。",
            "No record of this code being sold. Please check for typos, or tell me the order "
            "number.",
        ),
    ),
    "throttled": THROTTLED,
    "locked": LOCKED,
    "unavailable": UNAVAILABLE,
}
