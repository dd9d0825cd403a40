"""What every answer says of itself: kept to TLS where it came by TLS, and figures for few."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from bot.app.http.middleware import Rim
from bot.app.http.network import Network
from bot.app.http.pages import Pages, built_pages, content_policy
from bot.app.metrics import Metrics
from bot.app.process.errors import BadSetting
from bot.app.settings import read_settings
from handoff.errors import StorageUnavailable

TOKEN = "a token for the figures"


@asynccontextmanager
async def a_server(
    *, trusted_proxies: int = 0, public_url: str | None = None, token: str | None = None
) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    async def readiness() -> tuple[bool, dict[str, str]]:
        return True, {"status": "ready"}

    async def before_metrics() -> None:
        return

    async def without_storage(_request: web.Request) -> web.Response:
        raise StorageUnavailable("disk is full")

    secret = None if token is None else SecretStr(token)
    pages = Pages(built_pages(), Metrics(), readiness, before_metrics, secret)
    application = web.Application()
    Rim(Network(b"k" * 32, trusted_proxies=trusted_proxies), None, public_url).mount(application)
    application.add_routes([*pages.routes(), web.get("/broken", without_storage)])
    async with TestClient(TestServer(application)) as client:
        yield client


@pytest.mark.parametrize(
    ("proxies", "public_url", "headers", "is_kept"),
    [
        (0, None, {}, False),
        (0, None, {"X-Forwarded-Proto": "https"}, False),
        (1, None, {"X-Forwarded-Proto": "https"}, True),
        (1, None, {"X-Forwarded-Proto": "https, http"}, False),
        (0, "https://kefu.example.com", {"Host": "kefu.example.com"}, True),
        (0, "https://kefu.example.com", {"Host": "localhost"}, False),
        (0, "http://kefu.example.com", {"Host": "kefu.example.com"}, False),
    ],
)
async def test_browsers_are_told_to_stay_with_tls_where_there_is_tls(
    proxies: int, public_url: str | None, headers: dict[str, str], *, is_kept: bool
) -> None:
    async with (
        a_server(trusted_proxies=proxies, public_url=public_url) as client,
        client.get("/healthz", headers=headers) as answer,
    ):
        assert ("Strict-Transport-Security" in answer.headers) is is_kept


async def test_there_are_no_figures_for_anybody_unless_a_token_is_set() -> None:
    async with a_server() as client:
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
            async with client.get("/metrics", headers=headers) as answer:
                assert answer.status == 404


async def test_figures_are_for_whoever_has_the_token() -> None:
    async with a_server(token=TOKEN) as client:
        for wrong in ("", "Bearer", "Bearer wrong", f"Bearer {TOKEN}x", "Bearer \u00e9"):
            async with client.get("/metrics", headers={"Authorization": wrong}) as answer:
                assert answer.status == 401
                assert b"kefu_" not in await answer.read()
        async with client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
            assert answer.status == 200
            assert b"kefu_" in await answer.read()


def test_a_short_token_for_the_figures_is_refused() -> None:
    with pytest.raises(BadSetting, match="KEFU_METRICS_TOKEN"):
        read_settings(metrics_token="short")


async def test_a_database_that_is_away_is_said_shortly_wherever_it_shows() -> None:
    async with a_server() as client, client.get("/broken") as answer:
        assert answer.status == 503
        assert (await answer.json())["error"]["code"] == "storage_unavailable"
        assert "disk" not in await answer.text()


async def test_a_method_that_is_not_allowed_is_told_which_are() -> None:
    async with a_server() as client, client.delete("/healthz") as answer:
        assert answer.status == 405
        assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("host", ["a; script-src *", "a b", "\ufffd", "", "a'", "[::1", "x" * 300])
def test_no_host_header_gets_into_the_policy(host: str) -> None:
    policy = content_policy(host, "'self'")
    assert "ws:" not in policy
    assert "connect-src 'self';" in policy


@pytest.mark.parametrize("host", ["kefu.example.com", "127.0.0.1:8000", "[::1]:8000"])
def test_the_pages_own_socket_is_in_the_policy(host: str) -> None:
    assert f"connect-src 'self' ws://{host} wss://{host};" in content_policy(host, "'none'")
