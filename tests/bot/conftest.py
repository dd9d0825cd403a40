"""A bot on a real database, a demo shop, and a channel that shows what customers read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from ulid import ULID

from bot.app.process import logs
from bot.app.services import Services, services
from bot.app.settings import Settings
from bot.tools.registry import TOOL_SPECS
from bot.turn.commit import Outcome
from bot.turn.knowledge import KnowledgeFiles
from connectors.kit.base import BaseConnector
from connectors.messages import (
    Address,
    Attachment,
    Capabilities,
    ChannelRef,
    Inbound,
    InboundKind,
    Outbound,
    SendResult,
    SendStatus,
    Unit,
)
from handoff.auth.agents import Role, add_agent
from handoff.model.conversation import Conversation
from knowledge_base.recognition.loader import KnowledgeBase
from shop.demo.seeding import DemoShop, demo_shop, plant
from storage.core.keyring import Keyring

ROOT = Path(__file__).parent.parent.parent
CHANNEL = ChannelRef("terminal", "tests")
START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # noon in Shanghai: the shop is open


class Clock:
    """A clock that tests move."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **parts: float) -> None:
        self.now += timedelta(**parts)


class Channel(BaseConnector):
    """A channel that keeps what it was given, and can be told to fail."""

    capabilities = Capabilities(max_text=4000, composes=True, send_idempotent=True)

    def __init__(self, ref: ChannelRef = CHANNEL) -> None:
        super().__init__(ref)
        self.lines: list[Outbound] = []
        self.typing_shown: list[bool] = []

    async def send(self, unit: Unit) -> SendResult:
        self.lines.append(unit.outbound)
        return SendResult(SendStatus.ACCEPTED)

    async def typing(self, address: Address, author: str, *, is_on: bool) -> None:
        assert address.ref == self.ref
        assert author == "bot"
        self.typing_shown.append(is_on)


@dataclass
class Customer:
    """Somebody who writes, and reads what comes back."""

    parts: Services
    channel: Channel
    turns: list[Outcome]
    name: str = field(default_factory=lambda: f"c{str(ULID())[-6:]}")

    @property
    def address(self) -> Address:
        return Address(self.channel.ref, self.name, self.name)

    def message(self, text: str = "", **parts: Any) -> Inbound:
        """What the channel would make of what they write."""
        return Inbound(
            dedup_key=parts.pop("key", None) or str(ULID()),
            address=self.address,
            received_at=self.parts.clock(),
            text=text,
            **parts,
        )

    async def sends(self, text: str = "", **parts: Any) -> None:
        """Send without waiting for an answer."""
        await self.parts.intake.accept([self.message(text, **parts)])

    async def says(self, text: str = "", **parts: Any) -> str:
        """Send, and read everything that comes back, one line after the other."""
        before = len(self.heard)
        await self.sends(text, **parts)
        await self.settled()
        return "\n".join(line.text for line in self.heard[before:])

    async def presses(self, button: str) -> str:
        return await self.says(
            button, kind=InboundKind.BUTTON, button=button, button_of=self.heard[-1].message_id
        )

    async def shows_picture(self) -> str:
        picture = Attachment(id="a" * 32, kind="image", mime="image/png", size=9)
        return await self.says(attachments=(picture,))

    async def settled(self) -> None:
        await self.parts.turns.settle()
        await self.parts.delivery.settle()

    @property
    def heard(self) -> list[Outbound]:
        mine = [one for one in self.channel.lines if one.address == self.address]
        return sorted(mine, key=lambda line: line.seq)

    @property
    def last_turn(self) -> Outcome:
        return self.turns[-1]

    @property
    def buttons(self) -> list[str]:
        return [button.id for button in self.heard[-1].buttons]

    async def conversation(self) -> Conversation:
        found = await self.parts.storage.read(
            lambda work: work.conversations.of_address(self.address)
        )
        assert found is not None
        return found


@pytest.fixture(autouse=True)
def _logs() -> None:
    """As in production: tracebacks without locals, which would print the whole knowledge base."""
    logs.configure("warning", "text")


@pytest.fixture(scope="session")
def knowledge() -> KnowledgeBase:
    """The shipped kb.yaml, fitted once."""
    cache = ROOT / ".pytest_cache" / "kefu"
    return KnowledgeFiles(ROOT / "kb.yaml", TOOL_SPECS, cache).load()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=database_url,
        kb=ROOT / "kb.yaml",
        fragment_wait_s=0.0,
        _env_file=None,
    )


@pytest.fixture
def turns() -> list[Outcome]:
    return []


@pytest.fixture
async def parts(
    settings: Settings, clock: Clock, knowledge: KnowledgeBase, turns: list[Outcome]
) -> AsyncIterator[Services]:
    keyring = Keyring([Keyring.new_key()])
    async with services(
        settings, keyring=keyring, clock=clock, knowledge=knowledge, on_turn=turns.append
    ) as made:
        yield made


@pytest.fixture
def channel(parts: Services) -> Channel:
    made = Channel()
    parts.connectors.add(made)
    return made


@pytest.fixture
async def demo(parts: Services, clock: Clock) -> DemoShop:
    made = demo_shop(b"tests", clock())
    await plant(parts.storage, made, parts.shop.passwords)
    return made


@pytest.fixture
def customer(parts: Services, channel: Channel, turns: list[Outcome]) -> Customer:
    return Customer(parts, channel, turns)


@pytest.fixture
async def agent_online(parts: Services, clock: Clock) -> str:
    """An agent at the console; their id."""
    agent = await add_agent(
        parts.storage,
        username="mei",
        name="小美",
        role=Role.AGENT,
        password=SecretStr("a long password"),
        now=clock(),
    )
    parts.desk.presence.connected(agent.id, agent.name)
    return agent.id
