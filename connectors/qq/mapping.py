"""From QQ's events to what happened. Pure.

Source: QQ bot documentation, "事件"; ``mentions``, ``message_type`` and the voice fields as in
Tencent's qqbot-nodejs SDK (2026).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from connectors.kit.payload import (
    MAX_KEY_CHARS,
    bounded_name,
    clean,
    decoded,
    fingerprint,
    id_of,
    present,
)
from connectors.messages import (
    Address,
    ChannelRef,
    Inbound,
    InboundKind,
    PeerKind,
    ReplyWindow,
)
from connectors.qq.content import media_of, quoted_of, stand_in, transcript_of
from connectors.qq.text import faces_as_emoji, without_mention
from connectors.qq.webhook import Envelope

GROUP_MENTION = "GROUP_AT_MESSAGE_CREATE"
PRESS = "INTERACTION_CREATE"

_MESSAGE_BUTTON = 11
_MILLISECONDS_FROM = 10**11
_UNREADABLE = "[看不到的消息]"
_REJECTED = "QQ 的人工审核没有通过这条消息"

_REMOVED = "顾客删除了机器人，暂时发不出消息"
_REMOVED_FROM_GROUP = "机器人被移出了这个群，暂时发不出消息"


@dataclass(frozen=True, slots=True)
class Windows:
    """How long and how often may be replied, in a private chat or in a group."""

    private: timedelta
    private_replies: int
    group: timedelta
    group_replies: int

    def opened(
        self, kind: PeerKind, key: str, data: Mapping[str, str], at: datetime
    ) -> ReplyWindow:
        """The window that something opened; each has replies of its own."""
        is_group = kind is PeerKind.GROUP
        return ReplyWindow(
            key=key,
            data=data,
            expires_at=at + (self.group if is_group else self.private),
            max_replies=self.group_replies if is_group else self.private_replies,
            replaces=False,
        )


class Mapper:
    """Reads events of one bot.

    Args:
        audited: The unit and the address of a message that waits for a review, by audit id.
    """

    def __init__(
        self,
        ref: ChannelRef,
        windows: Windows,
        audited: Callable[[str], tuple[str, Address] | None],
    ) -> None:
        self._ref = ref
        self._windows = windows
        self._audited = audited

    def inbound(self, envelope: Envelope, now: datetime) -> Inbound | None:
        """What happened; ``None`` for what is not meant for us: chatter of a group, other bots."""
        match envelope.kind:
            case "C2C_MESSAGE_CREATE":
                if _is_of_bot(envelope):
                    return None
                found = self._private_message(envelope, now)
            case "GROUP_AT_MESSAGE_CREATE" | "GROUP_MESSAGE_CREATE":
                if not _is_for_us(envelope):
                    return None
                found = self._group_message(envelope, now)
            case "INTERACTION_CREATE":
                found = self._press(envelope, now)
            case "FRIEND_ADD" | "FRIEND_DEL" | "C2C_MSG_REJECT" | "C2C_MSG_RECEIVE":
                found = self._friend(envelope, now)
            case "GROUP_ADD_ROBOT" | "GROUP_DEL_ROBOT" | "GROUP_MSG_REJECT" | "GROUP_MSG_RECEIVE":
                found = self._group_change(envelope, now)
            case "MESSAGE_AUDIT_REJECT":
                found = self._rejected(envelope, now)
            case _:
                found = None
        return found or self._other(envelope, now)

    # ------------------------------------------------------------------ messages

    def _private_message(self, envelope: Envelope, now: datetime) -> Inbound | None:
        user = _text(envelope.data, "author", "user_openid")
        return self._message(envelope, now, self._private(user), lambda text: text)

    def _group_message(self, envelope: Envelope, now: datetime) -> Inbound | None:
        d = envelope.data
        group, member = _text(d, "group_openid"), _text(d, "author", "member_openid")
        names = _names(d)
        address = self._group(group, member)
        return self._message(envelope, now, address, lambda text: without_mention(text, names))

    def _message(
        self,
        envelope: Envelope,
        now: datetime,
        address: Address | None,
        readable: Callable[[str], str],
    ) -> Inbound | None:
        d = present(envelope.data)
        message_id = _text(d, "id")
        if address is None:
            return None
        at, media = _when(d, now), media_of(d)
        text = faces_as_emoji(readable(_text(d, "content"))).strip()
        transcript = transcript_of(d)
        text = "\n".join(one for one in (text, transcript) if one)
        described = stand_in(d)
        is_unreadable = not text and (described is not None or not media)
        if address.kind is PeerKind.GROUP and described is None and not media:
            is_unreadable = False  # who only calls us need not say more
        elif not text and described is None and not media:
            described = _UNREADABLE
        text = clean(" ".join(one for one in (text, described) if one))
        # without a name of its own it cannot be answered at once, but it is seen
        key = _key("m", message_id or envelope.id or fingerprint(envelope.data))
        data = {"msg_id": message_id}
        return Inbound(
            dedup_key=key,
            address=address,
            received_at=now,
            text=text,
            quoted=faces_as_emoji(clean(quoted_of(d))),
            is_unreadable=is_unreadable,
            media=media,
            person_name=_text(d, "author", "username") or None,
            window=self._windows.opened(address.kind, key, data, at) if message_id else None,
            order_hint=_order(at),
            platform_time=at,
        )

    # ------------------------------------------------------------------ events

    def _press(self, envelope: Envelope, now: datetime) -> Inbound | None:
        d = envelope.data
        address = self._private(_text(d, "user_openid")) or self._group(
            _text(d, "group_openid"), _text(d, "group_member_openid")
        )
        token = _text(d, "data", "resolved", "button_data")
        if address is None or not token or d.get("type") != _MESSAGE_BUTTON:
            return None
        event = self._event(envelope, now, address, InboundKind.BUTTON)
        return replace(event, button_token=token)

    def _friend(self, envelope: Envelope, now: datetime) -> Inbound | None:
        address = self._private(_text(envelope.data, "openid"))
        if address is None:
            return None
        match envelope.kind:
            case "FRIEND_ADD":
                event = self._event(envelope, now, address, InboundKind.ARRIVAL)
                return replace(event, text=decoded(_text(envelope.data, "scene_param")))
            case "FRIEND_DEL":
                event = self._event(envelope, now, address, InboundKind.DEPARTURE)
                return replace(event, window=None, detail=_REMOVED)
            case "C2C_MSG_RECEIVE":
                return self._event(envelope, now, address, InboundKind.OTHER)
        # refused are messages without a question only; answers still arrive
        return replace(self._event(envelope, now, address, InboundKind.OTHER), window=None)

    def _group_change(self, envelope: Envelope, now: datetime) -> Inbound | None:
        d = envelope.data
        address = self._group(_text(d, "group_openid"), _text(d, "op_member_openid"))
        if address is None:
            return None
        match envelope.kind:
            case "GROUP_ADD_ROBOT":
                return self._event(envelope, now, address, InboundKind.ARRIVAL)
            case "GROUP_DEL_ROBOT":
                event = self._event(envelope, now, address, InboundKind.DEPARTURE)
                return replace(event, window=None, detail=_REMOVED_FROM_GROUP)
            case "GROUP_MSG_RECEIVE":
                return self._event(envelope, now, address, InboundKind.OTHER)
        return replace(self._event(envelope, now, address, InboundKind.OTHER), window=None)

    def _rejected(self, envelope: Envelope, now: datetime) -> Inbound | None:
        waiting = self._audited(_text(envelope.data, "audit_id"))
        if waiting is None:
            return None
        unit_id, address = waiting
        event = self._event(envelope, now, address, InboundKind.DELIVERY_FAILED)
        return replace(event, window=None, reference=unit_id, detail=_REJECTED, raw=None)

    def _other(self, envelope: Envelope, now: datetime) -> Inbound:
        nobody = Address(self._ref, "", "")
        return replace(self._event(envelope, now, nobody, InboundKind.OTHER), window=None)

    def _event(
        self, envelope: Envelope, now: datetime, address: Address, kind: InboundKind
    ) -> Inbound:
        key = _key("e", envelope.id or sha256(envelope.raw).hexdigest())
        at = _when(envelope.data, now)
        window = None
        if envelope.id:
            data = {"event_id": envelope.id}
            window = self._windows.opened(address.kind, key, data, at)
        return Inbound(
            dedup_key=key,
            address=address,
            received_at=now,
            kind=kind,
            window=window,
            order_hint=_order(at),
            platform_time=at,
            raw=envelope.raw if kind is InboundKind.OTHER else None,
        )

    # ------------------------------------------------------------------ addresses

    def _private(self, user: str) -> Address | None:
        return Address(self._ref, user, user) if id_of(user) else None

    def _group(self, group: str, member: str) -> Address | None:
        if not id_of(group) or not id_of(member):
            return None
        return Address(self._ref, group, member, PeerKind.GROUP)


def _is_of_bot(envelope: Envelope) -> bool:
    author = envelope.data.get("author")
    return isinstance(author, dict) and author.get("bot") is True


def _is_for_us(envelope: Envelope) -> bool:
    if _is_of_bot(envelope):
        return False
    return envelope.kind == GROUP_MENTION or None in _names(envelope.data).values()


def _names(d: Mapping[str, Any]) -> dict[str, str | None]:
    """Who is mentioned, by id; ``None`` is the bot itself."""
    names: dict[str, str | None] = {}
    mentions = d.get("mentions")
    for one in mentions if isinstance(mentions, list) else []:
        if not isinstance(one, dict):
            continue
        name = None if one.get("is_you") is True else _text(one, "username") or "群友"
        for field in ("id", "member_openid", "user_openid"):
            if _text(one, field):
                names[_text(one, field)] = name
    return names


def _text(d: Any, *path: str) -> str:
    """A text somewhere in it; empty where there is none."""
    for name in path:
        d = d.get(name) if isinstance(d, dict) else None
    if not isinstance(d, str):
        return ""
    # half of a character, as JSON may hold it, can be neither stored nor sent
    return clean(d.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _key(prefix: str, name: str) -> str:
    return bounded_name(f"{prefix}:{name}", MAX_KEY_CHARS)


def _when(d: Mapping[str, Any], now: datetime) -> datetime:
    """When it happened, never later than now: messages have a text, events seconds."""
    found = d.get("timestamp")
    try:
        if isinstance(found, int) or (isinstance(found, str) and found.isdecimal()):
            seconds = int(found)
            at = datetime.fromtimestamp(
                seconds / 1000 if seconds > _MILLISECONDS_FROM else seconds, UTC
            )
        else:
            at = datetime.fromisoformat(str(found))
    except (ValueError, OverflowError, OSError):
        return now
    return min(at.astimezone(UTC), now) if at.tzinfo is not None else now


def _order(at: datetime) -> str:
    return f"{int(at.timestamp()):012d}"


__all__ = ["Mapper", "Windows"]
