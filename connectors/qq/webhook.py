"""What QQ posts to our address, read and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.errors import BadWebhook
from connectors.qq.signing import SIGNATURE_HEADER, Signatures

DISPATCH, HEARTBEAT, HEARTBEAT_ACK, CALLBACK_ACK, URL_CHECK = 0, 1, 11, 12, 13
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Envelope:
    """One push, whatever is in it.

    Attributes:
        kind: The event's kind; empty for what is no event.
        id: The event's own id, which replies to events name; empty where there is none.
        d: What happened.
        raw: The body as it came.
    """

    op: int
    kind: str
    id: str
    d: Any = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def data(self) -> Mapping[str, Any]:
        """``d`` where it is an object; else nothing."""
        return self.d if isinstance(self.d, dict) else {}


class Door:
    """Lets in what QQ signed.

    The documentation shows the check of the address (op 13) without a signature, while Tencent's
    own SDK asks for one. So one without is answered only until the first signed event has come:
    while the owner is setting the bot up.
    """

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures
        self.is_settled = False

    def admit(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Envelope:
        """A push that is QQ's, or a check of the address that may be answered.

        Raises:
            BadWebhook: 400 for what nobody can read, 401 for what is not QQ's.
        """
        if SIGNATURE_HEADER in headers:
            self._signatures.verify(headers, body, now)
            envelope = read_envelope(body)
            self.is_settled = self.is_settled or envelope.op == DISPATCH
            return envelope
        envelope = read_envelope(body)
        if envelope.op != URL_CHECK or self.is_settled:
            raise BadWebhook(401, "no signature")
        return envelope

    def proof(
        self, headers: Mapping[str, str], envelope: Envelope, now: datetime
    ) -> dict[str, str]:
        """The answer to a check of the address.

        Raises:
            BadWebhook: Nothing that should be signed.
        """
        d = envelope.data
        return self._signatures.proof(headers, d.get("plain_token"), d.get("event_ts"), now)


def read_envelope(body: bytes) -> Envelope:
    """Raises ``BadWebhook`` (400) for what is no envelope."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise BadWebhook(400, "no JSON") from None
    if not isinstance(found, dict) or type(found.get("op")) is not int:
        raise BadWebhook(400, "no envelope")
    kind, event_id = found.get("t"), found.get("id")
    return Envelope(
        op=found["op"],
        kind=kind if isinstance(kind, str) else "",
        id=event_id if isinstance(event_id, str) else "",
        d=found.get("d"),
        raw=body,
    )


__all__ = [
    "CALLBACK_ACK",
    "DISPATCH",
    "HEARTBEAT",
    "HEARTBEAT_ACK",
    "URL_CHECK",
    "Door",
    "Envelope",
    "read_envelope",
]
