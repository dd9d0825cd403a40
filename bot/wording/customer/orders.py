"""Sentences about orders and their cards."""

from __future__ import annotations

from collections.abc import Mapping

from bot.wording.customer.refusals import REFUSALS
from knowledge_base.source.tool_spec import SlotTexts, ToolOutcome

ORDER_NUMBER_TEXTS = SlotTexts(
    question=(
        "好的，我来查。请把订单号发给我（DD 开头，付款页面或邮件里有）。",
        "Sure. Please send me the order number (it starts with DD).",
    ),
    unreadable=(
        "这里面我没找到完整的订单号。订单号是 DD 开头、一共 22 位的字母数字，复制过来就行，"
        "带横杠空格也没关系。",
        "I found no complete order number in that. It starts with DD and has 22 characters.",
    ),
    resume=(
        "刚才的订单还要查吗？把订单号发我就行，不查了就说“算了”。",
        "Shall I still look up the order? Send its number, or say “never mind”.",
    ),
    where=(
        "订单号是 DD 开头的一串字母和数字，在付款成功页面、发货邮件或者商城的“订单查询”里都能看到。"
        "实在找不到也没关系，点“转人工”让客服帮您找。",
        "An order number starts with DD; it is on the payment page, in the delivery mail and under "
        "“Orders” in the shop. If you cannot find it, a person can help.",
    ),
)

PROOF_TEXTS = SlotTexts(
    question=(
        "为了您的卡密安全，先确认一下是您本人下的单：请发这单的查询密码。",
        "To keep your codes safe: please send the order's query password.",
    ),
    unreadable=(
        "这个信息和订单对不上，请再核对一下查询密码。",
        "That does not match. Please check the query password.",
    ),
    resume=(
        "刚才的卡密还要看吗？发这单的查询密码就行，不看了就说“算了”。",
        "Still want the codes? Send the query password, or say “never mind”.",
    ),
    offer=(
        "要在这里查看卡密，请发这单的查询密码。",
        "To see the codes here, send the order's query password.",
    ),
    by_mail=(
        "记不得密码的话，发下单时留的邮箱，我把卡密补发过去；或者点下面收邮箱验证码。",
        "No password at hand? Send the e-mail of the order and I mail the codes there, or get a "
        "code below.",
    ),
)

ORDER_OUTCOMES: Mapping[str, ToolOutcome] = {
    "pending_payment": ToolOutcome(
        "待付款，还在保留时间内",
        (
            "查到了：{{ order.product }}，还没付款。请在 {{ order.hold_until }} 前付款，"
            "超时会自动关闭，货会放回去。",
            "{{ order.product }}: not paid yet. Please pay before {{ order.hold_until }}; "
            "after that the order closes by itself.",
        ),
    ),
    "expired": ToolOutcome(
        "没付款，已超时关闭",
        (
            "这单没有付款，已经超时关闭了。还想要的话重新下单就行；"
            "如果您已经付了钱，点“转人工”，客服马上核对。",
            "This order was not paid in time and is closed. If you did pay, a person will check.",
        ),
    ),
    "cancelled": ToolOutcome("已取消", ("这单已经取消了。", "This order was cancelled.")),
    "processing": ToolOutcome(
        "已付款，正在处理，没超过承诺时间",
        (
            "查到了：{{ order.product }}，{{ order.paid_at }} 付款成功，正在发货。"
            "一般 {{ order.promise }} 内到，请稍等一下。",
            "{{ order.product }}: paid at {{ order.paid_at }}, being delivered; usually within "
            "{{ order.promise }}.",
        ),
    ),
    "stuck": ToolOutcome(
        "已付款，超过承诺时间还没发，转人工",
        (
            "查到了：{{ order.product }} 已付款，但超过了平时的发货时间。抱歉让您久等，"
            "我现在请客服处理。",
            "{{ order.product }} is paid but late. Sorry for the wait; I am calling a person.",
        ),
        reason="intent",
    ),
    "delivered": ToolOutcome(
        "已发货",
        (
            "查到了：{{ order.product }} 已经发货。{% if order.cards %}卡密如下：\n"
            "{{ order.cards }}{% endif %}",
            "{{ order.product }} has been delivered.{% if order.cards %} Your codes:\n"
            "{{ order.cards }}{% endif %}",
        ),
    ),
    "partially_delivered": ToolOutcome(
        "只发了一部分，转人工",
        (
            "这单只发出了一部分，剩下的我请客服马上帮您处理。",
            "Only a part was delivered; I am calling a person for the rest.",
        ),
        reason="intent",
    ),
    "abnormal": ToolOutcome(
        "订单异常，转人工",
        (
            "这单出了点状况，需要客服看一下，我现在帮您转过去。",
            "Something is wrong with this order; I am calling a person.",
        ),
        reason="intent",
    ),
    "risk_hold": ToolOutcome(
        "人工审核中",
        (
            "这单正在人工审核，通过后会马上发货。我请客服帮您看一下。",
            "This order is under review; I am calling a person to look at it.",
        ),
        reason="intent",
    ),
    "failed": ToolOutcome(
        "发货失败，转人工",
        (
            "这单发货没有成功，我请客服帮您处理。",
            "Delivery failed; I am calling a person.",
        ),
        reason="intent",
    ),
    "topup_processing": ToolOutcome(
        "直充正在处理",
        (
            "查到了：{{ order.product }} 已付款，正在充值，一般 {{ order.promise }} 内到账。",
            "{{ order.product }}: paid, the top-up is under way; usually within "
            "{{ order.promise }}.",
        ),
    ),
    "topup_stuck": ToolOutcome(
        "直充超过承诺时间，转人工",
        (
            "查到了：{{ order.product }} 充值超过了平时的时间。抱歉久等，我请客服去催。",
            "{{ order.product }}: the top-up is late. Sorry; I am calling a person.",
        ),
        reason="intent",
    ),
    "topup_done": ToolOutcome(
        "直充已到账",
        (
            "查到了：{{ order.product }} 已充值成功。没看到的话，请退出游戏或 App 重新登录再看看。",
            "{{ order.product }}: the top-up went through. Please log in again and check.",
        ),
    ),
    "refunding": ToolOutcome(
        "退款处理中",
        (
            "这单正在退款，原路退回，到账时间以付款平台为准。",
            "A refund is under way, back to where you paid from.",
        ),
    ),
    "refunded": ToolOutcome(
        "已退款",
        (
            "这单已经退款，钱会原路退回，请留意付款账户。",
            "This order was refunded to where you paid from.",
        ),
    ),
    "partially_refunded": ToolOutcome(
        "已部分退款",
        (
            "这单已退了一部分款，原路退回。有疑问点“转人工”。",
            "A part of this order was refunded to where you paid from.",
        ),
    ),
    **REFUSALS,
}

RESEND_OUTCOMES: Mapping[str, ToolOutcome] = {
    "shown": ToolOutcome(
        "验证通过，直接给出卡密",
        (
            "验证通过，这是您的卡密（{{ order.product }}）：\n{{ order.cards }}\n"
            "请尽快使用，不要发给别人。",
            "Here are your codes ({{ order.product }}):\n{{ order.cards }}\n"
            "Please use them soon and share them with nobody.",
        ),
    ),
    "mailed": ToolOutcome(
        "已补发到下单时留的邮箱",
        (
            "好的，卡密已经补发到 {{ order.contact_mask }}，几分钟内到，垃圾箱也看一下。",
            "Your codes are on the way to {{ order.contact_mask }}; please check spam as well.",
        ),
    ),
    "proof_needed": ToolOutcome(
        "需要先验证",
        (
            "这单已经发货。要在这里看卡密，请发这单的查询密码。",
            "This order is delivered. To see the codes here, send its query password.",
        ),
    ),
    "not_delivered": ToolOutcome(
        "已付款，还没发货",
        (
            "这单已付款，还在发货中，卡密还没出来。一发货就能查到。",
            "Paid, but not delivered yet; there are no codes so far.",
        ),
    ),
    "not_paid": ToolOutcome(
        "还没付款",
        (
            "这单还没有付款，所以没有卡密。",
            "This order is not paid, so there are no codes yet.",
        ),
    ),
    "cooldown": ToolOutcome(
        "刚补发过，稍后再试",
        (
            "刚刚才发过，请先看看上面的消息或邮箱（含垃圾箱），过一会儿再试。",
            "It was just sent; please look above or in your mail (and spam) first.",
        ),
    ),
    **REFUSALS,
}
