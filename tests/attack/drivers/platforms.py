"""Attacks by one customer of a platform: what the channel delivers is real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from time import time

from aiohttp import ClientWebSocketResponse, WSServerHandshakeError
from pydantic import SecretStr

from connectors.app import signing
from tests.attack.front import Front
from tests.attack.target import APP_SECRET, ONEBOT_SELF_ID, ONEBOT_TOKEN, RELAY_SECRET

_TEXTS = ("可以用支付宝吗？", "ﷺ" * 3999, "￥1" * 1999, "STAR-A1ET-Q6J4-FZ6A-B3R2 " * 60)
_PER_S = 50


async def one_app_user(front: Front) -> None:
    """One user of the shop's app writes 50 messages a second."""
    numbers = count()
    async with front.http() as http:

        async def post(_number: int) -> None:
            number = next(numbers)
            frame = {"id": f"a{number}", "type": "message", "user": {"id": "u1", "name": "a"}}
            frame |= {"text": _TEXTS[number % len(_TEXTS)], "at": datetime.now(UTC).isoformat()}
            body = json.dumps(frame).encode()
            headers = signing.headers(SecretStr(APP_SECRET), body, datetime.now(UTC))
            headers = {**headers, "Content-Type": "application/json"}
            await front.asks(http, "POST", "/hooks/app/main", data=body, headers=headers)
            await front.rests(5 / _PER_S)

        await front.each(5, post)


async def one_telegram_user(front: Front) -> None:
    """One user of Telegram writes 50 messages a second."""
    numbers = count(1)
    async with front.http() as http:

        async def post(_number: int) -> None:
            number = next(numbers)
            update = _update(number, _TEXTS[number % len(_TEXTS)])
            headers = {"X-Telegram-Bot-Api-Secret-Token": RELAY_SECRET}
            await front.asks(http, "POST", "/hooks/telegram/main", json=update, headers=headers)
            await front.rests(5 / _PER_S)

        await front.each(5, post)


def _update(number: int, text: str) -> dict[str, object]:
    person = {"id": 4242, "is_bot": False, "first_name": "a"}
    chat = {"id": 4242, "type": "private", "first_name": "a"}
    message = {"message_id": number, "from": person, "chat": chat, "date": int(time())}
    return {"update_id": number, "message": {**message, "text": text}}


async def one_onebot_user(front: Front) -> None:
    """One QQ account writes 50 messages a second through OneBot's socket."""

    def event(number: int) -> dict[str, object]:
        text = _TEXTS[number % len(_TEXTS)]
        return {
            "post_type": "message",
            "message_type": "private",
            "sub_type": "friend",
            "self_id": int(ONEBOT_SELF_ID),
            "user_id": 10001,
            "message_id": number,
            "time": int(time()),
            "raw_message": text,
            "font": 0,
            "message": [{"type": "text", "data": {"text": text}}],
            "sender": {"user_id": 10001, "nickname": "a"},
        }

    await _onebot(front, event)


async def _onebot(front: Front, event: Callable[[int], dict[str, object]]) -> None:
    headers = {
        "X-Self-ID": ONEBOT_SELF_ID,
        "X-Client-Role": "Universal",
        "Authorization": f"Bearer {ONEBOT_TOKEN}",
    }
    async with front.http() as http:
        try:
            socket = await http.ws_connect(f"{front.url}/onebot/v11/ws", headers=headers)
        except WSServerHandshakeError as error:
            front.came[f"handshake {error.status}"] += 1
            return
        answering = asyncio.create_task(_answers(socket))
        try:
            for number in count(1):
                if not front.takes() or socket.closed:
                    return
                await socket.send_json(event(number))
                front.came["events sent"] += 1
                await front.rests(1 / _PER_S)
        finally:
            answering.cancel()
            await socket.close()


async def _answers(socket: ClientWebSocketResponse) -> None:
    """The implementation does whatever kefu asks."""
    async for message in socket:
        asked = json.loads(message.data)
        done = {"status": "ok", "retcode": 0, "data": {"message_id": 1}, "echo": asked.get("echo")}
        await socket.send_json(done)


async def forged_onebot(front: Front) -> None:
    """Handshakes at OneBot's door with a wrong token, or none."""
    async with front.http() as http:

        async def knock(number: int) -> None:
            headers = {"X-Self-ID": ONEBOT_SELF_ID, "X-Client-Role": "Universal"}
            if number % 2:
                headers["Authorization"] = "Bearer wrong"
            try:
                async with http.ws_connect(f"{front.url}/onebot/v11/ws", headers=headers):
                    front.came["OPENED"] += 1
            except WSServerHandshakeError as error:
                front.came[str(error.status)] += 1
            except (OSError, TimeoutError) as error:
                front.failed(error)
            await front.rests(0.02)

        await front.each(8, knock)
