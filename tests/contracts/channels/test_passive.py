"""A 公众号 that may only answer within a push: quick, slow, and too slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from connectors.wechat.account import WAITING_TEXT
from connectors.wechat.passive import MORE
from devkit.wechat import FakeWeChatOA
from devkit.wechat.rules import UNAVAILABLE, Rules
from handoff.model.transcript import Author
from tests.contracts.channels.cases import case
from tests.contracts.channels.contract import ODD, secrets_of
from tests.contracts.channels.test_wechat import WeChatContract
from tests.contracts.channels.world import Mode, World, kefu_in
from tests.factories.loop_time import time_passes_until
from tests.storm.storm import TOPICS, answer_of

pytestmark = pytest.mark.asyncio(loop_scope="class")

ANSWER_S = 3.0
"""The platform's five seconds; where they run out, the loop's time is let pass."""


def _unverified() -> FakeWeChatOA:
    return FakeWeChatOA(is_verified=False, rules=Rules(answer_s=ANSWER_S))


MODE = Mode(
    "wechat",
    "passive",
    _unverified,
    "",
    draws=False,
    budget=1,
    holds_for_who_left=True,
    shows_files=False,
)
NOTHING_GOES_OUT = "sends nothing by itself: an answer is what a delivery is answered with"


@contextmanager
def planning(world: World, monkeypatch: pytest.MonkeyPatch, topic: str) -> Iterator[asyncio.Event]:
    """The bot plans its answer to this until the event is set."""
    is_done, plan = asyncio.Event(), world.parts.turns._plan

    async def slowly(planner: Any, conversation: Any, group: Any, turn_id: str) -> Any:
        if group[0].text == topic:
            await is_done.wait()
        return await plan(planner, conversation, group, turn_id)

    with monkeypatch.context() as patch:
        patch.setattr(world.parts.turns, "_plan", slowly)
        yield is_done


@asynccontextmanager
async def asking(world: World, user: str, text: str) -> AsyncIterator[asyncio.Task[str]]:
    """A customer writes, and the platform delivers it until it is answered."""
    task = asyncio.create_task(world.platform.says(user, text))
    try:
        yield task
    finally:
        await task


def texts(world: World, user: str) -> list[str]:
    return [line.text for line in world.platform.shown(user)]


async def fetched(world: World, user: str, *, by: Sequence[str]) -> None:
    """The customer says more: each word brings what waits, and its own answer now or next time."""
    for text in by:
        await world.platform.says(user, text)
        await world.calm()


class TestPassive(WeChatContract):
    """The contract, and what is otherwise here: people's words wait for the customer's next."""

    mode = MODE

    @case(15)
    async def test_a_quick_answer_goes_out_with_the_first_delivery(self, world: World) -> None:
        user, before = world.somebody(), len(world.platform.pushes)
        await world.platform.says(user, TOPICS[0])
        assert texts(world, user) == [answer_of(TOPICS[0])]
        assert [status for status, _ in world.platform.pushes[before:]] == [200]

    @case(14, 15)
    async def test_a_slow_answer_goes_out_with_a_later_delivery(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user, before = world.somebody(), len(world.platform.pushes)
        with planning(world, monkeypatch, TOPICS[1]) as is_done:
            async with asking(world, user, TOPICS[1]):
                await time_passes_until(lambda: len(world.platform.pushes) > before)
                is_done.set()
        assert [status for status, _ in world.platform.pushes[before:]] == [None, 200]
        assert texts(world, user) == [answer_of(TOPICS[1])]
        assert await world.said_by(user, Author.CUSTOMER) == [TOPICS[1]]

    @case(15)
    async def test_what_takes_too_long_is_promised_and_fetched_by_any_word(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = world.somebody()
        with planning(world, monkeypatch, TOPICS[2]) as is_done:
            async with asking(world, user, TOPICS[2]) as told:
                await time_passes_until(told.done)
            assert texts(world, user) == [WAITING_TEXT]
            is_done.set()
            await world.calm()
        assert texts(world, user) == [WAITING_TEXT]
        await fetched(world, user, by=(TOPICS[3], TOPICS[9]))
        assert world.answers(user)[:2] == [TOPICS[2], TOPICS[3]]
        assert UNAVAILABLE not in texts(world, user)

    @case(7)
    async def test_a_delivery_of_what_was_answered_is_not_answered_again(
        self, world: World
    ) -> None:
        user = world.somebody()
        key = await world.platform.says(user, TOPICS[4])
        await world.platform.replays(key)
        await world.calm()
        assert texts(world, user) == [answer_of(TOPICS[4])]
        assert await world.said_by(user, Author.CUSTOMER) == [TOPICS[4]]

    @case(13)
    async def test_a_slow_customer_does_not_delay_another(  # type: ignore[override]
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slow, quick = world.somebody(), world.somebody()
        with planning(world, monkeypatch, TOPICS[5]) as is_done:
            async with asking(world, slow, TOPICS[5]):
                await world.until(lambda: _is_stored(world, slow))
                await world.platform.says(quick, TOPICS[6])
                assert texts(world, quick) == [answer_of(TOPICS[6])]
                assert texts(world, slow) == []
                is_done.set()
        assert texts(world, slow) == [answer_of(TOPICS[5])]

    @case(10, 39)
    async def test_a_restart_loses_nothing_and_answers_nothing_twice(
        self, shop_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with _unverified() as platform:
            async with kefu_in(MODE, platform, shop_folder) as world:
                with planning(world, monkeypatch, TOPICS[7]) as is_done:
                    async with asking(world, "u", TOPICS[7]) as told:
                        await time_passes_until(told.done)
                    is_done.set()
                    await world.calm()
            async with kefu_in(MODE, platform, shop_folder) as world:
                await fetched(world, "u", by=(TOPICS[8], TOPICS[9]))
                assert texts(world, "u")[0] == WAITING_TEXT
                assert world.answers("u")[:2] == [TOPICS[7], TOPICS[8]]

    @case(19)
    async def test_texts_at_the_limit_and_over_it_arrive_whole(self, world: World) -> None:
        most = world.connector.capabilities.max_text
        exact = "字" * (most // len("字".encode()))
        for text in (exact, exact + "😀", exact * 3):
            user = await self._known(world)
            read = len(world.platform.shown(user))
            await world.agent_says(user, text)
            await world.calm()
            assert len(world.platform.shown(user)) == read
            pieces = -(-len(text.encode()) // most)
            for topic in TOPICS[:pieces]:
                await world.platform.says(user, topic)
            shown = "".join(texts(world, user)[read:])
            for other in (MORE, *map(answer_of, TOPICS), "\n"):
                shown = shown.replace(other, "")
            assert shown == text

    @case(21)
    async def test_odd_characters_are_shown_as_they_were_typed(self, world: World) -> None:
        user = await self._known(world)
        await world.agent_says(user, ODD)
        await world.calm()
        await world.platform.says(user, f"请问{ODD}")
        assert (await world.said_by(user, Author.CUSTOMER))[-1] == f"请问{ODD}"
        assert self.mode_shows(ODD) in texts(world, user)[-1]

    @case(22)
    async def test_pieces_arrive_in_order_although_the_second_failed_first(
        self,
        world: World,  # noqa: ARG002 - the contract's signature
    ) -> None:
        pytest.skip(NOTHING_GOES_OUT)

    @case(33)
    async def test_a_time_out_after_the_deed_shows_once(
        self,
        world: World,  # noqa: ARG002 - the contract's signature
    ) -> None:
        pytest.skip(NOTHING_GOES_OUT)

    @case(40)
    async def test_no_secret_stands_in_logs_or_in_what_agents_read(
        self, world: World, capfd: pytest.CaptureFixture[str]
    ) -> None:
        user = await self._known(world)
        assert isinstance(world.platform, FakeWeChatOA)
        faults = world.platform.faults
        fault = faults.add("status", "media/get")
        await world.platform.sends_media(user, "voice", b"#!AMR\n")
        await world.platform.until(lambda: fault in faults.used)
        async with aiohttp.ClientSession() as http:
            url = f"{world.platform.hook_url}?signature=x&timestamp=1&nonce=2"
            async with http.post(url, data=b"<xml/>") as answer:
                assert answer.status in {400, 401, 403}
        await world.calm()
        told = "".join(capfd.readouterr())
        assert "webhook_refused" in told
        errors = [line.delivery_error or "" for line in await world.transcript(user)]
        for secret in secrets_of(world):
            assert secret not in told
            assert all(secret not in error for error in errors)


async def _is_stored(world: World, user: str) -> bool:
    return await world.conversation(user) is not None
