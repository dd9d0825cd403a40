"""Payloads as the platform pushes them. Pure.

Source: QQ bot documentation, "事件"; ``mentions``, ``message_scene`` and the voice fields as in
Tencent's qqbot-nodejs SDK.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from devkit.qq.rules import GROUPS, USERS
from devkit.qq.state import Peer

CHINA = timezone(timedelta(hours=8))

Json = dict[str, Any]


def envelope(kind: str, event_id: str, d: Mapping[str, Any], number: int) -> Json:
    """Around every event."""
    return {"op": 0, "s": number, "t": kind, "id": event_id, "d": d}


def rfc3339(at: datetime) -> str:
    """As messages are dated: in China, to the second."""
    return at.astimezone(CHINA).isoformat(timespec="seconds")


def c2c_message(
    message_id: str, user: str, text: str, at: datetime, attachments: Sequence[Json] = ()
) -> Json:
    """A customer writes to the bot."""
    return {
        "id": message_id,
        "author": {"id": user, "user_openid": user, "union_openid": user},
        "content": text,
        "timestamp": rfc3339(at),
        "message_scene": {"source": "default", "ext": [f"msg_idx=REFIDX_{message_id[-12:]}=="]},
        "message_type": 0,
        **({"attachments": list(attachments)} if attachments else {}),
    }


def group_message(
    message_id: str, group: str, member: str, text: str, at: datetime, *, bot: str, mentions: bool
) -> Json:
    """A member writes in a group; a mention of the bot stands in ``mentions``."""
    you = {"id": bot, "member_openid": bot, "username": "点卡小助手", "bot": True, "is_you": True}
    return {
        "id": message_id,
        "author": {"id": member, "member_openid": member, "username": "群友", "bot": False},
        "content": f" {text}" if mentions else text,
        "group_id": group,
        "group_openid": group,
        "timestamp": rfc3339(at),
        "message_scene": {"source": "default", "ext": []},
        "message_type": 0,
        "mentions": [you] if mentions else [],
    }


def attachment(mime: str, name: str, size: int, url: str, transcript: str = "") -> Json:
    """A file of a message; the address may come without its scheme."""
    found: Json = {"content_type": mime, "filename": name, "size": size, "url": url}
    if mime.startswith("image/"):
        found |= {"width": 4, "height": 3}
    if mime == "voice":
        found |= {"voice_wav_url": url, "asr_refer_text": transcript}
    return found


def friend(user: str, at: datetime, payload: str = "") -> Json:
    """FRIEND_ADD, FRIEND_DEL, C2C_MSG_REJECT, C2C_MSG_RECEIVE."""
    found: Json = {"openid": user, "timestamp": int(at.timestamp())}
    if payload:
        found |= {"scene": 1001, "scene_param": payload}
    return found


def group_change(group: str, member: str, at: datetime) -> Json:
    """GROUP_ADD_ROBOT, GROUP_DEL_ROBOT, GROUP_MSG_REJECT, GROUP_MSG_RECEIVE."""
    return {
        "group_openid": group,
        "op_member_openid": member,
        "timestamp": int(at.timestamp()),
    }


def press(
    interaction_id: str, peer: Peer, user: str, button: Json, at: datetime, *, app_id: str
) -> Json:
    """A customer presses a callback button."""
    where: Json = {
        USERS: {"scene": "c2c", "chat_type": 2, "user_openid": user},
        GROUPS: {
            "scene": "group",
            "chat_type": 1,
            "group_openid": peer[1],
            "group_member_openid": user,
        },
    }[peer[0]]
    resolved = {"button_data": button["action"]["data"], "button_id": button["id"]}
    return {
        "id": interaction_id,
        "application_id": app_id,
        "type": 11,
        "timestamp": rfc3339(at),
        "version": 1,
        "data": {"type": 11, "resolved": resolved},
        **where,
    }


def audit(audit_id: str, message_id: str, at: datetime) -> Json:
    """MESSAGE_AUDIT_PASS (with the message's id), MESSAGE_AUDIT_REJECT."""
    return {
        "audit_id": audit_id,
        "message_id": message_id,
        "audit_time": rfc3339(at),
        "create_time": rfc3339(at),
    }
