"""The numbers and errors of the platform.

Source: WeChat Official Accounts documentation: 客服消息 (since 2023-06), 接收普通消息,
获取稳定版接口调用凭据, 客服输入状态, 新增临时素材, 全局返回码说明.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

UNAVAILABLE = "该公众号暂时无法提供服务，请稍后再试"
"""What a customer reads when an account does not answer, or answers with nonsense."""

BODIES = ("image", "voice", "video", "thumb")


@dataclass(slots=True)
class Rules:
    """Limits that the platform changes now and then; a test may change them too.

    Attributes:
        message_replies: Customer-service messages that a customer's message allows.
        event_replies: Those that a menu click, a follow or a scan allows.
        max_text_bytes: Of one text message, in UTF-8.
        token_life: Of an access token.
        token_overlap: How long an old token still works after a new one was handed out.
        force_gap: Between two forced refreshes.
        force_per_day: How many of these a day holds.
        deliveries: How often a message is delivered at most.
        answer_s: Real seconds that kefu has for its answer.
        typing_after: How long after a customer's message the typing state may be shown.
        typing_life: How long it stays.
        media_life: Of a temporary media file.
        media_bytes: Largest file of each kind.
        shows_entities: Whether customers see ``&lt;`` as it stands; else they see ``<``.
    """

    message_replies: int = 5
    message_window: timedelta = timedelta(hours=48)
    event_replies: int = 3
    event_window: timedelta = timedelta(minutes=1)
    max_text_bytes: int = 2048
    token_life: timedelta = timedelta(seconds=7200)
    token_overlap: timedelta = timedelta(minutes=5)
    force_gap: timedelta = timedelta(seconds=30)
    force_per_day: int = 20
    deliveries: int = 3
    answer_s: float = 5.0
    typing_after: timedelta = timedelta(seconds=30)
    typing_life: timedelta = timedelta(seconds=15)
    media_life: timedelta = timedelta(days=3)
    media_bytes: Mapping[str, int] = field(
        default_factory=lambda: {
            "image": 10 << 20,
            "voice": 2 << 20,
            "video": 10 << 20,
            "thumb": 64 << 10,
        }
    )
    shows_entities: bool = False


ERRORS: Mapping[int, str] = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40004: "invalid media type",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40018: "invalid button name size",
    40125: "invalid appsecret",
    40164: "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist",
    41001: "access_token missing",
    41005: "media data missing",
    41006: "missing media_id",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43019: "require remove blacklist",
    44004: "empty content",
    45001: "media size out of limit",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    45072: "invalid command",
    45080: "need user interaction within 30 seconds",
    45081: "already in typing state",
    47001: "data format error",
    48001: "api unauthorized",
    48002: "user block receive message",
    48004: "api forbidden",
    61004: "access clientip is not registered",
    87014: "risky content",
}


class Refused(Exception):
    """The platform says no, by one of its codes."""

    def __init__(self, code: int) -> None:
        super().__init__(ERRORS.get(code, "unknown"))
        self.code = code
