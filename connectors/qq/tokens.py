"""Where the access token comes from.

Source: QQ bot documentation, "获取访问凭证": a token lasts 7,200 s; within its last 60 s a new one
is given while the old one stays valid; errors come with status 200.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from pydantic import SecretStr

from connectors.errors import RateLimited, Retryable, SendError
from connectors.qq import codes

_LONGEST_S = 7200.0


@dataclass(frozen=True, slots=True)
class TokenOffice:
    """Gives out one bot's access tokens.

    Attributes:
        pause_s: How long to wait after "too many requests".
    """

    app_id: str
    secret: SecretStr
    url: str
    http: ClientSession
    timeout_s: float
    pause_s: float

    async def fetch(self) -> tuple[str, float]:
        """The token of now, and for how many seconds it lasts.

        Raises:
            SendError: There is none: ``AuthError``, ``RateLimited`` or ``Retryable``.
        """
        answer = await self._ask()
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise self._error(answer.get("code"))
        return token, _seconds(answer.get("expires_in"))

    def _error(self, code: object) -> SendError:
        if isinstance(code, int) and codes.meaning(code) is not None:
            return codes.error(code, 200, pause_s=self.pause_s)
        return Retryable("token", "no access token in the answer")

    async def _ask(self) -> dict[str, Any]:
        body = {"appId": self.app_id, "clientSecret": self.secret.get_secret_value()}
        try:
            async with self.http.post(
                self.url,
                json=body,
                timeout=ClientTimeout(total=self.timeout_s),
                allow_redirects=False,
            ) as response:
                if response.status == 429:  # noqa: PLR2004 - HTTP
                    raise RateLimited(
                        "http-429",
                        "too many requests for a token",
                        retry_after_s=self.pause_s,
                        is_account=True,
                    )
                answer = await response.json(content_type=None)
        except (TimeoutError, ClientError, OSError, ValueError) as error:
            # an error's own text may name the request
            raise Retryable("token", type(error).__name__) from None
        if not isinstance(answer, dict):
            raise Retryable("token", "the answer is no object")
        return answer


def _seconds(value: object) -> float:
    """The documented type is a number, the documented example a text."""
    try:
        found = float(str(value))
    except ValueError:
        return _LONGEST_S
    return min(found, _LONGEST_S) if found > 0 else _LONGEST_S


__all__ = ["TokenOffice"]
