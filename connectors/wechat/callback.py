"""What the platform pushes, verified and opened; and replies, sealed as it wants them.

Source: 接入指南, 消息加解密说明.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.parsers.expat import ExpatError

from pydantic import SecretStr
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import WeChatException
from wechatpy.replies import TextReply

from connectors.errors import BadWebhook
from connectors.kit.secrets import is_same
from connectors.kit.xml import check_xml, sealed_texts

_ECHO = re.compile(r"[0-9A-Za-z+/=_-]{1,256}")


class Callback:
    """Tells the platform's calls from others'.

    Args:
        aes_key: ``None`` in plain mode; else whatever is not sealed is refused.
    """

    def __init__(
        self, app_id: str, token: SecretStr, aes_key: SecretStr | None, *, clock_skew: timedelta
    ) -> None:
        self._token = token
        self._clock_skew = clock_skew
        self._crypto: Any = None
        if aes_key is not None:
            self._crypto = WeChatCrypto(
                token.get_secret_value(), aes_key.get_secret_value(), app_id
            )

    def echo(self, query: Mapping[str, str], now: datetime) -> str:
        """What to answer when the address is saved on the platform.

        Raises:
            BadWebhook: The platform did not ask.
        """
        self._verify(query, "signature", now)
        echo = query.get("echostr", "")
        # no signature covers it: what is repeated to a stranger is a short token and nothing else
        if not _ECHO.fullmatch(echo):
            raise BadWebhook(400, "no echostr")
        return echo

    def opened(self, query: Mapping[str, str], body: bytes, now: datetime) -> str:
        """The XML of a push.

        In compatible mode the plain fields beside the sealed ones are not looked at: nothing
        vouches for them.

        Raises:
            BadWebhook: It cannot be read, or is not the platform's.
        """
        if self._crypto is None:
            self._verify(query, "signature", now)
            xml = _decoded(body)
        else:
            xml = self._unsealed(query, body, now)
        check_xml(xml)
        return xml

    def _unsealed(self, query: Mapping[str, str], body: bytes, now: datetime) -> str:
        """Nothing of a body is parsed before the signature vouches for it."""
        sealed = self._vouched_for(query, sealed_texts(body), now)
        try:
            opened: str = self._crypto.decrypt_message(
                {"Encrypt": sealed},
                query["msg_signature"],
                query["timestamp"],
                query.get("nonce", ""),
            )
        except (WeChatException, ValueError, LookupError, struct.error) as error:
            # another account's, or no padding, no length, no UTF-8 where they should be
            raise BadWebhook(403, f"cannot be decrypted: {type(error).__name__}") from None
        return opened

    def _vouched_for(self, query: Mapping[str, str], texts: Sequence[str], now: datetime) -> str:
        for text in texts[:-1]:
            with suppress(BadWebhook):
                self._verify(query, "msg_signature", now, text)
                return text
        self._verify(query, "msg_signature", now, texts[-1])
        return texts[-1]

    def reply(self, message: Any, text: str, now: datetime, nonce: str) -> str:
        """A passive text reply to a message."""
        stamp = int(now.timestamp())
        # CDATA ends at ]]>, wherever that stands
        content = text.replace("]]>", "]]]]><![CDATA[>")
        xml: str = TextReply(message=message, content=content, time=stamp).render()
        if self._crypto is None:
            return xml
        sealed: str = self._crypto.encrypt_message(xml, nonce, str(stamp))
        return sealed

    def _verify(self, query: Mapping[str, str], name: str, now: datetime, *more: str) -> None:
        timestamp = query.get("timestamp", "")
        if not timestamp.isascii() or not timestamp.isdecimal() or name not in query:
            raise BadWebhook(400, "parts are missing")
        parts = [self._token.get_secret_value(), timestamp, query.get("nonce", ""), *more]
        joined = b"".join(sorted(part.encode(errors="replace") for part in parts))
        expected = hashlib.sha1(joined).hexdigest()  # noqa: S324 - the platform's choice
        if not is_same(query[name], expected):
            raise BadWebhook(403, "bad signature")
        if not self._is_fresh(timestamp, now):
            raise BadWebhook(403, "too old, or a clock is wrong")

    def _is_fresh(self, timestamp: str, now: datetime) -> bool:
        try:
            at = datetime.fromtimestamp(int(timestamp[:12]), UTC)
        except (OverflowError, ValueError, OSError):
            return False
        return abs(now - at) <= self._clock_skew


def read(xml: str) -> Any:
    """The message or event, as wechatpy has it.

    Raises:
        BadWebhook: There is no message in it.
    """
    check_xml(xml)
    try:
        message = parse_message(xml)
    except (ExpatError, ValueError, LookupError, TypeError, AttributeError):
        message = None
    # a field that stands there twice is a list, and no platform writes one
    if message is None or any(isinstance(one, list) for one in message._data.values()):  # noqa: SLF001
        raise BadWebhook(400, "no message")
    return message


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise BadWebhook(400, "not UTF-8") from None


__all__ = ["Callback", "read"]
