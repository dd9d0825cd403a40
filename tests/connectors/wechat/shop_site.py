"""A shop's server as wechatpy's manual writes it: it shows that the fake speaks like WeChat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Self

from aiohttp import web
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import TextReply
from wechatpy.utils import check_signature

from devkit.wechat.platform import AES_KEY, APP_ID, TOKEN

Answer = Callable[[Any], Awaitable[web.Response]]


class ShopSite:
    """Answers pushes by a function; keeps what wechatpy parsed."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer: Answer = answer or _noted
        self.messages: list[Any] = []
        self.bodies: list[str] = []
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/hooks/wechat/main", self._verify)
        app.router.add_post("/hooks/wechat/main", self._pushed)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _verify(self, request: web.Request) -> web.Response:
        query = request.query
        check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
        return web.Response(text=query["echostr"])

    async def _pushed(self, request: web.Request) -> web.Response:
        query, body = request.query, await request.text()
        check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
        if query.get("encrypt_type") == "aes":
            body = crypto().decrypt_message(
                body, query["msg_signature"], query["timestamp"], query["nonce"]
            )
        self.bodies.append(body)
        self.messages.append(parse_message(body))
        return await self.answer(self.messages[-1])


def crypto(app_id: str = APP_ID) -> Any:
    return WeChatCrypto(TOKEN, AES_KEY, app_id)


def reply_xml(message: Any, content: str) -> str:
    xml = TextReply(content=content, message=message, time=1700000000).render()
    assert isinstance(xml, str)
    return xml


async def _noted(_message: Any) -> web.Response:
    return web.Response(text="success")
