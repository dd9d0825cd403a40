"""The bot's own sentences, Chinese first: what a shop has not worded itself in kb.yaml."""

from __future__ import annotations

from collections.abc import Mapping

Text = tuple[str, str]
"""Chinese and English."""

REMARKS: Mapping[str, Text] = {
    "no_words": (
        "在的～您遇到什么问题了？直接说就行，比如“付了款没收到卡密”。",
        "I'm here. What happened? For example: “I paid but got no code”.",
    ),
    "cancelled": (
        "好的，那先不查了。需要的时候随时叫我～",
        "All right, we leave it. Just write when you need me.",
    ),
    "button_gone": (
        "这个选项已经过期了，您直接打字告诉我就行。",
        "That choice has expired; just type what you need.",
    ),
    "media_unread": (
        "图片收到了，不过我还看不懂图片。麻烦您用文字说一下：图上是什么提示？"
        "或者点“转人工”让客服来看。",
        "Got it, but I cannot read pictures. What does it show? Or let a person look at it.",
    ),
    "voice_unread": (
        "语音收到了，不过我还听不了语音。麻烦您打字说一下，或者点“转人工”让客服来听。",
        "Got it, but I cannot listen to voice messages. Please type it, or let a person listen.",
    ),
    "other_unread": (
        "收到了，不过这个我还看不懂。麻烦您用文字说一下，或者点“转人工”让客服来看。",
        "Got it, but I cannot read this. Please tell me in words, or let a person look at it.",
    ),
    "evidence_taken": (
        "截图收到，已经记下来了。需要客服看的话点“转人工”，他们能直接看到这张图。",
        "Got the screenshot. A person can look at it: tap “Talk to a person”.",
    ),
    "where_is_number": (
        "订单号是 DD 开头的一串字母和数字，在付款成功页面、发货邮件或者商城的“订单查询”里都能看到。"
        "实在找不到也没关系，点“转人工”让客服帮您找。",
        "An order number starts with DD; it is on the payment page, in the delivery mail and under "
        "“Orders” in the shop. If you cannot find it, a person can help.",
    ),
    "fallback": (
        "这个我没太明白，能换个说法吗？也可以点下面的选项，或者转人工。",
        "I did not get that. Could you say it another way, or choose below?",
    ),
    "clarify": ("您是想问下面哪一个？", "Which of these do you mean?"),
    "code_sent": (
        "如果这个订单留的是邮箱，验证码已经发过去了，10 分钟内有效。收到后把 6 位数字发给我就行。",
        "If this order has an e-mail address, a code is on its way (valid for 10 minutes). "
        "Send me the 6 digits.",
    ),
    "proof_for_cards": (
        "要在这里查看卡密，请发这单的查询密码。",
        "To see the codes here, send the order's query password.",
    ),
    "proof_by_mail": (
        "记不得密码的话，发下单时留的邮箱，我把卡密补发过去；或者点下面收邮箱验证码。",
        "No password at hand? Send the e-mail of the order and I mail the codes there, or get a "
        "code below.",
    ),
    "contested": (
        "这个订单最近被试错了很多次，为了安全先放慢一点：请过一分钟再发一次查询密码，"
        "或者点下面的按钮。",
        "This order had many wrong tries lately, so we slowed it down: please send the query "
        "password again in a minute, or use a button below.",
    ),
    "group": (
        "这里是群聊，订单和卡密不方便在群里说，请私聊我查询～",
        "This is a group; please message me in private about orders and codes.",
    ),
    "person_too": (
        "（客服上班后也会看到您的留言并回复您，{when}）",
        "(A person will read this too and reply: {when}.)",
    ),
}

ASKS: Mapping[tuple[str, str], Text] = {
    ("order_number", "missing"): (
        "好的，我来查。请把订单号发给我（DD 开头，付款页面或邮件里有）。",
        "Sure. Please send me the order number (it starts with DD).",
    ),
    ("order_number", "unreadable"): (
        "这里面我没找到完整的订单号。订单号是 DD 开头、一共 22 位的字母数字，复制过来就行，"
        "带横杠空格也没关系。",
        "I found no complete order number in that. It starts with DD and has 22 characters.",
    ),
    ("order_number", "resume"): (
        "刚才的订单还要查吗？把订单号发我就行，不查了就说“算了”。",
        "Shall I still look up the order? Send its number, or say “never mind”.",
    ),
    ("proof", "missing"): (
        "为了您的卡密安全，先确认一下是您本人下的单：请发这单的查询密码。",
        "To keep your codes safe: please send the order's query password.",
    ),
    ("proof", "unreadable"): (
        "这个信息和订单对不上，请再核对一下查询密码。",
        "That does not match. Please check the query password.",
    ),
    ("proof", "resume"): (
        "刚才的卡密还要看吗？发这单的查询密码就行，不看了就说“算了”。",
        "Still want the codes? Send the query password, or say “never mind”.",
    ),
    ("card_secret", "missing"): (
        "好的，请把卡密（卡号和密码）完整发给我，我只用它查状态。",
        "Sure. Please send me the whole code; I use it only to look up its state.",
    ),
    ("card_secret", "unreadable"): (
        "这里面我没认出卡密。请把整串卡密复制过来，带横杠空格也没关系。",
        "I could not find a code in that. Please copy the whole code.",
    ),
    ("card_secret", "resume"): (
        "刚才那张卡还要查吗？把卡密发我就行，不查了就说“算了”。",
        "Shall I still check the code? Send it, or say “never mind”.",
    ),
    ("product", "missing"): ("请问是哪一款商品呢？", "Which product do you mean?"),
    ("product", "unreadable"): (
        "没找到这款商品，能再说一下名字吗？",
        "I could not find that product. What is it called?",
    ),
    ("product", "resume"): ("刚才想问的是哪一款商品呢？", "Which product was it?"),
}

_NOT_FOUND = (
    "没有查到，或者信息对不上。请核对订单号和您发的查询密码/联系方式；还是不行就点“转人工”。",
    "Nothing found, or the details do not match. Please check the order number and what you sent.",
)
_THROTTLED = (
    "查得有点频繁了，请过几分钟再试。着急的话点“转人工”。",
    "That was a lot of look-ups. Please try again in a few minutes.",
)
_LOCKED = (
    "这个订单验证错的次数有点多，为了安全先锁 30 分钟。着急的话点“转人工”，客服帮您核实。",
    "Too many wrong tries; for safety this is locked for 30 minutes. A person can help.",
)
_UNAVAILABLE = (
    "系统这会儿查不了，我请客服帮您看。",
    "I cannot look that up right now; a person will help.",
)
_REFUSALS = {
    "not_found": _NOT_FOUND,
    "throttled": _THROTTLED,
    "locked": _LOCKED,
    "unavailable": _UNAVAILABLE,
}

OUTCOMES: Mapping[str, Mapping[str, Text]] = {
    "order_lookup": {
        "pending_payment": (
            "查到了：{{ order.product }}，还没付款。请在 {{ order.hold_until }} 前付款，"
            "超时会自动关闭，货会放回去。",
            "{{ order.product }}: not paid yet. Please pay before {{ order.hold_until }}; "
            "after that the order closes by itself.",
        ),
        "expired": (
            "这单没有付款，已经超时关闭了。还想要的话重新下单就行；"
            "如果您已经付了钱，点“转人工”，客服马上核对。",
            "This order was not paid in time and is closed. If you did pay, a person will check.",
        ),
        "cancelled": ("这单已经取消了。", "This order was cancelled."),
        "processing": (
            "查到了：{{ order.product }}，{{ order.paid_at }} 付款成功，正在发货。"
            "一般 {{ order.promise }} 内到，请稍等一下。",
            "{{ order.product }}: paid at {{ order.paid_at }}, being delivered; usually within "
            "{{ order.promise }}.",
        ),
        "stuck": (
            "查到了：{{ order.product }} 已付款，但超过了平时的发货时间。抱歉让您久等，"
            "我现在请客服处理。",
            "{{ order.product }} is paid but late. Sorry for the wait; I am calling a person.",
        ),
        "delivered": (
            "查到了：{{ order.product }} 已经发货。{% if order.cards %}卡密如下：\n"
            "{{ order.cards }}{% endif %}",
            "{{ order.product }} has been delivered.{% if order.cards %} Your codes:\n"
            "{{ order.cards }}{% endif %}",
        ),
        "partially_delivered": (
            "这单只发出了一部分，剩下的我请客服马上帮您处理。",
            "Only a part was delivered; I am calling a person for the rest.",
        ),
        "abnormal": (
            "这单出了点状况，需要客服看一下，我现在帮您转过去。",
            "Something is wrong with this order; I am calling a person.",
        ),
        "risk_hold": (
            "这单正在人工审核，通过后会马上发货。我请客服帮您看一下。",
            "This order is under review; I am calling a person to look at it.",
        ),
        "failed": (
            "这单发货没有成功，我请客服帮您处理。",
            "Delivery failed; I am calling a person.",
        ),
        "topup_processing": (
            "查到了：{{ order.product }} 已付款，正在充值，一般 {{ order.promise }} 内到账。",
            "{{ order.product }}: paid, the top-up is under way; usually within "
            "{{ order.promise }}.",
        ),
        "topup_stuck": (
            "查到了：{{ order.product }} 充值超过了平时的时间。抱歉久等，我请客服去催。",
            "{{ order.product }}: the top-up is late. Sorry; I am calling a person.",
        ),
        "topup_done": (
            "查到了：{{ order.product }} 已充值成功。没看到的话，请退出游戏或 App 重新登录再看看。",
            "{{ order.product }}: the top-up went through. Please log in again and check.",
        ),
        "refunding": (
            "这单正在退款，原路退回，到账时间以付款平台为准。",
            "A refund is under way, back to where you paid from.",
        ),
        "refunded": (
            "这单已经退款，钱会原路退回，请留意付款账户。",
            "This order was refunded to where you paid from.",
        ),
        "partially_refunded": (
            "这单已退了一部分款，原路退回。有疑问点“转人工”。",
            "A part of this order was refunded to where you paid from.",
        ),
        **_REFUSALS,
    },
    "card_resend": {
        "shown": (
            "验证通过，这是您的卡密（{{ order.product }}）：\n{{ order.cards }}\n"
            "请尽快使用，不要发给别人。",
            "Here are your codes ({{ order.product }}):\n{{ order.cards }}\n"
            "Please use them soon and share them with nobody.",
        ),
        "mailed": (
            "好的，卡密已经补发到 {{ order.contact_mask }}，几分钟内到，垃圾箱也看一下。",
            "Your codes are on the way to {{ order.contact_mask }}; please check spam as well.",
        ),
        "proof_needed": (
            "这单已经发货。要在这里看卡密，请发这单的查询密码。",
            "This order is delivered. To see the codes here, send its query password.",
        ),
        "not_delivered": (
            "这单已付款，还在发货中，卡密还没出来。一发货就能查到。",
            "Paid, but not delivered yet; there are no codes so far.",
        ),
        "not_paid": (
            "这单还没有付款，所以没有卡密。",
            "This order is not paid, so there are no codes yet.",
        ),
        "cooldown": (
            "刚刚才发过，请先看看上面的消息或邮箱（含垃圾箱），过一会儿再试。",
            "It was just sent; please look above or in your mail (and spam) first.",
        ),
        **_REFUSALS,
    },
    "card_status": {
        "unused": (
            "查到了：这张 {{ card.product }}（{{ card.mask }}）{{ card.checked_at }} 核实过，"
            "还没有使用。",
            "{{ card.product }} ({{ card.mask }}): unused, checked at {{ card.checked_at }}.",
        ),
        "used": (
            "查到了：这张 {{ card.product }}（{{ card.mask }}）{{ card.checked_at }} 核实为已使用。"
            "如果不是您用的，点“转人工”，把兑换页面截图发给客服。",
            "{{ card.product }} ({{ card.mask }}): used, checked at {{ card.checked_at }}. "
            "If that was not you, call a person and send a screenshot.",
        ),
        "expired": (
            "这张 {{ card.product }}（{{ card.mask }}）的有效期到 {{ card.expires_at }}，"
            "已经过期了。",
            "{{ card.product }} ({{ card.mask }}) expired on {{ card.expires_at }}.",
        ),
        "invalid": (
            "这张 {{ card.product }}（{{ card.mask }}）核实为无效，请点“转人工”处理。",
            "{{ card.product }} ({{ card.mask }}) is invalid; please call a person.",
        ),
        "frozen": (
            "这张 {{ card.product }}（{{ card.mask }}）被冻结或地区不符，请点“转人工”处理。",
            "{{ card.product }} ({{ card.mask }}) is frozen or of another region.",
        ),
        "unknown": (
            "这张 {{ card.product }}（{{ card.mask }}）是本店卖出的。用没用过我这边查不到，"
            "请在官方兑换页面看提示；提示异常的话截图，点“转人工”。",
            "{{ card.product }} ({{ card.mask }}) was sold by us. Whether it is used, I cannot "
            "tell; the official page can. If it refuses, send a screenshot to a person.",
        ),
        "not_ours": (
            "没有查到这张卡的售出记录。请核对有没有抄错（0 和 O、1 和 I），或告诉我订单号。",
            "No record of this code being sold. Please check for typos, or tell me the order "
            "number.",
        ),
        **_REFUSALS,
    },
    "product_lookup": {
        "in_stock": (
            "{{ product.name }}：{{ product.price }} 元，有货，可以直接下单。",
            "{{ product.name }}: ¥{{ product.price }}, in stock.",
        ),
        "low_stock": (
            "{{ product.name }}：{{ product.price }} 元，剩得不多了，要的话尽快～",
            "{{ product.name }}: ¥{{ product.price }}, only a few left.",
        ),
        "sold_out": (
            "{{ product.name }}：{{ product.price }} 元，暂时缺货。补货时间不确定，"
            "可以过会儿再来看看。",
            "{{ product.name }}: ¥{{ product.price }}, sold out for now.",
        ),
        "closed": (
            "{{ product.name }} 已经下架了。",
            "{{ product.name }} is no longer sold.",
        ),
        "several": (
            "有这几款，您要哪一款？\n{{ products.list }}",
            "We have these; which one?\n{{ products.list }}",
        ),
        "none": (
            "没找到这款商品。店里现在有：\n{{ products.list }}",
            "I could not find that. We have:\n{{ products.list }}",
        ),
        "unavailable": _UNAVAILABLE,
    },
}

BUTTONS: Mapping[str, Text] = {
    "handoff": ("转人工", "Talk to a person"),
    "none": ("都不是", "None of these"),
    "cancel": ("算了", "Never mind"),
    "code": ("发验证码到下单邮箱", "Mail me a code"),
}


def said(text: Text, *, is_english: bool) -> str:
    """One of the two languages."""
    return text[1] if is_english else text[0]
