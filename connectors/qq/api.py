"""QQ's bot API: requests with a fresh token, errors by their code.

Nothing that is raised here holds a token, a secret, an openid or a message: openids stand in the
addresses, so not even an address is told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from connectors.errors import Retryable
from connectors.kit.access_token import AccessToken
from connectors.media.http import fault
from connectors.messages import Address, PeerKind
from connectors.qq import codes
from connectors.qq.codes import Meaning

log = structlog.get_logger(__name__)

_OK_BELOW = 300
_UNAUTHORISED = 401


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """Where the API is and how patient we are; see ``QQAccount``."""

    api_url: str
    app_id: str
    timeout_s: float
    upload_timeout_s: float
    pause_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform said.

    Attributes:
        code: 0 where there was no error.
        retry_after_s: As the platform asks; ``None`` where it does not.
    """

    status: int
    code: int
    body: Mapping[str, Any]
    retry_after_s: float | None = None

    @property
    def is_refused_token(self) -> bool:
        """A new token may help."""
        if codes.is_known(self.code):
            return codes.meaning(self.code) is Meaning.TOKEN
        return self.status == _UNAUTHORISED

    @property
    def is_cured_by_repeat(self) -> bool:
        """Such a fault passes, says the documentation, and asks for one repeat at most."""
        return codes.meaning(self.code) is Meaning.ONCE


class QQApi:
    """Calls of one bot."""

    def __init__(self, options: ApiOptions, http: ClientSession, token: AccessToken) -> None:
        self._options = options
        self._http = http
        self._token = token

    async def me(self) -> Mapping[str, Any]:
        """What the bot is called.

        Raises:
            SendError: By the platform's code; ``Retryable`` where there was none.
        """
        return self._checked(await self._call("GET", "/users/@me")).body

    async def send(self, address: Address, body: Mapping[str, Any]) -> Answer:
        """Send a message; the answer may say that it waits for a review.

        Raises:
            SendError: It was not taken. ``40054005``, sent before, is no error here.
        """
        answer = await self._call("POST", f"{_peer(address)}/messages", body)
        if answer.code == codes.DUPLICATE or answer.code in codes.AUDITED:
            return answer
        return self._checked(answer)

    async def upload(self, address: Address, body: Mapping[str, Any]) -> str:
        """Hand over a file for messages to the same kind of peer; its ``file_info``.

        Raises:
            SendError: It was not taken.
        """
        path = f"{_peer(address)}/files"
        timeout_s = self._options.upload_timeout_s
        answer = self._checked(await self._call("POST", path, body, timeout_s=timeout_s))
        file_info = answer.body.get("file_info")
        if not isinstance(file_info, str) or not file_info:
            raise Retryable("garbage", "an upload without file_info")
        return file_info

    async def acknowledge(self, interaction_id: str) -> None:
        """Stop the wheel on a pressed button.

        Raises:
            SendError: It turns on until the app gives up.
        """
        path = f"/interactions/{quote(interaction_id, safe='')}"
        self._checked(await self._call("PUT", path, {"code": 0}))

    # ------------------------------------------------------------------ requests

    def _checked(self, answer: Answer) -> Answer:
        if not answer.code and answer.status < _OK_BELOW:
            return answer
        pause_s = answer.retry_after_s or self._options.pause_s
        raise codes.error(answer.code, answer.status, pause_s=pause_s)

    async def _call(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Answer:
        """One request; a second one with a new token, or after a fault that passes."""
        token = await self._token.get()
        answer = await self._once(verb, path, body, token, timeout_s)
        if answer.is_refused_token:
            token = await self._token.get(refused=token)
            answer = await self._once(verb, path, body, token, timeout_s)
        elif answer.is_cured_by_repeat:
            answer = await self._once(verb, path, body, token, timeout_s)
        return answer

    async def _once(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None,
        token: str,
        timeout_s: float | None,
    ) -> Answer:
        headers = {
            "Authorization": f"QQBot {token}",
            "X-Union-Appid": self._options.app_id,
        }
        timeout = ClientTimeout(total=timeout_s or self._options.timeout_s)
        try:
            async with self._http.request(
                verb,
                self._options.api_url + path,
                json=body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                return await _read(response)
        except (TimeoutError, ClientError, OSError) as error:
            raise fault(error) from None


def _peer(address: Address) -> str:
    scope = "groups" if address.kind is PeerKind.GROUP else "users"
    return f"/v2/{scope}/{quote(address.peer_id, safe='')}"


async def _read(response: ClientResponse) -> Answer:
    content = await response.read()
    try:
        body = json.loads(content) if content else {}
    except ValueError:
        body = None
    is_readable = isinstance(body, dict)
    if not is_readable and response.status < _OK_BELOW:
        raise Retryable("garbage", "the answer is not JSON", maybe_sent=True)
    found: dict[str, Any] = body if isinstance(body, dict) else {}
    code = _code(found)
    if code or response.status >= _OK_BELOW:
        trace = response.headers.get("X-Tps-trace-ID")
        log.info("qq_refused", code=code, status=response.status, trace=trace)
    return Answer(response.status, code, found, _retry_after(response))


def _code(body: Mapping[str, Any]) -> int:
    """The code of an error; 0 where there is none.

    It is ``err_code`` in the present documentation, ``code`` in the older one; answers have one of
    them or both, and then they may differ: the one that we know counts.
    """
    found = [value for name in ("err_code", "code") if isinstance(value := body.get(name), int)]
    given = [value for value in found if value]
    return next((value for value in given if codes.is_known(value)), given[0] if given else 0)


def _retry_after(response: ClientResponse) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None


__all__ = ["Answer", "ApiOptions", "QQApi"]
