"""Device cookies: browsers in which an agent logged in before, so that strangers lock nobody out.

Whoever holds one is limited by it alone: a flood of wrong passwords from elsewhere, or from the
same address, neither locks nor slows them. It opens nothing: the password is still asked for.

Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies", read 2026-11.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import datetime, timedelta

from handoff.model.ports import Clock

LIFETIME = timedelta(days=180)
_ID_BYTES = 12
_LONGEST = 200


class Devices:
    """Makes and reads device cookies.

    Args:
        key: 32 secret bytes.
    """

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def issue(self, username: str) -> str:
        """A cookie for this user's browser."""
        body = f"{secrets.token_hex(_ID_BYTES)}.{int((self._clock() + LIFETIME).timestamp())}"
        return f"{body}.{self._sign(username, body)}"

    def id_of(self, username: str, cookie: str | None) -> str | None:
        """The device's id; ``None`` if the cookie is not ours, of another user, or too old."""
        if cookie is None or len(cookie) > _LONGEST or not cookie.isascii():
            return None
        body, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(self._sign(username, body), signature):
            return None
        device_id, _, expires = body.partition(".")
        return device_id if self._is_young(int(expires)) else None

    def _is_young(self, expires: int) -> bool:
        return self._clock() < datetime.fromtimestamp(expires, self._clock().tzinfo)

    def _sign(self, username: str, body: str) -> str:
        given = f"{username}\0{body}".encode(errors="surrogatepass")
        digest = hmac.digest(self._key, given, "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def cookie_name(username: str) -> str:
    """The name of a user's cookie: agents who share a browser each have their own."""
    digest = hmac.digest(b"kefu device", username.encode(errors="surrogatepass"), "sha256")
    return f"kefu_device_{digest.hex()[:8]}"
