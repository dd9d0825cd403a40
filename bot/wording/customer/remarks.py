"""Sentences of the bot that belong to no tool, and its buttons."""

from __future__ import annotations

from collections.abc import Mapping

from knowledge_base.source.tool_spec import Text

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

OFFERS_PERSON = frozenset({"media_unread", "voice_unread", "other_unread", "evidence_taken"})
"""Remarks under which a person is offered."""

WELCOME: Text = (
    "您好，这里是{shop}，有什么可以帮您？",
    "Hello! This is {shop}. How can I help you?",
)

GREETING: Text = ("您好，有什么可以帮您？", "Hello! How can I help you?")
"""On a page that shows the shop's name already."""

TEXT_CUT = "…（太长了，后面 {chars} 个字没有保存）"
FILES_CUT = "（文件太多了，后面 {files} 个没有保存）"

BUTTONS: Mapping[str, Text] = {
    "handoff": ("转人工", "Talk to a person"),
    "none": ("都不是", "None of these"),
    "cancel": ("算了", "Never mind"),
    "code": ("发验证码到下单邮箱", "Mail me a code"),
}


def said(text: Text, *, is_english: bool) -> str:
    """Return the text in one of the two languages."""
    return text[1] if is_english else text[0]
