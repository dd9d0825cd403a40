"""The numbers, moves and codes of WeCom customer service (微信客服).

Source: WeCom developer documentation, 微信客服: 接收消息和事件 (94670), 发送消息 (94677),
发送欢迎语等事件响应消息 (95122), 会话分配 (94669); 全局错误码 (90313).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

ACCESS_TOKEN_LIFE = timedelta(seconds=7200)
CALLBACK_TOKEN_LIFE = timedelta(minutes=10)
LOG_LIFE = timedelta(days=3)
MEDIA_LIFE = timedelta(days=3)
WINDOW = timedelta(hours=48)
SENDS_PER_MESSAGE = 5
MAX_PAGE = 1000
MAX_CURSOR_BYTES = 64
MAX_TEXT_BYTES = 2048
MAX_MENU_TEXT_BYTES = 1024
MAX_MENU_ITEMS = 10
MAX_CLICK_ID_BYTES = 64
MAX_CLICK_BYTES = 128
MAX_URL_BYTES = 2048
MAX_CUSTOMERS = 100
MSGID = re.compile(r"[0-9A-Za-z_-]{1,32}")
MEDIA_BYTES: Mapping[str, int] = MappingProxyType(
    {"image": 10 << 20, "voice": 2 << 20, "video": 10 << 20, "file": 20 << 20}
)

NEW, BOT, POOL, HUMAN, ENDED = range(5)
"""service_state: unhandled, with the bot, waiting, with a person, ended or not begun."""

MOVES: Mapping[int, frozenset[int]] = MappingProxyType(
    {
        NEW: frozenset({BOT, POOL, HUMAN}),
        BOT: frozenset({POOL, HUMAN}),
        POOL: frozenset({HUMAN}),
        HUMAN: frozenset({HUMAN, ENDED}),
        ENDED: frozenset(),
    }
)
"""What service_state/trans may do; replace it on a fake to try another reading."""

TAKEN, HANDED_ON, FINISHED, REOPENED = 1, 2, 3, 4
"""change_type of session_status_change."""

CLOSED_48_H, SESSION_CLOSED, OVER_5, REFUSED = 4, 5, 6, 10
"""fail_type of msg_send_fail."""


@dataclass(frozen=True, slots=True)
class CodeRule:
    """What a one-use code of an event is good for.

    Attributes:
        state: The session must still be in it; ``None`` for a welcome.
    """

    life: timedelta
    types: frozenset[str]
    state: int | None = None


_TEXT = frozenset({"text"})
_ANY = frozenset({"text", "msgmenu"})
CODE_RULES: Mapping[str, CodeRule] = MappingProxyType(
    {
        "welcome": CodeRule(timedelta(seconds=20), _ANY),
        "pool": CodeRule(WINDOW, _TEXT, POOL),
        "taken": CodeRule(WINDOW, _TEXT, HUMAN),
        "end": CodeRule(timedelta(seconds=20), _ANY, ENDED),
    }
)

OK = 0
BUSY = -1
BAD_SECRET = 40001
BAD_MEDIA_KIND = 40004
BAD_MEDIA_SIZE = 40006
BAD_MEDIA = 40007
BAD_MSGTYPE = 40008
BAD_CORP = 40013
BAD_TOKEN = 40014
ESCAPED = 40033
BAD_PARAMETER = 40058
BAD_CUSTOMER = 40096
NO_TOKEN = 41001
TOKEN_EXPIRED = 42001
EMPTY_TEXT = 44004
TOO_LONG = 45002
TOO_FAST = 45009
BAD_ACCOUNT = 95000
TOO_MANY = 95001
TOO_LATE = 95002
BAD_CALLBACK_TOKEN = 95007
TOO_MANY_ITEMS = 95008
BAD_ITEM = 95009
SESSION_ENDED = 95013
NOT_ON_DUTY = 95014
WRONG_STATE = 95018
REPEATED_MSGID = 95099
"""Invented: the documentation says that a repeat is an error but not which."""
BAD_EVENT_CODE = 95098
"""Invented, for the same reason."""

_TEXTS = {
    BUSY: "system busy",
    BAD_SECRET: "invalid credential",
    BAD_CORP: "invalid corpid",
    BAD_TOKEN: "invalid access_token",
    NO_TOKEN: "access_token missing",
    TOKEN_EXPIRED: "access_token expired",
    TOO_FAST: "api freq out of limit",
    BAD_CALLBACK_TOKEN: "invalid msg token",
    SESSION_ENDED: "conversation end",
    TOO_MANY: "out of msg count limit",
    TOO_LATE: "out of msg time limit",
    WRONG_STATE: "send msg session status invalid",
}


class Refusal(Exception):
    """The platform's no."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(str(code))
        self.code = code
        self.detail = detail


def error_body(code: int, detail: str = "") -> dict[str, Any]:
    """The JSON of an error, as chatty as the platform's own."""
    text = detail or _TEXTS.get(code, "invalid Request Parameter")
    hint = "hint: [1700000000123456789012345], from ip: 127.0.0.1"
    more = f"more info at https://open.work.weixin.qq.com/devtool/query?e={code}"
    return {"errcode": code, "errmsg": f"{text}, {hint}, {more}"}


def size(text: str) -> int:
    """Length in UTF-8 bytes, which is how this platform counts."""
    return len(text.encode())


__all__ = [
    "ACCESS_TOKEN_LIFE",
    "CALLBACK_TOKEN_LIFE",
    "CODE_RULES",
    "LOG_LIFE",
    "MEDIA_LIFE",
    "MOVES",
    "WINDOW",
    "CodeRule",
    "Refusal",
    "error_body",
    "size",
]
