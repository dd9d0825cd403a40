"""Notices: the words that tell customers of a transition, short and in their language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.messages import Button
from handoff.machine.transition import Notice
from handoff.model.conversation import Conversation, WaitingMode

WAIT = "wait"
LEAVE_MESSAGE = "leave_message"
BACK_TO_BOT = "back_to_bot"
HANDOFF = "handoff"

_LABELS = {
    WAIT: ("继续等待", "Keep waiting"),
    LEAVE_MESSAGE: ("留言", "Leave a message"),
    BACK_TO_BOT: ("回到机器人", "Back to the bot"),
    HANDOFF: ("转人工", "Talk to a person"),
}
_BUTTONS = {
    Notice.CHOICES: (WAIT, LEAVE_MESSAGE, BACK_TO_BOT),
    Notice.GIVEN_BACK: (HANDOFF,),
}
_BUTTONS_AFTER_HOURS = {
    Notice.HANDED_OFF: (LEAVE_MESSAGE, BACK_TO_BOT),
    Notice.ALREADY_WAITING: (LEAVE_MESSAGE, BACK_TO_BOT),
}
_BUTTONS_LIVE = {Notice.STILL_WAITING: (WAIT, BACK_TO_BOT), Notice.ALREADY_WAITING: (BACK_TO_BOT,)}


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """Facts that a notice may have to tell.

    Attributes:
        position: Place in the queue from 1; ``None`` if it does not wait.
        wait_min: The estimate, in minutes.
        opens_at: When somebody should be there next: ``now`` while it is open, ``None`` if unknown.
    """

    now: datetime
    zone: ZoneInfo
    is_open: bool
    agent_name: str | None = None
    position: int | None = None
    wait_min: int | None = None
    opens_at: datetime | None = None
    closing_min: int = 10


def notice_text(
    kind: Notice, conversation: Conversation, facts: NoticeFacts
) -> tuple[str, tuple[Button, ...]]:
    """Word a notice and the choices under it."""
    is_english = conversation.locale.startswith("en")
    is_after_hours = conversation.mode is WaitingMode.AFTER_HOURS
    text = (_english if is_english else _chinese)(kind, facts, is_after_hours=is_after_hours)
    by_mode = _BUTTONS_AFTER_HOURS if is_after_hours else _BUTTONS_LIVE
    ids = _BUTTONS.get(kind) or by_mode.get(kind) or ()
    return text, tuple(Button(choice, _LABELS[choice][is_english]) for choice in ids)


def when_text(at: datetime | None, now: datetime, zone: ZoneInfo, *, is_english: bool) -> str:
    """Word a moment as people say it: 今天 09:00, 明天 09:00, 11月25日 09:00.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
    >>> when_text(now + timedelta(hours=9), now, ZoneInfo("Asia/Shanghai"), is_english=False)
    '今天 09:30'
    """
    if at is None:
        return "as soon as possible" if is_english else "尽快"
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    clock = f"{local:%H:%M}"
    if local.date() == today:
        return f"today at {clock}" if is_english else f"今天 {clock}"
    if local.date() == today + timedelta(days=1):
        return f"tomorrow at {clock}" if is_english else f"明天 {clock}"
    return f"{local:%d %b} at {clock}" if is_english else f"{local.month}月{local.day}日 {clock}"


def _chinese(kind: Notice, facts: NoticeFacts, *, is_after_hours: bool) -> str:
    if kind in {Notice.HANDED_OFF, Notice.ALREADY_WAITING} and is_after_hours:
        return _chinese_after_hours(kind, facts)
    place = f"前面还有 {(facts.position or 1) - 1} 位，预计 {facts.wait_min or 1} 分钟左右"
    if (facts.position or 1) == 1:
        place = f"您排在第一位，预计 {facts.wait_min or 1} 分钟左右"
    name = facts.agent_name or "客服"
    is_first = (facts.position or 1) == 1
    return {
        Notice.HANDED_OFF: "已经帮您叫人工客服了，马上就来，请稍等一下～"
        if is_first
        else f"已经帮您叫人工客服了，{place}，请稍等一下～",
        Notice.ALREADY_WAITING: f"人工客服已经收到提醒了，{place}，位置一直给您留着。",
        Notice.STILL_WAITING: f"让您久等了，{place}。",
        Notice.CHOICES: "抱歉让您久等，客服现在都没空出手来。您想怎么办？"
        if facts.is_open
        else f"抱歉，客服现在不在线，{_opens(facts)}。您想怎么办？",
        Notice.KEEPS_WAITING: "好的，位置给您留着，客服一有空就来。"
        + ("等的时候有问题也可以先问我。" if is_after_hours else ""),
        Notice.LEAVES_MESSAGE: "好的，请直接把问题写下来（有订单号一起发更快），"
        "客服看到会第一时间回您。",
        Notice.LEFT_QUEUE: "好的，那我继续为您服务，请说～",
        Notice.AGENT_JOINED: f"{name} 已接入，接下来由 TA 为您服务。",
        Notice.REQUEUED: "抱歉，刚才的客服临时走开了，已经帮您叫下一位，您的位置不变。",
        Notice.TRANSFERRED: f"已经帮您转给 {name}，前面的内容 TA 都看得到，不用再说一遍。",
        Notice.TRANSFERRED_TO_QUEUE: "这个问题需要另一位同事处理，已经帮您转过去了，不用再说一遍。",
        Notice.GIVEN_BACK: "接下来由机器人继续为您服务，需要人工随时说「转人工」。",
        Notice.CLOSING_SOON: f"还在吗？{facts.closing_min} 分钟内没有新消息的话，这次对话会先结束；"
        "之后随时再发消息都可以。",
    }[kind]


def _chinese_after_hours(kind: Notice, facts: NoticeFacts) -> str:
    called = (
        "已经帮您叫人工客服了" if kind is Notice.HANDED_OFF else "您已经在排队了，位置一直给您留着"
    )
    return f"{called}，不过现在客服不在线，{_opens(facts)}。这段时间我继续帮您，有问题直接问～"


def _opens(facts: NoticeFacts) -> str:
    if facts.is_open or facts.opens_at is None:
        return "上线后会第一时间回您"
    opens = when_text(facts.opens_at, facts.now, facts.zone, is_english=False)
    return f"{opens} 上班后会回您"


def _english(kind: Notice, facts: NoticeFacts, *, is_after_hours: bool) -> str:
    if kind in {Notice.HANDED_OFF, Notice.ALREADY_WAITING} and is_after_hours:
        called = "I've called a person" if kind is Notice.HANDED_OFF else "Your place is kept"
        return (
            f"{called}. Nobody is online right now; {_reply_when(facts)}. "
            "Meanwhile I'm still here to help – just ask."
        )
    position, wait_min = facts.position or 1, facts.wait_min or 1
    place = f"You are number {position} in the queue, about {wait_min} min."
    name = facts.agent_name or "a colleague"
    return {
        Notice.HANDED_OFF: "I've called a person, they'll be right with you."
        if position == 1
        else f"I've called a person. {place}",
        Notice.ALREADY_WAITING: f"A person has been called. {place}",
        Notice.STILL_WAITING: f"Thanks for waiting. {place}",
        Notice.CHOICES: "Sorry, everybody is still busy. What would you like to do?"
        if facts.is_open
        else f"Sorry, nobody is online; {_reply_when(facts)}. What would you like to do?",
        Notice.KEEPS_WAITING: "Your place is kept."
        + (" Meanwhile feel free to ask me." if is_after_hours else ""),
        Notice.LEAVES_MESSAGE: "Please write down your question (with the order number, if any); "
        "we'll reply as soon as we see it.",
        Notice.LEFT_QUEUE: "All right, I'll carry on. How can I help?",
        Notice.AGENT_JOINED: f"{name} has joined and will help you from here.",
        Notice.REQUEUED: "Sorry, your agent had to step away. Your place is kept; the next one is "
        "being called.",
        Notice.TRANSFERRED: f"You've been transferred to {name}, who can see everything so far.",
        Notice.TRANSFERRED_TO_QUEUE: "A colleague will take this over; they can see everything so "
        "far.",
        Notice.GIVEN_BACK: "The bot takes over again. Ask for a person any time.",
        Notice.CLOSING_SOON: f"Still there? Without a new message this chat closes in "
        f"{facts.closing_min} min; you can write again any time.",
    }[kind]


def _reply_when(facts: NoticeFacts) -> str:
    if facts.is_open or facts.opens_at is None:
        return "we'll reply as soon as somebody is"
    opens = when_text(facts.opens_at, facts.now, facts.zone, is_english=True)
    return f"we'll reply when we open {opens}"


def csat_question(locale: str) -> str:
    """Word the question how it was."""
    if locale.startswith("en"):
        return "How was our service today?"
    return "这次服务您还满意吗？点星星告诉我们～"
