"""Whether a request is QQ's, and the proof that we know the bot's secret.

One key pair is on both sides: QQ signs what it pushes with it, and asks us to sign something when
the owner saves the callback address (op 13). Who could choose what we sign could forge events:
both are a timestamp followed by a text. So only a token of letters and digits is signed, which can
never be an event, and only for a time that is now.

Source: QQ bot documentation, "安全和授权" and "事件订阅与通知" (September 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from connectors.errors import BadWebhook

SIGNATURE_HEADER = "X-Signature-Ed25519"
TIMESTAMP_HEADER = "X-Signature-Timestamp"
APPID_HEADER = "X-Bot-Appid"

_SEED_BYTES = 32
_HIGH_BITS = 0xE0
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"[0-9a-fA-F]{128}")
_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9]{1,64}")


def seed(secret: str) -> bytes:
    """32 bytes: the secret, repeated until there are enough.

    >>> seed("naOC0ocQE3shWLAfffVLB1rhYPG7")
    b'naOC0ocQE3shWLAfffVLB1rhYPG7naOC'
    """
    raw = secret.encode()
    if not raw:
        raise ValueError("an empty secret")
    return (raw * (_SEED_BYTES // len(raw) + 1))[:_SEED_BYTES]


class Signatures:
    """Checks and makes signatures of one bot.

    Args:
        max_age_s: How far a signed time may be from now, either way.
    """

    def __init__(self, app_id: str, secret: SecretStr, *, max_age_s: float) -> None:
        self._app_id = app_id
        self._key = Ed25519PrivateKey.from_private_bytes(seed(secret.get_secret_value()))
        self._public = self._key.public_key()
        self._max_age_s = max_age_s

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Accept a request that QQ signed, lately, for this bot.

        Raises:
            BadWebhook: 401 for any other.
        """
        self._check_app_id(headers, is_needed=False)
        timestamp = headers.get(TIMESTAMP_HEADER, "")
        if not self._is_recent(timestamp, now):
            raise BadWebhook(401, "no timestamp, or an old one")
        signature = _signature(headers.get(SIGNATURE_HEADER, ""))
        try:
            self._public.verify(signature, timestamp.encode() + body)
        except InvalidSignature:
            raise BadWebhook(401, "the signature is not QQ's") from None

    def proof(
        self, headers: Mapping[str, str], plain_token: object, event_ts: object, now: datetime
    ) -> dict[str, str]:
        """What answers op 13: the token, and our signature over the time and it.

        Raises:
            BadWebhook: 401 for another bot, 403 for anything that should not be signed.
        """
        self._check_app_id(headers, is_needed=True)
        if not isinstance(plain_token, str) or not _PLAIN_TOKEN.fullmatch(plain_token):
            raise BadWebhook(403, "this token is never signed")
        if not isinstance(event_ts, str) or not self._is_recent(event_ts, now):
            raise BadWebhook(403, "only a present time is signed")
        signature = self._key.sign((event_ts + plain_token).encode())
        return {"plain_token": plain_token, "signature": signature.hex()}

    def _check_app_id(self, headers: Mapping[str, str], *, is_needed: bool) -> None:
        named = headers.get(APPID_HEADER)
        if named != self._app_id and (is_needed or named is not None):
            raise BadWebhook(401, "meant for another bot")

    def _is_recent(self, timestamp: str, now: datetime) -> bool:
        if not _TIMESTAMP.fullmatch(timestamp):
            return False
        return abs(int(timestamp) - now.timestamp()) <= self._max_age_s


def _signature(text: str) -> bytes:
    found = bytes.fromhex(text) if _SIGNATURE.fullmatch(text) else b""
    # the documentation asks for both; the second refuses other spellings of a signature
    if not found or found[-1] & _HIGH_BITS:
        raise BadWebhook(401, "the signature has no proper form")
    return found


__all__ = ["APPID_HEADER", "SIGNATURE_HEADER", "TIMESTAMP_HEADER", "Signatures", "seed"]
