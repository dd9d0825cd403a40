"""Numbers, codes and checks of the QQ bot platform.

Source: QQ bot documentation, pages "发送单聊消息", "发送群聊消息", "API 调用指南", "获取访问凭证"
(bot.q.qq.com/wiki, September 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

USERS, GROUPS = "users", "groups"

WINDOW = {USERS: timedelta(minutes=60), GROUPS: timedelta(minutes=5)}
REPLIES = {USERS: 4, GROUPS: 5}
ANSWERABLE = {
    USERS: frozenset({"INTERACTION_CREATE", "C2C_MSG_RECEIVE", "FRIEND_ADD"}),
    GROUPS: frozenset({"INTERACTION_CREATE", "GROUP_ADD_ROBOT", "GROUP_MSG_RECEIVE"}),
}
"""Events whose id may be answered; with the id of another one it is 40034027."""

TOKEN_LIFE = timedelta(seconds=7200)
TOKEN_OVERLAP = timedelta(seconds=60)
RECALL_WITHIN = timedelta(minutes=2)
FILE_TTL = timedelta(seconds=300)
MAX_ROWS, MAX_COLUMNS, MAX_LABEL = 5, 5, 10
SOFT_BYTES = {1: 20 << 20, 2: 30 << 20, 3: 20 << 20, 4: 200 << 20}
FILE_KINDS = {1: "image", 2: "video", 3: "voice", 4: "file"}
MAGIC = {1: (b"\x89PNG", b"\xff\xd8\xff"), 2: (b"",), 3: (b"",), 4: (b"",)}

NO_TOKEN, BAD_TOKEN, BAD_APPID = 11241, 11244, 11251
TOKEN_TOO_OFTEN, TOKEN_BAD_APPID, TOKEN_BAD_SECRET = 100001, 100007, 100016
EMPTY, BAD_CONTENT, BAD_TYPE, MISMATCH = 50006, 304061, 340069, 22006
NO_MARKDOWN, NO_KEYBOARD, BAD_KEYBOARD, KEYBOARD_TOO_LARGE = 50056, 304037, 305007, 40034029
BAD_URL, SENSITIVE, TOO_LONG = 304003, 1100101, 40054007
REPLY_AUDITED = 304024
BAD_MSG_ID, MSG_ID_EXPIRED = 40034024, 40034005
BAD_EVENT_ID, EVENT_ID_EXPIRED, EVENT_HAS_NO_REPLY = 40034025, 40034026, 40034027
TOO_MANY_REPLIES, DUPLICATE = 40034128, 40054005
NO_ACTIVE_PUSH = 40034105
NOT_A_FRIEND, NOT_A_MEMBER = 40054004, 40054003
BAD_FILE_INFO, BAD_FILE_FORMAT, FILE_NOT_FETCHED, FILE_TOO_LARGE = 304080, 850019, 850026, 850031
BAD_RECALL_ID, RECALL_TOO_LATE = 40061002, 40064004
BAD_INTERACTION = 630001

MESSAGES = {
    BAD_TOKEN: "token not exist or expire",
    DUPLICATE: "消息被去重，请检查请求msgseq",
    BAD_MSG_ID: "请求参数msg_id无效或越权",
    MSG_ID_EXPIRED: "回复消息msg_id已过期",
    BAD_EVENT_ID: "请求参数event_id无效",
    TOO_MANY_REPLIES: "被动回复时间或次数超限",
    BAD_URL: "url not allowed",
    SENSITIVE: "安全打击：内容涉及敏感，请返回修改",
}

_URL = re.compile(r"https?://([^/\s，。：:]+)")
_AT = re.compile(r'<qqbot-at-user id="([^"]*)" ?/>|<@!?([^>\s]+)>')
_MARKDOWN = re.compile(
    r"(https?://[!-~]+)|\\([!-/:-@\[-`{-~])|^#{1,6} |^[-+] |[*_~`]|<qqbot-[^>]*>", re.MULTILINE
)


class Refusal(Exception):
    """The platform does not do what was asked."""

    def __init__(self, code: int, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


def error_body(code: int, message: str = "") -> dict[str, Any]:
    """An error as the platform words it: both names of the code are met."""
    text = message or MESSAGES.get(code, "error")
    return {"message": text, "code": code, "err_code": code, "trace_id": "4a8a61565b909f199b1e"}


def check_content(body: Mapping[str, Any], *, markdown: bool, keyboard: bool) -> str:
    """The text of a message whose parts fit each other.

    Args:
        markdown: The bot may send markdown.
        keyboard: It may send buttons of its own.

    Raises:
        Refusal: They do not.
    """
    kind = body.get("msg_type", 0)
    content = str(body.get("content") or "")
    if kind == 0:
        if body.get("keyboard"):
            raise Refusal(BAD_KEYBOARD)
        if not content.strip():
            raise Refusal(EMPTY)
        return content
    if kind == 2:
        text = str((body.get("markdown") or {}).get("content") or "")
        if content or not text:
            raise Refusal(BAD_CONTENT)
        if not markdown:
            raise Refusal(NO_MARKDOWN)
        if body.get("keyboard"):
            if not keyboard:
                raise Refusal(NO_KEYBOARD)
            check_keyboard(body["keyboard"])
        return text
    if kind == 7:
        return content
    raise Refusal(BAD_TYPE)


def check_keyboard(keyboard: Mapping[str, Any]) -> None:
    """Rows, labels and ids keep to the limits.

    Raises:
        Refusal: They do not.
    """
    rows = (keyboard.get("content") or {}).get("rows") or []
    if not rows or len(rows) > MAX_ROWS:
        raise Refusal(KEYBOARD_TOO_LARGE)
    seen: set[str] = set()
    for row in rows:
        if not 0 < len(row["buttons"]) <= MAX_COLUMNS:
            raise Refusal(KEYBOARD_TOO_LARGE)
        for button in row["buttons"]:
            label, action = button["render_data"]["label"], button["action"]
            is_whole = action.get("data") and action.get("permission") and action.get("type") == 1
            if not 0 < len(label) <= MAX_LABEL or not is_whole or button["id"] in seen:
                raise Refusal(BAD_KEYBOARD)
            seen.add(button["id"])


def hosts(text: str) -> list[str]:
    """Hosts of the addresses in a text."""
    return _URL.findall(text)


def displayed(text: str, *, is_markdown: bool) -> tuple[str, tuple[str, ...]]:
    """A text as the app draws it, and whom it mentions.

    A mention at the start is drawn as a chip of its own and is no part of the text.
    """
    mentioned = tuple(one or other for one, other in _AT.findall(text))
    shown = _AT.sub(r"@\1\2", _AT.sub("", text, count=1) if _AT.match(text) else text)
    if is_markdown:
        shown = _MARKDOWN.sub(lambda found: found[1] or found[2] or "", shown)
    return shown.replace("\u200b", "").strip(), mentioned


def is_format(content: bytes, file_type: int) -> bool:
    """Whether a file begins as its kind does."""
    return any(content.startswith(start) for start in MAGIC[file_type])
