"""What every connector promises, whatever its platform: run by a class for each of its modes.

A mode that cannot do a thing (no groups, no buttons) says so in ``Mode``; its test is skipped with
that reason, and the list of cases shows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.delivery.chunking import MEASURES
from connectors.errors import NotStored
from connectors.messages import Checkpoint, Inbound, MediaState, Receipt
from handoff.model.transcript import Author, DeliveryState
from tests.contracts.channels.cases import case
from tests.contracts.channels.world import Mode, World, a_png, kefu_in
from tests.storm.storm import TOPICS, answer_of

ODD = "<b>粗</b> [CQ:at,qq=all] ]]> *星* _下_ `码` &amp; {{secret:x}}"


class DatabaseAway:
    """The inbox cannot be written for a while: the first tries fail."""

    def __init__(self, intake: Any, failures: int) -> None:
        self._accept = intake.accept
        self.left = failures
        self.failed = asyncio.Event()

    async def __call__(
        self, messages: list[Inbound], checkpoint: Checkpoint | None = None
    ) -> tuple[Receipt, ...]:
        if self.left > 0 and messages:
            self.left -= 1
            self.failed.set()
            raise NotStored("the database is away", retry_after_s=0.1)
        receipts: tuple[Receipt, ...] = await self._accept(messages, checkpoint)
        return receipts


class ConnectorContract:
    """The cases that every channel has; a subclass names its mode."""

    mode: ClassVar[Mode]

    # ------------------------------------------------------------------ once

    @case(7)
    async def test_the_same_message_three_times_is_answered_once(self, world: World) -> None:
        user = world.somebody()
        await world.platform.says(user, TOPICS[0], times=3)
        await world.reads(user, answer_of(TOPICS[0]))
        await world.calm()
        assert world.answers(user) == [TOPICS[0]]
        assert await world.said_by(user, Author.CUSTOMER) == [TOPICS[0]]

    @case(8)
    async def test_the_same_message_twice_at_once_is_answered_once(self, world: World) -> None:
        user = world.somebody()
        key = await world.platform.says(user, TOPICS[1])
        await asyncio.gather(world.platform.replays(key), world.platform.replays(key))
        await world.reads(user, answer_of(TOPICS[1]))
        await world.calm()
        assert world.answers(user) == [TOPICS[1]]
        assert await world.said_by(user, Author.CUSTOMER) == [TOPICS[1]]

    @case(9, 11)
    async def test_what_cannot_be_stored_is_not_acknowledged_and_answered_later(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = world.somebody()
        away = DatabaseAway(world.parts.intake, failures=1)
        monkeypatch.setattr(world.parts.intake, "accept", away)
        key = await world.platform.says(user, TOPICS[2])
        await asyncio.wait_for(away.failed.wait(), 10)
        if not self.mode.brings_again:
            await world.platform.replays(key)
        await world.reads(user, answer_of(TOPICS[2]))
        await world.calm()
        assert world.answers(user) == [TOPICS[2]]

    @case(12)
    async def test_many_fast_messages_are_dealt_with_in_their_order(self, world: World) -> None:
        user = world.somebody()
        for topic in TOPICS:
            await world.platform.says(user, topic)
        await world.until(lambda: _has(world, user, Author.BOT, len(TOPICS)))
        said = await world.said_by(user, Author.BOT)
        assert said == [answer_of(topic) for topic in TOPICS]
        await world.calm()
        read = world.answers(user)
        assert read == [topic for topic in TOPICS if topic in read]
        if self.mode.budget is None:
            assert len(read) == len(TOPICS)

    @case(13)
    async def test_a_slow_customer_does_not_delay_another(self, world: World) -> None:
        slow, quick = world.somebody(), world.somebody()
        await world.platform.says(slow, TOPICS[0])
        await world.reads(slow, answer_of(TOPICS[0]))
        fault = world.platform.faults.add("delay", self._sending(world), seconds=1.5)
        await world.platform.says(slow, TOPICS[1])
        await world.platform.until(lambda: fault in world.platform.faults.used)
        await world.platform.says(quick, TOPICS[2])
        await world.reads(quick, answer_of(TOPICS[2]))
        assert world.answers(slow) == [TOPICS[0]]
        await world.reads(slow, answer_of(TOPICS[1]))

    # ------------------------------------------------------------------ coming and going

    @case(16)
    async def test_who_comes_is_greeted_and_who_leaves_is_known_until_they_are_back(
        self, world: World
    ) -> None:
        user = world.somebody()
        await world.platform.arrives(user)
        await world.reads(user, "风暴店")
        if self.mode.tells_leaving:
            await world.platform.leaves(user)
            await world.until(lambda: _is_unreachable(world, user))
        await world.platform.arrives(user)
        await world.platform.says(user, TOPICS[3])
        await world.reads(user, answer_of(TOPICS[3]))
        found = await world.conversation(user)
        assert found is not None
        assert found.unreachable is None

    @case(17)
    async def test_a_pressed_button_acts_once(self, world: World) -> None:
        if not self.mode.draws:
            pytest.skip("draws no buttons")
        user = world.somebody()
        await world.platform.arrives(user)
        await world.reads(user, "风暴店")
        await world.platform.presses(user, TOPICS[0], times=2)
        await world.reads(user, answer_of(TOPICS[0]))
        await world.platform.presses(user, TOPICS[0])
        await world.calm()
        assert world.answers(user) == [TOPICS[0]]

    @case(18)
    async def test_a_number_picks_from_what_was_offered(self, world: World) -> None:
        user = world.somebody()
        await world.platform.arrives(user)
        lines = await world.reads(user, "风暴店")
        if not self.mode.draws:
            assert f"1. {TOPICS[0]}\n2. 转人工" in lines[-1].text
        await world.platform.says(user, "1")
        await world.reads(user, answer_of(TOPICS[0]))

    # ------------------------------------------------------------------ texts

    @case(19)
    async def test_texts_at_the_limit_and_over_it_arrive_whole(self, world: World) -> None:
        able = world.connector.capabilities
        measure = MEASURES[able.text_unit]
        exact = "字" * (able.max_text // measure("字"))
        for text in (exact, exact + "😀", exact * (10 if self.mode.budget is None else 2)):
            user = await self._known(world)
            before = len(world.platform.shown(user))
            await world.agent_says(user, text)
            pieces = -(-measure(text) // able.max_text)
            await world.platform.until_shown(user, before + pieces)
            await world.calm()
            shown = [one.text for one in world.platform.shown(user)[before:]]
            assert "".join(shown) == text
            assert len(shown) == pieces

    @case(21)
    async def test_odd_characters_are_shown_as_they_were_typed(self, world: World) -> None:
        user = await self._known(world)
        await world.platform.says(user, f"请问{ODD}")
        await world.until(lambda: _has(world, user, Author.CUSTOMER, 2))
        assert (await world.said_by(user, Author.CUSTOMER))[-1] == f"请问{ODD}"
        await world.agent_says(user, ODD)
        await world.until(lambda: _is_sent(world, user, ODD))
        assert world.platform.shown(user)[-1].text == self.mode_shows(ODD)

    def mode_shows(self, text: str) -> str:
        """How a platform shows this text; most show what was typed."""
        return text

    @case(22)
    async def test_pieces_arrive_in_order_although_the_second_failed_first(
        self, world: World
    ) -> None:
        user = await self._known(world)
        able = world.connector.capabilities
        line = "这是很长的一段话，" * (
            able.max_text // MEASURES[able.text_unit]("这是很长的一段话，")
        )
        text = "\n\n".join(f"{number}{line}"[: len(line) - 2] for number in "甲乙")
        seen: list[object] = []

        def is_second(parameters: Mapping[str, Any]) -> bool:
            seen.append(parameters)
            return len(seen) == 2

        world.platform.faults.add("status", self._sending(world), match=is_second, status=502)
        before = len(world.platform.shown(user))
        await world.agent_says(user, text)
        await world.platform.until_shown(user, before + 2)
        await world.calm()
        first = [one.text[0] for one in world.platform.shown(user)[before:]]
        assert first == ["甲", "乙"]

    # ------------------------------------------------------------------ faults

    @case(24)
    async def test_who_left_is_undeliverable_and_not_tried_again(self, world: World) -> None:
        user = await self._known(world)
        await world.platform.leaves(user)
        await world.agent_says(user, "还在吗")
        held = DeliveryState.PENDING
        state = held if self.mode.holds_for_who_left else DeliveryState.FAILED
        await world.until(lambda: _is_in(world, user, "还在吗", state))
        await world.calm()
        tries = len(world.platform.calls)
        await world.parts.delivery.poll()
        await world.calm()
        assert len(world.platform.calls) == tries
        assert "还在吗" not in [one.text for one in world.platform.shown(user)]

    @case(33)
    async def test_a_time_out_after_the_deed_shows_once(self, world: World) -> None:
        user = await self._known(world)
        world.platform.faults.add("drop_after", self._sending(world))
        await world.agent_says(user, "只说一遍")
        state = DeliveryState.SENT if self.mode.repeats else DeliveryState.FAILED
        await world.until(lambda: _is_in(world, user, "只说一遍", state))
        await world.calm()
        shown = [one.text for one in world.platform.shown(user)]
        assert shown.count("只说一遍") == 1

    # ------------------------------------------------------------------ files and groups

    @case(37)
    async def test_files_come_in_and_go_out(self, world: World) -> None:
        user = await self._known(world)
        if self.mode.takes_files:
            await world.platform.sends_media(
                user, "image", a_png(), name="截图.png", mime="image/png"
            )
            await world.until(lambda: _has_file(world, user))
            lines = await world.transcript(user)
            (file,) = next(line.attachments for line in lines if line.attachments)
            path = world.parts.files.store.path(file.id)
            assert path is not None
            assert path.read_bytes() == a_png()
        if self.mode.shows_files:
            await world.agent_says(user, "价格表", await world.a_picture())
            await world.platform.until(
                lambda: any(one.kind == "image" for one in world.platform.shown(user))
            )
            picture = next(one for one in world.platform.shown(user) if one.kind == "image")
            assert picture.content == a_png()

    @case(38)
    async def test_in_a_group_only_what_is_said_to_us_is_heard(self, world: World) -> None:
        if not self.mode.groups:
            pytest.skip("has no groups")
        user, group = world.somebody(), f"g{world.somebody()}"
        await world.platform.says(user, TOPICS[4], group=group, mentions=False)
        await world.platform.says(user, TOPICS[5], group=group)
        await world.reads(user, answer_of(TOPICS[5]), group=group)
        await world.calm()
        assert world.answers(user, group=group) == [TOPICS[5]]

    # ------------------------------------------------------------------ secrets and stops

    @case(40)
    async def test_no_secret_stands_in_logs_or_in_what_agents_read(
        self, world: World, capfd: pytest.CaptureFixture[str]
    ) -> None:
        user = await self._known(world)
        faults, kinds = world.platform.faults, ("drop_before", "status", "garbage")
        before = len(faults.used)
        for kind in kinds:
            faults.add(kind, self._sending(world))
        for kind in kinds:
            await world.agent_says(user, f"试试 {kind}")
        await world.platform.until(lambda: len(faults.used) == before + len(kinds))
        await world.calm()
        told = "".join(capfd.readouterr())
        errors = [line.delivery_error or "" for line in await world.transcript(user)]
        for secret in secrets_of(world):
            assert secret not in told
            assert all(secret not in error for error in errors)

    @case(10, 39)
    async def test_a_restart_loses_nothing_and_answers_nothing_twice(
        self, shop_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with self.mode.make() as platform:
            async with kefu_in(self.mode, platform, shop_folder) as world:
                await platform.says("u", TOPICS[0])
                await world.reads("u", answer_of(TOPICS[0]))
                # stored, and then the process ends before the turn
                monkeypatch.setattr(world.parts.turns, "stored", lambda _stored: None)
                monkeypatch.setattr(world.parts.turns, "_wake", lambda *_: None)
                await platform.says("u", TOPICS[1])
                await world.until(lambda: _has(world, "u", Author.CUSTOMER, 2))
            async with kefu_in(self.mode, platform, shop_folder) as world:
                await world.reads("u", answer_of(TOPICS[1]))
                await platform.says("u", TOPICS[2])
                await world.reads("u", answer_of(TOPICS[2]))
                assert world.answers("u") == list(TOPICS[:3])

    # ------------------------------------------------------------------ in short

    def _sending(self, world: World) -> str:
        """The sending request's name, as this platform has called it last."""
        names = [call.method for call in world.platform.calls if self.mode.sends in call.method]
        return names[-1]

    async def _known(self, world: World) -> str:
        """A customer who has been answered once."""
        user = world.somebody()
        await world.platform.says(user, TOPICS[9])
        await world.reads(user, answer_of(TOPICS[9]))
        await world.calm()
        return user


async def _has(world: World, user: str, author: Author, count: int) -> bool:
    return len(await world.said_by(user, author)) >= count


async def _has_file(world: World, user: str) -> bool:
    lines = await world.transcript(user)
    return any(one.state is MediaState.READY for line in lines for one in line.attachments)


async def _is_unreachable(world: World, user: str) -> bool:
    found = await world.conversation(user)
    return found is not None and found.unreachable is not None


async def _is_in(world: World, user: str, text: str, state: DeliveryState) -> bool:
    lines = await world.transcript(user)
    return any(line.text == text and line.delivery is state for line in lines)


async def _is_sent(world: World, user: str, text: str) -> bool:
    return await _is_in(world, user, text, DeliveryState.SENT)


def secrets_of(world: World) -> list[str]:
    """Every value of the account's entry that is a secret."""
    entry = world.platform.account()
    names = ("token", "secret", "key")
    return [
        str(value)
        for name, value in entry.items()
        if any(part in name for part in names) and len(str(value)) >= 8 and "url" not in name
    ]
