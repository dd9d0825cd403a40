"""What agents read in the console, in Chinese: reasons, states, errors' causes, kinds of files."""

from __future__ import annotations

from handoff.machine.events import CloseReason, Reason

_REASONS = {
    Reason.ASKED: "顾客要求人工",
    Reason.TWO_MISSES: "机器人连续两次没听懂",
    Reason.REPEATED: "同一个问题问了三次",
    Reason.INTENT: "这类问题由人工处理",
    Reason.TOOL_ERROR: "查询出错",
    Reason.BOT_ERROR: "机器人出错",
    Reason.UNREADABLE_MEDIA: "顾客连发图片或语音",
    Reason.REOPENED: "之前的顾客又来了",
    Reason.TRANSFERRED: "同事转来",
    Reason.CLAIM_LAPSED: "接入后超时未处理",
    Reason.AGENT_LEFT: "原客服已离开",
    Reason.EXTERNAL_ENDED: "手机上未回完",
    Reason.TAKEOVER: "客服主动接手",
}

_CLOSE_REASONS = {
    CloseReason.AGENT: "客服结束",
    CloseReason.IDLE: "长时间没有消息",
    CloseReason.CUSTOMER_SILENT: "顾客没有再回复",
    CloseReason.EXTERNAL_ENDED: "手机上已处理",
}


def reason_text(reason: str | None) -> str | None:
    """Why a person was called, in the console's words; ``None`` for ``None``."""
    if reason is None:
        return None
    return _REASONS.get(Reason(reason)) if reason in set(Reason) else reason


def close_reason_text(reason: str | None) -> str | None:
    """Why it closed, in the console's words; ``None`` while it is open."""
    if reason is None:
        return None
    return _CLOSE_REASONS.get(CloseReason(reason)) if reason in set(CloseReason) else reason


_KINDS = {"image": "图片", "voice": "语音", "video": "视频"}


def kind_text(kind: str) -> str:
    """What a file is, in a word."""
    return _KINDS.get(kind, "文件")


_FIGURES = {
    "open_pages": "打开的聊天页",
    "last_poll_ok_at": "最近一次收取",
    "buttons": "按钮",
    "repeated_msgid_code": "重复发送的错误码",
}


def figure_text(name: str) -> str:
    """What a figure of a channel is called."""
    return _FIGURES.get(name, name)


def answer_given(title: str) -> str:
    """Words for the bot's answer to an intent, for the agent who takes over."""
    return f"答复：{title}"
