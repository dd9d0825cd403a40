"""Files are fetched from where a message says, unless that is inside."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from connectors.download import Downloads
from connectors.errors import MediaBusy, MediaGone

LIMIT = 1000


class Names(AbstractResolver):
    """Every name leads to this machine: what a hostile name server would say."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        return


async def _file(request: web.Request) -> web.StreamResponse:
    match request.match_info["name"]:
        case "small":
            return web.Response(body=b"x" * 10)
        case "large":
            return web.Response(body=b"x" * (LIMIT + 1))
        case "endless":
            answer = web.StreamResponse()  # no length is announced
            await answer.prepare(request)
            for _ in range(10):
                await answer.write(b"x" * LIMIT)
            return answer
        case "moved":
            raise web.HTTPFound("/small")
        case "inside":
            raise web.HTTPFound("http://169.254.169.254/latest/meta-data")
        case "loop":
            raise web.HTTPFound("/loop")
        case "busy":
            raise web.HTTPBadGateway
    raise web.HTTPNotFound


@pytest.fixture
async def server() -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/{name}", _file)
    async with TestServer(application) as running:
        yield f"http://127.0.0.1:{running.port}"


@pytest.fixture
async def downloads() -> AsyncIterator[Downloads]:
    made = Downloads(Names())
    yield made
    await made.close()


async def test_a_file_is_fetched_and_redirects_are_followed(
    server: str, downloads: Downloads
) -> None:
    assert await downloads.get(f"{server}/small", LIMIT, allow_private=True) == b"x" * 10
    assert await downloads.get(f"{server}/moved", LIMIT, allow_private=True) == b"x" * 10


@pytest.mark.parametrize("name", ["large", "endless"])
async def test_a_file_over_the_limit_is_not_taken(
    server: str, downloads: Downloads, name: str
) -> None:
    with pytest.raises(MediaGone, match="too_large"):
        await downloads.get(f"{server}/{name}", LIMIT, allow_private=True)


async def test_a_file_that_is_gone_is_told_from_one_that_may_come(
    server: str, downloads: Downloads
) -> None:
    with pytest.raises(MediaGone, match="expired"):
        await downloads.get(f"{server}/gone", LIMIT, allow_private=True)
    with pytest.raises(MediaBusy):
        await downloads.get(f"{server}/busy", LIMIT, allow_private=True)
    with pytest.raises(MediaGone, match="refused"):
        await downloads.get(f"{server}/loop", LIMIT, allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/small",
        "http://[::1]:{port}/small",
        "http://[::ffff:127.0.0.1]:{port}/small",
        "http://2130706433:{port}/small",  # 127.0.0.1 as one number
        "http://kefu.example.com:{port}/small",  # a public name that leads inside
        "http://10.0.0.1/small",
        "http://169.254.169.254/latest/meta-data",
        "ftp://files.example.com/x",
        "file:///etc/passwd",
        "http://user@files.example.com/x",
        "nonsense",
    ],
)
async def test_nothing_inside_is_fetched(server: str, downloads: Downloads, url: str) -> None:
    port = server.rpartition(":")[2]
    with pytest.raises(MediaGone, match="refused"):
        await downloads.get(url.format(port=port), LIMIT)


async def test_an_error_names_no_address(downloads: Downloads) -> None:
    with pytest.raises(MediaBusy) as caught:
        await downloads.get("http://127.0.0.1:1/bot123:SECRET/x", LIMIT, allow_private=True)
    assert "SECRET" not in str(caught.value)
    assert isinstance(caught.value.__context__, aiohttp.ClientError | OSError)
