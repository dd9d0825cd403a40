"""Guessing agents' passwords: from one line, one network, everywhere; and the owner's own way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from argon2 import extract_parameters
from pydantic import SecretStr

from handoff.auth.devices import LIFETIME, Devices
from handoff.auth.login_queue import QueueFull
from handoff.auth.passwords import NOBODYS_HASH, hashed
from handoff.auth.sessions import (
    Contested,
    LockedOut,
    LoggedIn,
    LoginRules,
    Logins,
    WrongPassword,
)
from storage.storage import Storage
from storage.unit_of_work import UnitOfWork
from tests.factories.handoff import PASSWORD, ManualClock, an_agent, the_password_hash
from tests.handoff.console import Shop

RULES = LoginRules()
ADDRESS = ("203.0.113.7", "203.0.113")


@dataclass
class Door:
    """The login, its clock, and those who try it."""

    database: Storage
    clock: ManualClock
    logins: Logins
    devices: Devices
    outcomes: list[str] = field(default_factory=list)

    async def tries(
        self,
        password: str = "wrong horse",  # noqa: S107 - wrong
        *,
        username: str = "xiaomei",
        sources: tuple[str, ...] = ADDRESS,
        device: str | None = None,
    ) -> str:
        """What somebody is told: ``in``, ``wrong``, ``locked``, ``contested`` or ``busy``."""
        try:
            await self.logs_in(password, username=username, sources=sources, device=device)
        except WrongPassword:
            return "wrong"
        except Contested:
            return "contested"
        except LockedOut:
            return "locked"
        except QueueFull:
            return "busy"
        return "in"

    async def logs_in(
        self,
        password: str = PASSWORD,
        *,
        username: str = "xiaomei",
        sources: tuple[str, ...] = ADDRESS,
        device: str | None = None,
    ) -> LoggedIn:
        return await self.logins.log_in(username, SecretStr(password), sources, device=device)

    async def was_tried(self, username: str, times: int, *sources: str) -> None:
        """As if wrong passwords had been tried: a hash takes its time."""
        await note_tries(self.database, self.clock, [username] * times, sources)


async def note_tries(
    database: Storage, clock: ManualClock, usernames: Sequence[str], sources: Sequence[str]
) -> None:
    def unit(work: UnitOfWork) -> None:
        for username in usernames:
            for source in sources:
                work.sessions.add_attempt(username, source, clock())

    await database.write(unit)


@pytest.fixture
async def door(database: Storage, clock: ManualClock) -> Door:
    await database.write(lambda work: work.agents.add(an_agent("xiaomei"), the_password_hash()))
    devices = Devices(b"k" * 32, clock)
    return Door(database, clock, Logins(database, clock=clock, devices=devices), devices)


async def test_a_network_whose_addresses_rotate_is_locked_out_too(door: Door) -> None:
    limit = RULES.tries_of_source * RULES.wider
    names = [f"guess{number}" for number in range(limit - 1)]
    await note_tries(door.database, door.clock, names, ["the /48"])
    assert await door.tries(username="guess", sources=("one more", "the /48")) == "wrong"
    assert await door.tries(PASSWORD, sources=("another", "the /48")) == "locked"
    assert await door.tries(PASSWORD, sources=("elsewhere", "another /48")) == "in"


async def test_strangers_from_everywhere_are_looked_at_one_by_one(door: Door) -> None:
    await door.was_tried("xiaomei", RULES.tries_of_all, "*")
    assert await door.tries(sources=("new line", "new net")) == "contested"
    door.clock.advance(seconds=RULES.spacing_s)
    assert await door.tries(sources=("line 1", "net 1")) == "wrong"
    assert await door.tries(sources=("line 2", "net 2")) == "contested"


async def test_no_number_of_strangers_locks_an_agent_out_for_good(door: Door) -> None:
    await door.was_tried("xiaomei", 10 * RULES.tries_of_all, "*")
    with pytest.raises(Contested) as refused:
        await door.logs_in()
    door.clock.advance(seconds=refused.value.retry_after_s)
    assert await door.tries(PASSWORD) == "in"


async def test_a_browser_that_logged_in_before_minds_no_stranger(door: Door) -> None:
    device = (await door.logs_in()).device
    await door.was_tried("xiaomei", 10 * RULES.tries_of_all, "*", *ADDRESS)

    assert await door.tries(PASSWORD) == "locked"
    assert await door.tries(PASSWORD, device=device) == "in"
    assert await door.tries(device=device) == "wrong"


async def test_guessing_in_a_known_browser_makes_it_a_strangers(door: Door) -> None:
    device = (await door.logs_in()).device
    for _ in range(RULES.tries_of_user):
        assert await door.tries(device=device, sources=("a", "b")) == "wrong"
    await door.was_tried("xiaomei", RULES.tries_of_user, "a", "b")
    assert await door.tries(PASSWORD, device=device, sources=("a", "b")) == "locked"


async def test_a_device_cookie_is_good_for_its_own_user_and_time_alone(door: Door) -> None:
    device = (await door.logs_in()).device
    devices, spoilt = door.devices, device[:-1] + ("A" if device[-1] != "A" else "B")

    assert devices.id_of("xiaomei", device) is not None
    assert devices.id_of("agang", device) is None
    assert Devices(b"o" * 32, door.clock).id_of("xiaomei", device) is None
    for wrong in (None, "", "..", spoilt, f"{device}.{device}", "é" * 20, "x" * 5_000, "\x00"):
        assert devices.id_of("xiaomei", wrong) is None, wrong
    door.clock.advance(seconds=LIFETIME.total_seconds())
    assert devices.id_of("xiaomei", device) is None


@pytest.mark.parametrize("username", ["xiaomei", "nobody"])
async def test_limits_tell_nobody_which_user_names_exist(door: Door, username: str) -> None:
    told = [await door.tries(username=username) for _ in range(RULES.tries_of_user + 1)]
    assert told == [*["wrong"] * RULES.tries_of_user, "locked"]
    await door.was_tried(username, RULES.tries_of_all, "*")
    assert await door.tries(username=username, sources=("x", "y")) == "contested"


async def test_an_unknown_user_costs_the_same_hash_as_a_known_one() -> None:
    known = await hashed(SecretStr(PASSWORD))
    assert extract_parameters(NOBODYS_HASH) == extract_parameters(known)


@pytest.mark.parametrize("is_known", [True, False])
async def test_an_agent_gets_in_while_400_strangers_try(door: Door, *, is_known: bool) -> None:
    """The agent waits for what is at work, not for four hundred hashes; on a new phone too."""
    device = (await door.logs_in()).device if is_known else None
    flood = [
        asyncio.create_task(door.tries(sources=(f"line {number}", f"net {number % 50}")))
        for number in range(400)
    ]
    await asyncio.sleep(0)
    assert await door.tries(PASSWORD, device=device) == "in"
    still_waiting = sum(not task.done() for task in flood)
    told = await asyncio.gather(*flood)

    assert still_waiting > 0, "the agent waited until the last stranger was served"
    assert told.count("busy") > 300
    assert set(told) <= {"busy", "wrong"}


async def test_a_hash_with_old_parameters_is_renewed_at_the_next_login(door: Door) -> None:
    await door.logs_in()
    found = await door.database.read(lambda work: work.agents.credentials("xiaomei"))

    assert found is not None
    assert extract_parameters(found.password_hash) == extract_parameters(NOBODYS_HASH)
    assert await door.tries(PASSWORD) == "in"


async def test_agents_who_share_a_browser_each_keep_their_own_device_cookie(shop: Shop) -> None:
    await shop.hires("xiaomei")
    await shop.hires("agang")
    browser = await shop.browser()
    for username in ("xiaomei", "agang"):
        await browser.post("/session", username=username, password=PASSWORD)
    names = {cookie.key for cookie in browser.session.cookie_jar}
    assert len([name for name in names if name.startswith("kefu_device_")]) == 2
    for cookie in browser.session.cookie_jar:
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"

    # at the same address somebody else guesses until it is locked
    guesses = ["xiaomei"] * 200
    await note_tries(shop.database, shop.clock, guesses, ["192.0.2.1", "192.0.2"])
    stranger = await shop.browser()
    body = {"username": "xiaomei", "password": PASSWORD}
    assert (await stranger.ask("POST", "/session", body))[0] == 429
    assert (await browser.ask("POST", "/session", body))[0] == 200


async def test_a_refusal_says_when_to_come_back_in_plain_words(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_full(*_given: object, **_named: object) -> None:
        raise QueueFull(2.5)

    monkeypatch.setattr(Logins, "log_in", is_full)
    browser = await shop.browser()
    async with browser.session.post(
        "/api/v1/session", json={"username": "a", "password": "b"}
    ) as answer:
        told = (await answer.json())["error"]
        assert answer.status == 429
        assert answer.headers["Retry-After"] == "3"
    assert told["code"] == "busy"
    assert "登录的人太多" in told["message"]
