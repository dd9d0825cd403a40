"""The callback that says that there is something to read: verified, decrypted, and nothing more.

Source: 回调配置 (90930), 加解密方案说明 (90968).
"""

from __future__ import annotations

import hashlib
import struct
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from wechatpy.crypto import PrpCrypto
from wechatpy.exceptions import WeChatException

from connectors.errors import BadWebhook
from connectors.kit.replay import SeenCalls, Sight
from connectors.kit.secrets import is_same
from connectors.kit.xml import fields_of, sealed_texts

_NEWS = "kf_msg_or_event"
_MAX_TIME_DIGITS = 11


@dataclass(frozen=True, slots=True)
class Notice:
    """There is something to read.

    Attributes:
        token: Good for ten minutes' reading without the rate limit.
    """

    open_kfid: str
    token: str


class Callback:
    """Tells the platform's calls from others'.

    Args:
        clock_skew: How far a signed time may be from now, either way.
        clock: Measures how long calls are remembered.
    """

    def __init__(
        self,
        corp_id: str,
        token: SecretStr,
        aes_key: SecretStr,
        *,
        clock_skew: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._corp_id = corp_id
        self._token = token
        self._key = b64decode(aes_key.get_secret_value() + "=")
        self._clock_skew = clock_skew
        self._seen = SeenCalls(clock_skew, clock)

    def echo(self, query: Mapping[str, str], now: datetime) -> str:
        """What to answer when the address is saved in the console.

        Raises:
            BadWebhook: The platform did not ask.
        """
        return self._opened(query, query.get("echostr", ""), now)

    def notice(self, query: Mapping[str, str], body: bytes, now: datetime) -> Notice | None:
        """What a call says; ``None`` for a repeat, and for a kind that we need not know.

        Raises:
            BadWebhook: It cannot be read, or is not the platform's.
        """
        sealed = sealed_texts(body)[0]
        xml = self._opened(query, sealed, now)
        if self._seen.see(query["msg_signature"], sealed) is not Sight.FIRST:
            return None  # told before: each reading that it asks for costs a call
        inner = fields_of(xml)
        if inner.get("Event") != _NEWS:
            return None
        return Notice(_text(inner, "OpenKfId"), _text(inner, "Token"))

    def _opened(self, query: Mapping[str, str], sealed: str, now: datetime) -> str:
        timestamp = query.get("timestamp", "")
        if not sealed or not timestamp.isascii() or not timestamp.isdecimal():
            raise BadWebhook(400, "parts are missing")
        parts = [self._token.get_secret_value(), timestamp, query.get("nonce", ""), sealed]
        expected = hashlib.sha1("".join(sorted(parts)).encode("utf-8", "replace")).hexdigest()  # noqa: S324 - the platform's
        given = query.get("msg_signature", "")
        if not is_same(given, expected):
            raise BadWebhook(403, "bad signature")
        if not self._is_fresh(timestamp, now):
            raise BadWebhook(403, "too old, or a clock is wrong")
        try:
            return str(PrpCrypto(self._key).decrypt(sealed, self._corp_id))
        except (WeChatException, ValueError, LookupError, struct.error) as error:
            # another corporation's, or no padding, no length, no UTF-8 where they should be
            raise BadWebhook(403, f"cannot be decrypted: {type(error).__name__}") from None

    def _is_fresh(self, timestamp: str, now: datetime) -> bool:
        if len(timestamp) > _MAX_TIME_DIGITS:
            return False
        return abs(now - datetime.fromtimestamp(int(timestamp), UTC)) <= self._clock_skew


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


__all__ = ["Callback", "Notice"]
