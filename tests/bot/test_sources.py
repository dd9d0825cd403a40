"""Guessing at a running server: from one line's many addresses, and behind a silent proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from bot.app.server import Started
from handoff.auth.sessions import LoginRules
from shop.access.throttle import Limits
from shop.demo.seeding import DemoShop, demo_shop, plant
from shop.domain.numbers import show_number
from tests.factories.channels import kefu_beside
from tests.factories.page import Page, new_token
from tests.factories.server import SMALL_KB

ADMIN_PASSWORD = "a password of tests"
TRIES = LoginRules().tries_of_user
FAILURES = Limits().order.failures


@pytest.fixture
async def server(data_folder: Path) -> AsyncIterator[Started]:
    """A server behind one proxy; the test is the proxy."""
    async with kefu_beside(
        [], data_folder, SMALL_KB, trusted_proxies=1, admin_password=ADMIN_PASSWORD
    ) as started:
        yield started


@pytest.fixture
async def demo(server: Started) -> DemoShop:
    made = demo_shop(b"tests", datetime.now(UTC))
    await plant(server.services.storage, made, server.services.shop.passwords)
    return made


def seen_as(address: str | None) -> dict[str, str]:
    return {} if address is None else {"X-Forwarded-For": address}


async def logs_in(server: Started, password: str, address: str | None) -> int:
    body = {"username": "admin", "password": password}
    async with (
        ClientSession(headers=seen_as(address)) as http,
        http.post(f"{server.url}/api/v1/session", json=body) as answer,
    ):
        return answer.status


async def guesses(server: Started, demo: DemoShop, password: str, address: str | None) -> str:
    """A new visitor asks for the cards of an order with a password; what they are told."""
    number = show_number(demo.orders["delivered"].order.number)
    async with ClientSession(headers=seen_as(address)) as http:
        token, visitor_id = await new_token(http, server.url)
        query = {"token": token, "last_seq": "0"}
        async with http.ws_connect(f"{server.url}/widget/ws", params=query) as socket:
            page = Page(socket, token, visitor_id)
            await page.of_type("hello")
            return await page.asks(f"查订单 {number} 密码{password}")


async def readiness(server: Started) -> dict[str, Any]:
    async with ClientSession() as http, http.get(f"{server.url}/readyz") as answer:
        told: dict[str, Any] = await answer.json()
        return told


@pytest.mark.parametrize("address", ["2001:db8:1:2::{}", None])
async def test_wrong_logins_from_one_line_or_a_silent_proxy_lock(
    server: Started, address: str | None
) -> None:
    def nth(number: int) -> str | None:
        return None if address is None else address.format(f"{number:x}")

    told = [await logs_in(server, "wrong horse", nth(number)) for number in range(TRIES + 1)]

    assert told == [401] * TRIES + [429]
    assert await logs_in(server, ADMIN_PASSWORD, "2001:db8:ffff::1") == 200


@pytest.mark.parametrize("address", ["2001:db8:1:2::{}", None])
async def test_wrong_order_passwords_from_one_line_or_a_silent_proxy_lock(
    server: Started, demo: DemoShop, address: str | None
) -> None:
    def nth(number: int) -> str | None:
        return None if address is None else address.format(f"{number:x}")

    order = demo.orders["delivered"]
    password = order.password.get_secret_value()
    for number in range(FAILURES):
        assert "先锁" not in await guesses(server, demo, "wrongword9", nth(number))

    assert "先锁" in await guesses(server, demo, password, nth(99))
    # the owner, who is somewhere else, is not locked out
    assert order.cards[0][1].get_secret_value() in await guesses(
        server, demo, password, "2001:db8:ffff::1"
    )


async def test_a_silent_proxy_is_named_in_readyz(server: Started) -> None:
    assert "proxy" not in (await readiness(server))["degraded"]
    await logs_in(server, "wrong horse", None)
    assert "KEFU_TRUSTED_PROXIES" in (await readiness(server))["degraded"]["proxy"]
