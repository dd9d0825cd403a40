"""From OneBot events to channel-neutral messages. Pure.

Source: OneBot 11 standard, "消息事件", "通知事件", "元事件"; NapCatQQ for ``message_sent``,
``target_id`` and ``bot_offline``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from connectors.kit.payload import (
    MAX_KEY_CHARS,
    MAX_NAME_CHARS,
    bounded_name,
    clean,
    fingerprint,
    id_of,
    present,
)
from connectors.kit.standins import FILE_NAMES, standin
from connectors.messages import (
    Address,
    ChannelRef,
    Inbound,
    InboundKind,
    PeerKind,
)
from connectors.onebot import segments
from connectors.onebot.content import content
from connectors.onebot.segments import Segment

TEMPORARY = "@"
"""Joins a member and the group through which a temporary session reaches them, in a peer id."""
_MAX_RAW = 20_000


@dataclass(frozen=True, slots=True)
class Mapper:
    """Reads events of one account.

    Attributes:
        is_ours: Whether a message id, or a text to a peer, is of our own sending.
    """

    ref: ChannelRef
    self_id: str
    is_ours: Callable[[str, str, str], bool]

    def inbound(self, event: Mapping[str, Any], now: datetime) -> Inbound | None:
        """What an event is to the shop; ``None`` for what concerns nobody."""
        told = present(event)
        match told.get("post_type"):
            case "message":
                return self._message(told, now)
            case "message_sent":
                return self._native(told, now)
            case "notice":
                return self._notice(told, now)
            case _:
                return self._other(event, now)

    # ------------------------------------------------------------------ messages

    def _message(self, event: Mapping[str, Any], now: datetime) -> Inbound | None:
        user_id = id_of(event.get("user_id"))
        if not user_id or user_id == self.self_id or _is_nobody(event):
            return None
        parts = _parts(event)
        is_group = event.get("message_type") == "group"
        if is_group and not self._is_meant(parts):
            return None
        address = self._address(event, user_id, is_group=is_group)
        if not address.peer_id:
            return None
        where = {"group_id": address.peer_id} if is_group else {"user_id": user_id}
        found = content(parts, self.self_id, where)
        kind = event.get("message_type") or "private"
        key = f"{kind}:{address.peer_id}:{_named(event, now)}"
        return Inbound(
            dedup_key=bounded_name(key, MAX_KEY_CHARS),
            address=address,
            received_at=now,
            text=found.text,
            is_unreadable=found.is_unreadable,
            reference=found.reply_to and bounded_name(found.reply_to, MAX_KEY_CHARS),
            media=found.media,
            person_name=_name(event.get("sender")),
            platform_time=_time(event.get("time")),
        )

    def _address(self, event: Mapping[str, Any], user_id: str, *, is_group: bool) -> Address:
        if is_group:
            return Address(self.ref, id_of(event.get("group_id")), user_id, PeerKind.GROUP)
        sender = event.get("sender")
        group = event.get("group_id") or (
            sender.get("group_id") if isinstance(sender, Mapping) else None
        )
        if event.get("sub_type") == "group" and group:
            # not a friend: only through the group that we share
            return Address(self.ref, id_of(f"{user_id}{TEMPORARY}{id_of(group)}"), user_id)
        return Address(self.ref, user_id, user_id)

    def _is_meant(self, parts: Sequence[Segment]) -> bool:
        """Mentioned, or answered to what we said; ``@全体成员`` is nobody in particular."""
        return any(
            (part.type == "at" and part.get("qq") == self.self_id)
            or (part.type == "reply" and self.is_ours(part.get("id"), "", ""))
            for part in parts
        )

    def _native(self, event: Mapping[str, Any], now: datetime) -> Inbound | None:
        """Something was said from the phone that is logged in as well."""
        peer_id = id_of(event.get("target_id"))
        if event.get("message_type") != "private" or not peer_id or peer_id == self.self_id:
            return None
        found = content(_parts(event), self.self_id)
        words = found.text or "".join(standin(FILE_NAMES[one.kind]) for one in found.media)
        message_id = _id(event.get("message_id"))
        if self.is_ours(message_id, peer_id, words):
            return None
        return Inbound(
            dedup_key=bounded_name(f"sent:{peer_id}:{_named(event, now)}", MAX_KEY_CHARS),
            address=Address(self.ref, peer_id, peer_id),
            received_at=now,
            kind=InboundKind.NATIVE_REPLY,
            text=words,
            detail=" QQ 手机端",
        )

    # ------------------------------------------------------------------ the rest

    def _notice(self, event: Mapping[str, Any], now: datetime) -> Inbound | None:
        if event.get("notice_type") == "offline_file":
            return self._message({**event, "message": _told_file(event.get("file"))}, now)
        kinds = {"friend_add": InboundKind.ARRIVAL, "friend_recall": InboundKind.RECALL}
        kind = kinds.get(str(event.get("notice_type")))
        user_id = id_of(event.get("user_id"))
        if kind is None or not user_id:
            return self._other(event, now)
        about = _id(event.get("message_id")) or user_id
        return Inbound(
            dedup_key=bounded_name(f"{kind.value}:{about}:{_second(event, now)}", MAX_KEY_CHARS),
            address=Address(self.ref, user_id, user_id),
            received_at=now,
            kind=kind,
            platform_time=_time(event.get("time")),
        )

    def _other(self, event: Mapping[str, Any], now: datetime) -> Inbound:
        # ASCII: half a surrogate pair can be written no other way
        raw = json.dumps(event, sort_keys=True, default=str)
        return Inbound(
            dedup_key=f"other:{sha256(raw.encode()).hexdigest()}",
            address=Address(self.ref, "", ""),
            received_at=now,
            kind=InboundKind.OTHER,
            raw=raw[:_MAX_RAW].encode(),
        )


def _parts(event: Mapping[str, Any]) -> tuple[Segment, ...]:
    return segments.read(event.get("message")) or segments.read(event.get("raw_message"))


def line_of(event: Mapping[str, Any]) -> str:
    """Return a message as one line, its files by name: for one that is quoted."""
    found = content(_parts(present(event)), "")
    files = [standin(FILE_NAMES[one.kind]) for one in found.media]
    return " ".join(one for one in (*files, found.text) if one)


def _is_nobody(event: Mapping[str, Any]) -> bool:
    """Tell whether no person can be answered: anonymous in a group, or the group's own notice."""
    return "anonymous" in event or str(event.get("sub_type")) in {"anonymous", "notice"}


def _named(event: Mapping[str, Any], now: datetime) -> str:
    """Return a message's own name; of one without a number its content tells it from others.

    Nothing is delivered again, but two connections may report the same at once: without a time
    either, the second it came in stands for it.
    """
    number = _id(event.get("message_id"))
    said = event.get("message") or event.get("raw_message")
    return f"{number or fingerprint(said)}:{_second(event, now)}"


def _second(event: Mapping[str, Any], now: datetime) -> str:
    return _id(event.get("time")) or str(int(now.timestamp()))


def _told_file(file: object) -> list[dict[str, Any]]:
    """A file that is told by a notice (go-cqhttp), as the segment that others send."""
    return [{"type": "file", "data": file if isinstance(file, Mapping) else {}}]


def _id(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _name(sender: object) -> str | None:
    if not isinstance(sender, Mapping):
        return None
    name = sender.get("card") or sender.get("nickname")
    return clean(name)[:MAX_NAME_CHARS].strip() or None if isinstance(name, str) else None


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(str(value)), UTC)
    except (ValueError, OverflowError, OSError):
        return None
