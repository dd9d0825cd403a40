"""From a push to what happened. Pure.

Source: 接收普通消息, 接收事件推送, 客服消息 (what may be answered how often).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.errors import BadWebhook
from connectors.kit.payload import decoded, id_of, words_in
from connectors.kit.standins import (
    EMPTY,
    FILE_NAMES,
    UNKNOWN,
    standin,
)
from connectors.messages import (
    Address,
    ChannelRef,
    Inbound,
    InboundKind,
    MediaHandle,
    ReplyWindow,
    read_button_token,
)
from connectors.wechat import shapes

UNSUPPORTED = "[收到不支持的消息类型，暂无法显示]"
"""The platform's own words for animated stickers and whatever else it does not pass on."""

_WORDS = ("Title", "Description", "Label", "Content", "Name", "Url")
_MIME = {"image": "image/jpeg", "voice": "audio/amr", "video": "video/mp4"}
_ARRIVALS = frozenset({"subscribe", "subscribe_scan", "scan"})


@dataclass(frozen=True, slots=True)
class Mapper:
    """Reads pushes of one account.

    Attributes:
        message_window: How long after a message we may answer, and ``message_replies`` how often.
        event_window: The same after a follow, a scan or a tap on a menu.
        menu: What a customer says by an entry of the account's menu, by its key.
    """

    ref: ChannelRef
    message_window: timedelta = timedelta(hours=48)
    message_replies: int = 5
    event_window: timedelta = timedelta(minutes=1)
    event_replies: int = 3
    menu: Mapping[str, str] = field(default_factory=dict)

    def inbound(self, message: Any, xml: str, now: datetime) -> Inbound:
        """What a push says.

        Args:
            message: As wechatpy parsed it.
            xml: Kept where we do not understand it.

        Raises:
            BadWebhook: It says nothing of whom or when.
        """
        try:
            base = self._base(message, xml, now)
            if _is_event(message):
                return self._event(message, base, xml)
            return self._message(message, base, xml)
        except (ValueError, TypeError, OverflowError, OSError):
            raise BadWebhook(400, "fields that cannot be read") from None

    def _base(self, message: Any, xml: str, now: datetime) -> Inbound:
        openid, seconds = message.source, message.time
        if not id_of(openid) or not isinstance(seconds, int):
            raise BadWebhook(400, "no sender or no time")
        return Inbound(
            dedup_key=_dedup_key(message, xml),
            address=Address(self.ref, openid, openid),
            received_at=now,
            platform_time=datetime.fromtimestamp(seconds, UTC),
            # a second may hold several; ids grow, and events have none
            order_hint=f"{seconds:010d}-{_message_id(message):020d}",
        )

    # ------------------------------------------------------------------ messages

    def _message(self, message: Any, base: Inbound, xml: str) -> Inbound:
        match message.type:
            case "text":
                return self._text(message, base)
            case "image" | "voice" | "video" | "shortvideo" if message.media_id:
                said = getattr(message, "recognition", None) or ""
                return self._said(base, said, media=(_media(message),))
            case "image" | "voice" | "video" | "shortvideo":
                return self._unreadable(base, standin(FILE_NAMES[_kind(message)]))
            case "file":
                return self._unreadable(base, standin("文件", message.title or ""))
            case "location":
                return self._unreadable(base, standin("位置", message.label or ""))
            case "link":
                words = (message.title, message.description, message.url)
                return self._unreadable(base, standin("链接", *(one or "" for one in words)))
            case "miniprogrampage":
                return self._unreadable(base, standin("小程序", message.title or ""))
        # a kind of message that nobody knows is a message still: the customer gets an answer
        known = words_in(_fields(message), _WORDS)
        line = standin(UNKNOWN, *known) if known else UNSUPPORTED
        return replace(self._unreadable(base, line), raw=xml.encode())

    def _text(self, message: shapes.MenuTextMessage, base: Inbound) -> Inbound:
        content, menu_id = message.content or "", message.menu_id
        if content == UNSUPPORTED or not content.strip():
            return self._unreadable(base, content.strip() or EMPTY)
        if not menu_id:
            return self._said(base, content)
        # a tap on a message menu gives the leave of a menu, not that of a message
        tapped = replace(base, text=content, window=self._event_window(base))
        if read_button_token(menu_id) is None:
            return tapped
        return replace(tapped, kind=InboundKind.BUTTON, button_token=menu_id)

    def _said(self, base: Inbound, text: str, *, media: tuple[MediaHandle, ...] = ()) -> Inbound:
        return replace(base, text=text, media=media, window=self._message_window(base))

    def _unreadable(self, base: Inbound, text: str) -> Inbound:
        return replace(
            base, text=text.strip(), is_unreadable=True, window=self._message_window(base)
        )

    # ------------------------------------------------------------------ events

    def _event(self, message: Any, base: Inbound, xml: str) -> Inbound:
        name = getattr(message, "event", "")
        if name in _ARRIVALS:
            scene = decoded(getattr(message, "scene_id", None) or "")
            kind = InboundKind.ARRIVAL
            return replace(base, kind=kind, text=scene, window=self._event_window(base))
        if name == "unsubscribe":
            return replace(base, kind=InboundKind.DEPARTURE)
        if name == "click" and message.key:
            said = self.menu.get(message.key, message.key)
            return replace(base, text=said, window=self._event_window(base))
        return replace(base, kind=InboundKind.OTHER, raw=xml.encode())

    # ------------------------------------------------------------------ windows

    def _message_window(self, base: Inbound) -> ReplyWindow:
        return ReplyWindow(
            base.dedup_key,
            expires_at=_at(base) + self.message_window,
            max_replies=self.message_replies,
        )

    def _event_window(self, base: Inbound) -> ReplyWindow:
        """Beside what is left of the last message's: an event does not end that."""
        return ReplyWindow(
            base.dedup_key,
            expires_at=_at(base) + self.event_window,
            max_replies=self.event_replies,
            replaces=False,
        )


def _at(base: Inbound) -> datetime:
    return base.platform_time or base.received_at


def _message_id(message: Any) -> int:
    # 64 bits, says the platform; what is longer is no number of its
    return message.id if isinstance(message.id, int) and 0 <= message.id < 2**63 else 0


def _dedup_key(message: Any, xml: str) -> str:
    """Equal over redeliveries: the message's id, or of an event who, when and what."""
    number = _message_id(message)
    if message.type != "event" and number > 0:
        return f"m:{number}"
    name = getattr(message, "event", "") or message.type
    about = getattr(message, "key", None) or getattr(message, "scene_id", None) or ""
    if not _is_event(message) or message.type == "unknown":
        about = xml  # a message without a number, or an event that nobody knows
    digest = hashlib.sha256(str(about).encode(errors="replace")).hexdigest()[:12]
    return f"e:{message.source[:64]}:{message.time}:{name[:40]}:{digest}"


def _is_event(message: Any) -> bool:
    # an event or a message that wechatpy does not know: both are "unknown" there
    named = str(_fields(message).get("MsgType") or "").lower()
    return message.type == "event" or (message.type == "unknown" and named == "event")


def _fields(message: Any) -> Mapping[str, Any]:
    found = getattr(message, "_data", None)
    return found if isinstance(found, Mapping) else {}


def _kind(message: Any) -> str:
    return "video" if message.type == "shortvideo" else str(message.type)


def _media(message: Any) -> MediaHandle:
    kind = _kind(message)
    handle = {"media_id": message.media_id}
    picture = getattr(message, "image", None)
    if picture:
        handle["url"] = picture
    return MediaHandle(kind, handle, mime=_MIME[kind])


__all__ = ["UNSUPPORTED", "Mapper"]
