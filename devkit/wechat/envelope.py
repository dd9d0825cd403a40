"""How pushes are signed and sealed, and how replies are read.

Source: WeChat Official Accounts documentation: 接入指南, 消息加解密说明, 被动回复用户消息.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import WeChatException

from devkit.wechat.payloads import Fields, document


class Malformed(Exception):
    """A reply that the platform cannot read."""


def signed(*parts: str) -> str:
    """SHA-1 over the sorted parts, lower hex."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324


@dataclass(frozen=True, slots=True)
class Envelope:
    """Secrets of the account's server settings.

    Attributes:
        mode: ``plain`` (明文), ``compat`` (兼容) or ``safe`` (安全).
    """

    token: str
    encoding_aes_key: str
    app_id: str
    mode: str

    def query(self, timestamp: int) -> dict[str, str]:
        """The signed query of any call to kefu."""
        stamp, nonce = str(timestamp), str(secrets.randbelow(10**10))
        signature = signed(self.token, stamp, nonce)
        return {"signature": signature, "timestamp": stamp, "nonce": nonce}

    def push(self, fields: Fields, timestamp: int) -> tuple[dict[str, str], str]:
        """Query and body of one delivery; signed afresh each time."""
        query = self.query(timestamp) | {"openid": str(fields["FromUserName"])}
        if self.mode == "plain":
            return query, document(fields)
        sealed = self._crypto().encrypt_message(
            document(fields), query["nonce"], query["timestamp"]
        )
        parts = xmltodict.parse(sealed)["xml"]
        query |= {"encrypt_type": "aes", "msg_signature": parts["MsgSignature"]}
        outer = {"ToUserName": fields["ToUserName"], "Encrypt": parts["Encrypt"]}
        return query, document({**fields, **outer} if self.mode == "compat" else outer)

    def read_reply(self, body: str) -> Mapping[str, Any] | None:
        """A passive reply's fields; ``None`` where kefu only took note.

        Raises:
            Malformed: No reply at all.
        """
        if body in {"", "success"}:
            return None
        reply = _parsed(body)
        if "Encrypt" in reply:
            return self._opened(body, reply)
        if self.mode == "safe":
            raise Malformed("plain reply in safe mode")
        return reply

    def _opened(self, body: str, reply: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.mode == "plain":
            raise Malformed("encrypted reply in plain mode")
        try:
            inner = self._crypto().decrypt_message(
                body, reply["MsgSignature"], reply["TimeStamp"], reply["Nonce"]
            )
        except (WeChatException, KeyError, ValueError, TypeError, IndexError) as error:
            raise Malformed("seal does not open") from error
        return _parsed(inner)

    def _crypto(self) -> Any:
        return WeChatCrypto(self.token, self.encoding_aes_key, self.app_id)


def _parsed(body: str) -> Mapping[str, Any]:
    try:
        root = xmltodict.parse(body).get("xml")
    except (ExpatError, ValueError) as error:
        raise Malformed("no XML") from error
    if not isinstance(root, dict):
        raise Malformed("no <xml>")
    return root
