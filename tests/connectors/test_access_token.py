"""An access token: one fetch for all who wait, renewed early, replaced when refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import AuthError, RateLimited, Retryable, SendError
from connectors.kit.access_token import AccessToken

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIFE = timedelta(hours=2)
EARLY = timedelta(minutes=5)


class Office:
    """A platform that gives out tokens 1, 2, 3 …, each for two hours."""

    def __init__(self) -> None:
        self.now = NOON
        self.given = 0
        self.forced = 0
        self.refusal: SendError | None = None
        self.only: str | None = None
        self.open = asyncio.Event()
        self.open.set()

    def clock(self) -> datetime:
        return self.now

    async def fetch(self) -> tuple[str, float]:
        await self.open.wait()
        if self.refusal is not None:
            raise self.refusal
        self.given += 1
        return self.only or str(self.given), LIFE.total_seconds()

    async def force(self) -> tuple[str, float]:
        self.forced += 1
        if self.forced > 1:
            raise RateLimited("45009", "enough for today", retry_after_s=60)
        return "forced", LIFE.total_seconds()

    def token(self, force: Callable[[], Awaitable[tuple[str, float]]] | None = None) -> AccessToken:
        return AccessToken(self.fetch, clock=self.clock, refresh_before=EARLY, force=force)


async def test_many_who_ask_at_once_get_one_token_by_one_request() -> None:
    office = Office()
    token = office.token()
    assert await asyncio.gather(*(token.get() for _ in range(20))) == ["1"] * 20
    assert office.given == 1


async def test_many_who_wait_are_told_of_one_failure_together() -> None:
    office = Office()
    office.refusal = Retryable("network", "away")
    token = office.token()
    told = await asyncio.gather(*(token.get() for _ in range(20)), return_exceptions=True)
    assert {str(one) for one in told} == {str(office.refusal)}
    office.refusal = None
    assert await token.get() == "1"


async def test_who_gives_up_waiting_does_not_take_the_token_from_the_others() -> None:
    office = Office()
    office.open.clear()
    token = office.token()
    hasty, patient = asyncio.create_task(token.get()), asyncio.create_task(token.get())
    await asyncio.sleep(0)
    hasty.cancel()
    office.open.set()
    assert await patient == "1"
    assert office.given == 1


async def test_it_is_renewed_before_its_end_and_not_before_that() -> None:
    office = Office()
    token = office.token()
    await token.get()
    office.now = NOON + LIFE - EARLY - timedelta(seconds=1)
    assert await token.get() == "1"
    office.now = NOON + LIFE - EARLY
    assert await token.get() == "2"


async def test_a_platform_that_stumbles_at_the_renewal_is_not_noticed_until_the_end() -> None:
    office = Office()
    token = office.token()
    await token.get()
    office.refusal = Retryable("http-503", "away")
    office.now = NOON + LIFE - timedelta(seconds=1)
    assert await token.get() == "1"
    office.now = NOON + LIFE
    with pytest.raises(Retryable):
        await token.get()


async def test_a_refused_token_is_replaced_once_for_all() -> None:
    office = Office()
    token = office.token()
    await token.get()
    assert await asyncio.gather(*(token.get(refused="1") for _ in range(5))) == ["2"] * 5
    assert office.given == 2


async def test_a_platform_that_hands_out_what_it_refuses_is_forced_and_not_twice() -> None:
    office = Office()
    token = office.token(office.force)
    await token.get()
    office.only = "1"
    assert await token.get(refused="1") == "forced"
    office.only = "forced"
    with pytest.raises(AuthError):
        await token.get(refused="forced")


async def test_who_closes_it_leaves_no_task_behind() -> None:
    office = Office()
    office.open.clear()
    token = office.token()
    waiting = asyncio.create_task(token.get())
    await asyncio.sleep(0)
    await token.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
