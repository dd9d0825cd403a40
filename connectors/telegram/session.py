"""Calls of the Bot API over the session that all connectors share."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import aiohttp
from aiogram.client.session.base import BaseSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import AiogramError
from aiogram.methods.base import Response

from connectors.errors import Retryable
from connectors.telegram.refusals import meaning

if TYPE_CHECKING:
    from aiogram import Bot
    from aiogram.methods import TelegramMethod
    from aiogram.methods.base import TelegramType
    from aiogram.types import InputFile

_NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientProxyConnectionError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)
"""The request never left."""


class HostSession(BaseSession):
    """Implements aiogram's session: results come as the Bot API wrote them, errors as ours.

    Args:
        http: Not closed here.
        proxy: Of HTTP; ``None`` for none.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        api: TelegramAPIServer,
        *,
        timeout_s: float,
        connect_timeout_s: float,
        proxy: str | None,
    ) -> None:
        super().__init__(api=api, timeout=timeout_s)
        self._http = http
        self._connect_timeout_s = connect_timeout_s
        self._proxy = proxy

    async def close(self) -> None:
        """Nothing: the session is the host's."""

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        timeout: int | None = None,  # noqa: ASYNC109 - the library's signature
    ) -> TelegramType:
        """Call a method.

        Raises:
            SendError: It was refused, or nobody knows.
        """
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        try:
            async with self._http.post(
                url,
                data=self._form(bot, method),
                timeout=self._timeout(self.timeout if timeout is None else timeout),
                allow_redirects=False,
                proxy=self._proxy,
            ) as answer:
                status, content = answer.status, await answer.text()
        # an error's own text may name the address, and with it the token
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            is_out = not isinstance(error, _NOT_SENT)
            raise Retryable(type(error).__name__, "no answer", maybe_sent=is_out) from None
        return cast("TelegramType", self.check_response(bot, method, status, content).result)

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """The result as it was written.

        An answer that says ``ok`` was done, whether or not the library knows its every field.
        """
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if isinstance(answer, dict) and answer.get("ok") is True:
            return cast(
                "Response[TelegramType]",
                Response.model_construct(ok=True, result=answer.get("result")),
            )
        if isinstance(answer, dict):
            answer.setdefault("description", "")  # the library looks into it unasked
            content = json.dumps({"ok": False, **answer})
        try:
            return super().check_response(bot, method, status_code, content)
        except AiogramError as error:
            raise meaning(error, status_code) from None

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,  # noqa: ASYNC109
        chunk_size: int = 65536,
        raise_for_status: bool = True,  # noqa: FBT001, FBT002 - the library's signature
    ) -> AsyncGenerator[bytes, None]:
        """A file's content, piece by piece."""
        async with self._http.get(
            url,
            headers=headers,
            timeout=self._timeout(timeout),
            allow_redirects=False,
            proxy=self._proxy,
        ) as answer:
            if raise_for_status and answer.status != HTTPStatus.OK:
                raise aiohttp.ClientResponseError(
                    answer.request_info, answer.history, status=answer.status
                )
            async for chunk in answer.content.iter_chunked(chunk_size):
                yield chunk

    def _timeout(self, total_s: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=total_s, sock_connect=self._connect_timeout_s)

    def _form(self, bot: Bot, method: TelegramMethod[TelegramType]) -> aiohttp.FormData:
        form = aiohttp.FormData(quote_fields=False)
        files: dict[str, InputFile] = {}
        for name, value in method.model_dump(warnings=False).items():
            prepared = self.prepare_value(value, bot=bot, files=files)
            if prepared:
                form.add_field(name, prepared)
        for name, file in files.items():
            form.add_field(name, file.read(bot), filename=file.filename or name)
        return form


__all__ = ["HostSession"]
