"""Attacks through the web chat: many sockets, dear texts, frames without end."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from uuid import uuid4

from aiohttp import ClientSession

from tests.attack.front import Chat, Front

SOCKETS = 600
MANY_SOCKETS = 2_000
DEAR_TEXTS = (
    "ﷺ" * 3999,  # one character becomes 18
    "﷽" * 3999,
    "①" * 3999,
    "Å" * 1999 + "\u0301\u0316" * 1000,  # marks to be put in order
)
MASKED_TEXTS = (
    "￥1" * 1999,
    "1" * 3999,
    "1 " * 1999,
    "a@" * 1999,
    "a." * 1999 + "@",
    "http://" * 570,
    "DD" * 1999,
    "A-" * 1999,
    "138 0013 8000 " * 280,
    "密码" * 1999,
    "password is " * 330,
)
CARDS = "STAR-A1ET-Q6J4-FZ6A-B3R2 "


async def sockets(front: Front) -> None:
    """600 sockets from one address; each writes three messages and comes again."""
    await _sockets(front, SOCKETS)


async def more_sockets(front: Front) -> None:
    """2,000 sockets from one address; each writes three messages and comes again."""
    await _sockets(front, MANY_SOCKETS)


async def _sockets(front: Front, number: int) -> None:
    async with front.http() as http:

        async def one(_number: int) -> None:
            token = await front.token(http)
            chat = await front.chat(http, token) if token else None
            if chat is None:
                await front.rests(1.0)
                return
            for _ in range(3):
                await chat.says("可以用支付宝吗？")
                await front.rests(0.3)
            await chat.close()

        await front.each(number, one)


async def dear_texts(front: Front) -> None:
    """Texts that grow when they are folded, ten a second, each on a socket of its own."""
    await _texts(front, DEAR_TEXTS)


async def masked_texts(front: Front) -> None:
    """Texts in which every place could begin a price, a number, an address: ten a second."""
    await _texts(front, MASKED_TEXTS)


async def card_texts(front: Front) -> None:
    """Messages of 160 card keys each: every key is a secret to be sealed."""
    await _texts(front, tuple(CARDS * size for size in (160, 159, 158)))


async def _texts(front: Front, texts: tuple[str, ...]) -> None:
    numbers = count()
    async with front.http() as http:

        async def one(_number: int) -> None:
            token = await front.token(http)
            chat = await front.chat(http, token) if token else None
            if chat is None:
                await front.rests(0.5)
                return
            for _ in range(3):
                await chat.says(texts[next(numbers) % len(texts)])
                # ten of them at a time: ten a second
                await front.rests(1.0)
            await chat.close()

        await front.each(10, one)


async def frames(front: Front) -> None:
    """Typing, history, pings, presses and ratings on 20 sockets, as fast as they go."""
    kinds = (
        {"type": "typing"},
        {"type": "history", "before": 2**31},
        {"type": "ping"},
        {"type": "press", "msg_id": "x", "button": "kf1:x:0"},
        {"type": "csat", "score": 1, "comment": "差" * 1000},
        {"type": "nothing"},
        {"type": "msg", "text": ""},
    )
    raw = [json.dumps({**kind, "client_id": "{}"}) for kind in kinds]
    async with front.http() as http:

        async def one(_number: int) -> None:
            await _floods(front, http, [line.replace("{}", uuid4().hex) for line in raw])

        await front.each(20, one)


async def big_frames(front: Front) -> None:
    """Frames of 1 MB, of 64 MB in pieces, and deep or broken JSON, on 5 sockets."""
    texts = [
        json.dumps({"type": "msg", "client_id": "x", "text": "好" * 350_000}),
        "[" * 200_000,
        '{"a":' * 150_000,
        "\u0000" * 1_000_000,
        '{"type":"msg","client_id":"x","text":"\\ud800"}',
    ]
    async with front.http() as http:

        async def one(_number: int) -> None:
            await _floods(front, http, texts)

        await front.each(5, one)


async def histories(front: Front) -> None:
    """A long transcript, asked for again and again by new sockets."""
    async with front.http() as http:
        token = await front.token(http)
        writing = await front.chat(http, token)
        if writing is not None:
            for _ in range(30):
                await writing.says("可以用支付宝吗？" + "好" * 2000)
            await front.rests(2)
            await writing.close()

        async def one(_number: int) -> None:
            chat = await front.chat(http, token)
            if chat is None:
                await front.rests(0.5)
                return
            await chat.sends(type="history", before=60)
            await front.rests(0.05)
            await chat.close()

        await front.each(8, one)


async def _floods(front: Front, http: ClientSession, lines: list[str]) -> None:
    """One socket: all lines, again and again, until it is closed."""
    token = await front.token(http)
    chat: Chat | None = await front.chat(http, token) if token else None
    if chat is None:
        await front.rests(1.0)
        return
    while chat.is_open and front.takes(len(lines)):
        for line in lines:
            if not await chat.sends(line):
                break
        await asyncio.sleep(0.005)
    await chat.close()


async def visitors(front: Front) -> None:
    """New visitors' tokens, as many as are given."""
    async with front.http() as http:

        async def one(_number: int) -> None:
            await front.token(http)
            await front.rests(0.02)

        await front.each(8, one)
