"""The platform's side of the webhook: signatures, the check of the address, redelivery.

Source: QQ bot documentation, "安全和授权" and "事件订阅与通知".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TIMEOUT_S = 5.0

Push = tuple[int | None, str]


def signature(secret: str, timestamp: str, content: bytes) -> str:
    """The hex signature over a timestamp and what follows it."""
    seed = secret
    while len(seed) < 32:
        seed *= 2
    key = Ed25519PrivateKey.from_private_bytes(seed[:32].encode())
    return key.sign(timestamp.encode() + content).hex()


@dataclass(slots=True)
class Webhook:
    """Posts to one address.

    Attributes:
        max_deliveries: How often one event is posted at most; the real number is not published.
        signs_check: Whether the check of the address is signed as well: it is not in the
            documentation's example, but Tencent's own SDK wants it.
    """

    app_id: str
    secret: str
    url: str = ""
    max_deliveries: int = 3
    signs_check: bool = True
    bodies: list[bytes] = field(default_factory=list)

    def headers(
        self, body: bytes, now: datetime, *, is_signed: bool = True, app_id: str | None = None
    ) -> dict[str, str]:
        """Of a genuine request."""
        found = {
            "Content-Type": "application/json",
            "User-Agent": "QQBot-Callback",
            "X-Bot-Appid": app_id or self.app_id,
        }
        if is_signed:
            timestamp = str(int(now.timestamp()))
            found["X-Signature-Timestamp"] = timestamp
            found["X-Signature-Ed25519"] = signature(self.secret, timestamp, body)
        return found

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Push:
        """One request: status and body of the answer; no status where there was none."""
        self.bodies.append(body)
        timeout = ClientTimeout(total=TIMEOUT_S)
        try:
            async with (
                ClientSession(timeout=timeout) as session,
                session.post(self.url, data=body, headers=headers) as answer,
            ):
                return answer.status, await answer.text()
        except (TimeoutError, ClientError, OSError):
            return None, ""

    async def deliver(self, envelope: Mapping[str, Any], now: datetime) -> list[Push]:
        """Post an event until it is accepted, or enough."""
        body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
        pushes: list[Push] = []
        for _ in range(self.max_deliveries):
            pushes.append(await self.post(body, self.headers(body, now)))
            if is_accepted(pushes[-1]):
                break
        return pushes

    async def check(self, token: str, now: datetime) -> tuple[bool, Push]:
        """Whether the address proves that it knows the secret; and its answer."""
        timestamp = str(int(now.timestamp()))
        event = {"d": {"plain_token": token, "event_ts": timestamp}, "op": 13}
        body = json.dumps(event, separators=(",", ":")).encode()
        push = await self.post(body, self.headers(body, now, is_signed=self.signs_check))
        expected = {
            "plain_token": token,
            "signature": signature(self.secret, timestamp, token.encode()),
        }
        return push[0] == 200 and _json(push[1]) == expected, push


def is_accepted(push: Push) -> bool:
    """Whether an answer says that the event was taken: 200, and not op 12 with d=1."""
    if push[0] != 200:
        return False
    answer = _json(push[1])
    return not (isinstance(answer, dict) and answer.get("op") == 12 and answer.get("d") == 1)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
