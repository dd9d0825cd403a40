"""Signatures of the app channel, the same in both directions.

``X-Kefu-Signature: v1=`` + hex HMAC-SHA256(secret, timestamp + ``.`` + raw body), with the
timestamp (Unix seconds) in ``X-Kefu-Timestamp``: a body that was changed, or is sent again much
later, does not pass.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from pydantic import SecretStr

from connectors.errors import BadWebhook

TIMESTAMP = "X-Kefu-Timestamp"
SIGNATURE = "X-Kefu-Signature"
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v1=[0-9a-fA-F]{64}")


def signature(secret: SecretStr, timestamp: str, body: bytes) -> str:
    """The value of the signature's header.

    >>> signature(SecretStr("0123456789abcdef"), "1760000000", b'{"id":"1"}')
    'v1=454c7c368e9b12b7b0584322a082907e119e103e0acf71d723c66c1a802e7cdc'
    """
    signed = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret.get_secret_value().encode(), signed, sha256).hexdigest()


def headers(secret: SecretStr, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of a signed request."""
    timestamp = str(int(now.timestamp()))
    return {TIMESTAMP: timestamp, SIGNATURE: signature(secret, timestamp, body)}


def check_time(given: Mapping[str, str], now: datetime, *, max_skew_s: float) -> None:
    """Look at what can be told before the body is read.

    Raises:
        BadWebhook: 401: there is no signature, or it is not of now.
    """
    timestamp = given.get(TIMESTAMP, "")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise BadWebhook(401, f"{TIMESTAMP} 要填现在的 Unix 时间：整数，单位是秒，不是毫秒")
    away_s = abs(now.timestamp() - int(timestamp))
    if away_s > max_skew_s:
        raise BadWebhook(
            401,
            f"{TIMESTAMP} 和 kefu 的时间差了 {away_s:.0f} 秒，最多差 {max_skew_s:.0f} 秒："
            "给服务器对时；重发时时间戳和签名要重新算",
        )
    if not _SIGNATURE.fullmatch(given.get(SIGNATURE, "")):
        raise BadWebhook(401, f"{SIGNATURE} 要写成 v1= 加上 64 位十六进制")


def check_signature(secrets: Sequence[SecretStr], given: Mapping[str, str], body: bytes) -> None:
    """Accept what one of the secrets signed; ``check_time`` has passed its headers.

    Raises:
        BadWebhook: 401: it was signed by somebody else, or is not what was signed.
    """
    timestamp, told = given[TIMESTAMP], given[SIGNATURE].lower()
    # every secret is tried, so that the time tells nothing
    matches = [hmac.compare_digest(signature(one, timestamp, body), told) for one in secrets]
    if not any(matches):
        raise BadWebhook(
            401,
            f"{SIGNATURE} 对不上：两边的密钥要一样，签的是“时间戳 + 英文句点 + 请求体原文”",
        )


def verify(
    secrets: Sequence[SecretStr],
    given: Mapping[str, str],
    body: bytes,
    now: datetime,
    *,
    max_skew_s: float,
) -> None:
    """Check a request; several secrets count while one replaces another.

    Raises:
        BadWebhook: 401, and what is wrong with it.
    """
    check_time(given, now, max_skew_s=max_skew_s)
    check_signature(secrets, given, body)


__all__ = [
    "SIGNATURE",
    "TIMESTAMP",
    "check_signature",
    "check_time",
    "headers",
    "signature",
    "verify",
]
