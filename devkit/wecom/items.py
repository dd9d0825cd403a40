"""Builds what sync_msg returns, shaped as the platform shapes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

CUSTOMER, SYSTEM, PERSON = 3, 4, 5
"""origin: who an entry comes from."""


def message(
    open_kfid: str, external_userid: str, *, msgid: str, at: datetime, kind: str, part: Any
) -> dict[str, Any]:
    """Something that a customer sent."""
    return {
        "msgid": msgid,
        "open_kfid": open_kfid,
        "external_userid": external_userid,
        "send_time": int(at.timestamp()),
        "origin": CUSTOMER,
        "msgtype": kind,
        kind: part,
    }


def native(
    open_kfid: str, external_userid: str, *, msgid: str, at: datetime, servicer: str, text: str
) -> dict[str, Any]:
    """Something that a person of the shop wrote in WeCom."""
    item = message(
        open_kfid, external_userid, msgid=msgid, at=at, kind="text", part={"content": text}
    )
    return {**item, "origin": PERSON, "servicer_userid": servicer}


def event(
    open_kfid: str, external_userid: str, *, msgid: str, at: datetime, kind: str, **fields: Any
) -> dict[str, Any]:
    """Something that happened; whom it is about stands inside of it."""
    about = {"event_type": kind, "open_kfid": open_kfid, "external_userid": external_userid}
    return {
        "msgid": msgid,
        "send_time": int(at.timestamp()),
        "origin": SYSTEM,
        "msgtype": "event",
        "event": {**about, **fields},
    }


__all__ = ["CUSTOMER", "PERSON", "SYSTEM", "event", "message", "native"]
