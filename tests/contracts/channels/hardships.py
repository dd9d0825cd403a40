"""What every connector promises when things are hard: slow, refused, limited, away, unknown.

The trouble itself has another name on each platform: a mode's class says which in ``Trouble``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import aiohttp
import pytest
from sqlalchemy import func, select

from connectors.messages import HealthState, MediaState
from devkit.platform import Call, FakePlatform
from handoff.model.transcript import Author
from storage.core.engine import engine_for
from storage.tables.messaging import raw_inbound
from tests.contracts.channels.cases import case
from tests.contracts.channels.world import Mode, World, kefu_in
from tests.storm.storm import TOPICS, answer_of

AT_ONCE_S = 5.0
"""An acknowledgement that waits for the bot would never come: the bot is held until after it."""
WAIT_S = 1.0
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Refused:
    """A platform's own error, as its fake is told to answer with it.

    Attributes:
        method: What is refused, where it is not the sending request.
    """

    code: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    method: str = ""

    def order(self, world: World, **more: Any) -> None:
        method = self.method or _sends(world)[-1].method
        world.platform.faults.add("error", method, code=self.code, fields=self.fields, **more)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What trouble is called on a platform; ``None`` where it has none of the kind.

    Attributes:
        slowly: Wait a second before the next message to this customer.
        slows_all: That holds for the whole account.
        no_format: Buttons or markup are refused.
        no_token: Our credentials are refused.
        unknown: Something happens that nobody has documented.
        inside: The account may not fetch files from inside our network.
        too_large_mb: A file that is refused.
        back: What brings kefu what was said while it was away; ``None``: nothing does.
    """

    slowly: Refused | None = None
    slows_all: bool = False
    no_format: Refused | None = None
    no_token: Refused | None = None
    unknown: Callable[[Any], Awaitable[object]] | None = None
    inside: Callable[[], FakePlatform] | None = None
    too_large_mb: int = 0
    back: Callable[[Any], Awaitable[object]] | None = None


async def by_itself(_platform: FakePlatform) -> None:
    """Nobody need bring what kefu asks for."""


class HardshipContract:
    """The cases of trouble; a subclass names its mode and what trouble is called there."""

    mode: ClassVar[Mode]
    trouble: ClassVar[Trouble]

    @case(14)
    async def test_a_slow_bot_is_not_waited_for_and_nothing_is_answered_twice(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user, is_awake, plan = world.somebody(), asyncio.Event(), world.parts.turns._plan

        async def slowly(*given: Any) -> Any:
            await is_awake.wait()
            return await plan(*given)

        monkeypatch.setattr(world.parts.turns, "_plan", slowly)
        async with asyncio.timeout(AT_ONCE_S):
            key = await world.platform.says(user, TOPICS[0])
            await world.platform.replays(key)
            await world.until(lambda: _said(world, user))
        is_awake.set()
        await world.reads(user, answer_of(TOPICS[0]))
        await world.calm()
        assert world.answers(user) == [TOPICS[0]]

    @case(20)
    async def test_what_is_refused_for_its_form_is_sent_once_more_as_plain_text(
        self, world: World
    ) -> None:
        if self.trouble.no_format is None:
            pytest.skip("nothing but plain text goes out")
        await _known(world)
        stranger = world.somebody()
        self.trouble.no_format.order(world)
        calls = len(_sends(world))
        await world.platform.arrives(stranger)
        lines = await world.reads(stranger, "风暴店")
        await world.calm()
        assert [line.buttons for line in lines] == [()]
        assert f"1. {TOPICS[0]}\n2. 转人工" in lines[0].text
        assert len(_sends(world)) == calls + 2
        await world.platform.says(stranger, "1")
        await world.reads(stranger, answer_of(TOPICS[0]))

    @case(23)
    async def test_a_named_wait_is_kept_and_nothing_overtakes(self, world: World) -> None:
        if self.trouble.slowly is None:
            pytest.skip("the platform names no time to wait")
        user, other = await _known(world), await _known(world)
        before = len(world.platform.shown(user))
        self.trouble.slowly.order(world, match=lambda sent: "慢点" in str(sent))
        await world.agent_says(user, "慢点说")
        await world.platform.until(lambda: bool(_told(world, "慢点说")))
        await world.agent_says(user, "接着说")
        await world.agent_says(other, "别人的")
        if not self.trouble.slows_all:
            await world.reads(other, "别人的")
            assert len(world.platform.shown(user)) == before
        await world.reads(user, "接着说")
        await world.reads(other, "别人的")
        texts = [line.text for line in world.platform.shown(user)[before:]]
        assert texts == ["慢点说", "接着说"]
        first, second = _told(world, "慢点说")
        assert (second.at - first.at).total_seconds() >= WAIT_S

    @case(37)
    async def test_a_file_that_is_too_large_is_not_taken_and_is_told(self, world: World) -> None:
        if not self.trouble.too_large_mb:
            pytest.skip("the platform itself takes none so large")
        user = await _known(world)
        content = b"\x89PNG\r\n\x1a\n" + b"\0" * (self.trouble.too_large_mb * MEGABYTE)
        await world.platform.sends_media(user, "image", content, name="大.png", mime="image/png")
        await world.until(lambda: _file_is(world, user, MediaState.FAILED))
        await world.platform.says(user, TOPICS[1])
        await world.reads(user, answer_of(TOPICS[1]))

    @case(37)
    async def test_a_picture_that_is_none_is_never_shown_as_one(self, world: World) -> None:
        if not self.mode.takes_files:
            pytest.skip("files cannot be fetched")
        user = await _known(world)
        page = b"<html><script>alert(1)</script></html>" * 10
        await world.platform.sends_media(user, "image", page, name="x.png", mime="image/png")
        await world.until(lambda: _file_is(world, user, MediaState.READY, MediaState.FAILED))
        lines = await world.transcript(user)
        (file,) = (one for line in lines for one in line.attachments)
        assert file.kind != "image"
        assert not file.mime.startswith(("image/", "text/"))

    @case(37)
    async def test_an_address_inside_our_network_is_not_fetched_from(
        self, shop_folder: Path
    ) -> None:
        if self.trouble.inside is None:
            pytest.skip("messages name no addresses, or the platform's own")
        async with (
            self.trouble.inside() as platform,
            kefu_in(self.mode, platform, shop_folder) as world,
        ):
            user = await _known(world)
            await platform.sends_media(user, "image", b"\x89PNG", name="a.png", mime="image/png")
            await world.until(lambda: _file_is(world, user, MediaState.FAILED))
            assert not [call for call in platform.calls if "media" in call.method]

    @case(40)
    async def test_what_nobody_knows_is_kept_and_the_next_message_is_answered(
        self, world: World
    ) -> None:
        if self.trouble.unknown is None:
            pytest.skip("what cannot be read is refused, and told so")
        before = await asyncio.to_thread(_kept, world)
        await self.trouble.unknown(world.platform)
        await world.until(lambda: _is_kept(world, before + 1))
        user = await _known(world)
        assert len(world.answers(user)) == 1

    @case(26)
    async def test_refused_credentials_are_tried_a_few_times_and_told_to_the_admin(
        self, shop_folder: Path
    ) -> None:
        if self.trouble.no_token is None:
            pytest.skip("credentials count when the connection is made")
        async with self.mode.make() as platform, kefu_in(self.mode, platform, shop_folder) as world:
            user = await _known(world)
            self.trouble.no_token.order(world, times=99)
            before = len(_sends(world))
            await world.agent_says(user, "在的")
            await world.until(lambda: _is(world, HealthState.DOWN))
            await world.calm()
            await world.agent_says(user, "还在")
            await world.parts.delivery.poll()
            await world.calm()
            # the first message, and once more with a new token where there are such
            assert 1 <= len(_sends(world)) - before <= 2
            told = await _told_the_admin(world)
            assert any("\u4e00" <= char <= "\u9fff" for char in told)
            await platform.says(user, TOPICS[2])
            await world.until(lambda: _said(world, user, 2))
            # that we hear customers does not mean that they hear us
            assert await _is(world, HealthState.DOWN)

    @case(39)
    async def test_a_stop_frees_the_port_and_what_was_said_meanwhile_is_answered(
        self, shop_folder: Path
    ) -> None:
        async with self.mode.make() as platform:
            async with kefu_in(self.mode, platform, shop_folder) as world:
                user = await _known(world)
                address = urlsplit(world.started.url)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(address.hostname, address.port)
            if self.trouble.back is None:
                return  # nobody brings what nobody took
            await platform.says(user, TOPICS[3])
            async with kefu_in(self.mode, platform, shop_folder) as world:
                await self.trouble.back(platform)
                await world.reads(user, answer_of(TOPICS[3]))
                await world.calm()
                assert world.answers(user) == [TOPICS[9], TOPICS[3]]


def _sends(world: World) -> list[Call]:
    """Requests that sent something."""
    return [call for call in world.platform.calls if world.mode.sends in call.method]


def _told(world: World, words: str) -> list[Call]:
    return [call for call in _sends(world) if words in str(call.parameters)]


async def _known(world: World) -> str:
    """A customer who has been answered once."""
    user = world.somebody()
    await world.platform.says(user, TOPICS[9])
    await world.reads(user, answer_of(TOPICS[9]))
    await world.calm()
    return user


async def _said(world: World, user: str, count: int = 1) -> bool:
    return len(await world.said_by(user, Author.CUSTOMER)) >= count


async def _file_is(world: World, user: str, *states: MediaState) -> bool:
    lines = await world.transcript(user)
    return any(file.state in states for line in lines for file in line.attachments)


async def _is(world: World, state: HealthState) -> bool:
    return world.connector.health().state is state


async def _is_kept(world: World, count: int) -> bool:
    return await asyncio.to_thread(_kept, world) == count


def _kept(world: World) -> int:
    """Payloads that nobody understood."""
    engine = engine_for(world.started.settings.database)
    try:
        with engine.connect() as connection:
            return int(
                connection.execute(select(func.count()).select_from(raw_inbound)).scalar_one()
            )
    finally:
        engine.dispose()


async def _told_the_admin(world: World) -> str:
    """What /readyz says of the account."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{world.started.url}/readyz") as answer,
    ):
        told = await answer.json()
    return str(told["degraded"][f"{world.mode.channel}/main"])
