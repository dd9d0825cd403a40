"""A whole kefu beside one fake platform, and what can be asked of both."""

from __future__ import annotations

import asyncio
import io
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from bot.app.server import Started
from bot.app.services import Services
from connectors.messages import Attachment, Connector
from devkit.people import user_id
from devkit.platform import FakePlatform, Shown
from handoff.desk.append import append_message
from handoff.model.conversation import Conversation
from handoff.model.transcript import Author, Message
from storage.unit_of_work import UnitOfWork
from tests.factories.channels import kefu_beside
from tests.storm.storm import TOPICS, answer_of, knowledge

LIMIT_S = 15.0
FITS = Path(__file__).resolve().parents[3] / ".pytest_cache" / "kefu-topics"


@dataclass(frozen=True, slots=True)
class Mode:
    """One way in which a connector can be run, and what is expected to differ.

    Attributes:
        make: A fresh platform.
        sends: Part of the name of the platform's sending requests.
        draws: The platform draws buttons; else they are numbers.
        groups: Customers can write in groups.
        repeats: A send that may have arrived is made again, for the platform knows it.
        tells_leaving: The platform says when a customer leaves.
        brings_again: What was not acknowledged is delivered again.
        budget: Sends that a customer's message allows; ``None``: any number.
        holds_for_who_left: The platform only says that no window is open: kept, should they return.
        takes_files: Files that customers send can be fetched.
        shows_files: Pictures of ours are shown.
    """

    channel: str
    name: str
    make: Callable[[], FakePlatform]
    sends: str
    draws: bool = True
    groups: bool = False
    repeats: bool = False
    tells_leaving: bool = True
    brings_again: bool = True
    budget: int | None = None
    holds_for_who_left: bool = False
    takes_files: bool = True
    shows_files: bool = True

    def __str__(self) -> str:
        return f"{self.channel} {self.name}".strip()


@dataclass(slots=True)
class World:
    """One running kefu and its platform."""

    mode: Mode
    platform: FakePlatform
    started: Started
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def parts(self) -> Services:
        return self.started.services

    @property
    def connector(self) -> Connector:
        return self.parts.connectors[self.mode.channel, "main"]

    def somebody(self) -> str:
        """A customer who has never written."""
        return f"c{next(self._numbers)}"

    async def reads(self, user: str, words: str, *, group: str | None = None) -> list[Shown]:
        """Wait until a customer sees these words; everything that they see then."""

        def is_so() -> bool:
            return any(words in one.text for one in self.platform.shown(user, group=group))

        try:
            await self.platform.until(is_so, LIMIT_S)
        except TimeoutError:
            lines = [one.text for one in self.platform.shown(user, group=group)]
            raise AssertionError(f"never read {words!r}, but {lines}") from None
        return self.platform.shown(user, group=group)

    def answers(self, user: str, *, group: str | None = None) -> list[str]:
        """Topics that a customer read the answer to, in that order."""
        return [
            topic
            for line in self.platform.shown(user, group=group)
            for topic in TOPICS
            if answer_of(topic) in line.text
        ]

    async def calm(self) -> None:
        """Wait until everything that came in has had its turn, and has left."""
        await self.parts.turns.settle()
        await self.parts.delivery.settle()
        await self.platform.connected()

    async def until(self, is_so: Callable[[], Any]) -> None:
        """Wait for something that the database will say; it is asked again and again."""
        async with asyncio.timeout(LIMIT_S):
            while not await is_so():  # noqa: ASYNC110 - a database sends no word
                await asyncio.sleep(0.02)

    async def conversation(self, user: str) -> Conversation | None:
        """The customer's private conversation."""
        known_as = user_id(self.platform, user)

        def unit(work: UnitOfWork) -> Conversation | None:
            page, _ = work.conversations.page("all", None, limit=200, before=None)  # type: ignore[arg-type]
            return next((one for one in page if one.address.user_id == known_as), None)

        return await self.parts.storage.read(unit)

    async def transcript(self, user: str) -> list[Message]:
        """Every line of it; empty before the first."""
        found = await self.conversation(user)
        if found is None:
            return []
        key = found.id
        lines = await self.parts.storage.read(lambda work: work.messages.after(key, 0, 200))
        return list(lines)

    async def said_by(self, user: str, author: Author) -> list[str]:
        """Texts of one side."""
        return [line.text for line in await self.transcript(user) if line.author is author]

    async def agent_says(self, user: str, text: str, *files: Attachment) -> Message:
        """A person writes to a customer."""
        found = await self.conversation(user)
        assert found is not None
        key = found.id

        def unit(work: UnitOfWork) -> Message:
            conversation = work.conversations.lock(key)
            conversation, message = append_message(
                work,
                conversation,
                author=Author.AGENT,
                author_name="小美",
                text=text,
                attachments=files,
                at=self.parts.clock(),
            )
            work.conversations.save(conversation)
            return message

        return await self.parts.storage.write(unit)

    async def a_picture(self) -> Attachment:
        """A stored picture of ours."""
        return await asyncio.to_thread(self.parts.files.store.save, a_png(), "price.png")


def a_png() -> bytes:
    """A small picture."""
    written = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(written, "PNG")
    return written.getvalue()


@asynccontextmanager
async def a_world(mode: Mode, folder: Path) -> AsyncIterator[World]:
    """A kefu beside a fresh platform; both end with the block."""
    async with mode.make() as platform, kefu_in(mode, platform, folder) as world:
        yield world


@asynccontextmanager
async def kefu_in(mode: Mode, platform: FakePlatform, folder: Path) -> AsyncIterator[World]:
    """A kefu on this folder beside a running platform."""
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - a test's own folder
    kb = folder / "storm.yaml"
    if not kb.exists():
        knowledge(folder)
        # fitted once for all: the topics are the same everywhere
        (folder / "data").mkdir()
        FITS.mkdir(parents=True, exist_ok=True)
        (folder / "data" / "cache").symlink_to(FITS)
    async with kefu_beside([platform], folder / "data", kb, fragment_wait_s=0.0) as started:
        yield World(mode, platform, started)
