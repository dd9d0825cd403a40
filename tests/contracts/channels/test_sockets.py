"""A QQ account over a WebSocket: who is connected, what became of an action, and how it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSCloseCode

from connectors.kit.backoff import Backoff
from connectors.messages import HealthState
from connectors.onebot.link import REPLACED
from devkit.onebot import FakeOneBot
from handoff.model.transcript import Author, DeliveryState
from tests.contracts.channels import test_onebot
from tests.contracts.channels.cases import case
from tests.contracts.channels.world import Mode, World, kefu_in
from tests.storm.storm import TOPICS, answer_of

pytestmark = pytest.mark.asyncio(loop_scope="class")

SENDING = "send_private_msg"
DEAD_AFTER = 2


class HastyOneBot(FakeOneBot):
    """An account that waits for no answer for long."""

    def account(self, name: str = "main") -> dict[str, Any]:
        quick = {"action_timeout_s": 0.3, "dead_after": DEAD_AFTER}
        return {**super().account(name), **quick}


def _hasty(name: str, **options: Any) -> Mode:
    known = test_onebot.TestNapCat.mode
    return Mode(
        "onebot",
        name,
        lambda: HastyOneBot(**options),
        SENDING,
        draws=known.draws,
        groups=known.groups,
        tells_leaving=known.tells_leaving,
    )


class SocketContract:
    """What holds whoever dials."""

    mode: Mode

    @case(35)
    async def test_after_a_break_they_find_each_other_and_nothing_is_said_twice(
        self, world: World
    ) -> None:
        qq, user = _qq(world), world.somebody()
        await qq.says(user, TOPICS[0])
        await world.reads(user, answer_of(TOPICS[0]))
        opened = qq.wires.opened
        await qq.wires.cut()
        await qq.until(lambda: qq.wires.opened > opened)
        await qq.connected()
        await world.until(lambda: _is(world, HealthState.UP))
        await qq.says(user, TOPICS[1])
        await world.reads(user, answer_of(TOPICS[1]))
        await world.calm()
        assert world.answers(user) == [TOPICS[0], TOPICS[1]]

    @case(36)
    @pytest.mark.parametrize("kind", ["late", "wrong_echo", "silent", "async", "timeout"])
    async def test_an_action_of_which_nobody_knows_is_shown_once(
        self, world: World, kind: str
    ) -> None:
        qq, user = _qq(world), await _known(world)
        qq.faults.add(kind, SENDING)
        await world.agent_says(user, f"只说一遍 {kind}")
        await world.until(lambda: _is_settled(world, user, f"只说一遍 {kind}"))
        # an answer that comes too late is no event, and no answer to what follows
        await qq.says(user, TOPICS[2])
        await world.reads(user, answer_of(TOPICS[2]))
        await world.calm()
        shown = [one.text for one in qq.shown(user)]
        assert shown.count(f"只说一遍 {kind}") == 1
        assert len(await world.said_by(user, Author.CUSTOMER)) == 2

    @case(36)
    async def test_an_event_between_an_action_and_its_answer_is_heard(self, world: World) -> None:
        qq, user = _qq(world), await _known(world)
        qq.faults.add("noisy", SENDING)
        await world.agent_says(user, "您稍等")
        await world.until(lambda: _is_in(world, user, "您稍等", DeliveryState.SENT))
        await world.until(lambda: _said(world, "旁人", "插一句"))

    @case(36)
    async def test_a_socket_that_only_talks_is_closed_and_a_new_one_answers(
        self, world: World
    ) -> None:
        qq, user, opened = _qq(world), await _known(world), _qq(world).wires.opened
        qq.faults.add("hang", SENDING, times=DEAD_AFTER)
        for number in range(DEAD_AFTER):
            await world.agent_says(user, f"听得到吗 {number}")
            await world.calm()
        await qq.until(lambda: qq.wires.opened > opened)
        await qq.says(user, TOPICS[3])
        await world.reads(user, answer_of(TOPICS[3]))

    @case(36)
    async def test_an_account_that_was_logged_out_is_told_until_it_is_back(
        self, world: World
    ) -> None:
        qq = _qq(world)
        await qq.beats(online=False)
        await world.until(lambda: _is(world, HealthState.DOWN))
        assert "重新登录" in await _told_the_admin(world)
        await qq.beats()
        await world.until(lambda: _is(world, HealthState.UP))


class TestNapCatSocket(SocketContract):
    mode = _hasty("NapCat, it dials")

    @case(35)
    async def test_the_newest_connection_wins(self, world: World) -> None:
        old, closed = _qq(world), len(_qq(world).wires.close_codes)
        old.wires.is_dialling = False
        async with HastyOneBot() as new:
            await new.connect(world.started.url)
            await old.until(lambda: len(old.wires.close_codes) > closed)
            assert old.wires.close_codes[-1] == REPLACED
            await new.says("新客", TOPICS[4])
            await new.until_shown("新客", 1)
            assert [one.text for one in new.shown("新客")] == [answer_of(TOPICS[4])]
        await old.connect(world.started.url)

    @case(1)
    async def test_who_does_not_know_the_token_is_not_let_in(self, world: World) -> None:
        for token, status in (("", 401), ("another-token", 403)):
            stranger = FakeOneBot(token=token)
            async with stranger:
                await stranger.connect(world.started.url)
                assert stranger.wires.refused == [status]
                assert not await stranger.wires.push({"post_type": "message"})
        assert _qq(world).wires.wire is not None

    @case(6)
    async def test_garbage_on_the_socket_is_skipped(self, world: World) -> None:
        qq, user = _qq(world), world.somebody()
        for frame in ("", "{", "[]", "null", '"', "[" * 50_000, '{"post_type": 7}', '{"echo": []}'):
            assert await qq.wires.push(frame)
        await qq.says(user, TOPICS[5])
        await world.reads(user, answer_of(TOPICS[5]))

    @case(39)
    async def test_an_open_socket_does_not_hold_up_the_end(
        self, shop_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            "bot.app.server.SHUTDOWN_S", 3600.0
        )  # what requests that go on are granted
        async with asyncio.timeout(60), self.mode.make() as platform:
            async with kefu_in(self.mode, platform, shop_folder) as world:
                await platform.says("u", TOPICS[6])
                await world.reads("u", answer_of(TOPICS[6]))
            assert isinstance(platform, FakeOneBot)
            assert platform.wires.close_codes[0] == WSCloseCode.GOING_AWAY


class TestForwardSocket(SocketContract):
    mode = _hasty("NapCat, kefu dials", mode="forward")

    @pytest.fixture(autouse=True)
    def _no_long_pauses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.onebot.connector._REDIAL", Backoff(0.05, 0.05))


def _qq(world: World) -> FakeOneBot:
    assert isinstance(world.platform, FakeOneBot)
    return world.platform


async def _known(world: World) -> str:
    """A customer who has been answered once."""
    user = world.somebody()
    await world.platform.says(user, TOPICS[9])
    await world.reads(user, answer_of(TOPICS[9]))
    await world.calm()
    return user


async def _is(world: World, state: HealthState) -> bool:
    return world.connector.health().state is state


async def _is_in(world: World, user: str, text: str, *states: DeliveryState) -> bool:
    lines = await world.transcript(user)
    return any(line.text == text and line.delivery in states for line in lines)


async def _is_settled(world: World, user: str, text: str) -> bool:
    """What became of it is known, as far as it ever will be."""
    return await _is_in(world, user, text, DeliveryState.SENT, DeliveryState.FAILED)


async def _said(world: World, user: str, text: str) -> bool:
    return text in await world.said_by(user, Author.CUSTOMER)


async def _told_the_admin(world: World) -> str:
    async with aiohttp.ClientSession() as http, http.get(f"{world.started.url}/readyz") as answer:
        told = await answer.json()
    return str(told["degraded"]["onebot/main"])
