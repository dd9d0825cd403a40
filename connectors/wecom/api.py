"""WeCom's API: an access token kept fresh, requests that classify their errors.

Nothing that is raised or logged here holds a token, a secret, a customer or a message: requests
carry the access token in their address, so not even an address is told.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, FormData
from pydantic import SecretStr

from connectors.errors import MediaBusy, MediaGone, Retryable, SendError
from connectors.kit.access_token import AccessToken
from connectors.media.http import fault, read_response
from connectors.wecom import codes
from connectors.wecom.codes import Meaning

_MAX_JSON_BYTES = 16 * 1024 * 1024
"""1,000 messages of 2,048 bytes, with room to spare."""
FIRST_BUSY_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """Where the API is and how patient we are; see ``WecomAccount``."""

    api_url: str
    corp_id: str
    secret: SecretStr
    timeout_s: float = 8.0
    refresh_before_s: float = 300.0
    busy_tries: int = 3
    limited_pause_s: float = 60.0


class WecomApi:
    """Calls methods of one corporation with one app's access token."""

    def __init__(
        self,
        options: ApiOptions,
        http: ClientSession,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._options = options
        self._http = http
        self._sleep = sleep
        self._timeout = ClientTimeout(total=options.timeout_s)
        self._token = AccessToken(
            self._fetch_token,
            clock=clock,
            refresh_before=timedelta(seconds=options.refresh_before_s),
        )

    # ------------------------------------------------------------------ methods

    async def call(self, method: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Call a method with JSON.

        Args:
            method: Such as ``kf/send_msg``.

        Raises:
            SendError: By the platform's code; ``Retryable`` where there was none.
        """
        # raw UTF-8: escaped characters are refused (40033), or shown as they are
        raw = json.dumps(body, ensure_ascii=False).encode()

        async def post(token: str) -> dict[str, Any]:
            return await self._json("POST", method, {"access_token": token}, raw)

        return await self._authorised(post)

    async def upload(self, kind: str, content: bytes, *, name: str, mime: str) -> str:
        """Hand over a file for three days; its media_id.

        Args:
            kind: ``image``, ``voice``, ``video`` or ``file``.

        Raises:
            SendError: As for ``call``.
        """

        async def post(token: str) -> dict[str, Any]:
            form = FormData(quote_fields=False)
            form.add_field("media", content, filename=name, content_type=mime)
            query = {"access_token": token, "type": kind}
            return await self._json("POST", "media/upload", query, form)

        media_id = (await self._authorised(post)).get("media_id")
        if not isinstance(media_id, str) or not media_id:
            raise Retryable("garbage", "an upload without a media id")
        return media_id

    async def download(self, media_id: str, max_bytes: int) -> bytes:
        """A customer's file.

        Raises:
            MediaGone: ``expired`` or ``too_large``.
            MediaBusy: It was not given now.
        """
        content = b""

        async def get(token: str) -> dict[str, Any]:
            nonlocal content
            query = {"access_token": token, "media_id": media_id}
            content, answer = await self._media(query, max_bytes)
            return answer

        try:
            await self._authorised(get)
        except SendError as error:
            if error.code == str(codes.MEDIA_GONE):
                raise MediaGone("expired") from None
            raise MediaBusy(error.code) from None
        return content

    async def check_secret(self) -> None:
        """Ask for a token, as ``kefu channels check`` does.

        Raises:
            SendError: It was not given.
        """
        await self._token.get()

    async def close(self) -> None:
        """Fetch no token any longer."""
        await self._token.close()

    # ------------------------------------------------------------------ the access token

    async def _authorised(self, act: Callable[[str], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """Do something with a token; with a new one if it was refused, once."""
        token = await self._token.get()
        answer, was_busy = await self._patiently(act, token)
        if codes.meaning(_code(answer)) is Meaning.TOKEN:
            token = await self._token.get(refused=token)
            answer, was_busy = await self._patiently(act, token)
        return self._checked(answer, was_busy=was_busy)

    async def _patiently(
        self, act: Callable[[str], Awaitable[dict[str, Any]]], token: str
    ) -> tuple[dict[str, Any], bool]:
        """Again while the system is busy: at most three times, says the documentation.

        Returns:
            The last answer, and whether one before it was "busy": then nobody knows what it did.
        """
        answer, was_busy = await act(token), False
        for attempt in range(1, self._options.busy_tries):
            if _code(answer) != codes.BUSY:
                break
            was_busy = True
            await self._sleep(FIRST_BUSY_PAUSE_S * attempt)
            answer = await act(token)
        return answer, was_busy

    async def _fetch_token(self) -> tuple[str, float]:
        options = self._options
        query = {
            "corpid": options.corp_id,
            "corpsecret": options.secret.get_secret_value(),
        }
        try:
            answer = self._checked(await self._json("GET", "gettoken", query, None))
        except Retryable as error:
            # whatever it was needed for was not even tried
            raise Retryable(error.code, "no access token") from None
        token, life_s = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(life_s, int):
            raise Retryable("garbage", "no access token in the answer")
        return token, life_s

    # ------------------------------------------------------------------ requests

    def _checked(self, answer: dict[str, Any], *, was_busy: bool = False) -> dict[str, Any]:
        code = _code(answer)
        if code != 0:
            error = codes.error(code, limited_pause_s=self._options.limited_pause_s)
            error.maybe_sent = error.maybe_sent or was_busy
            raise error
        return answer

    async def _json(
        self, verb: str, method: str, query: Mapping[str, str], data: bytes | FormData | None
    ) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} if isinstance(data, bytes) else None
        try:
            async with self._http.request(
                verb,
                f"{self._options.api_url}/cgi-bin/{method}",
                params=query,
                data=data,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                return _parsed(response, await read_response(response, _MAX_JSON_BYTES))
        except MediaGone:
            raise Retryable("garbage", "the answer is too long", maybe_sent=True) from None
        except (TimeoutError, ClientError, OSError) as error:
            raise fault(error) from None

    async def _media(
        self, query: Mapping[str, str], max_bytes: int
    ) -> tuple[bytes, dict[str, Any]]:
        """(Content, an answer as of JSON methods)."""
        try:
            async with self._http.get(
                f"{self._options.api_url}/cgi-bin/media/get",
                params=query,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                # an error comes as JSON, also where the file would be JSON itself: that one
                # has a name
                is_file = response.status == 200 and "Content-Disposition" in response.headers  # noqa: PLR2004 - HTTP
                content = await read_response(response, max_bytes if is_file else _MAX_JSON_BYTES)
                return content, {"errcode": 0} if is_file else _parsed(response, content)
        except (TimeoutError, ClientError, OSError) as error:
            raise fault(error) from None


def _code(answer: Mapping[str, Any]) -> int:
    code = answer.get("errcode", 0)
    return code if isinstance(code, int) else 0


def _parsed(response: ClientResponse, content: bytes) -> dict[str, Any]:
    if response.status != 200:  # noqa: PLR2004 - HTTP
        raise Retryable(f"http-{response.status}", "no answer of the API", maybe_sent=True)
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Retryable("garbage", "the answer is not JSON", maybe_sent=True)
    return answer


__all__ = ["ApiOptions", "WecomApi"]
