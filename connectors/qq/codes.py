"""What QQ's error codes mean for us: whether to try again, and what an admin should do.

Only the code is looked at: the documentation warns that the message changes.
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

    TOKEN = auto()
    """A new access token helps; the second time it is ``AuthError``."""
    SECRET = auto()
    ONCE = auto()
    """A fault of the platform's that a single repeat cures."""
    BUSY = auto()
    LIMITED = auto()
    WINDOW = auto()
    GONE = auto()
    CONTENT = auto()
    FORMAT = auto()
    FATAL = auto()


DUPLICATE = 40054005
"""This reply was sent before: (msg_id, msg_seq) is used once."""
AUDITED = frozenset({304023, 304024})
"""Taken, and shown after a review by people."""
NO_PERMISSION = frozenset({304036, 304037, 50056, 40034127})
"""Markdown or buttons are not for this bot."""

MEANINGS: Mapping[int, tuple[Meaning, str]] = MappingProxyType(
    {
        11241: (Meaning.TOKEN, "access token missing"),
        11242: (Meaning.TOKEN, "access token not checked"),
        11243: (Meaning.TOKEN, "access token refused"),
        11244: (Meaning.TOKEN, "access token unknown or expired"),
        10004: (Meaning.SECRET, "no such bot"),
        11251: (Meaning.SECRET, "app id refused"),
        11261: (Meaning.SECRET, "app id missing"),
        11275: (Meaning.SECRET, "app id missing"),
        100007: (Meaning.SECRET, "app id refused, or the bot is banned"),
        100016: (Meaning.SECRET, "app id or secret refused"),
        11252: (Meaning.ONCE, "permissions not checked"),
        11263: (Meaning.ONCE, "permissions not checked"),
        11281: (Meaning.ONCE, "permissions not checked"),
        304082: (Meaning.ONCE, "file not fetched"),
        304083: (Meaning.ONCE, "file not converted"),
        340067: (Meaning.BUSY, "bot not looked up"),
        850026: (Meaning.BUSY, "file not fetched"),
        850027: (Meaning.BUSY, "file not passed on in time"),
        1100300: (Meaning.BUSY, "internal error"),
        40034004: (Meaning.BUSY, "file not passed on"),
        40054006: (Meaning.BUSY, "friendship not checked"),
        40093001: (Meaning.BUSY, "upload failed"),
        50055001: (Meaning.BUSY, "sending failed"),
        50055002: (Meaning.BUSY, "sending failed"),
        50055006: (Meaning.BUSY, "sending failed"),
        20028: (Meaning.LIMITED, "too many messages"),
        100001: (Meaning.LIMITED, "too many requests for a token"),
        1100100: (Meaning.LIMITED, "too many messages"),
        1100308: (Meaning.LIMITED, "too many messages"),
        22009: (Meaning.WINDOW, "no message left"),
        304026: (Meaning.WINDOW, "message to answer unknown"),
        304027: (Meaning.WINDOW, "message to answer too old"),
        304103: (Meaning.WINDOW, "message to answer too old"),
        40034005: (Meaning.WINDOW, "message to answer too old"),
        40034024: (Meaning.WINDOW, "message to answer unknown"),
        40034025: (Meaning.WINDOW, "event to answer unknown"),
        40034026: (Meaning.WINDOW, "event to answer too old"),
        40034027: (Meaning.WINDOW, "event cannot be answered"),
        40034100: (Meaning.WINDOW, "too many messages without a question"),
        40034102: (Meaning.WINDOW, "no message without a question"),
        40034105: (Meaning.WINDOW, "no message without a question"),
        40034128: (Meaning.WINDOW, "too late, or too many answers"),
        40054002: (Meaning.WINDOW, "muted in the group"),
        850018: (Meaning.WINDOW, "muted in the group"),
        1100104: (Meaning.GONE, "no such group"),
        1100301: (Meaning.GONE, "not in the group"),
        40034101: (Meaning.GONE, "not in the group"),
        40054003: (Meaning.GONE, "not in the group"),
        40054004: (Meaning.GONE, "the customer removed the bot"),
        40054013: (Meaning.GONE, "the customer refuses messages"),
        22006: (Meaning.CONTENT, "type and content do not fit"),
        50006: (Meaning.CONTENT, "empty message"),
        304003: (Meaning.CONTENT, "web address not registered"),
        304025: (Meaning.CONTENT, "refused by the review"),
        304061: (Meaning.CONTENT, "content refused"),
        304080: (Meaning.CONTENT, "file refused"),
        850019: (Meaning.CONTENT, "file format refused"),
        850031: (Meaning.CONTENT, "file too large"),
        1100101: (Meaning.CONTENT, "refused by the review"),
        1100102: (Meaning.CONTENT, "refused by the review"),
        1100103: (Meaning.CONTENT, "refused by the review"),
        3300006: (Meaning.CONTENT, "refused by the review"),
        40034006: (Meaning.CONTENT, "refused by the review"),
        40054007: (Meaning.CONTENT, "too long"),
        40054010: (Meaning.CONTENT, "web address not allowed"),
        40054018: (Meaning.CONTENT, "too long"),
        40093002: (Meaning.CONTENT, "no more files today"),
        50037: (Meaning.FORMAT, "markdown refused"),
        50054: (Meaning.FORMAT, "markdown refused"),
        50055: (Meaning.FORMAT, "markdown refused"),
        50056: (Meaning.FORMAT, "markdown not permitted"),
        50057: (Meaning.FORMAT, "markdown refused"),
        304036: (Meaning.FORMAT, "markdown not permitted"),
        304037: (Meaning.FORMAT, "buttons not permitted"),
        304038: (Meaning.FORMAT, "buttons refused"),
        304039: (Meaning.FORMAT, "buttons refused"),
        304040: (Meaning.FORMAT, "buttons refused"),
        305007: (Meaning.FORMAT, "buttons refused"),
        340069: (Meaning.FORMAT, "message type refused"),
        40034008: (Meaning.FORMAT, "markdown refused"),
        40034009: (Meaning.FORMAT, "markdown refused"),
        40034010: (Meaning.FORMAT, "markdown refused"),
        40034011: (Meaning.FORMAT, "markdown refused"),
        40034029: (Meaning.FORMAT, "too many buttons"),
        40034106: (Meaning.FORMAT, "buttons refused"),
        40034108: (Meaning.FORMAT, "buttons refused"),
        40034109: (Meaning.FORMAT, "buttons refused"),
        40034124: (Meaning.FORMAT, "markdown refused"),
        40034127: (Meaning.FORMAT, "markdown not permitted"),
        11253: (Meaning.FATAL, "no permission for this call"),
        11254: (Meaning.FATAL, "this call is closed to the bot"),
        11262: (Meaning.FATAL, "no permission for this call"),
        11264: (Meaning.FATAL, "no permission for this call"),
        11265: (Meaning.FATAL, "the bot is banned"),
        11282: (Meaning.FATAL, "no permission for this call"),
        11298: (Meaning.FATAL, "our network address is not listed"),
        40023002: (Meaning.FATAL, "our network address is not listed"),
        304018: (Meaning.FATAL, "the bot is not connected"),
        40054016: (Meaning.FATAL, "the bot is offline"),
    }
)
"""Source: QQ bot documentation, "API 调用指南", error tables of "发送单聊消息", "发送群聊消息",
"单聊富媒体上传", "获取访问凭证" (September 2026), and the "openapi" error page for the older ones;
11244, 11298 and 40023002 as bots have met them.
"""

_CREDENTIALS_HINT = "AppID 或 AppSecret 不对：到 QQ 开放平台“开发 → 开发设置”重新复制，别带空格。"
_PERMISSION_HINT = "机器人没有这个接口的权限，或者权限被封：到 QQ 开放平台查看机器人的状态和通知。"
_LIST_HINT = "服务器的 IP 不在名单里：到 QQ 开放平台“开发 → 开发设置 → IP 白名单”里加上。"
ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "10004": "QQ 找不到这个机器人：检查 AppID。",
        "11241": _CREDENTIALS_HINT,
        "11242": _CREDENTIALS_HINT,
        "11243": _CREDENTIALS_HINT,
        "11244": _CREDENTIALS_HINT,
        "11251": _CREDENTIALS_HINT,
        "11253": _PERMISSION_HINT,
        "11254": _PERMISSION_HINT,
        "11265": "机器人被 QQ 封禁了：到 QQ 开放平台查看原因并申诉。",
        "11298": _LIST_HINT,
        "40023002": _LIST_HINT,
        "100007": "AppID 不对，或者机器人被封禁、被删除：到 QQ 开放平台查看。",
        "100016": _CREDENTIALS_HINT,
        "304018": "机器人不在线：到 QQ 开放平台检查机器人是否已经上线、回调地址是否还在。",
        "40054016": "机器人已下线：到 QQ 开放平台把它上线。",
    }
)

_OF_THE_BOT = frozenset({0, 100001})
"""Too often, for the whole bot; 0: status 429 alone, a limit of the call itself."""
_TOO_MANY, _UNAUTHORISED, _SERVER_FAULT = 429, 401, 500


def is_known(code: int) -> bool:
    """Whether we know what a code means."""
    return code in MEANINGS or code == DUPLICATE or code in AUDITED


def meaning(code: int) -> Meaning | None:
    """``None`` for a code that we do not know."""
    found = MEANINGS.get(code)
    return None if found is None else found[0]


def error(code: int, status: int, *, pause_s: float) -> SendError:
    """Our error for the platform's.

    Args:
        code: 0 where the answer named none.
        status: Of HTTP.
        pause_s: How long to wait if it was too often.
    """
    name = str(code) if code else f"http-{status}"
    kind, text = MEANINGS.get(code) or _by_status(status)
    match kind:
        case Meaning.TOKEN | Meaning.SECRET:
            return AuthError(name, text)
        case Meaning.ONCE | Meaning.BUSY:
            return Retryable(name, text, maybe_sent=status >= _SERVER_FAULT)
        case Meaning.LIMITED:
            is_account = code in _OF_THE_BOT
            return RateLimited(name, text, retry_after_s=pause_s, is_account=is_account)
        case Meaning.WINDOW:
            return WindowClosed(name, text)
        case Meaning.GONE:
            return Undeliverable(name, text)
        case Meaning.FATAL:
            return Fatal(name, text)
    return Rejected(name, text, is_format=kind is Meaning.FORMAT)


def _by_status(status: int) -> tuple[Meaning, str]:
    if status == _UNAUTHORISED:
        return Meaning.TOKEN, "access token refused"
    if status == _TOO_MANY:
        return Meaning.LIMITED, "too many calls"
    if status >= _SERVER_FAULT:
        return Meaning.BUSY, "server fault"
    return Meaning.CONTENT, "refused"


def advice(code: str) -> str:
    """What an admin should do about a code; says at least which it was."""
    return ADVICE.get(code, f"QQ 返回错误码 {code}，请在 QQ 机器人文档的错误码页面里查找。")


__all__ = ["ADVICE", "AUDITED", "DUPLICATE", "MEANINGS", "NO_PERMISSION", "Meaning", "is_known"]
