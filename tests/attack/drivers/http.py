"""Attacks by plain requests: bodies, files, log-ins, forged webhooks, connections that dawdle."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import suppress
from random import Random

from aiohttp import FormData
from PIL import Image

from tests.attack.front import Front

PARTS = 100_000
LOG_INS = 400
SLOW = 500
NESTED = 100_000
HOOKS = ("app", "telegram", "wechat", "wecom", "qq")


async def tiny_parts(front: Front) -> None:
    """Uploads of 100,000 parts each, six at a time."""
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    body = part * PARTS + b"--x--\r\n"
    async with front.http() as http:

        async def upload(_number: int) -> None:
            token = await front.token(http)
            headers = {
                "Authorization": f"Bearer {token}",
                "Content-Type": "multipart/form-data; boundary=x",
            }
            await front.asks(http, "POST", "/widget/upload", data=body, headers=headers)

        await front.each(6, upload)


async def images(front: Front) -> None:
    """Pictures from free tokens, as fast as they are taken: 200 kB each."""
    noise = Random(1).randbytes(256 * 256 * 3)  # noqa: S311 - a picture
    async with front.http() as http:

        async def upload(number: int) -> None:
            file = io.BytesIO()
            # every picture is another one: what is stored once by content does not help
            shade = (number + front.left) % 251
            Image.frombytes("RGB", (256, 256), bytes([shade]) + noise[1:]).save(file, "PNG")
            token = await front.token(http)
            form = FormData()
            form.add_field("file", file.getvalue(), filename="a.png", content_type="image/png")
            headers = {"Authorization": f"Bearer {token}"}
            await front.asks(http, "POST", "/widget/upload", data=form, headers=headers)
            await front.rests(0.05)

        await front.each(4, upload)


async def log_ins(front: Front) -> None:
    """400 log-ins at once, as admin and as names that nobody has."""
    async with front.http() as http:

        async def log_in(number: int) -> None:
            name = "admin" if number % 2 else f"nobody{number}"
            body = {"username": name, "password": f"guess {front.left}"}
            if await front.asks(http, "POST", "/api/v1/session", json=body) == 429:
                await front.rests(0.5)

        await front.each(LOG_INS, log_in)


async def deep_json(front: Front) -> None:
    """JSON that is nested 100,000 deep, to everything that reads JSON."""
    nested = b"[" * NESTED
    paths = ["/widget/visitor", "/api/v1/session", *(f"/hooks/{name}/main" for name in HOOKS)]
    async with front.http() as http:

        async def post(number: int) -> None:
            path = paths[(number + front.left) % len(paths)]
            headers = {"Content-Type": "application/json"}
            await front.asks(http, "POST", path, data=nested, headers=headers)
            await front.rests(0.05)

        await front.each(8, post)


async def forged_hooks(front: Front) -> None:
    """Webhooks of every channel with signatures that are wrong, 64 kB each."""
    body = json.dumps({"text": "a" * 65_000}).encode()
    query = "?signature=0&msg_signature=0&timestamp=1760000000&nonce=1&encrypt_type=aes"
    headers = {
        "Content-Type": "application/json",
        "X-Kefu-Timestamp": "1760000000",
        "X-Kefu-Signature": "v1=" + "0" * 64,
        "X-Telegram-Bot-Api-Secret-Token": "wrong",
        "X-Signature-Ed25519": "0" * 128,
        "X-Signature-Timestamp": "1760000000",
    }
    async with front.http() as http:

        async def post(number: int) -> None:
            path = f"/hooks/{HOOKS[(number + front.left) % len(HOOKS)]}/main{query}"
            await front.asks(http, "POST", path, data=body, headers=headers)
            await front.rests(0.02)

        await front.each(8, post)


async def pages(front: Front) -> None:
    """Everything that answers a plain GET, as fast as it comes."""
    paths = ("/", "/widget.js", "/console", "/readyz", "/metrics", "/api/v1/openapi.json", "/x")
    async with front.http() as http:

        async def get(number: int) -> None:
            await front.asks(http, "GET", paths[(number + front.left) % len(paths)])
            await front.rests(0.02)

        await front.each(8, get)


async def slow_headers(front: Front) -> None:
    """500 connections that send a header a second and never end."""
    await _slow(front, b"GET / HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n")


async def slow_bodies(front: Front) -> None:
    """500 connections that send a byte of their body a second."""
    head = b"POST /widget/visitor HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    await _slow(front, head + b"Content-Length: 100000\r\n\r\n", b" ")


async def silent(front: Front) -> None:
    """500 connections that never say anything."""
    await _slow(front, b"", b"")


async def _slow(front: Front, head: bytes, drop: bytes) -> None:
    async def dawdle(_number: int) -> None:
        opened = await front.wire()
        if opened is None:
            await front.rests(1.0)
            return
        reader, writer = opened
        front.came["connections"] += 1
        try:
            writer.write(head)
            while not front.is_over:
                await writer.drain()
                with suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        first = await reader.readline()
                        front.came[_status(first)] += 1
                        return
                writer.write(drop)
        except OSError:
            front.came["reset"] += 1
        finally:
            writer.close()

    await front.each(SLOW, dawdle)


def _status(line: bytes) -> str:
    """The status of an answer's first line; an end without a word is ``closed``."""
    words = line.split()
    return words[1].decode() if len(words) > 1 else "closed"
