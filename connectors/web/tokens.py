"""Visitor tokens: who a browser is, signed by us, so that no table of visitors is needed."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

LIFETIME = timedelta(days=180)
MEDIA_LIFETIME = timedelta(days=1)
"""Pictures show cards as well as words do; a page that may show them gets fresh links."""
_SIGNATURE_CHARS = 43
"""32 bytes of HMAC-SHA256 in URL-safe base64 without padding."""


@dataclass(frozen=True, slots=True)
class VisitorToken:
    """A visitor as a signed token names them."""

    visitor_id: str
    site: str
    expires_at: datetime


class TokenSigner:
    """Makes and checks tokens with one key.

    Args:
        key: 32 secret bytes.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _sign(self, text: str) -> str:
        # JSON and URLs can carry half a character, which UTF-8 has no bytes for
        digest = hmac.digest(self._key, text.encode(errors="surrogatepass"), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def new_visitor(self, site: str, now: datetime) -> tuple[str, VisitorToken]:
        """A visitor nobody has seen before, and their token."""
        return self.renew(f"v{secrets.token_hex(12)}", site, now)

    def renew(self, visitor_id: str, site: str, now: datetime) -> tuple[str, VisitorToken]:
        """A fresh token for a visitor who is known."""
        visitor = VisitorToken(visitor_id, site, now + LIFETIME)
        payload = json.dumps(
            {"v": visitor_id, "s": site, "e": int(visitor.expires_at.timestamp())},
            separators=(",", ":"),
        )
        body = base64.urlsafe_b64encode(payload.encode()).decode().rstrip("=")
        return f"{body}.{self._sign(body)}", visitor

    def check(self, token: str, site: str, now: datetime) -> str | None:
        """The visitor's id; ``None`` if the token is not ours, of another site, or too old."""
        body, _, signature = token.partition(".")
        if not _same(self._sign(body), signature):
            return None
        try:
            payload = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
            is_valid = payload["s"] == site and payload["e"] > now.timestamp()
            return str(payload["v"]) if is_valid else None
        except (binascii.Error, ValueError, KeyError, TypeError):
            return None

    def media_signature(self, attachment_id: str, now: datetime) -> str:
        """Sign a link to a file: it is valid until tomorrow ends, for whoever holds the link."""
        # days, not seconds: the same picture keeps its address and the browser its copy
        last_day = (now + MEDIA_LIFETIME).date().toordinal()
        return f"{last_day}.{self._sign(f'{attachment_id}.{last_day}')}"

    def may_see_media(self, attachment_id: str, signature: str, now: datetime) -> bool:
        """Whether a link's signature is ours and not too old."""
        last_day, _, signed = signature.partition(".")
        if not _same(self._sign(f"{attachment_id}.{last_day}"), signed):
            return False
        return last_day.isdecimal() and int(last_day) >= now.date().toordinal()


def _same(expected: str, signature: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(expected.encode(), signature.encode(errors="surrogatepass"))
