"""The platform's API: requests with an access token, and errors told apart by their code.

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

from connectors.errors import Fatal, MediaBusy, MediaGone, RateLimited, Retryable, SendError
from connectors.kit.access_token import AccessToken
from connectors.media.http import fault, read_response
from connectors.wechat import codes
from connectors.wechat.codes import Meaning

Json = dict[str, Any]
Act = Callable[[str], Awaitable[Json]]

_OK = 200
_TOO_MANY = 429
_MAX_JSON_BYTES = 1024 * 1024
STABLE = "stable_token"


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """Where the API is and how patient we are; see ``WechatAccount``."""

    api_url: str
    app_id: str
    app_secret: SecretStr
    token_call: str = STABLE
    timeout_s: float = 8.0
    refresh_before_s: float = 300.0
    limited_pause_s: float = 60.0
    daily_limit_pause_s: float = 1800.0


class WechatApi:
    """Calls methods for one account.

    Attributes:
        refused_ip: Our own address, once the platform said that it is not on its list.
    """

    def __init__(
        self, options: ApiOptions, http: ClientSession, *, clock: Callable[[], datetime]
    ) -> None:
        self._options = options
        self._http = http
        self._timeout = ClientTimeout(total=options.timeout_s)
        self._token = AccessToken(
            self._fetch_token,
            force=self._force_token if options.token_call == STABLE else None,
            clock=clock,
            refresh_before=timedelta(seconds=options.refresh_before_s),
        )
        self.refused_ip = ""

    # ------------------------------------------------------------------ methods

    async def call(self, method: str, body: Mapping[str, Any]) -> Json:
        """Call a method with JSON.

        Args:
            method: Such as ``message/custom/send``.

        Raises:
            SendError: By the platform's code; ``Retryable`` where there was none.
        """
        raw = encoded(body)

        async def post(token: str) -> Json:
            return await self._json("POST", method, {"access_token": token}, raw)

        return await self._authorised(post)

    async def upload(self, kind: str, content: bytes, *, name: str, mime: str) -> str:
        """Hand over a file for three days; its media id.

        Args:
            kind: ``image``, ``voice`` or ``video``.

        Raises:
            SendError: As for ``call``; never ``maybe_sent``: no customer sees an upload.
        """

        async def post(token: str) -> Json:
            form = FormData(quote_fields=False)
            form.add_field("media", content, filename=name, content_type=mime)
            query = {"access_token": token, "type": kind}
            return await self._json("POST", "media/upload", query, form)

        try:
            media_id = (await self._authorised(post)).get("media_id")
        except Retryable as error:
            raise Retryable(error.code, "the file was not taken") from None
        if not isinstance(media_id, str) or not media_id:
            raise Retryable("garbage", "an upload without a media id")
        return media_id

    async def download(self, media_id: str, max_bytes: int) -> bytes | str:
        """A customer's file; of a video the address where it is.

        Raises:
            MediaGone: ``expired``, ``too_large``, or ``refused`` to unverified accounts.
            MediaBusy: It was not given now.
        """
        content: bytes | str = b""

        async def get(token: str) -> Json:
            nonlocal content
            query = {"access_token": token, "media_id": media_id}
            content, answer = await self._media(query, max_bytes)
            return answer

        try:
            answer = await self._authorised(get)
        except SendError as error:
            if error.code in codes.MEDIA_GONE:
                raise MediaGone("expired") from None
            if error.code == codes.NO_PERMISSION:
                raise MediaGone("refused") from None
            raise MediaBusy(error.code) from None
        address = answer.get("video_url")
        return address if isinstance(address, str) else content

    async def log_in(self) -> None:
        """Make sure that there is a token.

        Raises:
            SendError: There is none to be had.
        """
        await self._token.get()

    # ------------------------------------------------------------------ the access token

    async def _authorised(self, act: Act) -> Json:
        """Do something with a token; with another one if it was refused, once."""
        token = await self._token.get()
        answer = await act(token)
        if codes.meaning(_code(answer)) is Meaning.TOKEN:
            token = await self._token.get(refused=token)
            answer = await act(token)
        return self._checked(answer)

    async def close(self) -> None:
        """Fetch no token any longer."""
        await self._token.close()

    async def _force_token(self) -> tuple[str, float]:
        """Another one than the platform has now: the old one ends at once, 20 times a day."""
        return await self._fetch_token(force=True)

    async def _fetch_token(self, *, force: bool = False) -> tuple[str, float]:
        options = self._options
        about = {
            "grant_type": "client_credential",
            "appid": options.app_id,
            "secret": options.app_secret.get_secret_value(),
        }
        try:
            if options.token_call == STABLE:
                raw = encoded({**about, "force_refresh": force})
                answer = await self._json("POST", STABLE, {}, raw)
            else:
                answer = await self._json("GET", options.token_call, about, None)
            answer = self._checked(answer)
        except Retryable as error:
            # whatever it was needed for was not even tried
            raise Retryable(error.code, "no access token") from None
        token, life_s = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(life_s, int):
            raise Retryable("garbage", "no access token in the answer")
        return token, life_s

    # ------------------------------------------------------------------ requests

    def _checked(self, answer: Json) -> Json:
        code = _code(answer)
        if code != 0:
            self.refused_ip = codes.refused_ip(answer.get("errmsg"))
            raise codes.error(
                code,
                limited_pause_s=self._options.limited_pause_s,
                daily_limit_pause_s=self._options.daily_limit_pause_s,
            )
        return answer

    async def _json(
        self, verb: str, method: str, query: Mapping[str, str], data: bytes | FormData | None
    ) -> Json:
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
                return self._parsed(response, await read_response(response, _MAX_JSON_BYTES))
        except MediaGone:
            raise Retryable("garbage", "the answer is too long", maybe_sent=True) from None
        except (TimeoutError, ClientError, OSError) as error:
            raise fault(error) from None

    async def _media(self, query: Mapping[str, str], max_bytes: int) -> tuple[bytes, Json]:
        """(Content, an answer as of JSON methods)."""
        try:
            async with self._http.get(
                f"{self._options.api_url}/cgi-bin/media/get",
                params=query,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                # errors and videos come as JSON, whatever they are labelled; files have a name
                is_file = response.status == _OK and "Content-Disposition" in response.headers
                content = await read_response(response, max_bytes if is_file else _MAX_JSON_BYTES)
                return content, {} if is_file else self._parsed(response, content)
        except (TimeoutError, ClientError, OSError) as error:
            raise fault(error) from None

    def _parsed(self, response: ClientResponse, content: bytes) -> Json:
        status = response.status
        if status == _TOO_MANY:
            pause_s = self._options.limited_pause_s
            raise RateLimited("http-429", "too fast", retry_after_s=pause_s, is_account=True)
        if status in {403, 404}:
            raise Fatal(f"http-{status}", "api_url 不是微信接口的地址")
        if status != _OK:
            raise Retryable(f"http-{status}", "no answer of the API")
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Retryable("garbage", "the answer is not JSON", maybe_sent=True)
        return answer


def encoded(body: Mapping[str, Any]) -> bytes:
    """JSON as raw UTF-8: the platform shows customers an escaped character as it stands."""
    return json.dumps(body, ensure_ascii=False).encode()


def _code(answer: Mapping[str, Any]) -> int:
    code = answer.get("errcode", 0)
    return code if isinstance(code, int) else 0


__all__ = ["ApiOptions", "WechatApi", "encoded"]
