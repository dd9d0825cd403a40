"""From units to what QQ's API takes. Pure.

Source: QQ bot documentation, "发送单聊消息", "消息按钮", "单聊富媒体上传" (September 2026).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import WindowClosed
from connectors.messages import Attachment, PeerKind, Unit
from connectors.qq.text import as_markdown, inert, mention

MAX_ROWS = MAX_COLUMNS = 5
MAX_BUTTONS = MAX_ROWS * MAX_COLUMNS

_TEXT, _MARKDOWN, _MEDIA = 0, 2, 7
_IMAGE, _VIDEO, _FILE = 1, 2, 4
_PICTURES = frozenset({"image/png", "image/jpeg"})
_EVERYBODY, _CALLBACK = 2, 1
_OLD_APP = "请升级 QQ，或者直接回复文字"


def reply_to(unit: Unit) -> dict[str, Any]:
    """Which message or event is answered, and the how-manieth answer it is.

    Raises:
        WindowClosed: None is.
    """
    grant = unit.grant
    named = {} if grant is None else {key: grant.data.get(key) for key in ("msg_id", "event_id")}
    found = {key: value for key, value in named.items() if value}
    if grant is None or not found:
        raise WindowClosed("no_window", "nothing to answer")
    return {**found, "msg_seq": grant.number}


def text_body(unit: Unit, *, mentions: bool) -> dict[str, Any]:
    """A text, with buttons where the unit has them.

    Args:
        mentions: In a group, say whom it is for.
    """
    text, to = inert(unit.text), ""
    if mentions and unit.address.kind is PeerKind.GROUP and unit.id.endswith("-0"):
        to = mention(unit.address.user_id)
    if not unit.buttons:
        return {"msg_type": _TEXT, "content": to + text, **reply_to(unit)}
    return {
        "msg_type": _MARKDOWN,
        "markdown": {"content": to + as_markdown(text)},
        "keyboard": {"content": {"rows": _rows(unit.buttons)}},
        **reply_to(unit),
    }


def media_body(unit: Unit, file_info: str) -> dict[str, Any]:
    """A file that was handed over before."""
    # a blank: the documentation wants something there
    return {
        "msg_type": _MEDIA,
        "content": " ",
        "media": {"file_info": file_info},
        **reply_to(unit),
    }


def upload_body(attachment: Attachment, content: bytes | None, link: str | None) -> dict[str, Any]:
    """A file to hand over, by its content or by where QQ finds it."""
    body: dict[str, Any] = {"file_type": _file_type(attachment), "srv_send_msg": False}
    if attachment.name:
        body["file_name"] = attachment.name
    if link is not None:
        return {**body, "url": link}
    return {**body, "file_data": base64.b64encode(content or b"").decode()}


def _file_type(attachment: Attachment) -> int:
    if attachment.mime in _PICTURES:
        return _IMAGE
    return _VIDEO if attachment.mime == "video/mp4" else _FILE


def _rows(buttons: Sequence[tuple[str, str]]) -> list[Mapping[str, Any]]:
    """One below the other while there is room, else side by side."""
    columns = -(-len(buttons) // MAX_ROWS)
    drawn = [_button(place, token, label) for place, (token, label) in enumerate(buttons)]
    return [{"buttons": drawn[start : start + columns]} for start in range(0, len(drawn), columns)]


def _button(place: int, token: str, label: str) -> Mapping[str, Any]:
    return {
        "id": str(place),
        "render_data": {"label": label, "visited_label": label, "style": 1},
        "action": {
            "type": _CALLBACK,
            "permission": {"type": _EVERYBODY},
            "data": token,
            "unsupport_tips": _OLD_APP,
        },
    }


__all__ = ["MAX_BUTTONS", "media_body", "reply_to", "text_body", "upload_body"]
