"""Tells kefu by encrypted HTTP that there is something to read, and verifies its URL."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime

from aiohttp import ClientError, ClientSession, ClientTimeout
from wechatpy.crypto import PrpCrypto


class Callbacks:
    """Posts notices to one URL.

    Attributes:
        url: Where to; empty before there is one.
        tries: How often a notice is delivered until it is answered with 200.
    """

    def __init__(self, corp_id: str, token: str, aes_key: str) -> None:
        self.url = ""
        self.tries = 3
        self.timeout_s = 5.0
        self._corp_id = corp_id
        self._token = token
        self._crypto = PrpCrypto(b64decode(aes_key + "="))
        self._nonce = 0

    def notice(self, token: str, open_kfid: str, at: datetime) -> str:
        """The inner XML: which account has news, and the token to read them with."""
        return (
            f"<xml><ToUserName><![CDATA[{self._corp_id}]]></ToUserName>"
            f"<CreateTime>{int(at.timestamp())}</CreateTime>"
            "<MsgType><![CDATA[event]]></MsgType>"
            "<Event><![CDATA[kf_msg_or_event]]></Event>"
            f"<Token><![CDATA[{token}]]></Token>"
            f"<OpenKfId><![CDATA[{open_kfid}]]></OpenKfId></xml>"
        )

    def sealed(self, inner: str, at: datetime) -> tuple[dict[str, str], str]:
        """(query, body) of a notice as it travels."""
        encrypted = self._crypto.encrypt(inner, self._corp_id).decode()
        body = (
            f"<xml><ToUserName><![CDATA[{self._corp_id}]]></ToUserName>"
            f"<Encrypt><![CDATA[{encrypted}]]></Encrypt>"
            "<AgentID><![CDATA[]]></AgentID></xml>"
        )
        return self._signed(encrypted, at), body

    async def verify(self, plain: str, at: datetime) -> bool:
        """Ask the URL to decrypt a text, as the console does when it is saved."""
        echostr = self._crypto.encrypt(plain, self._corp_id).decode()
        query = {**self._signed(echostr, at), "echostr": echostr}
        async with ClientSession() as http, http.get(self.url, params=query) as answer:
            return answer.status == 200 and await answer.text() == plain

    async def post(self, query: Mapping[str, str], body: str) -> list[tuple[int | None, str]]:
        """Deliver until accepted; (status or None, body) of each try."""
        tried: list[tuple[int | None, str]] = []
        async with ClientSession(timeout=ClientTimeout(total=self.timeout_s)) as http:
            for _ in range(self.tries):
                tried.append(await self._post_once(http, query, body))
                if tried[-1][0] == 200:
                    break
        return tried

    async def _post_once(
        self, http: ClientSession, query: Mapping[str, str], body: str
    ) -> tuple[int | None, str]:
        headers = {"Content-Type": "text/xml"}
        try:
            async with http.post(
                self.url, params=query, data=body.encode(), headers=headers
            ) as answer:
                return answer.status, await answer.text()
        except (ClientError, TimeoutError, OSError) as error:
            return None, type(error).__name__

    def _signed(self, encrypted: str, at: datetime) -> dict[str, str]:
        self._nonce += 1
        timestamp, nonce = str(int(at.timestamp())), f"13726{self._nonce:05d}"
        return {
            "msg_signature": signature(self._token, timestamp, nonce, encrypted),
            "timestamp": timestamp,
            "nonce": nonce,
        }


def signature(*parts: str) -> str:
    """SHA-1 over the parts, sorted and joined."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - the platform's choice


__all__ = ["Callbacks", "signature"]
