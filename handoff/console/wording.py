"""What agents read in the console, in Chinese: reasons, states, errors' causes, kinds of files."""

from __future__ import annotations

from handoff.machine.events import CloseReason, Reason

_REASONS = {
    Reason.ASKED: "客户要求人工",
    Reason.TWO_MISSES: "机器人连续两次没听懂",
    Reason.REPEATED: "同一个问题问了三次",
    Reason.INTENT: "这类问题由人工处理",
    Reason.TOOL_ERROR: "查询出错",
    Reason.BOT_ERROR: "机器人出错",
    Reason.UNREADABLE_MEDIA: "客户连发图片或语音",
    Reason.REOPENED: "之前的客户又来了",
    Reason.TRANSFERRED: "同事转来",
    Reason.CLAIM_LAPSED: "接入后超时未处理",
    Reason.AGENT_LEFT: "原客服已离开",
    Reason.EXTERNAL_ENDED: "手机上未回完",
    Reason.TAKEOVER: "客服主动接手",
}

_CLOSE_REASONS = {
    CloseReason.AGENT: "客服结束",
    CloseReason.IDLE: "长时间没有消息",
    CloseReason.CUSTOMER_SILENT: "客户没有再回复",
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


_OUTCOMES = {
    "pending_payment": "待付款",
    "expired": "超时未付",
    "cancelled": "已取消",
    "processing": "处理中",
    "stuck": "卡单",
    "delivered": "已发货",
    "partially_delivered": "部分发货",
    "abnormal": "异常",
    "risk_hold": "风控中",
    "failed": "失败",
    "topup_processing": "充值中",
    "topup_stuck": "充值卡单",
    "topup_done": "充值完成",
    "refunding": "退款中",
    "refunded": "已退款",
    "partially_refunded": "部分退款",
    "not_found": "没查到或未验证",
    "proof_needed": "待验证",
    "throttled": "查询太频繁",
    "locked": "验证已锁定",
    "unavailable": "查询失败",
    "shown": "已重新展示卡密",
    "mailed": "已重发到邮箱",
    "not_delivered": "还没发货",
    "not_paid": "还没付款",
    "cooldown": "刚发过",
}


def outcome_text(outcome: str | None) -> str | None:
    """What a look-up of an order came to, in the console's words."""
    return None if outcome is None else _OUTCOMES.get(outcome, outcome)


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
    """What the bot did when it answered an intent, for who takes over."""
    return f"答复：{title}"
