"""What the platform's error codes mean for us. By the code alone: texts change without notice.

Source: WeChat Official Accounts documentation, 全局返回码说明, and the tables of 客服消息 and
获取稳定版接口调用凭据.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

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
    """What helps."""

    TOKEN = "token"  # noqa: S105 - a word
    """A new access token, once."""
    AUTH = "auth"
    CONFIG = "config"
    MINUTE = "minute"
    DAY = "day"
    WINDOW = "window"
    GONE = "gone"
    """This customer cannot be reached."""
    FORMAT = "format"
    """The kind of message, or its fields."""
    CONTENT = "content"
    BUSY = "busy"


_MEANINGS: Mapping[Meaning, tuple[int, ...]] = {
    Meaning.TOKEN: (40001, 40014, 41001, 42001),
    Meaning.AUTH: (40002, 40013, 40125, 40243, 41002, 41004),
    Meaning.CONFIG: (40164, 48001, 48004, 50002, 61004, 89501, 89503, 89506, 89507),
    Meaning.MINUTE: (45011,),
    Meaning.DAY: (45009,),
    Meaning.WINDOW: (45015, 45047),
    Meaning.GONE: (40003, 43004, 43019, 48002),
    Meaning.FORMAT: (40008, 40035, 47001),
    Meaning.CONTENT: (40004, 40005, 40006, 40007, 41005, 41006, 44004, 45001, 45002, 45008, 87014),
    Meaning.BUSY: (-1, 61450),
}
_BY_CODE = {code: meaning for meaning, codes in _MEANINGS.items() for code in codes}

NO_PERMISSION = "48001"
NO_SUCH_KIND = frozenset({"40008"})
MEDIA_GONE = frozenset({"40007", "41006"})

_ADVICE: Mapping[str, str] = {
    "40001": "微信不认我们的访问凭证：检查 AppID 和 AppSecret；别的程序也在取凭证时，"
    "都改用 stable_token",
    "40013": "AppID 不对，请从公众平台重新复制",
    "40125": "AppSecret 不对，请到公众平台重置后重新填写",
    "40164": "服务器的 IP 不在白名单里：公众平台 → 基本配置 → IP 白名单",
    "40243": "AppSecret 被冻结了，请到公众平台解冻",
    "48001": "这个公众号没有客服消息的权限（多半是没有认证）：去认证，或者把 replies 改成 passive",
    "48004": "这个公众号的接口被微信封禁了，请登录公众平台看通知",
    "50002": "这个公众号被限制了，请登录公众平台看通知",
    "89501": "这台服务器的 IP 正在等公众号管理员确认",
    "89503": "这台服务器的 IP 要公众号管理员在微信里确认一次",
    "45009": "今天的接口次数用完了，明天自动恢复；急用可以在公众平台清零一次",
    "45011": "发得太快，微信让我们停一分钟",
}
_IP = re.compile(r"invalid ip ([0-9a-fA-F.:]{3,45})")


def meaning(code: int) -> Meaning | None:
    """``None`` for a code that we do not know."""
    return _BY_CODE.get(code)


def advice(code: str) -> str:
    """What an admin should do about it, in Chinese."""
    return _ADVICE.get(code, f"微信返回错误 {code}，请对照文档里的常见错误")


def refused_ip(text: object) -> str:
    """Our own address, as the platform names it in 40164; empty where it does not.

    >>> refused_ip("invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 6")
    '203.0.113.7'
    """
    found = _IP.search(text) if isinstance(text, str) else None
    return found[1] if found is not None else ""


def error(code: int, *, limited_pause_s: float, daily_limit_pause_s: float) -> SendError:
    """The error for a code; what is unknown is not tried again."""
    key = str(code)
    match meaning(code):
        case Meaning.TOKEN | Meaning.AUTH:
            return AuthError(key, advice(key))
        case Meaning.CONFIG:
            return Fatal(key, advice(key))
        case Meaning.MINUTE:
            return RateLimited(key, "too fast", retry_after_s=limited_pause_s, is_account=True)
        case Meaning.DAY:
            return RateLimited(
                key, "day used up", retry_after_s=daily_limit_pause_s, is_account=True
            )
        case Meaning.WINDOW:
            return WindowClosed(key, "顾客再发一条消息才能回复")
        case Meaning.GONE:
            return Undeliverable(key, "顾客取消关注了，或者不收我们的消息")
        case Meaning.BUSY:
            return Retryable(key, "the platform is busy")
    return Rejected(key, "微信拒绝了这条消息", is_format=meaning(code) is Meaning.FORMAT)


__all__ = [
    "MEDIA_GONE",
    "NO_PERMISSION",
    "NO_SUCH_KIND",
    "Meaning",
    "advice",
    "error",
    "meaning",
    "refused_ip",
]
