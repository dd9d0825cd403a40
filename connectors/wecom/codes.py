"""What WeCom's error codes mean for us: whether to try again, and what an admin should do.

Only ``errcode`` is looked at: the documentation warns that ``errmsg`` changes, and it may name a
customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType

from connectors.errors import (
    AuthError,
    Fatal,
    RateLimited,
    Rejected,
    Retryable,
    SendError,
    Undeliverable,
    WindowClosed,
)


class Meaning(Enum):
    """Which of our errors a code becomes."""

    BUSY = auto()
    LIMITED = auto()
    TOKEN = auto()
    FATAL = auto()
    WINDOW = auto()
    GONE = auto()
    CONTENT = auto()
    FORMAT = auto()


BUSY = -1
MEDIA_GONE = 40007
CALLBACK_TOKEN_REFUSED = 95007

MEANINGS: Mapping[int, tuple[Meaning, str]] = MappingProxyType(
    {
        BUSY: (Meaning.BUSY, "system busy"),
        6000: (Meaning.BUSY, "data version conflict"),
        40001: (Meaning.TOKEN, "secret or access token refused"),
        40003: (Meaning.GONE, "no such user"),
        40004: (Meaning.CONTENT, "media type refused"),
        40005: (Meaning.CONTENT, "media type refused"),
        40006: (Meaning.CONTENT, "media size refused"),
        MEDIA_GONE: (Meaning.CONTENT, "media id refused"),
        40008: (Meaning.FORMAT, "message type refused"),
        40009: (Meaning.CONTENT, "picture size refused"),
        40013: (Meaning.FATAL, "corp id refused"),
        40014: (Meaning.TOKEN, "access token refused"),
        40033: (Meaning.CONTENT, "characters refused"),
        40096: (Meaning.GONE, "no such customer"),
        41001: (Meaning.TOKEN, "access token missing"),
        42001: (Meaning.TOKEN, "access token expired"),
        44004: (Meaning.CONTENT, "empty text"),
        45002: (Meaning.CONTENT, "too long"),
        45009: (Meaning.LIMITED, "too many calls"),
        45033: (Meaning.LIMITED, "too many calls at once"),
        48002: (Meaning.FATAL, "no permission for this call"),
        60011: (Meaning.FATAL, "no permission"),
        60020: (Meaning.FATAL, "our network address is not trusted"),
        81013: (Meaning.GONE, "no such customer"),
        95000: (Meaning.FATAL, "open_kfid refused"),
        95001: (Meaning.WINDOW, "too many replies to one message"),
        95002: (Meaning.WINDOW, "too late after the customer's message"),
        95004: (Meaning.FATAL, "no such account"),
        CALLBACK_TOKEN_REFUSED: (Meaning.CONTENT, "callback token refused"),
        95008: (Meaning.FORMAT, "too many menu items"),
        95009: (Meaning.FORMAT, "menu item refused"),
        95011: (Meaning.FATAL, "the account is used inside WeCom"),
        95012: (Meaning.FATAL, "the account is not used inside WeCom"),
        95013: (Meaning.WINDOW, "the session has ended"),
        95017: (Meaning.FATAL, "the API is switched off"),
        95018: (Meaning.WINDOW, "the session's state forbids sending"),
    }
)
"""Source: 全局错误码 (90313), 发送消息 (94677)."""

ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "40001": "Secret 不对：用自建应用自己的 Secret，不是别的应用的，复制时别带空格。",
        "40013": "企业 ID 不对：到企业微信后台“我的企业”页面最下面重新复制。",
        "48002": "这个应用没有权限：到“微信客服”里把它加进“可调用接口的应用”。",
        "60011": "这个应用没有权限：到“微信客服”里把它加进“可调用接口的应用”。",
        "60020": "服务器的 IP 不在名单里：到自建应用的“企业可信 IP”里加上。",
        "95000": "客服账号 ID 不对，或者没交给这个应用管理：到“微信客服”里检查。",
        "95004": "这个客服账号不存在或者被删了：到“微信客服”里检查。",
        "95011": "这个客服账号还在企业微信里接待：到“微信客服”里改成由 API 管理。",
        "95012": "这个客服账号还没有开始使用：到“微信客服”里打开。",
        "95017": "微信客服的 API 没有打开：到“微信客服”里打开。",
    }
)

FAIL_REASONS: Mapping[int, str] = MappingProxyType(
    {
        0: "未知原因",
        1: "客服账号已经被删除",
        2: "应用已经被关闭",
        4: "顾客超过 48 小时没有说话",
        5: "会话已经关闭",
        6: "顾客说一次话最多能回 5 条，已经超过",
        7: "没有设置视频号",
        8: "主体没有认证",
        9: "没有设置视频号，或者主体没有认证",
        10: "顾客拒收了消息",
    }
)
"""fail_type of ``msg_send_fail``, for agents."""
REFUSED = 10


def meaning(code: int) -> Meaning | None:
    """``None`` for a code that we do not know."""
    found = MEANINGS.get(code)
    return None if found is None else found[0]


def error(code: int, *, limited_pause_s: float) -> SendError:
    """Our error for the platform's.

    Args:
        limited_pause_s: How long to wait when it is "too often": the platform does not say.
    """
    name = str(code)
    kind, text = MEANINGS.get(code, (Meaning.CONTENT, "refused"))
    match kind:
        case Meaning.BUSY:
            return Retryable(name, text, maybe_sent=True)
        case Meaning.LIMITED:
            return RateLimited(name, text, retry_after_s=limited_pause_s, is_account=True)
        case Meaning.TOKEN:
            return AuthError(name, text)
        case Meaning.FATAL:
            return Fatal(name, text)
        case Meaning.WINDOW:
            return WindowClosed(name, text)
        case Meaning.GONE:
            return Undeliverable(name, text)
    return Rejected(name, text, is_format=kind is Meaning.FORMAT)


def advice(code: str) -> str:
    """What an admin should do about a code; says at least which it was."""
    return ADVICE.get(code, f"企业微信返回错误码 {code}，请在它的“全局错误码”页面里查找。")


__all__ = [
    "ADVICE",
    "BUSY",
    "CALLBACK_TOKEN_REFUSED",
    "FAIL_REASONS",
    "MEANINGS",
    "MEDIA_GONE",
    "REFUSED",
    "Meaning",
    "advice",
    "error",
    "meaning",
]
