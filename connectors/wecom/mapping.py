"""From an entry of the log that sync_msg reads to what happened, channel-neutral. Pure.

Source: 接收消息和事件 (94670).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.kit.payload import bounded_name, clean, decoded, id_of, present
from connectors.kit.standins import EMPTY, FILE_NAMES, standin
from connectors.messages import (
    BUTTON_PREFIX,
    Address,
    ChannelRef,
    Inbound,
    InboundKind,
    MediaHandle,
    ReplyWindow,
)
from connectors.wecom import codes
from connectors.wecom.cards import described

WELCOME_CODE = "welcome_code"
_CUSTOMER, _PERSON = 3, 5
"""``origin``: who spoke; what the system writes itself is nobody's message."""
_WECOM = "企业微信"
_SESSION, _ENDED = "session_status_change", 3
_MAX_KEY_CHARS = 150


@dataclass(frozen=True, slots=True)
class Mapper:
    """Maps the entries of one account.

    Attributes:
        replies_per_message: How many sends a customer's message allows, within ``window``.
        welcome: How long after entering a welcome can be said.
    """

    ref: ChannelRef
    open_kfid: str
    window: timedelta
    replies_per_message: int
    welcome: timedelta

    def inbounds(self, item: Mapping[str, Any], received_at: datetime) -> tuple[Inbound, ...]:
        """What an entry says, in order; empty for another account's.

        Whatever is not understood comes as ``OTHER``: no entry may keep back those behind it.
        """
        try:
            found = self._mapped(present(item), received_at)
        except (AttributeError, KeyError, OSError, OverflowError, TypeError, ValueError):
            # OSError: a time that no calendar has
            found = None
        return (self._other(item, received_at),) if found is None else found

    def _mapped(self, item: Mapping[str, Any], received_at: datetime) -> tuple[Inbound, ...] | None:
        """What an entry says; ``None`` where nobody understands it."""
        event = item["event"] if item["msgtype"] == "event" else item
        # an event of the account itself, such as a new person on duty, has no customer
        if event.get("open_kfid", self.open_kfid) != self.open_kfid:
            return ()
        customer = id_of(event.get("external_userid"))
        about: dict[str, Any] = {
            "dedup_key": _key(item),
            "address": self._address(customer),
            "received_at": received_at,
            "platform_time": _time(item),
        }
        if not customer:
            return None
        if event is item:
            is_spoken = item.get("origin", _CUSTOMER) in {_CUSTOMER, _PERSON}
            return (self._message(item, about),) if is_spoken else None
        return self._event(item, about) or None

    # ------------------------------------------------------------------ messages

    def _message(self, item: Mapping[str, Any], about: dict[str, Any]) -> Inbound:
        kind = item["msgtype"]
        part = item.get(kind, {})
        said: dict[str, Any] = {}
        if kind == "text":
            said = {"text": clean(part.get("content", ""))}
            if not said["text"].strip():
                said = {"text": EMPTY, "is_unreadable": True}
        elif kind in FILE_NAMES and part.get("media_id"):
            handle = {"media_id": part["media_id"]}
            said["media"] = (MediaHandle(kind, handle, name=clean(str(part.get("filename", "")))),)
        else:
            said["text"], said["is_unreadable"] = described(kind, part), True
        if item.get("origin") == _PERSON:
            text = said.get("text") or standin(FILE_NAMES[kind])
            return Inbound(**about, text=text, kind=InboundKind.NATIVE_REPLY, detail=_WECOM)
        token = clean(part.get("menu_id", "")) if kind == "text" else ""
        if token.startswith(BUTTON_PREFIX):
            said |= {"kind": InboundKind.BUTTON, "button_token": token}
        return Inbound(**about, **said, window=self._window(about))

    def _window(self, about: Mapping[str, Any]) -> ReplyWindow:
        """Every word of the customer, and every press, fills the budget anew."""
        return ReplyWindow(
            about["dedup_key"],
            expires_at=about["platform_time"] + self.window,
            max_replies=self.replies_per_message,
        )

    # ------------------------------------------------------------------ events

    def _event(self, item: Mapping[str, Any], about: dict[str, Any]) -> tuple[Inbound, ...]:
        event = item["event"]
        match event["event_type"]:
            case "enter_session" if event.get(WELCOME_CODE):
                return (self._arrival(event, about),)
            case "msg_send_fail":
                return _failures(event, about)
            case "user_recall_msg":
                about["reference"] = clean(str(event["recall_msgid"]))
                return (Inbound(**about, kind=InboundKind.RECALL),)
            case event_type if event_type == _SESSION and event["change_type"] == _ENDED:
                return (Inbound(**about, kind=InboundKind.NATIVE_END),)
            case event_type if event_type == _SESSION:
                # taken from the pool, handed on, taken up again: a person has it, and while they
                # do, the API may not send
                about |= {"text": "（接待了这位顾客）", "detail": _WECOM}
                return (Inbound(**about, kind=InboundKind.NATIVE_REPLY),)
        return ()

    def _arrival(self, event: Mapping[str, Any], about: dict[str, Any]) -> Inbound:
        """Only whoever may be welcomed arrives; others open the chat once more."""
        window = ReplyWindow(
            about["dedup_key"],
            data={WELCOME_CODE: event[WELCOME_CODE]},
            expires_at=about["platform_time"] + self.welcome,
            max_replies=1,
            replaces=False,
        )
        text = decoded(clean(str(event.get("scene_param") or "")))
        return Inbound(**about, kind=InboundKind.ARRIVAL, text=text, window=window)

    def _other(self, item: Mapping[str, Any], received_at: datetime) -> Inbound:
        raw = json.dumps(item).encode()
        address = self._address("")
        return Inbound(_key(item), address, received_at, kind=InboundKind.OTHER, raw=raw)

    def _address(self, customer: str) -> Address:
        return Address(self.ref, peer_id=customer, user_id=customer)


def send_time(item: Mapping[str, Any]) -> int:
    """When an entry came to be, in seconds since 1970; 0 where it does not say."""
    at = item.get("send_time")
    return at if isinstance(at, int) else 0


def sessions(items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return each customer's last change of session: a person may have them at this moment."""
    last: dict[str, Mapping[str, Any]] = {}
    for item in items:
        event = item.get("event")
        if isinstance(event, Mapping) and event.get("event_type") == _SESSION:
            last[str(event.get("external_userid"))] = item
    return list(last.values())


def _failures(event: Mapping[str, Any], about: dict[str, Any]) -> tuple[Inbound, ...]:
    fail_type = event.get("fail_type")
    reason = codes.FAIL_REASONS.get(fail_type or 0, f"未知原因（{fail_type}）")
    failed = Inbound(
        **about,
        kind=InboundKind.DELIVERY_FAILED,
        reference=clean(str(event["fail_msgid"])),
        detail=clean(reason),
    )
    if fail_type != codes.REFUSED:
        return (failed,)
    about["dedup_key"] += ":left"
    why = "顾客在微信里拒收了消息，等顾客再说话才能发"
    return (failed, Inbound(**about, kind=InboundKind.DEPARTURE, detail=why))


def _time(item: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(item["send_time"], UTC)


def _key(item: Mapping[str, Any]) -> str:
    msgid = item.get("msgid")
    if isinstance(msgid, str) and msgid:
        return bounded_name(msgid, _MAX_KEY_CHARS)
    # what has no name is told by its content, which stays as it is
    return hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()


__all__ = ["WELCOME_CODE", "Mapper", "send_time", "sessions"]
