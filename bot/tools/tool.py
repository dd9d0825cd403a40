"""A tool: its declaration, and the function that asks the shop's gate."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.dialogue.actions import Run
from bot.dialogue.tool_result import ToolResult
from connectors.messages import Address
from knowledge_base.source.tool_spec import ToolSpec
from shop.access.answers import Requester
from shop.access.gate import Gate


@dataclass(frozen=True, slots=True)
class Caller:
    """Customer on whose behalf a tool runs.

    Attributes:
        sources: Throttle keys beside the identity.
        turn_id: Idempotency key of a tool's effects.
    """

    address: Address
    sources: tuple[str, ...]
    turn_id: str
    conversation_id: str
    is_english: bool = False


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Surroundings of a tool's function, beside what it was told.

    Attributes:
        gate: The one door to orders and cards; it decides what may be shown.
        requester: Who asks.
        zone: In which times are told.
        has_mail: Whether codes and cards can go by mail.
    """

    gate: Gate
    requester: Requester
    zone: ZoneInfo
    is_english: bool
    has_mail: bool


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that the bot can look up or do.

    Attributes:
        run: May raise ``ShopError``: the outcome is then ``unavailable``, which every tool has.
    """

    spec: ToolSpec
    run: Callable[[Run, ToolContext], Awaitable[ToolResult]]


class Tools(Protocol):
    """Tools that can be run by name."""

    async def run(self, run: Run, caller: Caller) -> ToolResult:
        """Run one tool; a shop that cannot be reached is the outcome ``unavailable``."""
        ...
