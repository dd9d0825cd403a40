"""What every webhook promises to whoever knocks: run against pushes of the platform itself.

A gate stands between the platform and kefu. It can keep a push back, so that the very same one can
be offered altered, late or by somebody else, and in the end as it was.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from tests.contracts.channels.cases import case
from tests.contracts.channels.world import Mode, World
from tests.factories.channels import free_port, kefu_beside
from tests.storm.storm import TOPICS, answer_of, knowledge

MEGABYTE = 1024 * 1024
GARBAGE = (b"", b"{", b"[]", b"null", b"\x00\xff\xfe", b"<xml>", b"<a/>", b"[" * 50_000, b'"1"')
_HOP = frozenset({"host", "content-length", "transfer-encoding", "connection"})


@dataclass(frozen=True, slots=True)
class Push:
    """One request of the platform."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def with_proof(self, name: str, value: str | None) -> Push:
        """The same with another proof, or without: it stands in the query or in a header."""
        if name in self.query:
            query = {key: one for key, one in self.query.items() if key != name}
            return replace(self, query=query if value is None else {**query, name: value})
        headers = {key: one for key, one in self.headers.items() if key.lower() != name.lower()}
        return replace(self, headers=headers if value is None else {**headers, name: value})

    def proof(self, name: str) -> str:
        """What proves that the platform sent it."""
        found = {key.lower(): value for key, value in (*self.headers.items(), *self.query.items())}
        return found[name.lower()]


class Gate:
    """Between the platform and kefu.

    Attributes:
        is_shut: Pushes are kept back, and the platform told that nobody is there.
        seen: Every request that came, passed on or not.
    """

    def __init__(self, http: aiohttp.ClientSession, kefu_url: str) -> None:
        self.is_shut = False
        self.seen: list[Push] = []
        self._http = http
        self._kefu_url = kefu_url

    async def forward(self, request: web.Request) -> web.Response:
        """Pass a request on, unless the gate is shut."""
        headers = {key: one for key, one in request.headers.items() if key.lower() not in _HOP}
        body = await request.read()
        push = Push(request.method, request.path, dict(request.query), headers, body)
        self.seen.append(push)
        if self.is_shut:
            return web.Response(status=502)
        status, answer, kind = await self._pass_on(push)
        return web.Response(status=status, body=answer, content_type=kind)

    async def knocks(self, push: Push) -> tuple[int, bytes]:
        """Somebody makes this request; status and body of the answer."""
        status, body, _ = await self._pass_on(push)
        return status, body

    async def _pass_on(self, push: Push) -> tuple[int, bytes, str]:
        url = URL(self._kefu_url).with_path(push.path).with_query(push.query)
        async with self._http.request(
            push.method, url, data=io.BytesIO(push.body), headers=push.headers
        ) as answer:
            return answer.status, await answer.read(), answer.content_type


class LateClock:
    """The time, which kefu's clock may have otherwise."""

    def __init__(self) -> None:
        self.is_ahead_by = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.is_ahead_by


@dataclass(slots=True)
class House:
    """A kefu behind a gate.

    Attributes:
        knocked_at: When kefu was last told the truth.
    """

    world: World
    gate: Gate
    clock: LateClock
    knocked_at: datetime = datetime(2000, 1, 1, tzinfo=UTC)


@asynccontextmanager
async def a_house_with_a_gate(mode: Mode, folder: Path) -> AsyncIterator[House]:
    """A kefu beside a fresh platform, which reaches it by the gate alone."""
    clock, port, gate_port = LateClock(), free_port(), free_port()
    knowledge(folder)
    async with aiohttp.ClientSession() as http, mode.make() as platform:
        gate = Gate(http, f"http://127.0.0.1:{port}")
        application = web.Application(client_max_size=16 * MEGABYTE)
        application.router.add_route("*", "/{path:.*}", gate.forward)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", gate_port).start()
        outside = f"http://127.0.0.1:{gate_port}"
        try:
            async with kefu_beside(
                [platform],
                folder / "data",
                folder / "storm.yaml",
                port=port,
                kefu_url=outside,
                public_url=outside,
                clock=clock,
                fragment_wait_s=0.0,
            ) as started:
                yield House(World(mode, platform, started), gate, clock)
        finally:
            await runner.cleanup()


class DoorContract:
    """A webhook's cases; a subclass names what proves the sender.

    Attributes:
        proof: The header, or the parameter of the address.
        seals: After which bytes of a body something stands that the proof vouches for; ``None``
            where it vouches for the sender alone.
        good_for_s: How old a push may be, or how wrong a clock; ``None`` where none has a date.
        largest_mb: Of a body.
        asks_first: What proves the platform when it verifies the address; ``None``: it does not.
    """

    mode: ClassVar[Mode]
    proof: ClassVar[str]
    seals: ClassVar[bytes | None] = None
    good_for_s: ClassVar[float | None] = 300.0
    largest_mb: ClassVar[int] = 1
    asks_first: ClassVar[str | None] = None

    def is_ready(self, platform: Any) -> bool:  # noqa: ARG002 - most need not be told by us
        """Whether the platform knows the address by now."""
        return True

    def has_read(self, house: House, since: datetime) -> bool:  # noqa: ARG002 - most are told all
        """Whether kefu, told at that time of something to fetch, has fetched it and rests."""
        return True

    @case(1)
    async def test_only_the_platform_is_believed(self, house: House) -> None:
        user, push = await self._held_back(house, TOPICS[0])
        proof = push.proof(self.proof)
        wrong = ("a" if proof[0] != "a" else "b") + proof[1:]
        for given in (None, "", wrong, proof[:-1], "秘密".encode().decode("latin-1")):
            status, _ = await house.gate.knocks(push.with_proof(self.proof, given))
            assert status in {400, 401, 403}, given
        await self._is_still_unheard(house, user, push, TOPICS[0])

    @case(3)
    async def test_what_was_altered_on_the_way_is_refused(self, house: House) -> None:
        if self.seals is None:
            pytest.skip("the platform signs no bodies")
        user, push = await self._held_back(house, TOPICS[1])
        before, sealed, after = push.body.partition(self.seals)
        assert sealed
        altered = before + sealed + (b"B" if after[:1] == b"A" else b"A") + after[1:]
        status, _ = await house.gate.knocks(replace(push, body=altered))
        assert status in {401, 403}
        await self._is_still_unheard(house, user, push, TOPICS[1])

    @case(4)
    async def test_what_is_old_is_refused_and_a_clock_may_be_wrong_a_little(
        self, house: House
    ) -> None:
        if self.good_for_s is None:
            pytest.skip("the platform dates no pushes")
        user, push = await self._held_back(house, TOPICS[2])
        for seconds in (-self.good_for_s - 5, self.good_for_s + 5):
            house.clock.is_ahead_by = timedelta(seconds=seconds)
            status, _ = await house.gate.knocks(push)
            assert status in {401, 403}
        house.clock.is_ahead_by = timedelta(seconds=self.good_for_s - 5)
        try:
            await self._is_still_unheard(house, user, push, TOPICS[2])
        finally:
            house.clock.is_ahead_by = timedelta()

    @case(5)
    async def test_an_address_is_proved_to_the_platform_alone(self, house: House) -> None:
        if self.asks_first is None:
            pytest.skip("the platform verifies no addresses")
        # connecting has shown that the right answer is given
        asked = house.gate.seen[0]
        assert (await house.gate.knocks(asked))[0] == 200
        proof = asked.proof(self.asks_first)
        status, answer = await house.gate.knocks(asked.with_proof(self.asks_first, proof[::-1]))
        assert status in {401, 403}
        assert asked.query.get("echostr", "plain_token").encode() not in answer

    @case(6)
    async def test_garbage_is_refused_and_the_process_lives(self, house: House) -> None:
        user, push = await self._held_back(house, TOPICS[3])
        for body in GARBAGE:
            status, _ = await house.gate.knocks(replace(push, body=body))
            assert 400 <= status < 500, body[:10]
        too_large = b" " * (self.largest_mb * MEGABYTE + 1)
        status, _ = await house.gate.knocks(replace(push, body=too_large))
        assert status == 413
        await self._is_still_unheard(house, user, push, TOPICS[3])

    # ------------------------------------------------------------------ in short

    async def _has_read(self, house: House, since: datetime) -> bool:
        return self.has_read(house, since)

    async def _held_back(self, house: House, topic: str) -> tuple[str, Push]:
        """A customer's message that kefu has not seen yet."""
        platform = house.world.platform
        await platform.until(lambda: self.is_ready(platform))
        await house.world.until(lambda: self._has_read(house, house.knocked_at))
        user, house.gate.is_shut, known = house.world.somebody(), True, len(house.gate.seen)
        await platform.says(user, topic)
        await platform.until(lambda: len(house.gate.seen) > known)
        house.gate.is_shut = False
        return user, house.gate.seen[known]

    async def _is_still_unheard(self, house: House, user: str, push: Push, topic: str) -> None:
        """Nothing was stored so far; the push itself is what kefu takes."""
        await house.world.calm()
        assert await house.world.conversation(user) is None
        house.knocked_at = house.clock()
        status, _ = await house.gate.knocks(push)
        assert 200 <= status < 300
        await house.world.reads(user, answer_of(topic))
        assert await house.world.conversation(user) is not None


__all__ = ["DoorContract", "Gate", "House", "Push", "a_house_with_a_gate"]
